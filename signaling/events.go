package signaling

import (
	"context"
	"slices"

	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/signaling/pauses"
	"visavis/signaling/still"
)

// Subscribe makes the live side follow the facts of the other modules. Nudges
// go to the rooms of this process after the commit; the rooms of another one
// find out at their next review.
func (s *Service) Subscribe(bus *events.Bus) {
	bus.On(events.ConsentRecorded, "signaling.consent", s.consentChanged)
	bus.On(events.EncounterFinished, "signaling.finish", s.actEnded)
	bus.On(events.AppointmentCancelled, "signaling.cancel", s.appointmentChanged)
	bus.On(events.AppointmentMoved, "signaling.move", s.appointmentChanged)
	bus.On(events.StillKept, "signaling.still", s.stillKept)
}

func (s *Service) consentChanged(ctx context.Context, tx *store.Tx, e events.Event) error {
	var p events.Consent
	if err := e.Decode(&p); err != nil {
		return err
	}
	tx.AfterCommit(func() { s.reviewAppointment(p.AppointmentID) })
	return nil
}

func (s *Service) actEnded(_ context.Context, tx *store.Tx, e events.Event) error {
	var p events.Presence
	if err := e.Decode(&p); err != nil {
		return err
	}
	if err := endSeats(tx, p.EncounterID, p.At); err != nil {
		return err
	}
	tx.AfterCommit(func() {
		if r := s.hub.find(p.EncounterID); r != nil {
			r.finish("host")
		}
	})
	return nil
}

func (s *Service) appointmentChanged(_ context.Context, tx *store.Tx, e events.Event) error {
	var p events.Appointment
	if err := e.Decode(&p); err != nil {
		return err
	}
	for _, r := range s.hub.all() {
		if r.act.AppointmentID != p.AppointmentID {
			continue
		}
		if e.Name == events.AppointmentMoved {
			if err := moveSeats(tx, r.act.ID, p.Start); err != nil {
				return err
			}
		}
	}
	tx.AfterCommit(func() { s.reviewAppointment(p.AppointmentID) })
	return nil
}

// reviewAppointment asks again about the room of an appointment, off the
// caller's goroutine: it may hold the transaction's connection.
func (s *Service) reviewAppointment(id care.AppointmentID) {
	for _, r := range s.hub.all() {
		if r.act.AppointmentID == id {
			s.hub.later(r)
		}
	}
}

// StillAsk is a photo that a host asked for, for the module that keeps it.
type StillAsk struct {
	Encounter care.EncounterID
	Person    string // the PatientID or StaffID of who is asked
	By        string // the StaffID of who asks
	Waits     bool   // the photo is still taken
}

// Still gives a request by its id; it fails as NotFound.
func (s *Service) Still(ctx context.Context, id string) (a StillAsk, err error) {
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		q, err := still.Find(tx, id)
		if err != nil {
			return err
		}
		asked, err := loadSeat(tx, q.Seat)
		if err != nil {
			return err
		}
		by, err := loadSeat(tx, q.By)
		a = StillAsk{q.Encounter, asked.PersonID, by.PersonID, q.Waits(s.Clock.Now())}
		return err
	})
	return a, err
}

// stillKept ends the request that a photo answers.
func (s *Service) stillKept(_ context.Context, tx *store.Tx, e events.Event) error {
	var p events.Still
	if err := e.Decode(&p); err != nil {
		return err
	}
	done, err := still.Settle(tx, p.RequestID, still.Kept, p.StillID)
	if err != nil || !done {
		return err
	}
	tx.AfterCommit(func() {
		if r := s.hub.find(p.EncounterID); r != nil {
			r.settled(p.RequestID, still.Kept, p.StillID)
		}
	})
	return nil
}

