package scheduling

import (
	"context"
	"encoding/json"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/store"
)

// Move gives an appointment another slot of the same practitioner; the old one
// is free at once. version is the one the person saw: Conflict
// "changed-meanwhile" when it is no longer the last. It fails as "slot-taken"
// like Book, as "appointment-closed" when it is too late, and as Throttled
// "moves-budget" when the patient moved it too often today.
func (s *Service) Move(ctx context.Context, id care.AppointmentID, start time.Time, version int) (a Appointment, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		var schedule Schedule
		if a, schedule, err = s.hold(ctx, tx, id, "appointment.move"); err != nil {
			return err
		}
		role := authz.From(ctx).Role
		if a.Version != version {
			return fault.New(fault.Conflict, "changed-meanwhile")
		}
		if !a.Changeable(role, s.Clock.Now()) {
			return fault.New(fault.Conflict, "appointment-closed")
		}
		slot, problems := s.offered(schedule, start, role)
		if err := fault.Fields(problems...); err != nil {
			return err
		}
		if err := vacant(tx, a.PractitionerID, slot.Interval, a.ID); err != nil {
			return err
		}
		if role == care.Patient { // each move is told to everybody, by SMS too
			if err := s.Contacts.Move(ctx, a.ID); err != nil {
				return err
			}
		}
		from := a.Start
		a.Interval = slot.Interval
		err := s.change(tx, &a, nil)
		if _, taken := store.Duplicate(err); taken {
			return fault.New(fault.Conflict, "slot-taken").Because(err)
		}
		if err != nil {
			return err
		}
		return s.tell(ctx, tx, "appointment.move", events.AppointmentMoved, a,
			map[string]string{"from": from.Format(time.RFC3339), "start": a.Start.Format(time.RFC3339)})
	})
	return a, err
}

// Cancel frees the slot at once. The reason, which may be clinical, is sealed.
// Cancelling what is cancelled changes nothing; with another reason it fails as Conflict
// "appointment-cancelled", since the first one stands. It fails as "appointment-closed" when it is too late.
func (s *Service) Cancel(ctx context.Context, id care.AppointmentID, reason string) (a Appointment, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if a, _, err = s.hold(ctx, tx, id, "appointment.cancel"); err != nil {
			return err
		}
		if a.Status == Cancelled {
			return s.sameReason(ctx, tx, a, reason)
		}
		if !a.Changeable(authz.From(ctx).Role, s.Clock.Now()) {
			return fault.New(fault.Conflict, "appointment-closed")
		}
		var sealed []byte
		if reason != "" {
			if sealed, err = s.Keeper.Seal(ctx, tx, a.PatientID, reasonOf(a.ID), []byte(reason)); err != nil {
				return err
			}
		}
		a.Status = Cancelled
		if err := s.change(tx, &a, sealed); err != nil {
			return err
		}
		return s.tell(ctx, tx, "appointment.cancel", events.AppointmentCancelled, a, nil)
	})
	return a, err
}

// sameReason accepts the reason that a was cancelled for, and none.
func (s *Service) sameReason(ctx context.Context, tx *store.Tx, a Appointment, reason string) error {
	if reason == "" {
		return nil
	}
	kept, err := reasonKept(tx, a.ID)
	if err == nil && len(kept) > 0 {
		kept, err = s.Keeper.Open(ctx, tx, a.PatientID, reasonOf(a.ID), kept)
	}
	if err == nil && string(kept) != reason {
		err = fault.New(fault.Conflict, "appointment-cancelled")
	}
	return err
}

// hold locks the schedule of an appointment and reads the appointment again, so
// that what is read stays true until the end of the transaction.
func (s *Service) hold(ctx context.Context, tx *store.Tx, id care.AppointmentID, action authz.Action) (Appointment, Schedule, error) {
	a, err := s.reach(ctx, tx, id, action)
	if err != nil {
		return a, Schedule{}, err
	}
	schedule, _, err := lockSchedule(tx, a.PractitionerID)
	if err != nil {
		return a, schedule, err
	}
	a, err = load(tx, id)
	return a, schedule, err
}

// change writes what may change of an appointment, as its next version.
func (s *Service) change(tx *store.Tx, a *Appointment, reason []byte) error {
	changed, err := update(tx, *a, reason)
	if err == nil && !changed {
		err = fault.New(fault.Conflict, "changed-meanwhile")
	}
	a.Version++
	return err
}

// Subscribe makes appointments follow their act, and those nobody came to
// become no-shows an hour after their end.
func (s *Service) Subscribe(bus *events.Bus) {
	bus.On(events.PatientArrived, "scheduling.arrived", s.follow(Arrived))
	bus.On(events.EncounterStarted, "scheduling.started", s.follow(Arrived))
	bus.On(events.EncounterFinished, "scheduling.finished", s.follow(Fulfilled))
	bus.Every("scheduling.noshow", time.Minute, s.noShows)
}

// follow gives the appointment of an act its next status, when that is legal:
// facts may come twice, and late.
func (s *Service) follow(next Status) events.Consumer {
	return func(ctx context.Context, tx *store.Tx, e events.Event) error {
		var p events.Presence
		if err := e.Decode(&p); err != nil {
			return err
		}
		ctx = authz.With(ctx, authz.SystemActor())
		id, err := s.Encounters.AppointmentOf(ctx, p.EncounterID)
		if err != nil {
			return err
		}
		a, err := load(tx, id)
		if err != nil || !a.Status.May(next) {
			return err
		}
		return s.become(ctx, tx, a, next)
	}
}

func (s *Service) noShows(ctx context.Context, _ json.RawMessage) error {
	ctx = authz.With(ctx, authz.SystemActor())
	return s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		missed, err := missed(tx, s.Clock.Now().Add(-late))
		if err != nil {
			return err
		}
		for _, a := range missed {
			if err := s.become(ctx, tx, a, NoShow); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) become(ctx context.Context, tx *store.Tx, a Appointment, next Status) error {
	a.Status = next
	if err := s.change(tx, &a, nil); err != nil {
		return err
	}
	return s.Audit.Append(ctx, tx, audit.Entry{
		Action: "appointment.follow", Object: "appointment/" + string(a.ID), Patient: a.PatientID, Detail: map[string]string{"status": string(next)},
	})
}
