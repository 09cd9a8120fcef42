package scheduling

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/store"
)

// Booking asks for a slot. Shown holds the two amounts the person saw, or that no price is known.
type Booking struct {
	PractitionerID care.StaffID
	Start          time.Time
	Person         Person
	Zone           string
	Shown          Shown
	Declared       Declared
	Attempt        string // of StartAttempt, proven; staff and a patient's own session need none

	holder []byte // who the slot is held by, as a budget counts them; nil for staff
}

// Receipt is a booking that was made.
type Receipt struct {
	Appointment
	Card  Card
	Known Known
}

// Book takes a slot for whoever asks (product B10). Of any number of people who
// ask for one slot at once, one gets it and the others fail as Conflict
// "slot-taken"; a price that is no longer the one shown is Conflict
// "price-changed"; whose contact is not proven fails as Forbidden
// "contact-not-proven", and as Throttled when the contact or the practitioner has
// what bookings on line may hold. On failure nothing is kept, the patient's file included.
func (s *Service) Book(ctx context.Context, b Booking) (Receipt, error) {
	b.Person.ID = ""
	if err := s.Table.May(authz.From(ctx), "appointment.book"); err != nil {
		return Receipt{}, err
	}
	channel, holder, err := s.provenContact(ctx, b)
	if err != nil {
		return Receipt{}, err
	}
	b.Person.Proven, b.holder = channel, holder
	return s.book(ctx, "appointment.book", b)
}

// BookFor is Book by staff of the practitioner's organisation, for a patient on
// the phone, known or not. The notice a plan asks from patients does not apply.
func (s *Service) BookFor(ctx context.Context, b Booking) (Receipt, error) {
	return s.book(ctx, "appointment.book-for", b)
}

func (s *Service) book(ctx context.Context, action authz.Action, b Booking) (r Receipt, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if r.Card, err = s.bookable(ctx, action, b.PractitionerID); err != nil {
			return err
		}
		schedule, _, err := lockSchedule(tx, r.Card.ID)
		if err != nil {
			return err
		}
		slot, problems := s.offered(schedule, b.Start, authz.From(ctx).Role)
		if _, err := loadZone(b.Zone); err != nil {
			problems = append(problems, fault.Field{Name: "zone", Code: "zone-unknown"})
		}
		if len(problems) == 0 {
			if err := vacant(tx, r.Card.ID, slot.Interval, ""); err != nil {
				return err
			}
		}
		if r.Known, err = s.Patients.Resolve(ctx, b.Person, r.Card.OrganizationID); err != nil || len(problems) > 0 {
			return joined(problems, err)
		}
		if b.Shown, err = s.checkPrice(slot, r.Card, r.Known.BirthDate, b.Shown); err != nil {
			return err
		}
		if b.holder != nil {
			if err := s.Contacts.Hold(ctx, r.Card.ID, b.holder); err != nil {
				return err
			}
		}
		r.Appointment = s.taken(ctx, schedule, slot, r.Known.ID, b)
		if err := s.keep(ctx, tx, action, r.Appointment); err != nil || b.Declared == (Declared{}) {
			return err
		}
		return s.Declarations.Declare(ctx, r.ID, r.Known.ID, b.Declared)
	})
	return r, err
}

// bookable gives the practitioner's card to whom may book them.
func (s *Service) bookable(ctx context.Context, action authz.Action, id care.StaffID) (Card, error) {
	card, err := s.Practitioners.Card(ctx, id)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			err = fault.Fields(fault.Field{Name: "practitionerId", Code: "practitioner-unknown"})
		}
		return Card{}, err
	}
	actor, relation := authz.From(ctx), authz.None
	if actor.StaffID != "" {
		relation = actor.To(authz.Subject{OrganizationID: card.OrganizationID}, false)
	}
	return card, s.Table.Can(actor, action, relation)
}

// offered finds the slot of a schedule that starts at an instant, and everything
// that keeps a role from taking it. It does not look at appointments.
func (s *Service) offered(sched Schedule, start time.Time, by care.Role) (Slot, []fault.Field) {
	now := s.Clock.Now()
	wrong := func(code string) (Slot, []fault.Field) { return Slot{}, []fault.Field{{Name: "start", Code: code}} }
	zone, err := loadZone(sched.Plan.Zone)
	if err != nil {
		return wrong("not-a-slot") // no schedule
	}
	patient := by == care.Anonymous || by == care.Patient
	day := DayOf(start, zone)
	switch {
	case !start.After(now):
		return wrong("in-past")
	case patient && start.Before(now.Add(sched.notice())):
		return wrong("too-soon")
	case day > DayOf(now, zone)+Day(sched.Plan.Horizon):
		return wrong("too-far")
	}
	for slot := range sched.Slots(s.holidays, day, day) {
		if slot.Start.Equal(start) {
			return slot, nil
		}
	}
	return wrong("not-a-slot")
}

