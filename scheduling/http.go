package scheduling

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/httpx"
	"visavis/internal/limit"
)

const tag = "scheduling"

type searchIn struct {
	Specialty string `query:"specialty" maxLength:"8" example:"SM54"`
	Name      string `query:"q" maxLength:"80" doc:"part of a name"`
}

type idIn struct {
	ID string `path:"id"`
}

type practitionerIn struct {
	ID string    `path:"id"`
	At time.Time `query:"at" doc:"give the price of an act of that instant; the next slot's when absent"`
}

type slotsIn struct {
	ID   string `path:"id"`
	From string `query:"from" format:"date" doc:"today when absent"`
	Days int    `query:"days" minimum:"1" maximum:"31" default:"14"`
}

type personBody struct {
	FamilyName string `json:"familyName" maxLength:"120" printed:"line"`
	GivenName  string `json:"givenName" maxLength:"120" printed:"line"`
	BirthDate  string `json:"birthDate" maxLength:"10" doc:"YYYY-MM-DD"`
	Phone      string `json:"phone,omitempty" maxLength:"40"`
	Email      string `json:"email,omitempty" maxLength:"254"`
}

type subjectBody struct {
	State string `json:"state" enum:",none,listed" doc:"empty: not given"`
	Text  string `json:"text,omitempty" maxLength:"2000"`
}

type declaredBody struct {
	Allergies  subjectBody `json:"allergies"`
	Treatments subjectBody `json:"treatments"`
}

func (b *declaredBody) declared() Declared {
	if b == nil {
		return Declared{}
	}
	return Declared{Subject(b.Allergies), Subject(b.Treatments)}
}

type shownBody struct {
	AmountCents     int64 `json:"amountCents"`
	ReimbursedCents int64 `json:"reimbursedCents"`
}

// shown is what a person saw; nothing means that no price was known.
func (b *shownBody) shown() Shown {
	if b == nil {
		return Shown{}
	}
	return Shown{Known: true, Amount: b.AmountCents, Reimbursed: b.ReimbursedCents}
}

type bookIn struct {
	Body struct {
		PractitionerID string        `json:"practitionerId" maxLength:"36"`
		Start          time.Time     `json:"start"`
		Patient        personBody    `json:"patient"`
		Locale         string        `json:"locale" enum:"fr,en"`
		Zone           string        `json:"zone" maxLength:"64" doc:"IANA name of the patient's zone"`
		PriceShown     *shownBody    `json:"priceShown,omitempty" doc:"what the person saw before confirming; absent: that no price is known"`
		Attempt        string        `json:"attempt,omitempty" maxLength:"64" doc:"the proven attempt of startBooking; a patient's own session needs none for a contact on file"`
		Declared       *declaredBody `json:"declared,omitempty" doc:"allergies and treatments, when the patient says something of them"`
	}
}

type bookForIn struct {
	Body struct {
		PractitionerID string      `json:"practitionerId" maxLength:"36"`
		Start          time.Time   `json:"start"`
		PatientID      string      `json:"patientId,omitempty" maxLength:"36"`
		Patient        *personBody `json:"patient,omitempty" doc:"when the patient is not known"`
		Locale         string      `json:"locale" enum:"fr,en"`
		Zone           string      `json:"zone" maxLength:"64" doc:"IANA name of the patient's zone"`
		PriceShown     *shownBody  `json:"priceShown,omitempty" doc:"what the person was told before confirming; absent: that no price is known"`
	}
}

type moveIn struct {
	ID   string `path:"id"`
	Body struct {
		Start time.Time `json:"start"`
	}
}

