package signaling

import (
	"context"

	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/store"
)

// Subscribe makes the live side follow the facts of the other modules. Nudges
// go to the rooms of this process after the commit; the rooms of another one
// find out at their next review.
func (s *Service) Subscribe(bus *events.Bus) {
	bus.On(events.ConsentRecorded, "signaling.consent", s.consentChanged)
	bus.On(events.EncounterFinished, "signaling.finish", s.actEnded)
	bus.On(events.AppointmentCancelled, "signaling.cancel", s.appointmentChanged)
	bus.On(events.AppointmentMoved, "signaling.move", s.appointmentChanged)
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
