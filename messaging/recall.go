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
	return s.call(ctx, tx, Delivery{About: Recall, EncounterID: p.EncounterID, FactAt: at}, last, ev.ID)
}

// late tells a patient who is to come that the professional runs late, and when
// their turn is now (product M8, 4.8 step 4): once per fact, which signaling
// writes once for each threshold. A word on the same delay that has not left
// gives way to this one.
func (s *Service) late(ctx context.Context, tx *store.Tx, ev events.Event) error {
	var p events.Delay
	if err := ev.Decode(&p); err != nil {
		return err
	}
	act, err := s.Acts.Act(ctx, authz.SystemActor(), p.EncounterID)
	if err != nil || act.Begun || act.AppointmentID == "" {
		return err
	}
	last, list, err := s.toldLast(tx, act.AppointmentID)
	at := store.Time(p.At)
	if err != nil || last.About == Cancelled || s.Clock.Now().After(at.Add(recallFor)) {
		return err
	}
	for _, d := range list {
		if d.About != Late || d.FactAt.After(at) || d.State != Queued {
			continue
		}
		if err := d.to(Refused, reasonOvertaken, s.Clock.Now()); err != nil {
			return err
		}
		if err := s.save(ctx, tx, d); err != nil {
			return err
		}
	}
	return s.call(ctx, tx, Delivery{About: Late, EncounterID: p.EncounterID, TurnFrom: store.Time(p.From), TurnTo: store.Time(p.To), FactAt: at}, last, ev.ID)
}

// call sends a patient one message about their turn: by SMS, or by e-mail to who
// has no mobile telephone. last is the booking message whose words it repeats.
func (s *Service) call(ctx context.Context, tx *store.Tx, d Delivery, last *Delivery, fact string) error {
	to, err := s.addressee(ctx, last.PatientID, "")
	if err != nil {
		return err
	}
	d.Recipient, d.PatientID, d.PractitionerID, d.OrganizationID = ToPatient, last.PatientID, last.PractitionerID, last.OrganizationID
	d.AppointmentID, d.Language, d.Zone, d.StartsAt = last.AppointmentID, last.Language, last.Zone, last.StartsAt
	d.FactVersion, d.NextAt = last.FactVersion, s.Clock.Now()
	switch {
	case to.Phone != "":
		return s.queue(ctx, tx, d, SMS, fact, addressed{to.Name, hidePhone(to.Phone)})
	case to.Email != "":
		return s.queue(ctx, tx, d, Email, fact, addressed{to.Name, hideAddress(to.Email)})
	}
	return nil
}

// wanted gives an *outOfUse error when what happened since an earlier attempt
// makes a message useless: who is told of a delay came and sees their turn on the
// page, the invitation of a companion was taken back, or a minor keeps the
// appointment secret: what is written to them reaches their parents.
func (s *Service) wanted(ctx context.Context, d *Delivery) error {
	if d.Recipient == ToCompanion {
		_, err := s.guest(ctx, d.CompanionID)
		return err
	}
	if d.AppointmentID != "" {
		if secret, err := s.Secrecy.Confidential(ctx, d.AppointmentID, d.PatientID); err != nil {
			return err
		} else if secret {
			return &outOfUse{Refused, reasonHidden}
		}
	}
	if d.About != Late {
		return nil
	}
	act, err := s.Acts.Act(ctx, authz.SystemActor(), d.EncounterID)
	if err == nil && act.Begun {
		return &outOfUse{Refused, reasonOvertaken}
	}
	return err
}

// stale tells that a word about a turn comes too late to be of use.
func (d *Delivery) stale(now time.Time) bool {
	return (d.About == Recall || d.About == Late) && now.After(d.FactAt.Add(recallFor))
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
