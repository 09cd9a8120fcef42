package signaling

import (
	"context"
	"errors"
	"sync"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/store"
)

// scribe writes facts in order and keeps trying while the database is away: a
// call goes on meanwhile, and what happened in it is told afterwards.
type scribe struct {
	svc *Service

	mu     sync.Mutex
	wake   *sync.Cond
	todo   []func(ctx context.Context, tx *store.Tx) error
	here   map[string]bool // seats this process has in a call
	ending bool
	done   chan struct{}
	ctx    context.Context
	cancel context.CancelFunc
}

// scribeMost bounds what is kept for a database that is away: an hour of a
// hundred calls. What comes on top is lost, and the log says so.
const scribeMost = 100_000

func newScribe(s *Service) *scribe {
	w := &scribe{svc: s, here: map[string]bool{}, done: make(chan struct{})}
	w.wake = sync.NewCond(&w.mu)
	w.ctx, w.cancel = context.WithCancel(authz.With(context.Background(), authz.SystemActor()))
	return w
}

func (w *scribe) start() { go w.run() }

func (w *scribe) add(f func(ctx context.Context, tx *store.Tx) error) {
	w.mu.Lock()
	if len(w.todo) < scribeMost {
		w.todo = append(w.todo, f)
	} else {
		w.svc.Log.Error("signaling: a fact was lost, the database is away for too long")
	}
	w.mu.Unlock()
	w.wake.Signal()
}

func (w *scribe) run() {
	defer close(w.done)
	for {
		w.mu.Lock()
		for len(w.todo) == 0 && !w.ending {
			w.wake.Wait()
		}
		if len(w.todo) == 0 {
			w.mu.Unlock()
			return
		}
		f := w.todo[0]
		w.todo = w.todo[1:]
		w.mu.Unlock()
		if !w.insist(f) {
			return
		}
	}
}

// insist tries until it is written; false: told to give up.
func (w *scribe) insist(f func(ctx context.Context, tx *store.Tx) error) bool {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := w.svc.DB.Tx(w.ctx, f)
		if err == nil {
			return true
		}
		if errors.Is(err, context.Canceled) {
			return false
		}
		w.svc.Log.Warn("signaling: fact not written yet", "err", err)
		select {
		case <-w.ctx.Done():
			return false
		case <-time.After(wait):
		}
	}
}

// stop writes what is left, until ctx is done.
func (w *scribe) stop(ctx context.Context) error {
	w.mu.Lock()
	w.ending = true
	w.mu.Unlock()
	w.wake.Signal()
	defer w.cancel()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *scribe) joined(s Seat) {
	p := presence(s, w.svc.Clock.Now())
	w.inCall(s.ID, true)
	w.add(func(ctx context.Context, tx *store.Tx) error {
		if err := joinSeat(tx, s.ID, p.At); err != nil {
			return err
		}
		return w.svc.Bus.Publish(ctx, tx, events.ParticipantJoined, string(s.EncounterID), p)
	})
}

func (w *scribe) left(s Seat) {
	p := presence(s, w.svc.Clock.Now())
	w.inCall(s.ID, false)
	w.add(func(ctx context.Context, tx *store.Tx) error {
		if err := joinSeat(tx, s.ID, 0); err != nil {
			return err
		}
		return w.svc.Bus.Publish(ctx, tx, events.ParticipantLeft, string(s.EncounterID), p)
	})
}

func (w *scribe) inCall(seat string, in bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if in {
		w.here[seat] = true
	} else {
		delete(w.here, seat)
	}
}

// holds tells whether this process has the seat in a call.
func (w *scribe) holds(seat string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.here[seat]
}

// lost tells that a seat left the call unseen, at its last sign of life.
func (s *Service) lost(ctx context.Context, tx *store.Tx, was Seat) error {
	at := was.SeenAt
	if at.Before(was.JoinedAt) {
		at = was.JoinedAt
	}
	p := presence(was, at)
	p.Assumed = true
	return s.Bus.Publish(ctx, tx, events.ParticipantLeft, string(was.EncounterID), p)
}

// Abandon takes out of their call those of whom there was no sign of life for
// lostFor: the process that held them died, and they did not come back. The
// hub does it every minute.
func (s *Service) Abandon(ctx context.Context) error {
	return s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		list, err := lostSeats(tx, store.Micros(s.Clock.Now().Add(-lostFor)))
		for _, seat := range list {
			if err := s.lost(ctx, tx, seat); err != nil {
				return err
			}
		}
		return err
	})
}

func (w *scribe) incident(id care.EncounterID, seat, code string) {
	m := events.Media{EncounterID: id, SeatID: seat, Code: code, At: store.Micros(w.svc.Clock.Now())}
	w.add(func(ctx context.Context, tx *store.Tx) error {
		return w.svc.Bus.Publish(ctx, tx, events.MediaIncident, string(id), m)
	})
}

func (w *scribe) measured(s Seat, samples []events.Sample) {
	m := events.Measured{EncounterID: s.EncounterID, SeatID: s.ID, Role: s.Role, Samples: samples}
	w.add(func(ctx context.Context, tx *store.Tx) error {
		return w.svc.Bus.Publish(ctx, tx, events.MediaMeasured, string(s.EncounterID), m)
	})
}

func (w *scribe) end(id care.EncounterID) {
	at := store.Micros(w.svc.Clock.Now())
	w.add(func(_ context.Context, tx *store.Tx) error { return endSeats(tx, id, at) })
}

// flows adds seconds of video and tells for how long it flowed both ways: the
// lesser of host → patient's side and back.
func (w *scribe) flows(id care.EncounterID, list []Flow) {
	w.add(func(ctx context.Context, tx *store.Tx) error { return w.flowed(ctx, tx, id, list) })
}

func (w *scribe) flowed(ctx context.Context, tx *store.Tx, id care.EncounterID, list []Flow) error {
	for _, f := range list {
		if err := addFlow(tx, flowRow{EncounterID: string(id), FromSeat: f.From, ToSeat: f.To, Seconds: int64(f.Seconds)}); err != nil {
			return err
		}
	}
	all, err := flowsOf(tx, id)
	if err != nil {
		return err
	}
	seats, err := seatsOf(tx, id)
	if err != nil {
		return err
	}
	m := events.Media{EncounterID: id, Seconds: bothWays(all, seats), At: store.Micros(w.svc.Clock.Now())}
	return w.svc.Bus.Publish(ctx, tx, events.MediaFlowed, string(id), m)
}

// bothWays is the longest time for which one host and one patient, or who is
// with the patient, saw each other.
func bothWays(all []flowRow, list []Seat) int {
	host := map[string]bool{}
	for _, s := range list {
		host[s.ID] = s.Host
	}
	most := int64(0)
	for _, out := range all {
		for _, back := range all {
			if host[out.FromSeat] && !host[out.ToSeat] && back.FromSeat == out.ToSeat && back.ToSeat == out.FromSeat {
				most = max(most, min(out.Seconds, back.Seconds))
			}
		}
	}
	return int(most)
}
