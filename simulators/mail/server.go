// Package mail is a simulator of two mail worlds on one machine: the secure
// messaging space (STARTTLS and a client certificate, patients' mailboxes that
// report deliveries) and ordinary e-mail. Both are real SMTP and IMAP servers
// over sockets; every address has a mailbox.
//
// Its page shows the mailboxes, so that a demonstration can open a patient's
// letter. SetRule, or the page, makes addresses refuse, ask to wait, bounce,
// answer with a technical refusal, or take their time: see Action. With a folder
// an accepted message is on disk before its sender hears 250, and is there again
// at the next start; rules are forgotten.
package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-smtp"

	"visavis/simulators/mail/pki"
)

// Action is what happens to messages for an address.
type Action string

// The actions.
const (
	Deliver Action = "deliver"
	Refuse  Action = "refuse"  // 550 at once
	Busy    Action = "busy"    // 450 at once
	Bounce  Action = "bounce"  // accepted, then a failure report
	Receipt Action = "receipt" // delivered, then a receipt "processed"
	KO      Action = "ko"      // delivered, then a technical refusal (902)
	Delay   Action = "delay"   // answers after DelayFor
	Cut     Action = "cut"     // takes the message and drops the connection
)

// Actions lists the actions.
func Actions() []Action {
	return []Action{Deliver, Refuse, Busy, Bounce, Receipt, KO, Delay, Cut}
}

// Options say where to listen; an empty address is 127.0.0.1 on a free port.
type Options struct {
	SecureAddr, PlainAddr, IMAPAddr, WebAddr string
	// Authority signs the server's certificate and the only clients the secure
	// ports take; a new one when nil.
	Authority *pki.Authority
	// Dir keeps the messages; in memory when empty.
	Dir string
	// Domain is the server's own name in reports.
	Domain   string
	DelayFor time.Duration
	Log      *slog.Logger
}

// Message is one that lies in a mailbox.
type Message struct {
	To     string
	From   string // envelope sender, "" for reports
	At     time.Time
	Raw    []byte
	Secure bool // came through the secure port

	file    string // on disk, without its ending; empty in memory
	uid     imap.UID
	removed bool
}

// Server is a running simulator.
type Server struct {
	o         Options
	authority *pki.Authority
	secure    *smtp.Server
	plain     *smtp.Server
	imap      *imapserver.Server
	web       *http.Server
	addr      struct{ secure, plain, imap, web string }
	work      sync.WaitGroup
	memory    *imapmemserver.Server
	ctx       context.Context
	stop      context.CancelFunc
	once      sync.Once
	closed    error

	mu      sync.Mutex
	users   map[string]*imapmemserver.User
	boxes   map[string][]Message
	last    int // number of the last message on disk
	rules   map[string]Action
	changed chan struct{}
}

// Start listens and serves until ctx ends or Close is called.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Domain == "" {
		o.Domain = "mail.mssante.test"
	}
	if o.DelayFor == 0 {
		o.DelayFor = 20 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{o: o, authority: o.Authority, users: map[string]*imapmemserver.User{}, boxes: map[string][]Message{},
		rules: map[string]Action{}, changed: make(chan struct{}), memory: imapmemserver.New()}
	s.ctx, s.stop = context.WithCancel(ctx)
	if s.authority == nil {
		var err error
		if s.authority, err = pki.New("visavis simulator authority", time.Now()); err != nil {
			return nil, err
		}
	}
	conf, err := s.serverTLS()
	if err != nil {
		return nil, err
	}
	if err := s.load(); err != nil {
		return nil, err
	}
	if err := s.listen(ctx, conf); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	context.AfterFunc(ctx, func() { _ = s.Close() })
	return s, nil
}

func (s *Server) serverTLS() (*tls.Config, error) {
	cert, err := s.authority.Server(time.Now(), s.o.Domain, "localhost", "127.0.0.1")
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert,
		ClientCAs: s.authority.Pool(), MinVersion: tls.VersionTLS12}, nil
}

