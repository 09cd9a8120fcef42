package encounters

import (
	"context"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/store"
)

// Subscribe makes the act follow the facts of scheduling and signaling.
func (s *Service) Subscribe(bus *events.Bus) {
	bus.On(events.AppointmentBooked, "encounters.plan", s.plan)
	bus.On(events.AppointmentMoved, "encounters.move", s.move)
	bus.On(events.AppointmentCancelled, "encounters.cancel", s.cancel)
	bus.On(events.PatientArrived, "encounters.arrive", s.presence(func(_ context.Context, _ *store.Tx, e *Encounter, p events.Presence) error {
		if e.Status == Planned {
			return e.to(Arrived, store.Time(p.At))
		}
		return nil
	}))
	bus.On(events.PatientWentAway, "encounters.away", s.presence(func(_ context.Context, _ *store.Tx, e *Encounter, p events.Presence) error {
		if e.Status == Arrived && !e.ArrivedAt.After(store.Time(p.At)) { // they did not come back meanwhile
			return e.to(Planned, store.Time(p.At))
		}
		return nil
	}))
	bus.On(events.EncounterStarted, "encounters.start", s.presence(func(_ context.Context, _ *store.Tx, e *Encounter, p events.Presence) error {
		return e.to(InProgress, store.Time(p.At))
	}))
	bus.On(events.ParticipantJoined, "encounters.join", s.presence(s.join))
	bus.On(events.ParticipantLeft, "encounters.leave", s.presence(func(_ context.Context, tx *store.Tx, e *Encounter, p events.Presence) error {
		return closePresence(tx, e.ID, p.SeatID, p.At)
	}))
	bus.On(events.MediaIncident, "encounters.incident", s.media(func(tx *store.Tx, e *Encounter, m events.Media, id string) error {
		return insertIncident(tx, e.ID, Incident{ID: id, SeatID: m.SeatID, Code: m.Code, At: store.Time(m.At)})
	}))
	bus.On(events.MediaFlowed, "encounters.video", s.media(func(_ *store.Tx, e *Encounter, m events.Media, _ string) error {
		e.VideoSeconds = max(e.VideoSeconds, m.Seconds)
		return nil
	}))
}

// plan opens the act when its appointment is booked, in the booking's name.
func (s *Service) plan(ctx context.Context, tx *store.Tx, ev events.Event) error {
	var p events.Appointment
	if err := ev.Decode(&p); err != nil {
		return err
	}
	return s.open(ctx, tx, p)
}

// Open creates the act of an appointment, once.
func (s *Service) open(ctx context.Context, tx *store.Tx, p events.Appointment) error {
	if _, err := loadByAppointment(tx, p.AppointmentID); fault.KindOf(err) != fault.NotFound {
		return err
	}
	e := &Encounter{
		ID: care.EncounterID(care.NewID(s.Clock.Now())), AppointmentID: p.AppointmentID, PatientID: p.PatientID,
		PractitionerID: p.PractitionerID, OrganizationID: p.OrganizationID, Kind: care.Teleconsultation, Status: Planned,
		PlannedStart: store.Time(p.Start), PlannedEnd: store.Time(p.End), Version: 1,
	}
	return insertEncounter(tx, e)
}

func (s *Service) move(ctx context.Context, tx *store.Tx, ev events.Event) error {
	return s.reschedule(tx, ev, func(e *Encounter, p events.Appointment) error {
		e.PlannedStart, e.PlannedEnd = store.Time(p.Start), store.Time(p.End)
		return nil
	})
}

func (s *Service) cancel(ctx context.Context, tx *store.Tx, ev events.Event) error {
	return s.reschedule(tx, ev, func(e *Encounter, _ events.Appointment) error {
		if !e.open() || e.Status == InProgress {
			return nil // it is or was held: a late cancellation does not undo it
		}
		return e.to(Cancelled, s.Clock.Now())
	})
}

func (s *Service) reschedule(tx *store.Tx, ev events.Event, apply func(*Encounter, events.Appointment) error) error {
	var p events.Appointment
	if err := ev.Decode(&p); err != nil {
		return err
	}
	e, err := loadByAppointment(tx, p.AppointmentID)
	if err != nil {
		return err // booked is delivered again first: facts may come out of order
	}
	if err := apply(e, p); err != nil {
		return err
	}
	return update(tx, e)
}

func (s *Service) presence(apply func(context.Context, *store.Tx, *Encounter, events.Presence) error) events.Consumer {
	return func(ctx context.Context, tx *store.Tx, ev events.Event) error {
		var p events.Presence
		if err := ev.Decode(&p); err != nil {
			return err
		}
		if err := lock(tx, p.EncounterID); err != nil {
			return err
		}
		e, err := load(tx, p.EncounterID)
		if err != nil {
			return err
		}
		if !e.open() && ev.Name != events.ParticipantLeft {
			return nil
		}
		if err := apply(authz.With(ctx, authz.SystemActor()), tx, e, p); err != nil {
			return err
		}
		return update(tx, e)
	}
}

func (s *Service) join(_ context.Context, tx *store.Tx, e *Encounter, p events.Presence) error {
	for _, q := range e.Presence {
		if q.SeatID == p.SeatID && q.LeftAt.IsZero() {
			return nil
		}
	}
	return insertPresence(tx, e.ID, Presence{
		ID: care.NewID(s.Clock.Now()), PersonID: p.PersonID, SeatID: p.SeatID, Role: p.Role, JoinedAt: store.Time(p.At),
	})
}

func (s *Service) media(apply func(*store.Tx, *Encounter, events.Media, string) error) events.Consumer {
	return func(ctx context.Context, tx *store.Tx, ev events.Event) error {
		var m events.Media
		if err := ev.Decode(&m); err != nil {
			return err
		}
		if err := lock(tx, m.EncounterID); err != nil {
			return err
		}
		e, err := load(tx, m.EncounterID)
		if err != nil {
			return err
		}
		if err := apply(tx, e, m, ev.ID); err != nil {
			return err
		}
		return update(tx, e)
	}
}

// End is asked by signaling when the host ends the call: the act is finished
// at that instant, in the host's name.
func (s *Service) End(ctx context.Context, id care.EncounterID, at time.Time) error {
	return s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := lock(tx, id); err != nil {
			return err
		}
		e, err := s.load(ctx, tx, id, "encounter.finish")
		if err != nil || e.Status == Finished {
			return err
		}
		if err := s.finish(ctx, tx, e, at); err != nil {
			return err
		}
		if err := update(tx, e); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "encounter.finish", Object: "encounter/" + string(id), Patient: e.PatientID})
	})
}
