// Package sms is a simulator of a text message gateway, speaking the protocol
// of messaging/sms over a real socket: signed requests in, signed delivery
// receipts out, one message per reference.
//
// Its page lists the messages as phones would show them. SetFault, or the page,
// makes it fail in one named way: see Fault. With a journal an accepted message
// is on disk before the platform hears so, and is there again at the next start,
// as is the receipt that is still owed.
package sms

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"visavis/messaging/sms"
)

// Fault is a way to fail.
type Fault string

// The ways to fail.
const (
	None      Fault = "none"
	Temporary Fault = "temporary"  // 503, nothing taken
	Permanent Fault = "permanent"  // 422, nothing taken
	Slow      Fault = "slow"       // answers after SlowFor
	Cut       Fault = "cut"        // takes the message and drops the connection
	NoReceipt Fault = "no-receipt" // takes the message, never calls back
	Failed    Fault = "failed"     // takes the message, then says it failed
)

// Faults lists the ways to fail.
func Faults() []Fault {
	return []Fault{None, Temporary, Permanent, Slow, Cut, NoReceipt, Failed}
}

// Options say where and with which secret.
type Options struct {
	Addr    string // 127.0.0.1 on a free port when empty
	Secret  string // shared with the platform
	SlowFor time.Duration
	Journal string // file that keeps the messages; in memory when empty
	// ReceiptAfter is how long a phone takes; 200 ms when zero.
	ReceiptAfter time.Duration
	Log          *slog.Logger // nothing when nil
}

