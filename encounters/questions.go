package encounters

import (
	"context"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"
)

// CaresFor tells whether a professional takes or took part in an act for the
// patient: the care team that need-to-know rests on (CSP L1110-4).
func (s *Service) CaresFor(ctx context.Context, staff care.StaffID, patient care.PatientID) (bool, error) {
	n := int64(0)
	err := s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		n, err = countShared(tx, staff, patient)
		return err
	})
	return n > 0, err
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
	n := int64(0)
	err := s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		n, err = countOpenStays(tx, a.ID())
		return err
	})
	return n > 0, err
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
