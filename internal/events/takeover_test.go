package events_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"visavis/internal/clock"
	"visavis/internal/events"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

func exec(t *testing.T, db *store.DB, query string, args ...any) {
	t.Helper()
	pool, err := db.SQL()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(query, args...); err != nil {
		t.Fatal(err)
	}
}

// TestWhatAKilledNodeHeldIsTakenAtOnce: jobs it was running, the leadership,
// and facts that wait for another try are all taken up when a node starts, and
// a kill never uses up the attempts of a fact.
func TestWhatAKilledNodeHeldIsTakenAtOnce(t *testing.T) {
	houses(t, func(t *testing.T, h *testkit.House) {
		h.Bus.On(events.ReportSigned, "test.a", func(_ context.Context, tx *store.Tx, e events.Event) error { return note(tx, e, "a") })
		ticked := make(chan struct{}, 8)
		for range 3 {
			publish(t, h, nil)
		}
		by, soon := "'{dead}'", "now() + interval '1 hour'"
		if h.DB.Dialect() == store.SQLite {
			by, soon = `'["dead"]'`, "datetime('now', '+1 hour')"
		}
		// The state a kill leaves: one job cut at its last attempt, one cut at its
		// first, one that failed before and waits, and a leader that is no more.
		exec(t, h.DB, `UPDATE river_job SET state = 'running', attempt = max_attempts, attempted_at = scheduled_at, attempted_by = `+by+`
			WHERE id = (SELECT min(id) FROM river_job)`)
		exec(t, h.DB, `UPDATE river_job SET state = 'running', attempt = 1, attempted_at = scheduled_at, attempted_by = `+by+`
			WHERE id = (SELECT min(id) + 1 FROM river_job)`)
		exec(t, h.DB, "UPDATE river_job SET state = 'retryable', attempt = 9, scheduled_at = "+soon+" WHERE id = (SELECT max(id) FROM river_job)")
		exec(t, h.DB, "INSERT INTO river_leader (elected_at, expires_at, leader_id, name) VALUES ("+soon+", "+soon+", 'dead', 'default')")

		next := events.New(h.DB, clock.System{}, h.Log)
		next.On(events.ReportSigned, "test.a", func(_ context.Context, tx *store.Tx, e events.Event) error { return note(tx, e, "a") })
		next.Every("test.tick", time.Hour, func(context.Context, json.RawMessage) error { ticked <- struct{}{}; return nil })
		ctx := context.Background()
		if err := errors.Join(next.Open(ctx), next.Start(ctx)); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := next.Stop(ctx); err != nil {
				t.Error(err)
			}
		}()
		testkit.Eventually(t, 10*time.Second, "the facts of the dead node told", func() bool { return effects(t, h.DB, "a") == 3 })
		testkit.Receive(t, 10*time.Second, "a periodic job, with a leader that cannot answer", ticked)
		if strings.Contains(h.Logged.String(), "job failed") {
			t.Error("a job failed")
		}
	})
}

// TestTheJobsOfALivingNodeAreLeftToIt on PostgreSQL, where several may run.
func TestTheJobsOfALivingNodeAreLeftToIt(t *testing.T) {
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		if db.Dialect() == store.SQLite {
			t.Skip("one process has the file")
		}
		ctx := context.Background()
		var runs atomic.Int32
		running, done := make(chan struct{}, 8), make(chan struct{})
		node := func() *events.Bus {
			b := events.New(db, clock.System{}, slog.New(slog.DiscardHandler))
			b.Handle("test.long", func(context.Context, json.RawMessage) error {
				runs.Add(1)
				running <- struct{}{}
				<-done
				return nil
			})
			if err := errors.Join(b.Open(ctx), b.Start(ctx)); err != nil {
				t.Fatal(err)
			}
			return b
		}
		first := node()
		if err := db.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
			return first.Enqueue(ctx, tx, "test.long", nil, time.Time{})
		}); err != nil {
			t.Fatal(err)
		}
		testkit.Receive(t, 10*time.Second, "the job", running)
		second := node()
		select { // several polls of the queue
		case <-running:
			t.Error("the job of a living node was run a second time")
		case <-time.After(time.Second):
		}
		close(done)
		if err := errors.Join(first.Stop(ctx), second.Stop(ctx)); err != nil {
			t.Error(err)
		}
		if n := runs.Load(); n != 1 {
			t.Errorf("%d runs", n)
		}
	})
}

// TestFactsAreRetriedWithinAMinute: a booking must not wait an hour for its act
// because the database was away.
func TestFactsAreRetriedWithinAMinute(t *testing.T) {
	houses(t, func(t *testing.T, h *testkit.House) {
		refuse := true
		h.Bus.On(events.ReportSigned, "test.a", func(_ context.Context, tx *store.Tx, e events.Event) error {
			if refuse {
				refuse = false
				return errors.New("the database is away")
			}
			return note(tx, e, "a")
		})
		publish(t, h, nil)
		exec(t, h.DB, "UPDATE river_job SET attempt = 30") // it has been away for long
		h.Start(t)
		pool, err := h.DB.SQL()
		if err != nil {
			t.Fatal(err)
		}
		wait := "SELECT CAST(extract(epoch FROM scheduled_at - now()) AS INTEGER) FROM river_job WHERE state = 'retryable'"
		if h.DB.Dialect() == store.SQLite {
			wait = "SELECT CAST((julianday(scheduled_at) - julianday('now')) * 86400 AS INTEGER) FROM river_job WHERE state = 'retryable'"
		}
		seconds := -1
		testkit.Eventually(t, 10*time.Second, "the fact failed", func() bool { return pool.QueryRow(wait).Scan(&seconds) == nil })
		if seconds < 30 || seconds > 60 {
			t.Errorf("tried again after %d s, want at most a minute", seconds)
		}
		exec(t, h.DB, "UPDATE river_job SET state = 'available'")
		if h.DB.Dialect() == store.SQLite {
			exec(t, h.DB, "UPDATE river_job SET scheduled_at = datetime('now', '-1 second')")
		} else {
			exec(t, h.DB, "UPDATE river_job SET scheduled_at = now()")
		}
		h.Deliver(t)
		if effects(t, h.DB, "a") != 1 {
			t.Error("the fact was not told")
		}
	})
}