// Message is one the gateway took.
type Message struct {
	ID        string    `json:"id"`
	Reference string    `json:"reference"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Text      string    `json:"text"`
	At        time.Time `json:"at"`
	State     string    `json:"state"` // accepted, delivered, failed
	// Requests is how often this reference was asked for.
	Requests int `json:"requests"`
	// Callback is where the receipt goes.
	Callback string `json:"callback,omitempty"`
}

// Server is a running simulator.
type Server struct {
	o    Options
	base string
	http *http.Server
	done chan struct{}
	stop context.CancelFunc
	ctx  context.Context
	work sync.WaitGroup

	mu       sync.Mutex
	fault    Fault
	journal  *os.File // nil in memory
	messages []*Message
	changed  chan struct{} // closed and replaced at each change
}

// Start listens and serves until ctx ends or Close is called.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Secret == "" {
		return nil, errors.New("sms simulator: a secret is needed")
	}
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.SlowFor == 0 {
		o.SlowFor = 30 * time.Second
	}
	if o.ReceiptAfter == 0 {
		o.ReceiptAfter = 200 * time.Millisecond
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("sms simulator: %w", err)
	}
	s := &Server{o: o, base: "http://" + l.Addr().String(), done: make(chan struct{}), fault: None, changed: make(chan struct{})}
	s.ctx, s.stop = context.WithCancel(ctx)
	if err := s.load(); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /messages", s.take)
	mux.HandleFunc("GET /messages", s.list)
	mux.HandleFunc("POST /control", s.control)
	if err := s.pages(mux); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(l)
	}()
	context.AfterFunc(ctx, func() { _ = s.Close() })
	return s, nil
}

// URL is the gateway's address and, in a browser, its page.
func (s *Server) URL() string { return s.base }

// Close stops the simulator and waits for the receipts it is sending.
func (s *Server) Close() error {
	s.stop()
	err := s.http.Close()
	<-s.done
	s.work.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.journal != nil {
		err = errors.Join(err, s.journal.Close())
		s.journal = nil
	}
	return err
}

// SetFault makes every later request fail in one way, or none.
func (s *Server) SetFault(f Fault) error {
	if !slices.Contains(Faults(), f) {
		return fmt.Errorf("sms simulator: no fault is called %q", f)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
	return nil
}

// Messages gives what was taken, oldest first.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Message, 0, len(s.messages))
	for _, m := range s.messages {
		out = append(out, *m)
	}
	return out
}

// Wait waits until n messages were taken for a number, "" for any.
func (s *Server) Wait(ctx context.Context, to string, n int) ([]Message, error) {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		var got []Message
		for _, m := range s.Messages() {
			if to == "" || m.To == to {
				got = append(got, m)
			}
		}
		if len(got) >= n {
			return got, nil
		}
		select {
		case <-ctx.Done():
			return got, fmt.Errorf("sms simulator: %d messages, %d wanted: %w", len(got), n, ctx.Err())
		case <-changed:
		}
	}
}

// WaitState waits until the platform took the receipt of the message with this
// reference, or the gateway gave up calling back.
func (s *Server) WaitState(ctx context.Context, reference, state string) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		for _, m := range s.Messages() {
			if m.Reference == reference && m.State == state {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("sms simulator: %s is not %s: %w", reference, state, ctx.Err())
		case <-changed:
		}
	}
}

func (s *Server) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil || sms.Verify(s.o.Secret, sms.DirectionSend, r.Header.Get(sms.SignatureHeader), time.Now(), body) != nil {
		answer(w, http.StatusUnauthorized, sms.Answer{Error: "signature"})
		return
	}
	var req sms.Request
	if json.Unmarshal(body, &req) != nil || req.Reference == "" || !strings.HasPrefix(req.To, "+") || !sms.Fits(req.Text) {
		answer(w, http.StatusUnprocessableEntity, sms.Answer{Error: "request"})
		return
	}
	s.mu.Lock()
	fault := s.fault
	s.mu.Unlock()
	switch fault {
	case Temporary:
		answer(w, http.StatusServiceUnavailable, sms.Answer{Error: "later"})
		return
	case Permanent:
		answer(w, http.StatusUnprocessableEntity, sms.Answer{Error: "number"})
		return
	case Slow:
		select {
		case <-r.Context().Done():
			return
		case <-time.After(s.o.SlowFor):
		}
	}
	m, repeat, err := s.keep(req)
	if err != nil {
		s.o.Log.Error("sms simulator: not kept", "error", err)
		answer(w, http.StatusServiceUnavailable, sms.Answer{Error: "later"})
		return
	}
	if !repeat && fault != NoReceipt {
		s.work.Go(func() { s.receipt(m, fault == Failed) })
	}
	if fault == Cut {
		panic(http.ErrAbortHandler) // net/http's own way to drop a connection
	}
	code := http.StatusAccepted
	if repeat {
		code = http.StatusOK
	}
	answer(w, code, sms.Answer{ID: m.ID, Repeat: repeat})
}

// keep records a message once per reference, and returns when a crash cannot
// lose it.
func (s *Server) keep(req sms.Request) (Message, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.signal()
	for _, m := range s.messages {
		if m.Reference == req.Reference {
			m.Requests++
			return *m, true, nil
		}
	}
	m := &Message{ID: rand.Text(), Reference: req.Reference, From: req.From, To: req.To, Text: req.Text,
		At: time.Now().UTC(), State: "accepted", Requests: 1, Callback: req.Callback}
	if err := s.write(*m); err != nil {
		return *m, false, err
	}
	s.messages = append(s.messages, m)
	return *m, false, nil
}

func (s *Server) signal() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// receipt calls back until the platform takes it, five times at most.
func (s *Server) receipt(m Message, failed bool) {
	state, reason := sms.StateDelivered, ""
	if failed {
		state, reason = sms.StateFailed, "absent-subscriber"
	}
	wait := s.o.ReceiptAfter
	for range 5 {
		select {
		case <-s.ctx.Done():
			return
		case <-time.After(wait):
		}
		if m.Callback == "" || s.call(m, state, reason) {
			break
		}
		wait *= 3
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, kept := range s.messages {
		if kept.ID == m.ID {
			kept.State = state
			if err := s.write(*kept); err != nil {
				s.o.Log.Warn("sms simulator: state not kept", "error", err)
			}
		}
	}
	s.signal()
}

func (s *Server) call(m Message, state, reason string) bool {
	body, err := json.Marshal(sms.Receipt{ID: m.ID, Reference: m.Reference, State: state, Reason: reason})
	if err != nil {
		return false
	}
	req, err := http.NewRequestWithContext(s.ctx, http.MethodPost, m.Callback, bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(sms.SignatureHeader, sms.Sign(s.o.Secret, sms.DirectionReceipt, time.Now(), body))
	resp, err := (&http.Client{Timeout: 5 * time.Second}).Do(req)
	if err != nil {
		s.o.Log.Warn("sms simulator: receipt not taken", "error", err)
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode/100 == 2
}

func answer(w http.ResponseWriter, code int, a sms.Answer) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(a)
}