func (s Schedule) notice() time.Duration { return time.Duration(s.Plan.Notice) * time.Minute }

// vacant fails when an appointment other than except overlaps. The schedule is
// locked.
func vacant(tx *store.Tx, practitioner care.StaffID, i Interval, except care.AppointmentID) error {
	taken, err := overlapping(tx, practitioner, i, except)
	if err == nil && taken {
		err = fault.New(fault.Conflict, "slot-taken")
	}
	return err
}

// joined adds the fields of an Invalid fault to those found before.
func joined(problems []fault.Field, err error) error {
	var f *fault.Error
	switch {
	case errors.As(err, &f) && f.Kind == fault.Invalid:
		problems = append(problems, f.Fields...)
	case err != nil:
		return err
	}
	return fault.Fields(problems...)
}

func (s *Service) taken(ctx context.Context, sched Schedule, slot Slot, patient care.PatientID, b Booking) Appointment {
	now := s.Clock.Now()
	return Appointment{
		ID: care.AppointmentID(care.NewID(now)), ScheduleID: sched.ID, PractitionerID: sched.PractitionerID, OrganizationID: sched.OrganizationID,
		PatientID: patient, Status: Booked, Interval: slot.Interval, Zone: b.Zone, Language: b.Person.Language, Shown: b.Shown,
		BookedBy: authz.From(ctx).Role, BookedAt: now, Version: 1,
	}
}

// keep writes a new appointment: row, audit line with the price shown, fact.
func (s *Service) keep(ctx context.Context, tx *store.Tx, action authz.Action, a Appointment) error {
	err := insert(tx, a)
	if _, taken := store.Duplicate(err); taken {
		return fault.New(fault.Conflict, "slot-taken").Because(err)
	}
	if err != nil {
		return err
	}
	detail := map[string]string{"start": a.Start.Format(time.RFC3339), "price": "unknown"}
	if a.Shown.Known {
		detail = map[string]string{
			"start": a.Start.Format(time.RFC3339), "priceCents": strconv.FormatInt(a.Shown.Amount, 10),
			"reimbursedCents": strconv.FormatInt(a.Shown.Reimbursed, 10), "priceSource": a.Shown.Source,
		}
	}
	return s.tell(ctx, tx, action, events.AppointmentBooked, a, detail)
}

// tell writes the audit line and the fact of a change.
func (s *Service) tell(ctx context.Context, tx *store.Tx, action authz.Action, fact string, a Appointment, detail map[string]string) error {
	err := s.Audit.Append(ctx, tx, audit.Entry{Action: action, Object: "appointment/" + string(a.ID), Patient: a.PatientID, Detail: detail})
	if err != nil {
		return err
	}
	return s.Bus.Publish(ctx, tx, fact, string(a.ID), events.Appointment{
		AppointmentID: a.ID, PatientID: a.PatientID, PractitionerID: a.PractitionerID, OrganizationID: a.OrganizationID,
		Start: store.Micros(a.Start), End: store.Micros(a.End), Language: a.Language, Zone: a.Zone, By: authz.From(ctx).Role, Version: a.Version,
	})
}

// near is how many slots are offered in the place of one that was taken.
const near = 3

// ContactRequest asks for the code that proves a contact.
type ContactRequest struct {
	Phone, Email   string
	Channel        string // sms or email; empty: the telephone first
	Language       care.Language
	PractitionerID care.StaffID
	Again          bool   // another message, although one left a moment ago
	Network        string // the caller's IP address
	Work           string // the answer to a challenge of work-needed
	Proven         bool   // no code is needed
}

// ContactAttempt is what the person who books keeps until they have booked.
type ContactAttempt struct {
	Secret  string
	Channel string
	Hint    string
	Expires time.Time
	Proven  bool
	// Sent says that a code left because of this request; otherwise the last one, which
	// left at SentAt, is still good. After is how long until another can be asked for.
	Sent   bool
	SentAt time.Time
	After  time.Duration
}

// Contacts proves that whoever books reads the contact they give, and counts what
// bookings on line cost and hold: identity does. Admit looks before anything is
// written; undo gives back what it took, and is never nil. Start, Proven, Hold and Move
// join the caller's transaction.
type Contacts interface {
	Admit(ctx context.Context, r ContactRequest) (undo func(), err error)
	Start(ctx context.Context, r ContactRequest) (ContactAttempt, error)
	Verify(ctx context.Context, secret, code, network string) error
	Proven(ctx context.Context, secret, phone, email string) (channel string, contact []byte, err error)
	Hold(ctx context.Context, practitioner care.StaffID, contact []byte) error
	Move(ctx context.Context, id care.AppointmentID) error
}

