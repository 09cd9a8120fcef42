package messaging

import (
	"context"
	"slices"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/store"
)

// The bounds of recalls: who comes and goes is not written to for ever, and a
// recall that comes late sends somebody to a turn that is over.
const (
	recallMost = 3 // of one appointment: a text message costs money
	recallFor  = 10 * time.Minute
)

// recall tells a patient who waits, and is not looking, that it is nearly their
// turn: by SMS, or by e-mail to who has no mobile telephone.
func (s *Service) recall(ctx context.Context, tx *store.Tx, ev events.Event) error {
	var p events.Presence
	if err := ev.Decode(&p); err != nil {
		return err
	}
	act, err := s.Acts.Act(ctx, authz.SystemActor(), p.EncounterID)
	if err != nil {
		return err
	}
	last, list, err := s.toldLast(tx, act.AppointmentID)
	if err != nil || last.About == Cancelled {
		return err
	}
	before := slices.DeleteFunc(list, func(d *Delivery) bool { return d.About != Recall })
	at := store.Time(p.At)
	if len(before) >= recallMost || s.Clock.Now().After(at.Add(recallFor)) {
		return nil
	}
	to, err := s.addressee(ctx, act.PatientID, "")
	if err != nil {
		return err
	}
	d := Delivery{About: Recall, Recipient: ToPatient, PatientID: act.PatientID, PractitionerID: last.PractitionerID, OrganizationID: last.OrganizationID,
		AppointmentID: act.AppointmentID, EncounterID: p.EncounterID, Language: last.Language, Zone: last.Zone, StartsAt: last.StartsAt,
		FactAt: at, FactVersion: last.FactVersion, NextAt: s.Clock.Now()}
	switch {
	case to.Phone != "":
		return s.queue(ctx, tx, d, SMS, ev.ID, addressed{to.Name, hidePhone(to.Phone)})
	case to.Email != "":
		return s.queue(ctx, tx, d, Email, ev.ID, addressed{to.Name, hideAddress(to.Email)})
	}
	return nil
}

// stale tells that a recall comes too late to be of use.
func (d *Delivery) stale(now time.Time) bool {
	return d.About == Recall && now.After(d.FactAt.Add(recallFor))
}

// toldLast gives the latest booking message of an appointment, whose words
// others repeat, and every message about it. It fails as Unavailable while the
// booking itself was not told: that comes first.
func (s *Service) toldLast(tx *store.Tx, id care.AppointmentID) (last *Delivery, all []*Delivery, err error) {
	if all, err = ofAppointment(tx, id); err != nil {
		return nil, nil, err
	}
	list := slices.DeleteFunc(slices.Clone(all), func(d *Delivery) bool { return !d.ofBooking() })
	if len(list) == 0 {
		return nil, nil, fault.New(fault.Unavailable, "delivery-not-now")
	}
	return slices.MaxFunc(list, func(a, b *Delivery) int {
		if a.after(b.FactVersion, b.FactAt) {
			return 1
		}
		return -1
	}), all, nil
}