func (s *Server) listen(ctx context.Context, conf *tls.Config) error {
	s.secure, s.plain = s.newSMTP(true), s.newSMTP(false)
	s.secure.TLSConfig = conf
	s.imap = imapserver.New(&imapserver.Options{
		NewSession: s.newIMAP, TLSConfig: conf, Logger: quiet{s.o.Log},
		Caps: imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapIMAP4rev2: {}, imap.CapUIDPlus: {}},
	})
	mux := http.NewServeMux()
	if err := s.pages(mux); err != nil {
		return err
	}
	s.web = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	for _, l := range []struct {
		want  string
		got   *string
		serve func(net.Listener) error
	}{
		{s.o.SecureAddr, &s.addr.secure, s.secure.Serve}, {s.o.PlainAddr, &s.addr.plain, s.plain.Serve},
		{s.o.IMAPAddr, &s.addr.imap, s.imap.Serve}, {s.o.WebAddr, &s.addr.web, s.web.Serve},
	} {
		if l.want == "" {
			l.want = "127.0.0.1:0"
		}
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", l.want)
		if err != nil {
			return fmt.Errorf("mail simulator: %w", err)
		}
		*l.got = listener.Addr().String()
		s.work.Go(func() { _ = l.serve(listener) })
	}
	return nil
}

// SecureAddr is host:port of the SMTP server of the secure space.
func (s *Server) SecureAddr() string { return s.addr.secure }

// PlainAddr is host:port of the ordinary SMTP server.
func (s *Server) PlainAddr() string { return s.addr.plain }

// IMAPAddr is host:port of the IMAP server of the secure space.
func (s *Server) IMAPAddr() string { return s.addr.imap }

// URL is the page of the mailboxes.
func (s *Server) URL() string { return "http://" + s.addr.web }

// Authority is who the secure ports trust.
func (s *Server) Authority() *pki.Authority { return s.authority }

// Domain is the name in the server's certificate.
func (s *Server) Domain() string { return s.o.Domain }

// ClientTLS gives the client side of the secure ports for the owner of a
// mailbox.
func (s *Server) ClientTLS(mailbox string) (*tls.Config, error) {
	cert, err := s.authority.Client(time.Now(), mailbox)
	if err != nil {
		return nil, err
	}
	return &tls.Config{RootCAs: s.authority.Pool(), Certificates: []tls.Certificate{cert}, ServerName: s.o.Domain, MinVersion: tls.VersionTLS12}, nil
}

// Close stops every listener and waits for what was being sent. It may be
// called again.
func (s *Server) Close() error {
	s.once.Do(func() {
		s.stop()
		var errs []error
		if s.secure != nil {
			errs = append(errs, s.secure.Close(), s.plain.Close(), s.imap.Close())
		}
		if s.web != nil {
			errs = append(errs, s.web.Close())
		}
		s.work.Wait()
		for _, err := range errs {
			if err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, smtp.ErrServerClosed) {
				s.closed = errors.Join(s.closed, err)
			}
		}
	})
	return s.closed
}

// SetRule decides what happens to an address; "@domain" covers a whole domain.
// A rule for the address goes before one for its domain.
func (s *Server) SetRule(address string, a Action) error {
	if !slices.Contains(Actions(), a) {
		return fmt.Errorf("mail simulator: no action is called %q", a)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules[strings.ToLower(address)] = a
	return nil
}

func (s *Server) rule(address string) Action {
	s.mu.Lock()
	defer s.mu.Unlock()
	address = strings.ToLower(address)
	if a, ok := s.rules[address]; ok {
		return a
	}
	if _, domain, ok := strings.Cut(address, "@"); ok {
		if a, ok := s.rules["@"+domain]; ok {
			return a
		}
	}
	return Deliver
}

// Messages gives what lies in a mailbox, oldest first.
func (s *Server) Messages(address string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.boxes[strings.ToLower(address)])
}

// Wait waits until a mailbox holds at least n messages.
func (s *Server) Wait(ctx context.Context, address string, n int) ([]Message, error) {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		got := s.Messages(address)
		if len(got) >= n {
			return got, nil
		}
		select {
		case <-ctx.Done():
			return got, fmt.Errorf("mail simulator: %s holds %d messages, %d wanted: %w", address, len(got), n, ctx.Err())
		case <-changed:
		}
	}
}

type quiet struct{ log *slog.Logger }

// Printf implements the loggers of the mail libraries.
func (q quiet) Printf(format string, args ...any) { q.log.Debug(fmt.Sprintf(format, args...)) }

// Println implements the loggers of the mail libraries.
func (q quiet) Println(args ...any) { q.log.Debug(fmt.Sprintln(args...)) }
