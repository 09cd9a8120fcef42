package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"visavis/internal/config"
	"visavis/internal/front"
)

// openDoor binds the port of HTTPS and of TURN over TLS. Nil without a
// certificate: a proxy brings TLS then.
func openDoor(cfg *config.Config, log *slog.Logger) (*front.Front, error) {
	if !cfg.TLS.On() {
		return nil, nil
	}
	u, err := url.Parse(cfg.PublicURL)
	if err != nil {
		return nil, err
	}
	return front.Open(front.Config{Listen: cfg.TLS.Listen, Cert: cfg.TLS.Cert, Key: cfg.TLS.Key, Host: u.Hostname(), Log: log})
}

// secureHost is host:port of TURN over TLS: where people reach the pages, for
// that is what the certificate names. Empty without a certificate.
func secureHost(cfg *config.Config) string {
	u, err := url.Parse(cfg.PublicURL)
	if err != nil || !cfg.TLS.On() {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// sites are the HTTP servers of the program.
type sites struct {
	list   []*http.Server
	failed chan error // one for each server that ends
	log    *slog.Logger
}

// open serves at the plain address, at the redirection when there is one, and
// behind the door: this process's own, or the supervisor's.
func (s *sites) open(cfg *config.Config, door *front.Front, h http.Handler) error {
	s.failed = make(chan error, 3)
	plain, err := inherited(cfg)
	if err == nil && plain != nil {
		s.serve(plain, h, false)
	} else if err == nil {
		err = s.bind("listen (VISAVIS_LISTEN)", cfg.Listen, h)
	}
	if err != nil || !cfg.TLS.On() {
		return err
	}
	secure, err := lane(cfg, "web")
	if err != nil {
		return err
	}
	if door != nil {
		secure = door.Web()
	}
	s.serve(secure, h, true)
	if cfg.TLS.Redirect == "" {
		return nil
	}
	return s.bind("tls-redirect (VISAVIS_TLS_REDIRECT)", cfg.TLS.Redirect, redirect(cfg.PublicURL))
}

func (s *sites) bind(setting, address string, h http.Handler) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("%s: %w", setting, err)
	}
	s.serve(l, h, false)
	return nil
}

// serve answers HTTP/1.1, and behind the door HTTP/2 from its preface on: the
// handshake is over there, and the stream is in clear.
func (s *sites) serve(l net.Listener, h http.Handler, second bool) {
	speaks := &http.Protocols{}
	speaks.SetHTTP1(true)
	speaks.SetUnencryptedHTTP2(second)
	server := &http.Server{
		Handler: h, Protocols: speaks,
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	s.list = append(s.list, server)
	go func() { s.failed <- server.Serve(l) }()
}

// close takes no more requests and waits for those under way until ctx ends.
func (s *sites) close(ctx context.Context) error {
	var errs []error
	for _, server := range s.list {
		errs = append(errs, server.Shutdown(ctx))
	}
	return errors.Join(errs...)
}

// redirect sends whoever typed http:// to the public address. What is not a
// question has been said in clear already and is refused.
func redirect(public string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		to := public + r.URL.EscapedPath()
		if r.URL.RawQuery != "" {
			to += "?" + r.URL.RawQuery
		}
		http.Redirect(w, r, to, http.StatusPermanentRedirect)
	}
}
