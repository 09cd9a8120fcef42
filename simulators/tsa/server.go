// Package tsa is a simulator of a time-stamping authority, speaking RFC 3161
// over HTTP on a real socket. Its certificates are its own; nothing trusts them
// but who is given the root.
//
// Its page, or SetFault, makes it fail in one named way: see Fault.
package tsa

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/pem"

	"fmt"
	"html/template"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"visavis/internal/clock"
)

// Fault is a way to fail.
type Fault string

// The ways to fail.
const (
	None     Fault = "none"
	Down     Fault = "down"     // 503
	Cut      Fault = "cut"      // drops the connection
	Slow     Fault = "slow"     // answers after SlowFor
	Garbage  Fault = "garbage"  // 200 with bytes that are no answer
	HTML     Fault = "html"     // 200 with a web page, as captive portals do
	Huge     Fault = "huge"     // an answer without end
	Rejected Fault = "rejected" // status rejection, badRequest
	Empty    Fault = "empty"    // granted, without a token
	Imprint  Fault = "imprint"  // dates something else
	Nonce    Fault = "nonce"    // answers another question
	NoNonce  Fault = "no-nonce" // leaves the nonce out
	Policy   Fault = "policy"   // under another policy than asked for
	Foreign  Fault = "foreign"  // certificate of an unknown root
	WebCert  Fault = "web-cert" // certificate of our root, for TLS servers
	Expired  Fault = "expired"  // certificate over since 2001
	NoCert   Fault = "no-cert"  // certificate not in the token
	Forged   Fault = "forged"   // the signature is of other bytes
	Early    Fault = "early"    // a clock one day behind
	Late     Fault = "late"     // a clock one day ahead
)

// Faults lists the ways to fail.
func Faults() []Fault {
	return []Fault{None, Down, Cut, Slow, Garbage, HTML, Huge, Rejected, Empty, Imprint, Nonce, NoNonce, Policy, Foreign, WebCert, Expired, NoCert, Forged, Early, Late}
}

// Options say where, for whom and when.
type Options struct {
	Addr           string // 127.0.0.1 on a free port when empty
	Dir            string // keeps the certificates over restarts; memory when empty
	User, Password string // asked for when not empty
	SlowFor        time.Duration
	Clock          clock.Clock  // the machine's when nil
	Log            *slog.Logger // nothing when nil
}

// Server is a running simulator.
type Server struct {
	o    Options
	base string
	unit unit
	http *http.Server
	done chan struct{}
	page *template.Template

	mu     sync.Mutex
	fault  Fault
	asked  int
	serial int64
}

//go:embed pages/control.html
var pageFiles embed.FS

// Start listens and serves until ctx ends or Close is called.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.SlowFor == 0 {
		o.SlowFor = time.Minute
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	u, err := newUnit(o.Dir, o.Clock.Now())
	if err != nil {
		return nil, err
	}
	page, err := template.ParseFS(pageFiles, "pages/control.html")
	if err != nil {
		return nil, err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("tsa simulator: %w", err)
	}
	s := &Server{o: o, base: "http://" + l.Addr().String(), unit: u, done: make(chan struct{}), page: page, fault: None}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /tsa", s.stamp)
	mux.HandleFunc("GET /{$}", s.show)
	mux.HandleFunc("POST /control", s.control)
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(l)
	}()
	context.AfterFunc(ctx, func() { _ = s.Close() })
	return s, nil
}

// URL is where to ask.
func (s *Server) URL() string { return s.base + "/tsa" }

// Page is the address of the control page.
func (s *Server) Page() string { return s.base + "/" }

// RootPEM gives the root certificate to trust.
func (s *Server) RootPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.unit.root.cert.Raw})
}

// Close stops the simulator.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.done
	return err
}

// SetFault makes every later request fail in one way, or none.
func (s *Server) SetFault(f Fault) error {
	if !slices.Contains(Faults(), f) {
		return fmt.Errorf("tsa simulator: no fault is called %q", f)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
	return nil
}

// Asked is how many well-formed requests came.
func (s *Server) Asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func (s *Server) stamp(w http.ResponseWriter, r *http.Request) {
	if user, password, _ := r.BasicAuth(); s.o.User != "" && (user != s.o.User || password != s.o.Password) {
		w.Header().Set("WWW-Authenticate", `Basic realm="tsa"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.Header.Get("Content-Type") != "application/timestamp-query" {
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	der, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	q, bad := readQuery(der)
	s.mu.Lock()
	fault := s.fault
	if bad == nil {
		s.asked++
	}
	s.serial++
	serial := s.serial
	s.mu.Unlock()
	if s.interrupted(w, r, fault) {
		return
	}
	var answer []byte
	switch {
	case err != nil || bad != nil || fault == Rejected:
		answer, err = refusal(2)
	case !q.Imprint.Algorithm.Algorithm.Equal(sha256ID().Algorithm) || len(q.Imprint.Hash) != sha256.Size:
		answer, err = refusal(0)
	default:
		answer, err = s.answer(q, fault, serial)
	}
	if err != nil {
		s.o.Log.Error("tsa simulator", "error", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/timestamp-reply")
	_, _ = w.Write(answer)
}

// interrupted does what the faults of the transport do.
func (s *Server) interrupted(w http.ResponseWriter, r *http.Request, f Fault) bool {
	switch f {
	case Down:
		w.WriteHeader(http.StatusServiceUnavailable)
	case Cut:
		panic(http.ErrAbortHandler) // net/http's own way to drop a connection
	case Slow:
		select {
		case <-r.Context().Done():
			return true
		case <-time.After(s.o.SlowFor):
			return false
		}
	case Garbage:
		w.Header().Set("Content-Type", "application/timestamp-reply")
		noise := make([]byte, 900)
		rand.Read(noise)
		_, _ = w.Write(noise)
	case HTML:
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<h1>Sign in to the network</h1>")
	case Huge:
		w.Header().Set("Content-Type", "application/timestamp-reply")
		for range 100 {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return true
			}
		}
	default:
		return false
	}
	return true
}

// answer grants, in the way the fault says.
func (s *Server) answer(q query, f Fault, serial int64) ([]byte, error) {
	id, at := s.unit.good, s.o.Clock.Now()
	switch f {
	case Imprint:
		q.Imprint.Hash = slices.Clone(q.Imprint.Hash)
		q.Imprint.Hash[0] ^= 1
	case Nonce:
		if q.Nonce != nil {
			q.Nonce = new(big.Int).Add(q.Nonce, big.NewInt(1))
		}
	case NoNonce:
		q.Nonce = nil
	case Policy:
		q.Policy = append(policy(), 1)
	case Foreign:
		id = s.unit.foreign
	case WebCert:
		id = s.unit.server
	case Expired:
		id = s.unit.expired
	case NoCert:
		q.CertReq = false
	case Early:
		at = at.AddDate(0, 0, -1)
	case Late:
		at = at.AddDate(0, 0, 1)
	case Empty:
		return emptyGrant()
	}
	answer, err := grant(q, id, big.NewInt(serial), at)
	if f == Forged && err == nil {
		answer[len(answer)-1] ^= 1 // the last byte is the signature's
	}
	return answer, err
}

func (s *Server) show(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	data := map[string]any{"Fault": s.fault, "Faults": Faults(), "Asked": s.asked}
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
	if err := s.page.Execute(w, data); err != nil {
		s.o.Log.Warn("tsa simulator: page", "error", err)
	}
}

func (s *Server) control(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	if err := s.SetFault(Fault(r.FormValue("fault"))); err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