// CheckBooking refuses what Book would refuse now, for a slot that is not held: no
// code is sent for a booking that cannot be made. It changes nothing and looks at
// no patient.
func (s *Service) CheckBooking(ctx context.Context, b Booking) error {
	return s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		card, err := s.bookable(ctx, "appointment.book", b.PractitionerID)
		if err != nil {
			return err
		}
		schedule, _, err := scheduleOf(tx, card.ID)
		if err != nil {
			return err
		}
		slot, problems := s.offered(schedule, b.Start, authz.From(ctx).Role)
		if _, err := loadZone(b.Zone); err != nil {
			problems = append(problems, fault.Field{Name: "zone", Code: "zone-unknown"})
		}
		if len(problems) == 0 {
			if err := vacant(tx, card.ID, slot.Interval, ""); err != nil {
				return err
			}
		}
		if err := joined(problems, s.Patients.Check(b.Person, card.OrganizationID)); err != nil {
			return err
		}
		_, err = s.checkPrice(slot, card, b.Person.BirthDate, b.Shown)
		return err
	})
}

// StartAttempt has one code sent to the contact of a booking and holds nothing. A
// patient whose session already proves the contact gets an attempt that is proven.
func (s *Service) StartAttempt(ctx context.Context, b Booking, r ContactRequest) (ContactAttempt, error) {
	if err := s.Table.May(authz.From(ctx), "booking.start"); err != nil {
		return ContactAttempt{}, err
	}
	r, err := s.contactRequest(ctx, b, r)
	if err != nil {
		return ContactAttempt{}, err
	}
	a, err := s.Contacts.Start(ctx, r)
	a.Proven = r.Proven
	return a, err
}

// AdmitAttempt refuses an attempt that must bring work and does not, first and at
// little cost to us, then what StartAttempt would refuse now. It writes nothing. An
// attempt that is refused is not counted; undo gives back what one took that was
// admitted and did not start.
func (s *Service) AdmitAttempt(ctx context.Context, b Booking, r ContactRequest) (undo func(), err error) {
	undo = func() {}
	if r, err = s.contactRequest(ctx, b, r); err != nil {
		return undo, err
	}
	undo, err = s.Contacts.Admit(ctx, r)
	var f *fault.Error
	switch {
	case errors.As(err, &f) && f.Kind == fault.Unavailable:
		card, err := s.Practitioners.Card(ctx, b.PractitionerID)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return undo, err
		}
		return undo, f.With("phone", spacedPhone(card.Phone))
	case err != nil && fault.KindOf(err) != fault.Invalid:
		return undo, err
	}
	if wrong := s.CheckBooking(ctx, b); wrong != nil {
		undo()
		return func() {}, wrong
	}
	return undo, err
}

// contactRequest completes a request with what the booking and the caller's session
// say.
func (s *Service) contactRequest(ctx context.Context, b Booking, r ContactRequest) (ContactRequest, error) {
	reached, err := s.reached(ctx, b)
	r.Phone, r.Email, r.Language, r.PractitionerID = b.Person.Phone, b.Person.Email, b.Person.Language, b.PractitionerID
	if reached != "" && reached != "both" {
		r.Channel = reached
	}
	r.Proven = reached != ""
	return r, err
}

// reached tells which contact of a booking the caller's own session proves.
func (s *Service) reached(ctx context.Context, b Booking) (string, error) {
	a := authz.From(ctx)
	if a.Role != care.Patient {
		return "", nil
	}
	return s.Patients.Reached(ctx, a.PatientID, b.Person.Phone, b.Person.Email)
}

// provenContact tells which contact of a booking is proved, and who holds it.
func (s *Service) provenContact(ctx context.Context, b Booking) (channel string, holder []byte, err error) {
	reached, err := s.reached(ctx, b)
	switch {
	case err != nil:
		return "", nil, err
	case reached == "both":
		return "", []byte(authz.From(ctx).PatientID), nil
	case reached != "":
		return reached, []byte(authz.From(ctx).PatientID), nil
	}
	return s.Contacts.Proven(ctx, b.Attempt, b.Person.Phone, b.Person.Email)
}

// Near gives up to three free slots of a practitioner, the nearest in time to an
// instant, in the order of the day. It fails as NotFound.
func (s *Service) Near(ctx context.Context, id care.StaffID, start time.Time) (list []Slot, err error) {
	if _, err := s.Practitioners.Card(ctx, id); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		list, _, err = s.free(tx, id, s.Clock.Now(), 0, 0, false)
		return err
	})
	slices.SortStableFunc(list, func(a, b Slot) int {
		return int(a.Start.Sub(start).Abs().Seconds()) - int(b.Start.Sub(start).Abs().Seconds())
	})
	list = list[:min(near, len(list))]
	slices.SortFunc(list, func(a, b Slot) int { return a.Start.Compare(b.Start) })
	return list, err
}

// spacedPhone is +33142000000 as people write it: 01 42 00 00 00. Other countries
// stay as they are.
func spacedPhone(p string) string {
	if len(p) != 12 || p[:3] != "+33" {
		return p
	}
	n := "0" + p[3:]
	return n[:2] + " " + n[2:4] + " " + n[4:6] + " " + n[6:8] + " " + n[8:]
}
