package encounters

import (
	"context"
	"maps"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"
)

// The window in which a booked act is a reason to know. CSP L1110-4 lets a
// professional know what is strictly necessary to the care of the person: to
// prepare the act, from the day the patient's own link opens (trust B10), and
// to follow up one that did not take place (who did not come is called back,
// the act is booked again), as long as the shortest usual interval between two
// visits of a chronic illness. An act that took place is care given, whose file
// its professionals keep; a cancelled one is no reason at all.
const (
	knowBefore = 7 * 24 * time.Hour  // before the planned start
	knowAfter  = 90 * 24 * time.Hour // after the planned end
)

// CaresFor tells whether a professional is of the patient's care team, which
// need-to-know rests on (CSP L1110-4): they were in an act that took place, or
// are responsible for or invited into one that is planned within the window.
func (s *Service) CaresFor(ctx context.Context, staff care.StaffID, patient care.PatientID) (yes bool, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		now := s.Clock.Now()
		yes, err = tied(tx, staff, patient, store.Micros(now.Add(knowBefore)), store.Micros(now.Add(-knowAfter)))
		return err
	})
	return yes, err
}

// InTeam tells whether a professional was invited into the act of an
// appointment; false when the act does not exist yet.
func (s *Service) InTeam(ctx context.Context, id care.AppointmentID, staff care.StaffID) (bool, error) {
	e, err := s.OfAppointment(ctx, id)
	if fault.KindOf(err) == fault.NotFound && err != nil {
		return false, nil
	}
	return err == nil && e.inTeam(staff), err
}

// InCall tells whether the person of a session sits in a call that goes on: a
// session never ends during a consultation (ASVS 7.3.1).
func (s *Service) InCall(ctx context.Context, a authz.Actor) (bool, error) {
	var list []*Encounter
	err := s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		list, err = inCallOf(tx, a.ID())
		return err
	})
	for _, e := range list {
		for _, p := range e.Presence {
			if p.PersonID == a.ID() && p.LeftAt.IsZero() {
				return true, err
			}
		}
	}
	return false, err
}

// Awaited gives the acts of a professional planned in [from, to) whose patient is
// not there, without their people, stays and incidents. For the waiting room,
// which has checked who asks.
func (s *Service) Awaited(ctx context.Context, staff care.StaffID, from, to time.Time) (list []*Encounter, err error) {
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		list, err = awaited(tx, staff, store.Micros(from), store.Micros(to))
		return err
	})
	return list, err
}

// Troubled gives those of some acts in which technical trouble keeps the patient
// away now (product 4.8 steps 3 and 5): their connection test failed and no call
// has begun, or the call that goes on is cut on their side.
func (s *Service) Troubled(ctx context.Context, acts []*Encounter) (map[care.EncounterID]bool, error) {
	var before []care.EncounterID
	out := map[care.EncounterID]bool{}
	err := s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		before = nil
		for _, e := range acts {
			switch e.Status {
			case Planned, Arrived:
				before = append(before, e.ID)
			case InProgress:
				if err := loadParts(tx, e); err != nil {
					return err
				}
				out[e.ID] = e.cutOff()
			}
		}
		return nil
	})
	if err != nil || len(before) == 0 {
		return out, err
	}
	failed, err := s.Checks.Failed(ctx, before)
	maps.Copy(out, failed)
	return out, err
}

// Progress is where the acts of several appointments stand; one without an act
// is absent.
func (s *Service) Progress(ctx context.Context, ids []care.AppointmentID) (map[care.AppointmentID]*Encounter, error) {
	out := map[care.AppointmentID]*Encounter{}
	err := s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		list, err := ofAppointments(tx, ids)
		for _, e := range list {
			out[e.AppointmentID] = e
		}
		return err
	})
	return out, err
}

const (
	// settleFor is how long after the end of a call its last facts may take to be
	// written: media processes send the last seconds of video at once when it ends.
	settleFor = 2 * time.Second
	// recently bounds how far back facts that wait are looked for.
	recently = time.Hour
)

// Settling tells whether an act ended and its record may still grow by what its
// call told: some of it was not taken yet, or there was no time for it to be told.
// Afterwards the record only changes by a fact that is told late.
func (s *Service) Settling(ctx context.Context, id care.EncounterID) (settling bool, err error) {
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		e, err := load(tx, id)
		if err != nil {
			return err
		}
		settling, err = s.settling(tx, e)
		return err
	})
	return settling, err
}

func (s *Service) settling(tx *store.Tx, e *Encounter) (bool, error) {
	since := s.Clock.Now().Sub(e.FinishedAt)
	switch {
	case e.Status != Finished, since > recently:
		return false, nil
	case len(e.Presence) > 0 && since < settleFor:
		return true, nil
	}
	return s.Bus.Waiting(tx, string(e.ID), "encounters.", e.FinishedAt.Add(-recently))
}
