package signaling

import (
	"context"
	"errors"
	"slices"
	"time"

	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/store"
	"visavis/signaling/queue"
)

// Agenda tells who has a time with a professional and did not arrive yet:
// encounters does.
type Agenda interface {
	Awaited(ctx context.Context, queue care.StaffID, from, to time.Time) ([]queue.Awaited, error)
}

// The rules of waiting. Times are of the server.
const (
	learnFrom   = 60                          // acts: what is older says little of today
	betweenActs = 15 * time.Minute            // so long after an act its professional is not yet away
	awaitedFor  = 6 * time.Hour               // who has a time later does not matter to who waits
	recallSoon  = 5                           // minutes: the turn may come within that time
	awayFor     = touchEvery + 15*time.Second // without a sign of life: not looking at the page
	delaysTold  = 3                           // of those who have a time and are not here: told of a delay
	askedFor    = 6 * time.Hour               // a place whose patient asked to be told is kept that long
	dayLong     = 12 * time.Hour              // an act that began before is not the one that goes on
)

// outlook is what the wait in one queue is estimated from, and who waits.
type outlook struct {
	queue.Outlook
	list []queue.Place
}

// outlookOf reads a queue. Everything in it is of the database, but who is on
// line now.
func (h *hub) outlookOf(ctx context.Context, id care.StaffID) (o outlook, err error) {
	now := h.svc.Clock.Now()
	o.Now = now
	if o.Awaited, err = h.svc.Agenda.Awaited(ctx, id, now.Add(-time.Hour), now.Add(awaitedFor)); err != nil {
		return o, err
	}
	err = h.svc.DB.Read(ctx, func(_ context.Context, tx *store.Tx) (err error) {
		if o.list, err = waitingIn(tx, id); err != nil {
			return err
		}
		past, err := heldIn(tx, id, learnFrom)
		if err != nil {
			return err
		}
		o.Habits = queue.Learn(past)
		for _, a := range past {
			if a.Ended.After(o.FreeSince) {
				o.FreeSince = a.Ended
			}
		}
		o.BusySince, o.BusyKind, err = goesOn(tx, id, store.Micros(now.Add(-dayLong)))
		return err
	})
	o.HostOnline = !o.FreeSince.IsZero() && now.Sub(o.FreeSince) < betweenActs
	for _, r := range h.all() {
		if r.act.PractitionerID != id {
			continue
		}
		if since, here := r.hostHere(); here {
			o.HostOnline = true
			if since.After(o.FreeSince) {
				o.FreeSince = since
			}
		}
		r.seen(o.list, now)
	}
	return o, err
}

// queue tells every patient who waits for a professional where they stand, calls
// back who is next and away, and has told who is to come of a delay.
func (h *hub) queue(ctx context.Context, id care.StaffID) {
	o, err := h.outlookOf(ctx, id)
	if err == nil {
		err = errors.Join(h.recall(ctx, &o), h.foretell(ctx, o))
	}
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			h.svc.Log.Warn("signaling: queue not read", "err", err)
		}
		return
	}
	waits := o.Estimate(o.list)
	for _, r := range h.all() {
		if r.act.PractitionerID == id {
			r.tellQueue(o, waits)
		}
	}
}

// recall tells the first of the queue to come back when it is nearly their turn
// and they are away: once per turn, whichever process notices first.
func (h *hub) recall(ctx context.Context, o *outlook) error {
	p, due := o.Recall(o.list, recallSoon, awayFor)
	if !due {
		return nil
	}
	told := false
	err := h.svc.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		seat, err := lockSeat(tx, p.Seat)
		if err != nil {
			return err
		}
		if told, err = markRecalled(tx, p.Seat, store.Micros(o.Now)); err != nil || !told {
			return err
		}
		return h.svc.Bus.Publish(ctx, tx, events.PatientRecalled, string(seat.EncounterID), presence(seat, o.Now))
	})
	if err == nil && told {
		o.list[0].Recalled = o.Now
		for _, r := range h.all() {
			r.recalled(p.Seat, o.Now)
		}
	}
	return err
}