type cancelIn struct {
	ID   string `path:"id"`
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"500"`
	}
}

type agendaIn struct {
	Date string `query:"date" format:"date" doc:"today when absent"`
	Days int    `query:"days" minimum:"1" maximum:"31" default:"1"`
}

// browsing is what looking for a slot costs. A hospital is one address.
var browsing = limit.Rule{Name: "browsing", Burst: 300, Every: 100 * time.Millisecond}

// Routes registers the module's routes.
func Routes(s *httpx.Server, svc *Service) {
	get := func(path, action, summary string) httpx.Op {
		return httpx.Op{Method: http.MethodGet, Path: path, Action: authz.Action(action), Tag: tag, Summary: summary}
	}
	search, one, slots := get("/api/practitioners", "practitioner.search", "Find a practitioner"),
		get("/api/practitioners/{id}", "practitioner.read", "A practitioner"), get("/api/practitioners/{id}/slots", "slot.search", "Free slots")
	search.Limit, slots.Limit = browsing, browsing
	httpx.Handle(s, get("/api/specialties", "specialty.list", "Specialties one can book"), svc.getSpecialties)
	httpx.Handle(s, search, svc.getPractitioners)
	httpx.Handle(s, one, svc.getPractitioner)
	httpx.Handle(s, slots, svc.getSlots)
	attemptRoutes(s, svc)
	httpx.Handle(s, get("/api/appointments/{id}", "appointment.read", "An appointment"), svc.getAppointment)
	httpx.Handle(s, get("/api/agenda", "agenda.read", "The agenda of my organisation"), svc.getAgenda)
	httpx.Handle(s, httpx.Op{
		Method: http.MethodPost, Path: "/api/appointments", Action: "appointment.book", Tag: tag, Summary: "Book a slot",
		Status: http.StatusCreated, Once: true, Limit: svc.BookingLimit, Admit: svc.admitBooking,
	}, svc.postBooking)
	httpx.Handle(s, httpx.Op{
		Method: http.MethodPost, Path: "/api/staff/appointments", Action: "appointment.book-for", Tag: tag, Summary: "Book a slot for a patient",
		Status: http.StatusCreated, Once: true,
	}, svc.postBookingFor)
	httpx.Handle(s, httpx.Op{
		Method: http.MethodPost, Path: "/api/appointments/{id}/move", Action: "appointment.move", Tag: tag, Summary: "Take another slot", Match: true,
	}, svc.postMove)
	httpx.Handle(s, httpx.Op{
		Method: http.MethodPost, Path: "/api/appointments/{id}/cancel", Action: "appointment.cancel", Tag: tag, Summary: "Cancel",
	}, svc.postCancel)
}

func (s *Service) getSpecialties(ctx context.Context, _ *struct{}) (*specialtiesOut, error) {
	list, err := s.Specialties(ctx)
	if err != nil {
		return nil, err
	}
	out := &specialtiesOut{}
	out.Body.Items = make([]specialtyBody, len(list))
	for i, x := range list {
		out.Body.Items[i] = specialtyBody{x.Code, x.Labels[httpx.Language(ctx)]}
	}
	return out, nil
}

func (s *Service) getPractitioners(ctx context.Context, in *searchIn) (*practitionersOut, error) {
	offers, err := s.Search(ctx, in.Specialty, in.Name)
	if err != nil {
		return nil, err
	}
	out := &practitionersOut{}
	out.Body.Items = make([]practitionerBody, len(offers))
	for i, o := range offers {
		out.Body.Items[i] = s.offerBody(ctx, o)
		out.Body.Items[i].Bio, out.Body.Items[i].Languages = "", nil
	}
	return out, nil
}

func (s *Service) getPractitioner(ctx context.Context, in *practitionerIn) (*practitionerOut, error) {
	o, err := s.Practitioner(ctx, care.StaffID(in.ID))
	if err != nil {
		return nil, err
	}
	out := &practitionerOut{s.offerBody(ctx, o)}
	if !in.At.IsZero() {
		s.addPrice(ctx, &out.Body, o.Card, in.At)
	}
	return out, nil
}

func (s *Service) getSlots(ctx context.Context, in *slotsIn) (*slotsOut, error) {
	from, err := dayOrToday("from", in.From)
	if err != nil {
		return nil, err
	}
	free, zone, err := s.Slots(ctx, care.StaffID(in.ID), from, in.Days)
	if err != nil {
		return nil, err
	}
	out := &slotsOut{}
	out.Body.Zone, out.Body.Items = zone, make([]slotBody, len(free))
	for i, f := range free {
		out.Body.Items[i] = slotBody{string(f.ScheduleID), f.Start, f.End}
	}
	return out, nil
}

func (s *Service) getAppointment(ctx context.Context, in *idIn) (*appointmentOut, error) {
	v, err := s.Read(ctx, care.AppointmentID(in.ID))
	if err != nil {
		return nil, err
	}
	return s.appointmentOut(ctx, v), nil
}

func (s *Service) getAgenda(ctx context.Context, in *agendaIn) (*agendaOut, error) {
	from, err := dayOrToday("date", in.Date)
	if err != nil {
		return nil, err
	}
	columns, zone, err := s.Agenda(ctx, from, in.Days)
	if err != nil {
		return nil, err
	}
	return agendaOf(columns, zone), nil
}

func (in *bookIn) booking() Booking {
	b := in.Body
	return Booking{
		PractitionerID: care.StaffID(b.PractitionerID), Start: b.Start, Person: b.Patient.person(b.Locale), Zone: b.Zone,
		Shown: b.PriceShown.shown(), Attempt: b.Attempt,
		Declared: b.Declared.declared(),
	}
}

func (s *Service) postBooking(ctx context.Context, in *bookIn) (*bookedOut, error) {
	r, err := s.Book(ctx, in.booking())
	return s.booked(ctx)(r, s.sayWhen(ctx, err))
}

func (s *Service) postBookingFor(ctx context.Context, in *bookForIn) (*bookedOut, error) {
	b := in.Body
	person := Person{ID: care.PatientID(b.PatientID), Language: care.Language(b.Locale)}
	switch {
	case b.PatientID == "" && b.Patient == nil:
		return nil, fault.Fields(fault.Field{Name: "patient", Code: "required"})
	case b.PatientID == "":
		person = b.Patient.person(b.Locale)
	}
	return s.booked(ctx)(s.BookFor(ctx, Booking{
		PractitionerID: care.StaffID(b.PractitionerID), Start: b.Start, Person: person, Zone: b.Zone,
		Shown: b.PriceShown.shown(),
	}))
}

func (s *Service) postMove(ctx context.Context, in *moveIn) (*appointmentOut, error) {
	version, err := strconv.Atoi(httpx.IfMatch(ctx))
	if err != nil {
		return nil, fault.New(fault.Malformed, "match-needed")
	}
	return s.changed(ctx)(s.Move(ctx, care.AppointmentID(in.ID), in.Body.Start, version))
}

func (s *Service) postCancel(ctx context.Context, in *cancelIn) (*appointmentOut, error) {
	return s.changed(ctx)(s.Cancel(ctx, care.AppointmentID(in.ID), in.Body.Reason))
}

func (p personBody) person(locale string) Person {
	return Person{FamilyName: p.FamilyName, GivenName: p.GivenName, BirthDate: p.BirthDate, Phone: p.Phone, Email: p.Email, Language: care.Language(locale)}
}

func dayOrToday(name, value string) (Day, error) {
	if value == "" {
		return 0, nil
	}
	d, err := ParseDay(value)
	if err != nil {
		return 0, fault.Fields(fault.Field{Name: name, Code: "not-a-date"})
	}
	return d, nil
}
