package signaling

import (
	"context"
	"embed"
	"io/fs"
	"net/http"
	"strings"
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

// LivePath is where the WebSocket is.
const LivePath = "/api/live"

type admissionIn struct {
	ID     string `path:"id"`
	Origin string `header:"Origin"`
}

type admissionBody struct {
	Ticket    string    `json:"ticket" doc:"256 bits, for the first message of the WebSocket; never in a URL"`
	ExpiresAt time.Time `json:"expiresAt"`
	URL       string    `json:"url" doc:"path of the WebSocket"`
}

type admissionOut struct {
	CacheControl string `header:"Cache-Control"`
	Body         admissionBody
}

// Routes registers the two routes of docs/signaling.md §2.
func Routes(s *httpx.Server, svc *Service) {
	httpx.Handle(s, httpx.Op{
		Method: http.MethodPost, Path: "/api/encounters/{id}/admission", Action: "seat.admission", ID: "createAdmission", Tag: "signaling", Status: http.StatusCreated,
		Summary: "Get a ticket for the live side of an act", Limit: limit.Rule{Name: "admission", Burst: 20, Every: 3 * time.Second}, MaxBody: 1024,
	}, func(ctx context.Context, in *admissionIn) (*admissionOut, error) {
		t, err := svc.Admission(ctx, care.EncounterID(in.ID), in.Origin)
		if err != nil {
			return nil, err
		}
		return &admissionOut{CacheControl: "no-store", Body: admissionBody{Ticket: t.Secret, ExpiresAt: t.ExpiresAt, URL: LivePath}}, nil
	})
	s.Mount(http.MethodGet, LivePath, "seat.connect", svc.Live)
}

// note tells Refused that somebody was refused something on a socket.
func (s *Service) note(a authz.Actor, object, reason string) {
	if s.Refused != nil && a.SessionID != "" {
		s.Refused(authz.Refusal{Actor: a, Action: "seat.connect", Object: object, Reason: reason})
	}
}

// noteRefusal notes an error message that refuses an order of the session: each
// of them passes here.
func (s *session) noteRefusal(body any) {
	if e, ok := body.(errorMsg); ok && (e.Code == "forbidden" || e.Code == "not_found" || e.Code == "media_refused") {
		s.room.hub.svc.note(s.actor, "encounter/"+string(s.room.act.ID), "live-"+strings.ReplaceAll(e.Code, "_", "-"))
	}
}
