package whip

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"

	"visavis/internal/authz"
	"visavis/internal/fault"
	"visavis/internal/httpx"
	"visavis/internal/limit"
)

const (
	typeSDP      = "application/sdp"
	typeFragment = "application/trickle-ice-sdpfrag"
	maxSDP       = 64 << 10 // of an offer
)

// knocks are the calls of one network, whatever their token.
var knocks = limit.Rule{Name: "device-knock", Burst: 60, Every: time.Second}

// paths are the endpoints of each direction.
var paths = map[Direction]string{Send: "/api/whip/", Receive: "/api/whep/"}

func (s *Service) body(ctx context.Context, d Device) deviceBody {
	return deviceBody{d.ID, d.Label, d.Direction, s.URL + paths[d.Direction] + d.ID, d.MadeAt, d.ExpiresAt, d.Owner == authz.From(ctx).ID()}
}

func (s *Service) mount(to *httpx.Server) {
	for way, path := range paths {
		for method, h := range map[string]handler{http.MethodPost: s.post, http.MethodOptions: s.options(http.MethodPost, "Accept-Post", typeSDP)} {
			to.Mount(method, path+"{device}", "device.connect", s.answer(way, h))
		}
		for method, h := range map[string]handler{
			http.MethodPatch: s.patch, http.MethodDelete: s.delete, http.MethodOptions: s.options(http.MethodPatch+", "+http.MethodDelete, "Accept-Patch", typeFragment),
		} {
			to.Mount(method, path+"{device}/{connection}", "device.connect", s.answer(way, h))
		}
	}
}

// handler answers a device, or says why not.
type handler func(w http.ResponseWriter, r *http.Request, way Direction) error

// refused is a refusal whose status is one of HTTP's own.
type refused struct {
	error
	status int
}

func (s *Service) answer(way Direction, h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := s.Limits.Take(r.Context(), knocks, limit.Network(httpx.Remote(r.Context())))
		if err == nil {
			err = h(w, r, way)
		}
		var own refused
		switch {
		case err == nil:
		case errors.As(err, &own):
			httpx.RefuseAs(w, r, own.status, own.error)
		default:
			if k := fault.KindOf(err); k == fault.Internal || k == fault.Unavailable {
				s.Log.Warn("whip: request failed", "id", authz.From(r.Context()).Request, "err", err)
			}
			httpx.Refuse(w, r, err)
		}
	}
}

// options answers what the endpoint takes (RFC 9725 §4.2). It names no other
// origin: a page of another site may not call, as everywhere here (trust S11).
func (s *Service) options(methods, accept, media string) handler {
	return func(w http.ResponseWriter, _ *http.Request, _ Direction) error {
		w.Header().Set("Allow", methods+", OPTIONS")
		w.Header().Set(accept, media)
		w.WriteHeader(http.StatusOK)
		return nil
	}
}

// bearer is the device that calls. A token of another device is answered as a
// path that does not exist.
func (s *Service) bearer(w http.ResponseWriter, r *http.Request, way Direction) (Device, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="visavis"`)
		return Device{}, fault.New(fault.Unauthenticated, "device-token")
	}
	d, err := s.authenticate(r.Context(), strings.TrimSpace(token))
	switch {
	case fault.KindOf(err) == fault.Unauthenticated:
		w.Header().Set("WWW-Authenticate", `Bearer realm="visavis", error="invalid_token"`)
		return d, err
	case err != nil:
		return d, err
	case d.Direction != way || d.ID != r.PathValue("device"):
		return d, fault.Missing()
	}
	return d, nil
}

// read takes a body of one media type.
func read(w http.ResponseWriter, r *http.Request, want string) (string, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != want {
		return "", refused{fault.New(fault.Malformed, "media-type"), http.StatusUnsupportedMediaType}
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSDP))
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		return "", fault.New(fault.TooLarge, "too-large")
	}
	if late := net.Error(nil); errors.As(err, &late) && late.Timeout() {
		return "", httpx.TooSlow()
	}
	if err != nil {
		return "", fault.New(fault.Malformed, "offer-refused").Because(err)
	}
	return string(raw), nil
}

// accepts tells whether the caller takes an answer of that type (RFC 9110
// §12.5.1); without the header it takes any.
func accepts(r *http.Request, want string) bool {
	list := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(list) == "" {
		return true
	}
	for one := range strings.SplitSeq(list, ",") {
		media, params, err := mime.ParseMediaType(one)
		if err == nil && (media == want || media == "*/*" || media == "application/*") && (params["q"] == "" || strings.Trim(params["q"], "0.") != "") {
			return true
		}
	}
	return false
}

// post begins a connection: 201 with the answer (RFC 9725 §4.2).
func (s *Service) post(w http.ResponseWriter, r *http.Request, way Direction) error {
	d, err := s.bearer(w, r, way)
	if err != nil {
		return err
	}
	if !accepts(r, typeSDP) {
		return refused{fault.New(fault.Malformed, "media-type"), http.StatusNotAcceptable}
	}
	offer, err := read(w, r, typeSDP)
	if err != nil {
		return err
	}
	res, answer, err := s.begin(r.Context(), d, offer)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", typeSDP)
	h.Set("Location", s.URL+paths[way]+d.ID+"/"+res.id)
	h.Set("ETag", `"`+res.etag()+`"`)
	h.Set("Accept-Patch", typeFragment)
	for _, server := range res.plug.ICE.Servers {
		for _, url := range server.URLs {
			h.Add("Link", fmt.Sprintf(`<%s>; rel="ice-server"; username=%q; credential=%q; credential-type="password"`, url, server.Username, server.Credential))
		}
	}
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer) // the client is gone when this fails
	return nil
}

// connection finds the connection that a request is about.
func (s *Service) connection(w http.ResponseWriter, r *http.Request, way Direction) (d Device, res *resource, err error) {
	if d, err = s.bearer(w, r, way); err != nil {
		return d, nil, err
	}
	res, err = s.find(d, r.PathValue("connection"))
	return d, res, err
}

// patch takes candidates, of which none is needed, and restarts of ICE (RFC 9725
// §4.3).
func (s *Service) patch(w http.ResponseWriter, r *http.Request, way Direction) error {
	d, res, err := s.connection(w, r, way)
	if err != nil {
		return err
	}
	body, err := read(w, r, typeFragment)
	if err != nil {
		return err
	}
	switch match := httpx.IfMatch(r.Context()); match {
	case "":
		return refused{fault.New(fault.Malformed, "if-match-needed"), http.StatusPreconditionRequired}
	case res.etag():
		w.WriteHeader(http.StatusNoContent)
		return nil
	case "*":
	default:
		return refused{fault.New(fault.Conflict, "if-match-old"), http.StatusPreconditionFailed}
	}
	text, err := s.restart(r.Context(), d, res, body)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", `"`+res.etag()+`"`)
	if text == "" {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	w.Header().Set("Content-Type", typeFragment)
	_, _ = io.WriteString(w, text)
	return nil
}

// delete ends a connection (RFC 9725 §4.2).
func (s *Service) delete(w http.ResponseWriter, r *http.Request, way Direction) error {
	d, res, err := s.connection(w, r, way)
	if err != nil {
		return err
	}
	s.end(d, res)
	w.WriteHeader(http.StatusOK)
	return nil
}
