package scheduling

import (
	"context"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/clock"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/lang"
	"visavis/internal/limit"
	"visavis/internal/seal"
	"visavis/internal/store"

	"visavis/scheduling/tariff"
)

// Person is who an appointment is for: a known patient by ID, which staff only
// may give, or what a booking asks, at most five fields (product B10).
type Person struct {
	ID         care.PatientID
	FamilyName string
	GivenName  string
	BirthDate  string // YYYY-MM-DD
	Phone      string
	Email      string
	Language   care.Language
	Proven     string // the channel of the contact that was proved; empty: all that is given stands
}

// Known is a patient as a booking needs them: where messages go, hidden. Only what
// the booking itself gave, or staff looked up, is hinted at.
type Known struct {
	ID        care.PatientID
	BirthDate string // YYYY-MM-DD; empty: unknown
	EmailHint string
	SMSHint   string
}

// Patients answers about patients: identity does. Resolve joins the caller's
// transaction, names wrong fields as patient.phone…, and never tells whether
// the person was known. Check tells what Resolve would refuse and looks at no
// patient. Reached tells which of two typed contacts is on a patient's file:
// "sms", "email", "both" or nothing.
type Patients interface {
	Resolve(ctx context.Context, p Person, o care.OrganizationID) (Known, error)
	Check(p Person, o care.OrganizationID) error
	Reached(ctx context.Context, id care.PatientID, phone, email string) (string, error)
	Names(ctx context.Context, ids []care.PatientID) (map[care.PatientID]string, error)
}

// physician is the code of TRE_G15 whose specialty says enough.
const physician = "10"

// Card is how a practitioner is presented.
type Card struct {
	ID               care.StaffID
	DisplayName      string
	Title            string
	Profession       string // TRE_G15 code
	Specialty        string // TRE_R38 code
	RPPS             string
	OrganizationID   care.OrganizationID
	OrganizationName string
	Phone            string // of the organisation, E.164
	City             string
	Bio              string
	Languages        []string // BCP 47
}

// Practitioners answers about those who receive: identity does. Card fails as
// NotFound; Search takes any of the codes (none: all) and part of a name.
type Practitioners interface {
	Card(ctx context.Context, id care.StaffID) (Card, error)
	Search(ctx context.Context, specialties []string, name string) ([]Card, error)
	Colleagues(ctx context.Context, o care.OrganizationID) ([]Card, error)
}

// Progress is where the act of an appointment stands.
type Progress struct {
	EncounterID  care.EncounterID
	WaitingSince time.Time // zero: nobody waits
	Troubled     bool      // technical trouble keeps the patient away
}

// Encounters answers about acts: encounters does. AppointmentOf fails as
// NotFound; an appointment without act is absent from Progress.
type Encounters interface {
	InCareTeam(ctx context.Context, id care.AppointmentID, staff care.StaffID) (bool, error)
	AppointmentOf(ctx context.Context, id care.EncounterID) (care.AppointmentID, error)
	Progress(ctx context.Context, ids []care.AppointmentID) (map[care.AppointmentID]Progress, error)
}

// Consents answers where consents stand: consent does.
type Consents interface {
	States(ctx context.Context, ids []care.AppointmentID) (map[care.AppointmentID]care.ConsentState, error)
}

// Deps is what the service is made of.
type Deps struct {
	DB            *store.DB
	Bus           *events.Bus
	Audit         *audit.Log
	Keeper        *seal.Keeper
	Table         *authz.Table
	Clock         clock.Clock
	Patients      Patients
	Contacts      Contacts
	Practitioners Practitioners
	Encounters    Encounters
	Consents      Consents
	Declarations  Declarations
	// BookingLimit is what one visitor may ask of booking, whatever comes of it;
	// the zero Rule is 300 at once, then ten a second: a hospital is one address. What costs money or holds a
	// slot has its own budgets (Contacts).
	BookingLimit limit.Rule
}

// Service keeps schedules and appointments.
type Service struct {
	Deps
	holidays    Holidays
	specialties Specialties
	tariffs     *tariff.Table
	texts       *lang.Catalogue
	words       *lang.Words
}

// New returns the service; it fails when a data file of the module is wrong.
func New(d Deps) (*Service, error) {
	s := &Service{Deps: d}
	if s.BookingLimit == (limit.Rule{}) {
		s.BookingLimit = limit.Rule{Name: "booking", Burst: 300, Every: 100 * time.Millisecond}
	}
	var err error
	if s.holidays, err = LoadHolidays(); err != nil {
		return nil, err
	}
	if s.specialties, err = LoadSpecialties(); err != nil {
		return nil, err
	}
	if s.tariffs, err = tariff.Load(); err != nil {
		return nil, err
	}
	if s.texts, err = Texts(); err != nil {
		return nil, err
	}
	s.words, err = lang.NewWords()
	return s, err
}

