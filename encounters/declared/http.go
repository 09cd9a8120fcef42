package declared

import (
	"context"
	"embed"
	"io/fs"
	"net/http"
	"strconv"
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/httpx"
	"visavis/internal/lang"
)

//go:embed texts
var texts embed.FS

// Texts is the catalogue of this package.
func Texts() (*lang.Catalogue, error) {
	sub, err := fs.Sub(texts, "texts")
	if err != nil {
		return nil, err
	}
	return lang.New(sub, "fr", "en")
}

// ByID is the path of one appointment; exported because huma fills embedded fields by reflection.
type ByID struct {
	ID string `path:"id" maxLength:"36"`
}

type declarationOut struct {
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	Body         declarationBody
}

type declarationBody struct {
	Allergies  saidBody `json:"allergies"`
	Treatments saidBody `json:"treatments"`
	ETag       string   `json:"etag"`
	Closed     string   `json:"closed,omitempty" enum:"declaration-begun,declaration-closed" doc:"why the reader cannot change it; absent while it can be changed"`
}

type earlierBody struct {
	Subject
	By care.Role  `json:"by,omitempty" enum:"patient,doctor,nurse" doc:"who said or wrote it"`
	At *time.Time `json:"at,omitempty"`
}

type saidBody struct {
	Subject
	By      care.Role     `json:"by,omitempty" enum:"patient,doctor,nurse" doc:"who said or wrote it"`
	At      *time.Time    `json:"at,omitempty"`
	Earlier []earlierBody `json:"earlier,omitempty" doc:"what was said before, newest first"`
}

// Routes registers the routes.
func Routes(s *httpx.Server, svc *Service) {
	op := httpx.Op{Method: http.MethodGet, Path: "/api/appointments/{id}/declaration", Action: "declaration.read", Tag: "encounters",
		Summary: "What the patient says of allergies and treatments", Status: 200}
	httpx.Handle(s, op.Named("readDeclaration"), func(ctx context.Context, in *ByID) (*declarationOut, error) {
		return answer(svc.Read(ctx, care.AppointmentID(in.ID)))
	})
	op.Method, op.Action, op.Summary, op.MaxBody = http.MethodPut, "declaration.write", "Change what the patient says: the patient until the act begins, professionals until it ends", 64<<10
	httpx.Handle(s, op.Named("updateDeclaration").Matched(), func(ctx context.Context, in *struct {
		ByID
		Body struct {
			Allergies  Subject `json:"allergies"`
			Treatments Subject `json:"treatments"`
		}
	}) (*declarationOut, error) {
		seen, err := strconv.ParseInt(httpx.IfMatch(ctx), 10, 64)
		if err != nil {
			return nil, fault.New(fault.Malformed, "match-needed")
		}
		return answer(svc.Write(ctx, care.AppointmentID(in.ID), Given(in.Body), seen))
	})
}

func answer(d Declaration, err error) (*declarationOut, error) {
	if err != nil {
		return nil, err
	}
	tag := strconv.FormatInt(d.Version, 10)
	return &declarationOut{ETag: strconv.Quote(tag), CacheControl: "no-store", Body: declarationBody{said(d.Allergies), said(d.Treatments), tag, d.Closed}}, nil
}

func said(s Said) saidBody {
	last := earlier(s)
	b := saidBody{Subject: last.Subject, By: last.By, At: last.At}
	for _, e := range s.Earlier {
		b.Earlier = append(b.Earlier, earlier(e))
	}
	return b
}

func earlier(s Said) earlierBody {
	b := earlierBody{Subject: s.Subject, By: s.By}
	if !s.At.IsZero() {
		b.At = &s.At
	}
	return b
}
