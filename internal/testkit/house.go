package testkit

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/clock"
	"visavis/internal/events"
	"visavis/internal/httpx"
	"visavis/internal/lang"
	"visavis/internal/limit"
	"visavis/internal/seal"
	"visavis/internal/store"
)

// House is the foundation put together on one database, ready for the service
// of a module. When the test ends it delivers nothing more, numbers the audit
// log, verifies it and closes.
type House struct {
	DB        *store.DB
	Bus       *events.Bus // open; Start or Deliver makes it deliver
	Audit     *audit.Log
	Sequencer *audit.Sequencer
	Keeper    *seal.Keeper
	Signer    *seal.Signer
	Index     seal.Index
	Master    seal.Master
	Table     *authz.Table
	Clock     *clock.Fake // stands at Morning
	Limits    limit.Limiter
	Log       *slog.Logger
	Logged    *Buffer // what Log wrote, to look for what must not be there

	t       testing.TB
	started bool
}

// Morning is the instant a House wakes up at: Tuesday 10 March 2026, 09:00 in Paris.
func Morning() time.Time { return time.Date(2026, 3, 10, 8, 0, 0, 0, time.UTC) }

// Houses runs a test in a House on SQLite and in one on PostgreSQL.
func Houses(t *testing.T, test func(t *testing.T, h *House)) {
	t.Helper()
	Stores(t, func(t *testing.T, db *store.DB) { test(t, NewHouse(t, db)) })
}

// NewHouse puts the foundation together on db.
func NewHouse(t testing.TB, db *store.DB) *House {
	t.Helper()
	h := &House{DB: db, Master: Master(), Clock: clock.NewFake(Morning()), Logged: &Buffer{}, t: t}
	h.Log = slog.New(slog.NewTextHandler(h.Logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h.Signer, h.Index = seal.NewSigner(h.Master), seal.NewIndex(h.Master)
	h.Limits = limit.NewLocal(h.Clock)
	var err error
	if h.Table, err = authz.Load(); err != nil {
		t.Fatal(err)
	}
	if h.Keeper, err = seal.NewKeeper(h.Master, h.Clock, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	h.Audit = audit.New(h.Keeper, h.Clock)
	db.SetChangeLog(h.Audit)
	if h.Sequencer, err = audit.NewSequencer(db, h.Clock, "visavis.test", h.Signer.Private()); err != nil {
		t.Fatal(err)
	}
	h.Bus = events.New(db, h.Clock, h.Log)
	if err := h.Bus.Open(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	return h
}

func (h *House) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if h.started {
		if err := h.Bus.Stop(ctx); err != nil {
			h.t.Errorf("stopping the bus: %v", err)
		}
	}
	if h.t.Failed() {
		h.t.Logf("log of the house:\n%s", h.Logged)
	}
	h.VerifyAudit(h.t)
}

// VerifyAudit numbers the audit log and checks the whole chain.
func (h *House) VerifyAudit(t testing.TB) {
	t.Helper()
	ctx := context.Background()
	if _, err := h.Sequencer.Sequence(ctx); err != nil {
		t.Errorf("numbering the audit log: %v", err)
	}
	if _, err := h.Sequencer.Verify(ctx); err != nil {
		t.Errorf("the audit log does not verify: %v", err)
	}
}

// Start makes the bus deliver. Subscribe and register jobs first.
func (h *House) Start(t testing.TB) {
	t.Helper()
	if h.started {
		return
	}
	if err := h.Bus.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	h.started = true
}

// Deliver starts the bus if needed and waits until no fact and no due job is
// left to work. A consumer that keeps failing fails the test, with its error.
func (h *House) Deliver(t testing.TB) {
	t.Helper()
	h.Start(t)
	pool, err := h.DB.SQL()
	if err != nil {
		t.Fatal(err)
	}
	if err := await(20*time.Second, func() error { return quiet(pool) }); err != nil {
		t.Fatalf("the bus is not quiet: %v\n%s", err, h.Logged)
	}
}

// quiet is nil when the queue has nothing to do now.
func quiet(pool *sql.DB) error {
	var n int
	err := pool.QueryRow("SELECT count(*) FROM river_job WHERE state IN ('available','running','retryable','pending')").Scan(&n)
	if err == nil && n > 0 {
		err = fmt.Errorf("%d jobs are left", n)
	}
	return err
}

// As gives a context in which actor acts, through a request named "test".
func As(actor authz.Actor) context.Context {
	if actor.Request == "" {
		actor.Request = "test"
	}
	return authz.With(context.Background(), actor)
}

// Server makes the HTTP engine of the house, without routes. sessions turns
// the cookie into an actor; Actors does for tests that need no real sign-in.
func (h *House) Server(t testing.TB, sessions httpx.Authenticator, texts ...*lang.Catalogue) *httpx.Server {
	t.Helper()
	s, err := httpx.New(httpx.Options{
		DB: h.DB, Keeper: h.Keeper, Clock: h.Clock, Log: h.Log, Table: h.Table, Sessions: sessions,
		Limits: h.Limits, Languages: texts, PublicURL: "https://visavis.test",
		Hosts: []string{"127.0.0.1:*", "localhost:*"}, // where the clients of tests call
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Actors signs in whoever presents one of its keys as session token.
type Actors map[string]authz.Actor

// Authenticate implements httpx.Authenticator.
func (a Actors) Authenticate(_ context.Context, token string) (authz.Actor, error) {
	return a[token], nil
}

// Buffer is a buffer that many goroutines may write to.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String is what was written so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