// foretell has the next ones who are awaited told that their professional runs
// late: once for each level of delay of an appointment at its time, whichever
// process notices first, and never again when the delay shrinks.
func (h *hub) foretell(ctx context.Context, o outlook) error {
	late := o.Delays(o.list, delaysTold)
	if len(late) == 0 {
		return nil
	}
	in := func(minutes int) int64 { return store.Micros(o.Now.Add(time.Duration(minutes) * time.Minute)) }
	return h.svc.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, d := range late {
			fresh, err := markDelayed(tx, d, store.Micros(o.Now))
			if err != nil {
				return err
			}
			if !fresh {
				continue
			}
			fact := events.Delay{EncounterID: d.Act, Minutes: d.Level, From: in(d.From), At: store.Micros(o.Now)}
			if d.To > 0 {
				fact.To = in(d.To)
			}
			if err := h.svc.Bus.Publish(ctx, tx, events.ActDelayed, string(d.Act), fact); err != nil {
				return err
			}
		}
		return nil
	})
}

// askRecall keeps that a waiting patient wants to be told when it is their turn.
func (s *Service) askRecall(ctx context.Context, id string) (seat Seat, err error) {
	err = s.DB.Tx(ctx, func(_ context.Context, tx *store.Tx) error {
		if seat, err = lockSeat(tx, id); err != nil || seat.State != Waiting || !seat.RecallAsked.IsZero() {
			return err
		}
		seat.RecallAsked = s.Clock.Now()
		return updateSeat(tx, seat)
	})
	return seat, err
}

// wantRecall takes the wish of a waiting patient who can be reached.
func (r *room) wantRecall(ctx context.Context, s *session, m *inbound) {
	r.mu.Lock()
	seat, person := *r.seats[s.seat], r.people[s.seat]
	r.mu.Unlock()
	if seat.Role != care.Patient || seat.State != Waiting || person.PhoneEnd == "" {
		s.say("error", errorMsg{Re: m.Seq, Code: "forbidden"})
		return
	}
	seat, err := r.hub.svc.askRecall(ctx, seat.ID)
	if err != nil {
		r.fail(s, m, err)
		return
	}
	r.mu.Lock()
	r.seats[seat.ID].RecallAsked = seat.RecallAsked
	r.mu.Unlock()
	r.hub.queue(ctx, r.act.PractitionerID)
}

func (r *room) recalled(seat string, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.seats[seat]; s != nil {
		s.Recalled = at
		r.showLocked()
	}
}

// hostHere tells since when a host is on line.
func (r *room) hostHere() (since time.Time, here bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, s := range r.sessions {
		if r.seats[id].Host && s.online() {
			return s.since, true
		}
	}
	return since, false
}

// seen notes in a queue who has a socket here and now.
func (r *room) seen(list []queue.Place, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, s := range r.sessions {
		if i := slices.IndexFunc(list, func(p queue.Place) bool { return p.Seat == id }); i >= 0 && s.online() {
			list[i].Seen = now
		}
	}
}

// tellQueue tells the waiting patient of this room where they stand.
func (r *room) tellQueue(o outlook, waits []queue.Wait) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, s := range r.sessions {
		seat, pos := r.seats[id], queue.Position(o.list, id)
		if seat.State != Waiting || pos == 0 {
			continue
		}
		w := waits[pos-1]
		msg := queueMsg{Position: pos, Of: len(o.list), HostOnline: o.HostOnline || !o.BusySince.IsZero(), Planned: seat.Planned, Late: w.Late}
		if w.Known {
			msg.Wait = &waitMsg{From: w.From, To: w.To, Basis: "planned"}
			if w.Measured {
				msg.Wait.Basis = "measured"
			}
		}
		if end := r.people[id].PhoneEnd; end != "" {
			msg.Recall = &recallMsg{PhoneEnd: end, Asked: !seat.RecallAsked.IsZero()}
			if !seat.Recalled.IsZero() {
				msg.Recall.SentAt = &seat.Recalled
			}
		}
		s.send("queue", msg)
	}
}

// Lapse gives up the places of those who were not seen for half an hour, and
// says how many. The hub does it every minute.
func (s *Service) Lapse(ctx context.Context) (n int, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		list, err := lapseSeats(tx, store.Micros(s.Clock.Now().Add(-keepFor)), store.Micros(s.Clock.Now().Add(-askedFor)))
		for _, seat := range list {
			if err := s.wentAway(ctx, tx, seat); err != nil {
				return err
			}
		}
		n = len(list)
		return err
	})
	return n, err
}
