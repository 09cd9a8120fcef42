package check

import (
	"context"
	"embed"
	"io/fs"
	"net/http"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/httpx"
	"visavis/internal/lang"
	"visavis/internal/limit"
)

//go:embed texts
var texts embed.FS

// Texts is the catalogue of this module.
func Texts() (*lang.Catalogue, error) {
	sub, err := fs.Sub(texts, "texts")
	if err != nil {
		return nil, err
	}
	return lang.New(sub, "fr", "en")
}

// ByID is the path of one act; exported because huma fills embedded fields by reflection.
type ByID struct {
	ID string `path:"id"`
}

type iceOut struct {
	CacheControl string `header:"Cache-Control"`
	Body         iceBody
}

type iceBody struct {
	Servers   []serverBody `json:"servers"`
	ExpiresAt time.Time    `json:"expiresAt"`
	Bytes     int          `json:"bytes" doc:"what is sent each way to measure a rate"`
}

type serverBody struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

type checkAnswerOut struct {
	Body struct {
		SDP string `json:"sdp"`
	}
}

type checkBytesOut struct {
	ContentType  string `header:"Content-Type"`
	CacheControl string `header:"Cache-Control"`
	Body         []byte
}

type keptOut struct{ Body keptBody }

type keptBody struct {
	At       time.Time `json:"at"`
	Role     care.Role `json:"role" enum:"patient,doctor,nurse,pharmacist,secretary,admin,companion,system"`
	Word     Word      `json:"word" enum:"good,weak,bad"`
	Findings []string  `json:"findings" doc:"what is wrong, one sentence each, the worst first"`
	Result   Result    `json:"result"`
}

type checkListOut struct {
	Body struct {
		Items []keptBody `json:"items"`
	}
}

// Routes registers the routes of the module. It fails when its texts cannot be
// read.
func Routes(s *httpx.Server, svc *Service) error {
	words, err := Texts()
	if err != nil {
		return err
	}
	op := func(method, path, id string, action authz.Action, summary string, status int) httpx.Op {
		return httpx.Op{Method: method, Path: "/api/encounters/{id}/" + path, Action: action, ID: id, Summary: summary, Tag: "signaling", Status: status,
			Limit: limit.Rule{Name: "check", Burst: 40, Every: 2 * time.Second}}
	}
	httpx.Handle(s, op(http.MethodPost, "check", "startConnectionCheck", "check.run", "Begin a connection check: what the relay is tried with", 201),
		func(ctx context.Context, in *ByID) (*iceOut, error) {
			ice, err := svc.Begin(ctx, care.EncounterID(in.ID))
			if err != nil {
				return nil, err
			}
			out := &iceOut{CacheControl: "no-store", Body: iceBody{Servers: []serverBody{}, ExpiresAt: ice.ExpiresAt, Bytes: Bytes}}
			for _, x := range ice.Servers {
				out.Body.Servers = append(out.Body.Servers, serverBody(x))
			}
			return out, nil
		})
	httpx.Handle(s, op(http.MethodPost, "check/offer", "tryConnection", "check.run", "Try one way to the media, with a connection that carries nothing", 200),
		func(ctx context.Context, in *struct {
			ByID
			Body struct {
				Way string `json:"way" enum:"udp,tcp,tls"`
				SDP string `json:"sdp" maxLength:"32768"`
			}
		}) (*checkAnswerOut, error) {
			answer, err := svc.Try(ctx, care.EncounterID(in.ID), in.Body.Way, in.Body.SDP)
			out := &checkAnswerOut{}
			out.Body.SDP = answer
			return out, err
		})
	rates(s, svc, op)
	httpx.Handle(s, op(http.MethodPut, "check", "keepConnectionCheck", "check.run", "Keep what a check found, for who is asked for help", 200),
		func(ctx context.Context, in *struct {
			ByID
			Body Result
		}) (*keptOut, error) {
			k, err := svc.Keep(ctx, care.EncounterID(in.ID), in.Body)
			if err != nil {
				return nil, err
			}
			return &keptOut{body(ctx, words, k)}, nil
		})
	httpx.Handle(s, op(http.MethodGet, "checks", "listConnectionChecks", "check.read", "The last connection checks of everybody of an act", 200),
		func(ctx context.Context, in *ByID) (*checkListOut, error) {
			list, err := svc.Of(ctx, care.EncounterID(in.ID))
			if err != nil {
				return nil, err
			}
			out := &checkListOut{}
			out.Body.Items = bodies(ctx, words, list)
			return out, nil
		})
	return nil
}

// rates registers what the rates are measured by.
func rates(s *httpx.Server, svc *Service, op func(method, path, id string, action authz.Action, summary string, status int) httpx.Op) {
	httpx.Handle(s, op(http.MethodGet, "check/bytes", "downloadCheckBytes", "check.run", "Bytes to measure the download by", 200).File("application/octet-stream"),
		func(ctx context.Context, in *ByID) (*checkBytesOut, error) {
			b, err := svc.Download(ctx, care.EncounterID(in.ID))
			if err != nil {
				return nil, err
			}
			return &checkBytesOut{"application/octet-stream", "no-store", b}, nil
		})
	up := op(http.MethodPost, "check/bytes", "uploadCheckBytes", "check.run", "Bytes to measure the upload by; they are forgotten", 204)
	up.MaxBody = 2 * Bytes
	httpx.Handle(s, up, func(ctx context.Context, in *struct {
		ByID
		RawBody []byte `contentType:"application/octet-stream"`
	}) (*struct{}, error) {
		return nil, svc.Upload(ctx, care.EncounterID(in.ID))
	})
}

func bodies(ctx context.Context, words *lang.Catalogue, list []Kept) []keptBody {
	out := make([]keptBody, 0, len(list))
	for _, k := range list {
		out = append(out, body(ctx, words, k))
	}
	return out
}

func body(ctx context.Context, words *lang.Catalogue, k Kept) keptBody {
	word, codes := k.Result.Findings()
	b := keptBody{At: k.At, Role: k.Role, Word: word, Findings: []string{}, Result: k.Result}
	for _, c := range codes {
		b.Findings = append(b.Findings, words.T(string(httpx.Language(ctx)), "check."+c, nil))
	}
	return b
}
