package messaging

import (
	"context"
	"fmt"
	"time"

	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/seal"
	"visavis/internal/store"
	"visavis/messaging/mssante"
)

// Subscribe makes messages of the facts of the other modules and gives the bus
// the jobs that send them.
func (s *Service) Subscribe(bus *events.Bus) {
	bus.On(events.AppointmentBooked, "messaging.booked", s.booking(Booked))
	bus.On(events.AppointmentMoved, "messaging.moved", s.booking(Moved))
	bus.On(events.AppointmentCancelled, "messaging.cancelled", s.booking(Cancelled))
	bus.On(events.LinkRequested, "messaging.link", s.link)
	bus.On(events.PatientRecalled, "messaging.recall", s.recall)
	bus.On(events.ActDelayed, "messaging.late", s.late)
	bus.On(events.CompanionInvited, "messaging.invited", s.invited)
	bus.On(events.CodeRequested, "messaging.code", s.code)
	bus.On(events.ContactCodeRequested, "messaging.contact-code", s.contactCode)
	bus.On(events.ReportSigned, "messaging.report", s.signed)
	bus.On(events.PrescriptionIssued, "messaging.prescription", s.signed)
	bus.Handle(deliverJob, s.deliverJob)
	bus.Every("messaging.sweep", 15*time.Second, s.sweepJob)
	bus.Every("messaging.collect", 20*time.Second, s.collectJob)
}

// booking tells the patient by e-mail and SMS, and of a change those they invited
// too; it takes back what earlier facts of the same appointment had not sent yet.
func (s *Service) booking(about About) events.Consumer {
	return func(ctx context.Context, tx *store.Tx, ev events.Event) error {
		var p events.Appointment
		if err := ev.Decode(&p); err != nil {
			return err
		}
		late, err := s.overtake(ctx, tx, p.AppointmentID, p.Version, ev.At)
		if err != nil || late {
			return err
		}
		d := Delivery{About: about, Recipient: ToPatient, PatientID: p.PatientID, PractitionerID: p.PractitionerID, OrganizationID: p.OrganizationID,
			AppointmentID: p.AppointmentID, Language: p.Language, Zone: p.Zone, StartsAt: store.Time(p.Start), FactAt: ev.At, FactVersion: p.Version, NextAt: s.Clock.Now()}
		if err := s.tell(ctx, tx, d, ev.ID); err != nil {
			return err
		}
		if about != Booked {
			if err := s.tellGuests(ctx, tx, d, ev.ID); err != nil {
				return err
			}
		}
		if about == Cancelled {
			return nil
		}
		if d.StartsAt.Sub(s.Clock.Now()) < reminderLeast {
			return nil
		}
		d.About, d.NextAt = Reminder, d.StartsAt.Add(-reminderBefore)
		return s.tell(ctx, tx, d, ev.ID)
	}
}

// overtake refuses the messages of an appointment that a later fact makes
// wrong. late is true when this fact is itself the older one: facts may come
// out of order.
func (s *Service) overtake(ctx context.Context, tx *store.Tx, id care.AppointmentID, version int, at time.Time) (late bool, err error) {
	if err := lockAppointment(tx, id); err != nil {
		return false, err
	}
	list, err := ofAppointment(tx, id)
	if err != nil {
		return false, err
	}
	for _, d := range list {
		if !d.ofBooking() {
			continue
		}
		if d.after(version, at) {
			return true, nil
		}
		if d.State != Queued {
			continue
		}
		if err := d.to(Refused, reasonOvertaken, s.Clock.Now()); err != nil {
			return false, err
		}
		if err := s.save(ctx, tx, d); err != nil {
			return false, err
		}
	}
	return false, nil
}

