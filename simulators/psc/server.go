package psc

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options says who may use the simulator and who may sign in.
type Options struct {
	Addr string // where to listen; 127.0.0.1 on a free port when empty
	// PublicURL is the address browsers use when it is not the listening one,
	// without a trailing slash. It becomes part of the issuer.
	PublicURL    string
	ClientID     string
	ClientSecret string
	RedirectURIs []string // declared exactly, as the national service asks
	LogoutURIs   []string
	Accounts     []Account

	// Certificate makes the simulator serve https; with Clients its token,
	// userinfo and introspection endpoints ask for a certificate these sign, as the
	// national service does. Browsers need none.
	Certificate *tls.Certificate
	Clients     *x509.CertPool

	AccessTokenLife time.Duration // 60 s when zero, as the national service
	SlowFor         time.Duration // how long Slow hangs: 30 s when zero
	Log             *slog.Logger  // nothing when nil
}

// Server is a running simulator.
type Server struct {
	base  string
	store *storage
	slow  time.Duration
	mtls  bool
	http  *http.Server
	done  chan struct{}

	mu    sync.Mutex
	fault Fault
}

// Start listens and serves until ctx ends or Close is called. It fails when the
// address is taken or the options name no client or no account.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.ClientID == "" || o.ClientSecret == "" || len(o.RedirectURIs) == 0 || len(o.Accounts) == 0 {
		return nil, errors.New("psc: client id, secret, redirect address and accounts are all needed")
	}
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.AccessTokenLife == 0 {
		o.AccessTokenLife = time.Minute
	}
	if o.SlowFor == 0 {
		o.SlowFor = 30 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("psc: %w", err)
	}
	scheme := "http://"
	if o.Certificate != nil {
		scheme = "https://"
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{*o.Certificate}, MinVersion: tls.VersionTLS12,
			ClientCAs: o.Clients, ClientAuth: tls.VerifyClientCertIfGiven, NextProtos: []string{"http/1.1"}})
	}
	if o.PublicURL == "" {
		o.PublicURL = scheme + listener.Addr().String()
	}
	s, err := newServer(o)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	go func() {
		defer close(s.done)
		s.http.Serve(listener)
	}()
	context.AfterFunc(ctx, func() { s.Close() })
	return s, nil
}

func newServer(o Options) (*Server, error) {
	keys, err := newKeyPair()
	if err != nil {
		return nil, err
	}
	s := &Server{base: o.PublicURL, store: newStorage(o, keys), slow: o.SlowFor, mtls: o.Clients != nil, done: make(chan struct{})}
	provider, err := newProvider(o.PublicURL, s.store, o.Log)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", s.misbehave(provider))
	if err := s.pages(mux); err != nil {
		return nil, err
	}
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	return s, nil
}

// Issuer is the issuer of the ID tokens.
func (s *Server) Issuer() string { return s.base + realmPath }

// DiscoveryURL is the configuration document at Pro Santé Connect's own path.
func (s *Server) DiscoveryURL() string {
	return s.Issuer() + "/.well-known/wallet-openid-configuration"
}

// URL is the simulator's own page, where faults are chosen.
func (s *Server) URL() string { return s.base + controlPath }

// SetFault makes every later answer misbehave in one way, or none.
func (s *Server) SetFault(f Fault) error {
	if !knownFault(f) {
		return fmt.Errorf("psc: no fault is called %q", f)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
	return nil
}

// Fault is the fault in force.
func (s *Server) Fault() Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

// Close stops serving at once. It may be called twice.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.done
	return err
}

// misbehave stands between the provider and the world.
func (s *Server) misbehave(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := s.Fault()
		back := strings.HasPrefix(r.URL.Path, authorizePath)
		if f == Down {
			http.Error(w, "service indisponible", http.StatusServiceUnavailable)
			return
		}
		if s.mtls && forSoftware(r.URL.Path) && (r.TLS == nil || len(r.TLS.PeerCertificates) == 0) {
			http.Error(w, "certificat client exigé", http.StatusBadRequest)
			return
		}
		if f == Slow && !back {
			select {
			case <-time.After(s.slow):
			case <-r.Context().Done():
				return
			}
		}
		got := &captured{header: w.Header(), status: http.StatusOK}
		next.ServeHTTP(got, r)
		if err := s.rewrite(f, r.URL.Path, got); err != nil {
			http.Error(w, "simulateur en défaut", http.StatusInternalServerError)
			return
		}
		w.Header().Del("Content-Length")
		w.WriteHeader(got.status)
		w.Write(got.body.Bytes())
	})
}

// forSoftware tells the endpoints that software calls and browsers do not.
func forSoftware(path string) bool {
	return slices.Contains([]string{realmPath + tokenPath, realmPath + userinfoPath, realmPath + introspectPath}, path)
}

// SignedOut lists the national identifiers whose session was ended here, in
// order.
func (s *Server) SignedOut() []string { return s.store.signedOut() }

// rewrite spoils one captured answer as the fault asks.
func (s *Server) rewrite(f Fault, path string, got *captured) error {
	switch {
	case path == authorizePath+"/callback" && got.status == http.StatusFound:
		return s.rewriteCallback(f, got)
	case path == realmPath+tokenPath && got.status == http.StatusOK:
		return got.rewriteJSON(func(answer map[string]any) (err error) {
			token, _ := answer["id_token"].(string)
			if f == NoIDToken {
				delete(answer, "id_token")
				return nil
			}
			answer["id_token"], err = f.spoil(token, s.store.keys)
			return err
		})
	case path == realmPath+userinfoPath && got.status == http.StatusOK && f == OtherSubject:
		return got.rewriteJSON(func(answer map[string]any) error {
			answer["sub"] = sub("899900000000")
			return nil
		})
	}
	return nil
}

func (s *Server) rewriteCallback(f Fault, got *captured) error {
	to, err := url.Parse(got.header.Get("Location"))
	if err != nil {
		return err
	}
	q := to.Query()
	switch f {
	case WrongState:
		q.Set("state", "une-autre-demande")
	case CodeReplay:
		q.Set("code", s.store.lastUsedCode())
	case Denied:
		q.Del("code")
		q.Set("error", "access_denied")
	}
	to.RawQuery = q.Encode()
	got.header.Set("Location", to.String())
	return nil
}

// captured is an answer held back before it is sent.
type captured struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (c *captured) Header() http.Header         { return c.header }
func (c *captured) WriteHeader(status int)      { c.status = status }
func (c *captured) Write(b []byte) (int, error) { return c.body.Write(b) }

func (c *captured) rewriteJSON(change func(map[string]any) error) error {
	var answer map[string]any
	if err := json.Unmarshal(c.body.Bytes(), &answer); err != nil {
		return err
	}
	if err := change(answer); err != nil {
		return err
	}
	c.body.Reset()
	return json.NewEncoder(&c.body).Encode(answer)
}