// PlanOf gives the plan of a practitioner; false when they have no schedule.
func (s *Service) PlanOf(ctx context.Context, practitioner care.StaffID) (p Plan, ok bool, err error) {
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		var sched Schedule
		sched, ok, err = scheduleOf(tx, practitioner)
		p = sched.Plan
		return err
	})
	return p, ok, err
}

// SetPlan opens or replaces the schedule of a practitioner. Appointments already
// taken stay; the plan in force again changes nothing. Only the platform itself
// does it: no route leads here.
func (s *Service) SetPlan(ctx context.Context, practitioner care.StaffID, plan Plan) (Schedule, error) {
	var sched Schedule
	if authz.From(ctx).Role != care.System {
		return sched, fault.Denied()
	}
	if err := plan.Check(); err != nil {
		return sched, err
	}
	card, err := s.Practitioners.Card(ctx, practitioner)
	if err != nil {
		return sched, err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		var found bool
		if sched, found, err = lockSchedule(tx, practitioner); err != nil {
			return err
		}
		if !found {
			sched = Schedule{ID: care.ScheduleID(care.NewID(s.Clock.Now())), PractitionerID: practitioner}
		} else if sched.OrganizationID == card.OrganizationID && sched.Plan.Same(plan) {
			return nil
		}
		sched.Plan, sched.OrganizationID, sched.Version = plan, card.OrganizationID, sched.Version+1
		if err := putSchedule(tx, sched, !found); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "schedule.set", Object: "schedule/" + string(sched.ID)})
	})
	return sched, err
}

// Find gives an appointment to another module, which has checked who asks; it
// fails as NotFound when there is none.
func (s *Service) Find(ctx context.Context, id care.AppointmentID) (a Appointment, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		a, err = load(tx, id)
		return err
	})
	return a, err
}

// CurrentOf gives the appointment a patient means when they say "mine": the one
// going on or the next, else the last. It is empty when they never had one.
func (s *Service) CurrentOf(ctx context.Context, patient care.PatientID) (id care.AppointmentID, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		id, err = currentOf(tx, patient, s.Clock.Now().Add(-late))
		return err
	})
	return id, err
}

// reach loads an appointment and lets the table decide.
func (s *Service) reach(ctx context.Context, tx *store.Tx, id care.AppointmentID, action authz.Action) (Appointment, error) {
	a, err := load(tx, id)
	if err != nil {
		return a, err
	}
	actor, inTeam := authz.From(ctx), false
	if actor.StaffID != "" && actor.StaffID != a.PractitionerID {
		if inTeam, err = s.Encounters.InCareTeam(ctx, id, actor.StaffID); err != nil {
			return a, err
		}
	}
	subject := authz.Subject{PatientID: a.PatientID, AppointmentID: a.ID, StaffID: a.PractitionerID, OrganizationID: a.OrganizationID}
	return a, s.Table.Can(actor, action, actor.To(subject, inTeam))
}

// Price gives what to tell before booking a practitioner's act of an instant, to a
// patient born on a day (YYYY-MM-DD; an unknown date is an adult's). It is false
// when no rule gives a price: a midwife, a dentist, an unlisted specialty, another day.
func (s *Service) Price(c Card, at time.Time, born string) (tariff.Price, bool) {
	listed, ok := s.specialties.Listed(c.Specialty)
	zone, err := loadZone(home)
	if !ok || err != nil {
		return tariff.Price{}, false
	}
	day := DayOf(at, zone).String()
	price, ok := s.tariffs.On(day, c.Profession, listed)
	return price.Of(born, day), ok
}

// checkPrice refuses a price shown that is not the price of the patient on the day
// of the act (product B19), as Conflict "price-changed": another sum, a price where
// none is known, none where one is. It gives what was shown with its source.
func (s *Service) checkPrice(slot Slot, c Card, born string, shown Shown) (Shown, error) {
	price, known := s.Price(c, slot.Start, born)
	now := Shown{Known: known}
	if known {
		now.Amount, now.Reimbursed = price.Amount, price.Reimbursed
	}
	if shown.Source = ""; shown != now {
		return Shown{}, fault.New(fault.Conflict, "price-changed")
	}
	now.Source = price.Source
	return now, nil
}