// tell makes one delivery per contact the patient has; with none at all, one
// that says so, for people to see.
func (s *Service) tell(ctx context.Context, tx *store.Tx, d Delivery, fact string) error {
	to, err := s.addressee(ctx, d.PatientID, d.Representative)
	if err != nil {
		return err
	}
	if d.Language == "" {
		d.Language = to.Language
	}
	for _, c := range []struct {
		channel       Channel
		address, hint string
	}{{Email, to.Email, hideAddress(to.Email)}, {SMS, to.Phone, hidePhone(to.Phone)}} {
		if c.address == "" {
			continue
		}
		if err := s.queue(ctx, tx, d, c.channel, fact, addressed{to.Name, c.hint}); err != nil {
			return err
		}
	}
	if to.Email == "" && to.Phone == "" && d.About != Reminder {
		d.State, d.Reason = Refused, reasonNoAddress
		return s.queue(ctx, tx, d, Paper, fact, addressed{Label: to.Name})
	}
	return nil
}

// queue makes one delivery of the template d.
func (s *Service) queue(ctx context.Context, tx *store.Tx, d Delivery, c Channel, fact string, to addressed) error {
	d.Channel, d.Once = c, fmt.Sprintf("%s|%s|%s", fact, d.About, c)
	if d.State == "" {
		d.State = Queued
	}
	fresh, err := s.create(ctx, tx, &d)
	if err != nil || !fresh {
		return err
	}
	if err := s.sealTo(ctx, tx, &d, to); err != nil {
		return err
	}
	return update(tx, &d)
}

// link sends a new link to an appointment already told. The words come from
// the latest booking message.
func (s *Service) link(ctx context.Context, tx *store.Tx, ev events.Event) error {
	var p events.Link
	if err := ev.Decode(&p); err != nil {
		return err
	}
	last, _, err := s.toldLast(tx, p.AppointmentID)
	if err != nil || last.About == Cancelled {
		return err
	}
	return s.tell(ctx, tx, Delivery{About: Link, Recipient: ToPatient, PatientID: p.PatientID, PractitionerID: last.PractitionerID,
		OrganizationID: last.OrganizationID, AppointmentID: p.AppointmentID, Representative: p.Representative, Language: last.Language, Zone: last.Zone,
		StartsAt: last.StartsAt, FactAt: ev.At, FactVersion: last.FactVersion, NextAt: s.Clock.Now()}, ev.ID)
}

// code sends a one-time code by the channel the person chose.
func (s *Service) code(ctx context.Context, tx *store.Tx, ev events.Event) error {
	var p events.Code
	if err := ev.Decode(&p); err != nil {
		return err
	}
	to, err := s.addressee(ctx, p.PatientID, p.Representative)
	if err != nil {
		return err
	}
	d := Delivery{About: Code, Recipient: ToPatient, PatientID: p.PatientID, CodeID: p.CodeID, Representative: p.Representative, Language: to.Language, FactAt: ev.At, NextAt: s.Clock.Now()}
	if p.Channel == string(SMS) {
		return s.queue(ctx, tx, d, SMS, ev.ID, addressed{to.Name, hidePhone(to.Phone)})
	}
	return s.queue(ctx, tx, d, Email, ev.ID, addressed{to.Name, hideAddress(to.Email)})
}

// signed sends a document to the patient, and to the referring doctor when
// there is one with a mailbox.
func (s *Service) signed(ctx context.Context, tx *store.Tx, ev events.Event) error {
	var p events.Document
	if err := ev.Decode(&p); err != nil {
		return err
	}
	about, err := s.Papers.About(ctx, p.DocumentID)
	if err != nil {
		return err
	}
	to, err := s.People.Patient(ctx, p.PatientID)
	if err != nil {
		return err
	}
	var flags []string
	for _, f := range about.Visibility {
		flags = append(flags, f.Code)
	}
	wait := s.ReportFor
	if ev.Name == events.ReportSigned {
		wait = s.Together
	}
	d := Delivery{About: Documents, Channel: MSSante, PatientID: p.PatientID, PractitionerID: p.AuthorID, OrganizationID: about.OrganizationID,
		AppointmentID: about.AppointmentID, EncounterID: p.EncounterID, Language: to.Language, FactAt: ev.At, NextAt: s.Clock.Now().Add(wait)}
	if maySend(flags, ToPatient) {
		d.Recipient = ToPatient
		if err := s.include(ctx, tx, d, p, addressed{Label: to.Name}); err != nil {
			return err
		}
	}
	if doctor := to.Doctor; doctor != nil && mssante.ValidAddress(doctor.MSSante, s.MSSante.TestDomain) && maySend(flags, ToDoctor) {
		d.Recipient, d.Language = ToDoctor, care.French
		return s.include(ctx, tx, d, p, addressed{doctor.Full(), hideAddress(doctor.MSSante)})
	}
	return nil
}

