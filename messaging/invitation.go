package messaging

import (
	"context"
	"strings"
	"unicode/utf8"

	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/store"
)

// Guest is where somebody invited to an act is written to: one of the two.
type Guest struct{ Name, Email, Phone string }

// Guests tells about those a patient or a doctor invited to an act; identity
// answers. The last two fail as Gone when the invitation was taken back.
// IssueCompanionLink joins the transaction of ctx.
type Guests interface {
	// Invited gives those whose invitation to an appointment stands.
	Invited(ctx context.Context, id care.AppointmentID) ([]care.CompanionID, error)
	Companion(ctx context.Context, id care.CompanionID) (Guest, error)
	IssueCompanionLink(ctx context.Context, id care.CompanionID) (secret string, err error)
}

// invited sends somebody the link to an act at which they are wanted.
func (s *Service) invited(ctx context.Context, tx *store.Tx, ev events.Event) error {
	var p events.Companion
	if err := ev.Decode(&p); err != nil {
		return err
	}
	last, _, err := s.toldLast(tx, p.AppointmentID)
	if err != nil || last.About == Cancelled {
		return err
	}
	to, err := s.Guests.Companion(ctx, p.CompanionID)
	if fault.KindOf(err) == fault.Gone {
		return nil
	}
	if err != nil {
		return err
	}
	d := Delivery{About: Invited, Recipient: ToCompanion, PatientID: p.PatientID, PractitionerID: last.PractitionerID, OrganizationID: last.OrganizationID,
		AppointmentID: p.AppointmentID, CompanionID: p.CompanionID, Language: last.Language, Zone: last.Zone, StartsAt: last.StartsAt,
		FactAt: ev.At, FactVersion: last.FactVersion, NextAt: s.Clock.Now()}
	return s.writeTo(ctx, tx, d, to, ev.ID)
}

// writeTo makes the one message of a fact for somebody invited.
func (s *Service) writeTo(ctx context.Context, tx *store.Tx, d Delivery, to Guest, fact string) error {
	if to.Phone != "" {
		return s.queue(ctx, tx, d, SMS, fact, addressed{to.Name, hidePhone(to.Phone)})
	}
	return s.queue(ctx, tx, d, Email, fact, addressed{to.Name, hideAddress(to.Email)})
}

// tellGuests tells those who are invited to an appointment that it is moved or
// cancelled, as d tells the patient; moved, with a new link of their own. Whose
// invitation was taken back is told nothing.
func (s *Service) tellGuests(ctx context.Context, tx *store.Tx, d Delivery, fact string) error {
	list, err := s.Guests.Invited(ctx, d.AppointmentID)
	if err != nil {
		return err
	}
	if d.Language == "" {
		to, err := s.addressee(ctx, d.PatientID, "")
		if err != nil {
			return err
		}
		d.Language = to.Language
	}
	for _, id := range list {
		to, err := s.Guests.Companion(ctx, id)
		if fault.KindOf(err) == fault.Gone && err != nil {
			continue
		}
		if err != nil {
			return err
		}
		d.Recipient, d.CompanionID = ToCompanion, id
		if err := s.writeTo(ctx, tx, d, to, fact+"|"+string(id)); err != nil {
			return err
		}
	}
	return nil
}

// recipient is who a delivery is written to.
func (s *Service) recipient(ctx context.Context, d *Delivery) (Addressee, error) {
	if d.Recipient == ToCompanion {
		return s.guest(ctx, d.CompanionID)
	}
	if d.About == ContactCode {
		to, _, err := s.toContact(ctx, d)
		return to, err
	}
	return s.addressee(ctx, d.PatientID, d.Representative)
}

// addressee is a patient, written to through the representative who asked when
// one did.
func (s *Service) addressee(ctx context.Context, id care.PatientID, representative string) (Addressee, error) {
	to, err := s.People.Patient(ctx, id)
	if err != nil || representative == "" {
		return to, err
	}
	to.Email, to.Phone, err = s.People.Representative(ctx, id, representative)
	return to, err
}

// secret mints the link of a message.
func (s *Service) secret(ctx context.Context, d *Delivery) (string, error) {
	if d.Recipient == ToCompanion {
		return s.Guests.IssueCompanionLink(ctx, d.CompanionID)
	}
	return s.Secrets.IssueLink(ctx, d.AppointmentID, d.Representative)
}

// guest is a companion as somebody to write to.
func (s *Service) guest(ctx context.Context, id care.CompanionID) (Addressee, error) {
	g, err := s.Guests.Companion(ctx, id)
	if fault.KindOf(err) == fault.Gone {
		return Addressee{}, &outOfUse{Refused, reasonWithdrawn}
	}
	return Addressee{Name: g.Name, Email: g.Email, Phone: g.Phone}, err
}

// short is a patient's name for somebody who knows them: a message that goes
// astray says no more. « Léa MOREAU » is « Léa M. ».
func short(name string) string {
	given, family, _ := strings.Cut(name, " ")
	if first, size := utf8.DecodeRuneInString(family); size > 0 {
		return given + " " + string(first) + "."
	}
	return given
}

// ofBooking tells whether a delivery tells of the booking itself: a change of it
// makes the words wrong.
func (d *Delivery) ofBooking() bool {
	switch d.About {
	case Booked, Moved, Cancelled, Reminder:
		return true
	}
	return false
}
