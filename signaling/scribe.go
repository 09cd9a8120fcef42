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
	"visavis/signaling/quality"
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

// left tells that a seat left the call at an instant, for a proven cause.
func (w *scribe) left(s Seat, at time.Time, how string) {
	p := presence(s, at)
	p.How = how
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
	p.How = events.LeftAppRestarted
	return s.Bus.Publish(ctx, tx, events.ParticipantLeft, string(was.EncounterID), p)
}

// Abandon takes out of their call those of whom there was no sign of life for
// lostFor: the process that held them died, and they did not come back. The
// hub does it every minute.
func (s *Service) Abandon(ctx context.Context) error {
	return s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		list, err := lostSeats(tx, store.Micros(s.Clock.Now().Add(-lostFor)), s.scribe.holds)
		for _, seat := range list {
			if err := s.lost(ctx, tx, seat); err != nil {
				return err
			}
		}
		return err
	})
}

// restarted tells every call that goes on that this server restarted: it is
// known because somebody was in a call in the process before this one.
func (w *scribe) restarted() {
	at := store.Micros(w.svc.Clock.Now())
	w.add(func(ctx context.Context, tx *store.Tx) error {
		list, err := inCalls(tx)
		if err != nil {
			return err
		}
		told := map[care.EncounterID]bool{}
		for _, seat := range list {
			if told[seat.EncounterID] || w.holds(seat.ID) {
				continue
			}
			told[seat.EncounterID] = true
			m := events.Media{EncounterID: seat.EncounterID, Code: "app_restarted", At: at}
			if err := w.svc.Bus.Publish(ctx, tx, events.MediaIncident, string(seat.EncounterID), m); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *scribe) incident(id care.EncounterID, seat, code string, at time.Time) {
	m := events.Media{EncounterID: id, SeatID: seat, Code: code, At: store.Micros(at)}
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

// quality takes what a client says of its own call. Nothing that it says can
// harm the call: what is wrong is refused by name, what is too much is not kept.
func (r *room) quality(s *session, m *inbound) {
	sample, field := quality.Read(m.raw)
	if field != "" {
		s.say("error", errorMsg{Re: m.Seq, Code: "invalid", Field: field})
		return
	}
	now := r.hub.svc.Clock.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seats[s.seat].State != Admitted || now.Sub(s.saidAt) < sayEvery {
		return
	}
	quality.Bound(&sample, now.Sub(latest(r.seats[s.seat].AdmittedAt, r.seats[s.seat].ArrivedAt)))
	s.saidAt, sample.At = now, store.Micros(now)
	r.notePausesLocked()
	sample.Pauses = r.pauses.Of(s.seat, now.Add(-time.Duration(sample.Ms)*time.Millisecond), now)
	s.samples = append(s.samples, sample)
	if len(s.samples) >= keepSamples || quality.Urgent(sample) && now.Sub(s.wroteAt) >= writeEvery {
		r.writeSamplesLocked(s)
	}
}

// writeSamplesLocked writes what a client said and was not written yet.
func (r *room) writeSamplesLocked(s *session) {
	if s == nil || len(s.samples) == 0 {
		return
	}
	r.hub.svc.scribe.measured(*r.seats[s.seat], quality.Merge(s.samples))
	s.samples, s.wroteAt = nil, r.hub.svc.Clock.Now()
}

// provenAfter is how long media must be cut, since that was noticed, before it is an
// incident without having come back: a client that hangs up at a normal end is
// silent as well.
const provenAfter = 5 * time.Second

// tellCutLocked tells that a seat's media was cut, once.
func (r *room) tellCutLocked(s *session) {
	if !s.cut {
		s.cut = true
		r.incident(s.seat, s.cutBy, s.cutAt)
	}
}

// nodeLostLocked notes that the media of a seat is gone with the node that
// carried it. What was up until then is cut by our own fault, which is measured.
func (r *room) nodeLostLocked(s *session) {
	up := s.link == LinkUp
	r.linkLocked(s, MediaEvent{Link: LinkLost, Gone: true})
	if up {
		s.cutBy = "node_lost"
		r.tellCutLocked(s)
	}
}

// proveLocked tells what has lasted long enough to be certain: media that is cut,
// and a socket that is away, of a client that did not say goodbye.
func (r *room) proveLocked(s *session, now time.Time) {
	seat := r.seats[s.seat]
	if !s.cutAt.IsZero() && !s.saidBye() && now.Sub(s.cutAt)-s.cutFor >= provenAfter {
		r.tellCutLocked(s)
	}
	if !s.online() && !s.saidBye() && seat.State == Admitted && !r.away[s.seat] && s.link != LinkUp && now.Sub(s.lostAt()) > lostAfter {
		r.away[s.seat] = true
		at, _ := s.goneSince()
		r.incident(s.seat, "connection_lost", at)
	}
}

// partedLocked tells, at the end of an act, of those who had gone before it and
// whom nobody had told of yet: their page closed, nothing was heard of them for
// lostAfter, or their socket is open and as silent as their media.
func (r *room) partedLocked(end time.Time) {
	for id, s := range r.sessions {
		if s.owner != "" || s.link == LinkUp {
			continue
		}
		if s.online() {
			if at, silent := s.silentSince(end); silent {
				r.absentAtLocked(id, at, events.LeftConnectionLost)
			}
			continue
		}
		if at, how := s.goneSince(); how == events.LeftPageClosed || end.Sub(at) > lostAfter {
			r.absentAtLocked(id, at, how)
		}
	}
}

// goneSince gives when the last sign of a client came, by socket or by media, and
// the proven cause.
func (s *session) goneSince() (at time.Time, how string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bye {
		return s.seen, events.LeftPageClosed
	}
	return latest(s.seen, s.cutAt), events.LeftConnectionLost
}

// unanswered is how long an open socket may be quiet while its client is there: each
// ping is answered, and the answer takes its time.
const unanswered = pingEvery + time.Second

// silentSince gives the last sign of life of a client that is silent by media and by
// its socket, which is still open: a ping was sent meanwhile and not answered.
func (s *session) silentSince(now time.Time) (at time.Time, silent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil || s.cutAt.IsZero() {
		return time.Time{}, false
	}
	heard := store.Time(s.conn.heard.Load())
	at = latest(heard, s.cutAt)
	return at, now.Sub(heard) > unanswered && now.Sub(s.cutAt)-s.cutFor >= provenAfter
}

func (s *session) saidBye() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bye
}

// goneAt is when the client was last there: now when its end or the network said
// that the socket ended, the last sign of life when a ping was not answered.
func (c *conn) goneAt() time.Time {
	if at := c.heard.Load(); c.silent.Load() && at > 0 { // the ping was not answered
		return store.Time(at)
	}
	return c.svc.Clock.Now()
}
