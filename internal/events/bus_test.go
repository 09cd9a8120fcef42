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

	"visavis/internal/care"
	"visavis/internal/clock"
	"visavis/internal/events"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// ledger is where the consumers of the tests leave their effect.
const ledger = "CREATE TABLE ledger (event TEXT NOT NULL, consumer TEXT NOT NULL)"

func houses(t *testing.T, test func(t *testing.T, h *testkit.House)) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		pool, err := h.DB.SQL()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pool.Exec(ledger); err != nil {
			t.Fatal(err)
		}
		test(t, h)
	})
}

func note(tx *store.Tx, e events.Event, consumer string) error {
	return tx.G().Exec("INSERT INTO ledger (event, consumer) VALUES (?, ?)", e.ID, consumer).Error
}

func effects(t *testing.T, db *store.DB, consumer string) (n int) {
	t.Helper()
	err := db.Read(context.Background(), func(_ context.Context, tx *store.Tx) error {
		return tx.G().Raw("SELECT count(*) FROM ledger WHERE consumer = ?", consumer).Scan(&n).Error
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func publish(t *testing.T, h *testkit.House, end error) {
	t.Helper()
	err := h.DB.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(h.Bus.Publish(ctx, tx, events.ReportSigned, "doc-1", events.Document{DocumentID: "doc-1", Version: 2}), end)
	})
	if !errors.Is(err, end) {
		t.Fatal(err)
	}
}

func TestFactsOfFailedTransactionsAreNeverTold(t *testing.T) {
	houses(t, func(t *testing.T, h *testkit.House) {
		var seen []events.Event
		h.Bus.On(events.ReportSigned, "test.a", func(_ context.Context, tx *store.Tx, e events.Event) error {
			seen = append(seen, e)
			return note(tx, e, "a")
		})
		publish(t, h, errors.New("the use case fails"))
		publish(t, h, nil)
		h.Deliver(t)
		if len(seen) != 1 || effects(t, h.DB, "a") != 1 {
			t.Fatalf("%d deliveries, %d effects, want 1", len(seen), effects(t, h.DB, "a"))
		}
		var d events.Document
		if err := seen[0].Decode(&d); err != nil || d.Version != 2 || d.DocumentID != "doc-1" {
			t.Errorf("%+v %v", d, err)
		}
		if e := seen[0]; e.Name != events.ReportSigned || e.Subject != "doc-1" || !e.At.Equal(testkit.Morning()) || !care.ValidID(e.ID) {
			t.Errorf("%+v", e)
		}
	})
}

func TestNothingIsToldBeforeTheCommit(t *testing.T) {
	houses(t, func(t *testing.T, h *testkit.House) {
		told := make(chan struct{}, 1)
		h.Bus.On(events.ReportSigned, "test.a", func(context.Context, *store.Tx, events.Event) error {
			told <- struct{}{}
			return nil
		})
		h.Start(t)
		err := h.DB.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error {
			if err := h.Bus.Publish(ctx, tx, events.ReportSigned, "doc-1", events.Document{}); err != nil {
				return err
			}
			select { // longer than two polls of the queue
			case <-told:
				t.Error("a fact was told before its transaction committed")
			case <-time.After(600 * time.Millisecond):
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		testkit.Receive(t, 10*time.Second, "the fact", told)
	})
}

// TestAFailedReactionLeavesNothingAndIsTriedAgain, and does not hold up the
// other consumers of the fact.
func TestAFailedReactionLeavesNothingAndIsTriedAgain(t *testing.T) {
	houses(t, func(t *testing.T, h *testkit.House) {
		var tries, panics atomic.Int32
		h.Bus.On(events.ReportSigned, "test.stubborn", func(_ context.Context, tx *store.Tx, e events.Event) error {
			if err := note(tx, e, "stubborn"); err != nil {
				return err
			}
			if tries.Add(1) == 1 {
				return errors.New("not yet")
			}
			return nil
		})
		h.Bus.On(events.ReportSigned, "test.defect", func(_ context.Context, tx *store.Tx, e events.Event) error {
			if err := note(tx, e, "defect"); err != nil {
				return err
			}
			if panics.Add(1) == 1 {
				panic("Mme Durand, angine")
			}
			return nil
		})
		h.Bus.On(events.ReportSigned, "test.calm", func(_ context.Context, tx *store.Tx, e events.Event) error { return note(tx, e, "calm") })
		publish(t, h, nil)
		h.Deliver(t)
		for consumer, want := range map[string]int{"stubborn": 1, "defect": 1, "calm": 1} {
			if n := effects(t, h.DB, consumer); n != want {
				t.Errorf("%s: %d effects, want %d", consumer, n, want)
			}
		}
		if tries.Load() != 2 || panics.Load() != 2 {
			t.Errorf("%d and %d tries, want 2", tries.Load(), panics.Load())
		}
		if strings.Contains(h.Logged.String(), "Durand") {
			t.Error("the log holds the words of a panic")
		}
	})
}

func TestTwoBusesOneEffect(t *testing.T) {
	houses(t, func(t *testing.T, h *testkit.House) {
		var runs atomic.Int32
		react := func(_ context.Context, tx *store.Tx, e events.Event) error {
			runs.Add(1)
			return note(tx, e, "a")
		}
		h.Bus.On(events.ReportSigned, "test.a", react)
		second := events.New(h.DB, h.Clock, h.Log)
		second.On(events.ReportSigned, "test.a", react)
		if err := errors.Join(second.Open(context.Background()), second.Start(context.Background())); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := second.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		}()
		const facts = 40
		for range facts {
			publish(t, h, nil)
		}
		h.Deliver(t)
		if n := effects(t, h.DB, "a"); n != facts {
			t.Errorf("%d effects of %d facts (%d runs)", n, facts, runs.Load())
		}
	})
}

func TestJobs(t *testing.T) {
	houses(t, func(t *testing.T, h *testkit.House) {
		got := make(chan string, 10)
		h.Bus.Handle("test.now", func(_ context.Context, payload json.RawMessage) error {
			got <- "now " + strings.ReplaceAll(string(payload), " ", "") // PostgreSQL stores JSON its own way
			return nil
		})
		h.Bus.Handle("test.later", func(context.Context, json.RawMessage) error { got <- "later"; return nil })
		enqueue := func(kind string, at time.Time, end error) {
			t.Helper()
			err := h.DB.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error {
				return errors.Join(h.Bus.Enqueue(ctx, tx, kind, map[string]int{"n": 1}, at), end)
			})
			if !errors.Is(err, end) {
				t.Fatal(err)
			}
		}
		enqueue("test.now", time.Time{}, errors.New("rolled back"))
		enqueue("test.later", time.Now().Add(time.Hour), nil)
		enqueue("test.now", time.Time{}, nil)
		h.Deliver(t)
		close(got)
		var all []string
		for g := range got {
			all = append(all, g)
		}
		if strings.Join(all, ";") != `now {"n":1}` {
			t.Errorf("jobs run: %q", all)
		}
	})
}

// TestSlowJobsHoldUpNoFact: a mail server that does not answer takes every
// worker it can get.
func TestSlowJobsHoldUpNoFact(t *testing.T) {
	houses(t, func(t *testing.T, h *testkit.House) {
		busy, free := make(chan struct{}, 40), make(chan struct{})
		h.Bus.Handle("test.slow", func(context.Context, json.RawMessage) error {
			busy <- struct{}{}
			<-free
			return nil
		})
		h.Bus.On(events.ReportSigned, "test.a", func(_ context.Context, tx *store.Tx, e events.Event) error { return note(tx, e, "a") })
		err := h.DB.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error {
			for range 40 {
				if err := h.Bus.Enqueue(ctx, tx, "test.slow", nil, time.Time{}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		h.Start(t)
		for range 8 {
			testkit.Receive(t, 10*time.Second, "a slow job", busy)
		}
		publish(t, h, nil)
		testkit.Eventually(t, 10*time.Second, "the fact told", func() bool { return effects(t, h.DB, "a") == 1 })
		close(free)
		h.Deliver(t)
	})
}

func TestEveryRunsAtTheStart(t *testing.T) {
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		ran := make(chan struct{}, 8)
		bus := events.New(db, clock.System{}, slog.New(slog.DiscardHandler))
		bus.Every("test.tick", time.Hour, func(context.Context, json.RawMessage) error { ran <- struct{}{}; return nil })
		ctx := context.Background()
		if err := errors.Join(bus.Open(ctx), bus.Start(ctx)); err != nil {
			t.Fatal(err)
		}
		testkit.Receive(t, 20*time.Second, "the periodic job", ran)
		if err := bus.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestAClosedBusRefusesFacts(t *testing.T) {
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		bus := events.New(db, clock.System{}, slog.New(slog.DiscardHandler))
		bus.On(events.ReportSigned, "test.a", func(context.Context, *store.Tx, events.Event) error { return nil })
		err := db.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error {
			return bus.Publish(ctx, tx, events.ReportSigned, "x", events.Document{})
		})
		if err == nil {
			t.Error("a fact was written that nobody would be told")
		}
	})
}
