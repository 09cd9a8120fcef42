// Package events carries facts between modules. A fact is written in the
// transaction that made it true and is delivered after the commit, at least
// once; a consumer's own change and the note that it consumed the fact share
// one transaction, so the effect in our database happens exactly once.
//
// The queue is River, on the same database: a fact exists if and only if its
// transaction committed.
package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"visavis/internal/care"
	"visavis/internal/clock"
	"visavis/internal/fault"
	"visavis/internal/store"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// Event is a fact as a consumer gets it.
type Event struct {
	ID      string
	Name    string
	Subject string // the id the fact is about
	At      time.Time
	Payload json.RawMessage
}

// Decode reads the payload into out, one of the structs of the catalogue.
func (e Event) Decode(out any) error {
	if err := json.Unmarshal(e.Payload, out); err != nil {
		return fmt.Errorf("events: %s payload: %w", e.Name, err)
	}
	return nil
}

// Consumer reacts to a fact inside the transaction that also records that it
// did. An error rolls both back, and the fact is delivered again later.
type Consumer func(ctx context.Context, tx *store.Tx, e Event) error

// Work does one job outside any transaction: it may call the outside world and
// must bear being run twice.
type Work func(ctx context.Context, payload json.RawMessage) error

type subscription struct {
	consumer string
	fn       Consumer
}

// Bus connects publishers to consumers. Subscribe everything, then Start.
type Bus struct {
	db    *store.DB
	clock clock.Clock
	log   *slog.Logger

	subs   map[string][]subscription
	work   map[string]Work
	ticks  []tick
	client client

	takeover takeover
}

type tick struct {
	name  string
	every time.Duration
}

// New returns a bus that delivers nothing until Start.
func New(db *store.DB, c clock.Clock, log *slog.Logger) *Bus {
	return &Bus{db: db, clock: c, log: log, subs: map[string][]subscription{}, work: map[string]Work{}}
}

// On subscribes consumer, a name that never changes, to a fact.
func (b *Bus) On(name, consumer string, fn Consumer) {
	b.subs[name] = append(b.subs[name], subscription{consumer, fn})
}

// Handle registers what does the jobs of a kind.
func (b *Bus) Handle(kind string, fn Work) { b.work[kind] = fn }

// Every registers a job run about once per interval on one node of the fleet.
func (b *Bus) Every(kind string, interval time.Duration, fn Work) {
	b.work[kind] = fn
	b.ticks = append(b.ticks, tick{kind, interval})
}

// Publish writes a fact in tx. It is delivered once tx has committed.
func (b *Bus) Publish(ctx context.Context, tx *store.Tx, name, subject string, payload any) error {
	raw, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("events: %s: %w", name, err)
	}
	now := b.clock.Now()
	e := eventRow{ID: care.NewID(now), Name: name, Subject: subject, At: store.Micros(now), Payload: string(raw)}
	if err := insertEvent(tx, e); err != nil {
		return err
	}
	for _, s := range b.subs[name] {
		if err := b.insert(ctx, tx, task{Event: e.ID, Consumer: s.consumer}, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// Waiting tells whether a fact about subject, published since an instant, was not
// taken yet by a consumer whose name begins with prefix.
func (b *Bus) Waiting(tx *store.Tx, subject, prefix string, since time.Time) (bool, error) {
	list, err := about(tx, subject, care.NewID(since))
	if err != nil {
		return false, err
	}
	for _, e := range list {
		for _, s := range b.subs[e.Name] {
			if !strings.HasPrefix(s.consumer, prefix) {
				continue
			}
			taken, err := consumed(tx, e.ID, s.consumer)
			if err != nil || !taken {
				return !taken, err
			}
		}
	}
	return false, nil
}

// Enqueue asks, in tx, for a job of a kind, not before at (zero: now).
func (b *Bus) Enqueue(ctx context.Context, tx *store.Tx, kind string, payload any, at time.Time) error {
	raw, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("events: job %s: %w", kind, err)
	}
	return b.insert(ctx, tx, task{Job: kind, Payload: string(raw)}, at)
}

func (b *Bus) insert(ctx context.Context, tx *store.Tx, t task, at time.Time) error {
	if b.client.insert == nil {
		return errors.New("events: the bus is not open")
	}
	t, err := b.signed(t)
	if err != nil {
		return err
	}
	sqlTx, err := tx.SQL()
	if err != nil {
		return err
	}
	o := &river.InsertOpts{ScheduledAt: at, MaxAttempts: maxAttempts}
	if t.Event != "" {
		o.Queue = factQueue
	}
	return b.client.insert(ctx, sqlTx, t, o)
}

// errForged ends a job that somebody without the key put into the queue.
var errForged = errors.New("events: not written by this platform")

// run is one delivery of a task by River.
func (b *Bus) run(ctx context.Context, job *rivertype.JobRow, t task) error {
	if !b.db.CheckMAC(t.MAC, "task", t.parts()...) {
		b.db.Report(store.Finding{Object: fmt.Sprintf("river_job/%d", job.ID), Reason: "forged"})
		return river.JobCancel(errForged)
	}
	if t.Event != "" {
		return b.deliver(ctx, t)
	}
	fn, ok := b.work[t.Job]
	if !ok {
		return fmt.Errorf("events: no handler for job %s", t.Job)
	}
	return fn(ctx, json.RawMessage(t.Payload))
}

func (b *Bus) deliver(ctx context.Context, t task) error {
	return b.db.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		fresh, err := markConsumed(tx, t.Event, t.Consumer, store.Micros(b.clock.Now()))
		if err != nil || !fresh {
			return err
		}
		e, err := loadEvent(tx, t.Event)
		if fault.KindOf(err) == fault.NotFound {
			return river.JobCancel(errForged) // it was reported when it was read
		}
		if err != nil {
			return err
		}
		for _, s := range b.subs[e.Name] {
			if s.consumer == t.Consumer {
				return s.fn(ctx, tx, e)
			}
		}
		// A consumer of another version: leave the fact for the node that has it.
		return fmt.Errorf("events: no consumer %s for %s", t.Consumer, e.Name)
	})
}
