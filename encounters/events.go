package encounters

import (
	"context"
	"time"

	"visavis/internal/audit"
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
	bus.On(events.PatientArrived, "encounters.arrive", s.presence(arrive))
	bus.On(events.PatientWentAway, "encounters.away", s.presence(away))
	bus.On(events.EncounterStarted, "encounters.start", s.presence(start))
	bus.On(events.ParticipantJoined, "encounters.join", s.presence(s.join))
	bus.On(events.ParticipantLeft, "encounters.leave", s.presence(s.leave))
	bus.On(events.MediaIncident, "encounters.incident", s.media(func(tx *store.Tx, e *Encounter, m events.Media, id string) error {
		return insertIncident(tx, e.ID, Incident{ID: id, SeatID: m.SeatID, Code: m.Code, At: store.Time(m.At)})
	}))
	bus.On(events.MediaMeasured, "encounters.quality", s.measured)
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
		PlannedStart: store.Time(p.Start), PlannedEnd: store.Time(p.End), Version: 1, AppointmentVersion: p.Version,
	}
	return insertEncounter(tx, e)
}

func (s *Service) move(ctx context.Context, tx *store.Tx, ev events.Event) error {
	return s.reschedule(tx, ev, func(e *Encounter, p events.Appointment) error {
		if e.Status == Finished {
			return nil // it was held at its time
		}
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

// reschedule applies a fact about the appointment, unless a later one came
// first. A fact without version is of an older program: it is taken as it comes.
func (s *Service) reschedule(tx *store.Tx, ev events.Event, apply func(*Encounter, events.Appointment) error) error {
	var p events.Appointment
	if err := ev.Decode(&p); err != nil {
		return err
	}
	e, err := loadByAppointment(tx, p.AppointmentID)
	if err != nil {
		return err // booked is delivered again first: facts may come out of order
	}
	if p.Version > 0 && p.Version <= e.AppointmentVersion {
		return nil
	}
	if err := apply(e, p); err != nil {
		return err
	}
	e.AppointmentVersion = max(e.AppointmentVersion, p.Version)
	return update(tx, e)
}

type present struct {
	events.Presence
	fact string    // its id
	at   time.Time // the instant it tells of
	said time.Time // when it was published
}

// presence applies a fact of the live side. Such facts come in any order, and
// after the end of the act too: what they tell happened all the same.
func (s *Service) presence(apply func(tx *store.Tx, e *Encounter, p present) error) events.Consumer {
	return func(_ context.Context, tx *store.Tx, ev events.Event) error {
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
		if err := apply(tx, e, present{p, ev.ID, store.Time(p.At), ev.At}); err != nil {
			return err
		}
		return update(tx, e)
	}
}

func arrive(_ *store.Tx, e *Encounter, p present) error {
	if e.Status == InProgress || e.Status == Finished {
		if e.ArrivedAt.IsZero() && (e.StartedAt.IsZero() || !p.at.After(e.StartedAt)) {
			e.ArrivedAt = p.at
		}
		return nil
	}
	if !e.heard(p.at) || e.Status != Planned {
		return nil
	}
	return e.to(Arrived, p.at)
}

func away(_ *store.Tx, e *Encounter, p present) error {
	if !e.heard(p.at) || e.Status != Arrived {
		return nil
	}
	return e.to(Planned, p.at)
}

// heard notes news from the waiting room; false when later news came first.
func (e *Encounter) heard(at time.Time) bool {
	if at.Before(e.waitingToldAt) {
		return false
	}
	e.waitingToldAt = at
	return true
}

// start may be told after the end, which the host's own request wrote: the act
// began all the same.
func start(_ *store.Tx, e *Encounter, p present) error {
	switch {
	case e.Status == Cancelled:
		return nil
	case e.Status == Finished:
		if !p.at.After(e.FinishedAt) && (e.StartedAt.IsZero() || p.at.Before(e.StartedAt)) {
			e.StartedAt = p.at
		}
		return nil
	case !e.StartedAt.IsZero() && p.at.Before(e.StartedAt):
		e.StartedAt = p.at
	}
	return e.to(InProgress, p.at)
}

func (s *Service) join(tx *store.Tx, e *Encounter, p present) error {
	return insertPresence(tx, e.ID, Presence{
		ID: p.fact, PersonID: p.PersonID, SeatID: p.SeatID, Role: p.Role, JoinedAt: p.at, ToldAt: s.Clock.Now(),
	})
}

func (s *Service) leave(tx *store.Tx, e *Encounter, p present) error {
	return insertDeparture(tx, e.ID, departure{p.SeatID, p.at, p.Assumed, p.said, p.How})
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