// askStill asks a seat for a photo, in the host's name. One open request for a
// seat is enough: the second does nothing.
func (r *room) askStill(ctx context.Context, s *session, m *inbound) {
	r.mu.Lock()
	may, target := r.seats[s.seat].Host, r.seats[m.Seat]
	known := target != nil && !target.Host && target.State == Admitted && !target.Held && target.Role != RoleDevice
	gate := mediaMsg{}
	if known {
		gate = r.mediaOf(target)
	}
	r.mu.Unlock()
	switch {
	case !may:
		s.say("error", errorMsg{Re: m.Seq, Code: "forbidden"})
		return
	case !known:
		s.say("error", errorMsg{Re: m.Seq, Code: "not_found"})
		return
	case !gate.Allowed:
		s.say("error", errorMsg{Re: m.Seq, Code: "media_refused", Reason: gate.Reason})
		return
	}
	svc := r.hub.svc
	now := svc.Clock.Now()
	q := still.Request{ID: care.NewID(now), Encounter: r.act.ID, Seat: m.Seat, By: s.seat, State: still.Asked, At: now}
	fresh := false
	err := svc.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if fresh, err = still.Ask(tx, q); err != nil || !fresh {
			return err
		}
		return svc.traceStill(ctx, tx, q.Seat, q.State)
	})
	if err != nil {
		r.fail(s, m, err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if fresh {
		r.setStillsLocked(still.Last(append(r.stills, q), now))
	}
}

func (s *Service) traceStill(ctx context.Context, tx *store.Tx, seat string, what still.State) error {
	of, err := loadSeat(tx, seat)
	if err != nil {
		return err
	}
	return s.trace(ctx, tx, of, "still-"+string(what))
}

// answerStill takes the word of who was asked.
func (r *room) answerStill(ctx context.Context, s *session, m *inbound) {
	svc, word := r.hub.svc, still.State(m.State)
	err := svc.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		q, err := still.Find(tx, m.ID)
		if err != nil {
			return err
		}
		if q.Seat != s.seat {
			return fault.Missing()
		}
		done, err := still.Settle(tx, q.ID, word, "")
		if err != nil || !done {
			return err // settled before: what the hosts know stands
		}
		return svc.traceStill(ctx, tx, q.Seat, word)
	})
	if err != nil {
		r.fail(s, m, err)
		return
	}
	r.settled(m.ID, word, "")
}

// dropStill forgets what was asked of a seat that went away.
func (r *room) dropStill(ctx context.Context, seat string) {
	r.mu.Lock()
	i := slices.IndexFunc(r.stills, func(q still.Request) bool { return q.Seat == seat && q.State == still.Asked })
	id := ""
	if i >= 0 {
		id = r.stills[i].ID
	}
	r.mu.Unlock()
	if id == "" {
		return
	}
	err := r.hub.svc.DB.Tx(ctx, func(_ context.Context, tx *store.Tx) error {
		_, err := still.Settle(tx, id, still.Dropped, "")
		return err
	})
	if err != nil {
		r.hub.svc.Log.Warn("signaling: request not dropped", "err", err)
		return
	}
	r.settled(id, still.Dropped, "")
}

// settled notes the end of a request, which is written, and tells it.
func (r *room) settled(id string, state still.State, photo string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := slices.Clone(r.stills)
	i := slices.IndexFunc(list, func(q still.Request) bool { return q.ID == id })
	if i < 0 || list[i].State != still.Asked {
		return
	}
	list[i].State, list[i].Still = state, photo
	r.setStillsLocked(still.Last(list, r.hub.svc.Clock.Now()))
}

// setStillsLocked takes a new list and tells it to the hosts and to whom it
// concerns, or concerned.
func (r *room) setStillsLocked(list []still.Request) {
	before := r.stills
	r.stills = list
	r.notePausesLocked()
	for id, s := range r.sessions {
		mine := func(q still.Request) bool { return q.Seat == id && q.State == still.Asked }
		if r.seats[id].Host || slices.ContainsFunc(before, mine) || slices.ContainsFunc(list, mine) {
			s.send("stills", r.stillsOfLocked(id))
		}
	}
}

// tellStillsLocked tells who has just sat down.
func (r *room) tellStillsLocked(s *session) {
	if m := r.stillsOfLocked(s.seat); len(m.Requests) > 0 {
		s.send("stills", m)
	}
}

// stillsOfLocked is what a seat is told: a host everything, others what is asked
// of them.
func (r *room) stillsOfLocked(seat string) stillsMsg {
	m := stillsMsg{Requests: []stillMsg{}}
	for _, q := range r.stills {
		if r.seats[seat].Host || q.Seat == seat && q.State == still.Asked {
			m.Requests = append(m.Requests, stillMsg{q.ID, q.Seat, q.By, r.people[q.By].Name, q.State, q.Still, q.At})
		}
	}
	return m
}

// notePausesLocked records which pictures of the call are stopped on purpose now.
func (r *room) notePausesLocked() {
	var list []pauses.Seat
	for id, s := range r.sessions {
		if seat := r.seats[id]; seat.State == Admitted && s.mediaPC != 0 {
			m := r.meantLocked(s)
			asked := slices.ContainsFunc(r.stills, func(q still.Request) bool { return q.Seat == id && q.State == still.Asked })
			list = append(list, pauses.Seat{ID: id, Camera: m.Camera, Screen: m.Screen, Held: m.Held, Photo: asked, Before: !seat.JoinedAt.IsZero()})
		}
	}
	for id, o := range r.orphans {
		list = append(list, pauses.Seat{ID: id, Camera: o.Sources.Camera, Screen: o.Sources.Screen, Held: o.Sources.Held, Before: true})
	}
	r.pauses.Set(r.hub.svc.Clock.Now(), list)
}
