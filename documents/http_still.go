package documents

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/httpx"
	"visavis/internal/limit"
)

type stillBody struct {
	ID          string    `json:"id"`
	EncounterID string    `json:"encounterId"`
	At          time.Time `json:"at"`
	TakenBy     string    `json:"takenBy" doc:"the name of who took it; empty: whose role follows"`
	Role        care.Role `json:"role" enum:"patient,doctor,nurse,pharmacist,secretary,admin,companion,system"`
	Type        string    `json:"type" enum:"image/jpeg,image/png"`
	Width       int       `json:"width" doc:"pixels of the sensor, before the turn of its orientation"`
	Height      int       `json:"height"`
	Bytes       int       `json:"bytes"`
	SHA256      string    `json:"sha256" doc:"of the file, hexadecimal"`
}

type stillOut struct {
	Body stillBody
}

type stillsOut struct {
	Body struct {
		Items []stillBody `json:"items"`
	}
}

type stillFileOut struct {
	ContentType        string `header:"Content-Type"`
	ContentDisposition string `header:"Content-Disposition"`
	ContentDigest      string `header:"Content-Digest"`
	Body               []byte
}

// StillIn is a photo as it is sent; exported for the reflection of huma. Its bytes are not part of what an
// idempotency key stands for: their digest is.
type StillIn struct {
	ByID
	Request string `query:"request" required:"true" maxLength:"64" doc:"the request of signaling that it answers"`
	Digest  string `header:"Content-Digest" required:"true" maxLength:"200" doc:"RFC 9530: sha-256=:…:"`
	RawBody []byte `contentType:"image/jpeg" json:"-"`
}

// stillRoutes registers the routes of the photos.
func stillRoutes(s *httpx.Server, svc *Service) {
	op := func(method, path, id string, action authz.Action, summary string) httpx.Op {
		return httpx.Op{Method: method, Path: path, ID: id, Action: action, Summary: summary, Tag: "documents"}
	}
	keep := op(http.MethodPost, "/api/encounters/{id}/stills", "keepStill", "still.keep", "Send a photo that was asked for in the call")
	keep.Once, keep.Status, keep.MaxBody, keep.ReadFor = true, http.StatusCreated, maxStill, 5*time.Minute
	keep.Limit = limit.Rule{Name: "still", Burst: 10, Every: 5 * time.Second}
	httpx.Handle(s, keep, svc.postStill)
	httpx.Handle(s, op(http.MethodGet, "/api/encounters/{id}/stills", "listStills", "still.list", "The photos of an act"),
		func(ctx context.Context, in *ByID) (*stillsOut, error) {
			if err := in.valid(); err != nil {
				return nil, err
			}
			return svc.stillBodies(ctx, func() ([]*Still, error) { return svc.StillsOf(ctx, care.EncounterID(in.ID)) })
		})
	httpx.Handle(s, op(http.MethodGet, "/api/me/stills", "listMyStills", "still.list", "The patient's own photos"),
		func(ctx context.Context, _ *struct{}) (*stillsOut, error) {
			return svc.stillBodies(ctx, func() ([]*Still, error) { return svc.MyStills(ctx) })
		})
	httpx.Handle(s, op(http.MethodGet, "/api/stills/{id}", "readStill", "still.read", "A photo, byte for byte as it was taken").File("image/jpeg", "image/png"), svc.getStill)
}

func (s *Service) postStill(ctx context.Context, in *StillIn) (*stillOut, error) {
	if err := in.valid(); err != nil {
		return nil, err
	}
	digest, ok := parseDigest(in.Digest)
	if !ok {
		return nil, fault.Fields(fault.Field{Name: "header.Content-Digest", Code: "digest-not-valid"})
	}
	st, err := s.Keep(ctx, care.EncounterID(in.ID), in.Request, in.RawBody, digest)
	if err != nil {
		return nil, err
	}
	b, err := s.stillBody(ctx, st)
	return &stillOut{Body: b}, err
}

// parseDigest finds the SHA-256 in a Content-Digest (RFC 9530 §2), whatever other algorithms stand beside it.
func parseDigest(header string) ([]byte, bool) {
	for part := range strings.SplitSeq(header, ",") {
		value, ok := strings.CutPrefix(strings.TrimSpace(part), "sha-256=:")
		if !ok || !strings.HasSuffix(value, ":") {
			continue
		}
		sum, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(value, ":"))
		return sum, err == nil && len(sum) == 32
	}
	return nil, false
}

func (s *Service) stillBodies(ctx context.Context, find func() ([]*Still, error)) (*stillsOut, error) {
	list, err := find()
	if err != nil {
		return nil, err
	}
	out := &stillsOut{}
	out.Body.Items = make([]stillBody, 0, len(list))
	for _, st := range list {
		b, err := s.stillBody(ctx, st)
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, b)
	}
	return out, nil
}

func (s *Service) stillBody(ctx context.Context, st *Still) (stillBody, error) {
	name, _, err := s.Names.Name(ctx, st.TakenRole, st.TakenBy)
	if fault.KindOf(err) == fault.NotFound && err != nil {
		name, err = "", nil
	}
	return stillBody{ID: st.ID, EncounterID: string(st.EncounterID), At: st.At, TakenBy: name, Role: st.TakenRole, Type: st.MIME,
		Width: st.Width, Height: st.Height, Bytes: st.Bytes, SHA256: hex.EncodeToString(st.Hash)}, err
}

// getStill answers with a photo. Its name says the date only: a download folder is read by others.
func (s *Service) getStill(ctx context.Context, in *ByID) (*stillFileOut, error) {
	if err := in.valid(); err != nil {
		return nil, err
	}
	st, data, err := s.OpenStill(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &stillFileOut{
		ContentType: st.MIME, ContentDisposition: `attachment; filename="photo-` + st.At.Format("2006-01-02") + st.Extension() + `"`,
		ContentDigest: "sha-256=:" + base64.StdEncoding.EncodeToString(st.Hash) + ":", Body: data,
	}, nil
}