// include puts a document in the message of its act that has not left yet, or
// makes one. A version not sent yet gives way to the one that replaces it.
func (s *Service) include(ctx context.Context, tx *store.Tx, d Delivery, p events.Document, to addressed) error {
	if _, err := ofDocument(tx, p.DocumentID, d.Recipient); fault.KindOf(err) != fault.NotFound {
		return err // it is on its way already, or the database failed
	}
	list, err := ofAct(tx, p.EncounterID, d.Recipient)
	if err != nil {
		return err
	}
	for _, open := range list {
		if (open.State != Queued && open.State != WaitingIdentity && open.State != ToPost) || open.phase == phaseData {
			continue
		}
		if err := loadDocuments(tx, open); err != nil {
			return err
		}
		fresh, err := addDocument(tx, open, p.DocumentID, len(open.Documents))
		if err != nil || !fresh {
			return err
		}
		if p.ReplacesID != "" {
			if err := removeDocument(tx, open, p.ReplacesID); err != nil {
				return err
			}
		}
		if open.State != Queued {
			return nil
		}
		if d.NextAt.Before(open.NextAt) {
			open.NextAt = d.NextAt
		}
		if err := s.save(ctx, tx, open); err != nil {
			return err
		}
		return s.enqueue(ctx, tx, open)
	}
	d.State, d.Once = Queued, fmt.Sprintf("documents|%s|%s|%d", p.EncounterID, d.Recipient, len(list))
	fresh, err := s.create(ctx, tx, &d)
	if err != nil {
		return err
	}
	if !fresh {
		// Another fact of the same act made it just now: come back and join it.
		return fault.New(fault.Unavailable, "delivery-not-now")
	}
	if _, err = addDocument(tx, &d, p.DocumentID, 0); err != nil {
		return err
	}
	if err := s.sealTo(ctx, tx, &d, to); err != nil {
		return err
	}
	return update(tx, &d)
}

// ContactCode is the code that proves a contact before anything is booked. It is
// of no patient: what is sealed of it belongs to the house.
const ContactCode About = "contact-code"

// ContactCodes gives the code of a ContactCodeRequested fact and the contact it
// goes to; identity answers. It fails as Gone when the code is of no more use.
type ContactCodes interface {
	Pending(ctx context.Context, id string) (code, to string, err error)
}

// contactCode sends a code to a contact that somebody wants to prove.
func (s *Service) contactCode(ctx context.Context, tx *store.Tx, ev events.Event) error {
	var p events.ContactCode
	if err := ev.Decode(&p); err != nil {
		return err
	}
	d := Delivery{About: ContactCode, Recipient: ToPatient, PatientID: seal.House, PractitionerID: p.PractitionerID, CodeID: p.CodeID, Language: p.Language, FactAt: ev.At, NextAt: s.Clock.Now()}
	if d.Language != care.English {
		d.Language = care.French
	}
	channel := Email
	if p.Channel == string(SMS) {
		channel = SMS
	}
	return s.queue(ctx, tx, d, channel, ev.ID, addressed{})
}

// toContact is who such a code goes to, with the code.
func (s *Service) toContact(ctx context.Context, d *Delivery) (Addressee, string, error) {
	code, to, err := s.Contacts.Pending(ctx, d.CodeID)
	if k := fault.KindOf(err); err != nil && (k == fault.Gone || k == fault.NotFound) {
		return Addressee{}, "", &outOfUse{Refused, reasonExpired}
	}
	if d.Channel == SMS {
		return Addressee{Phone: to, Language: d.Language}, code, err
	}
	return Addressee{Email: to, Language: d.Language}, code, err
}
