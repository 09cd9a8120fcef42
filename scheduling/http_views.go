package scheduling

import (
	"context"
	"embed"
	"io/fs"
	"strconv"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/httpx"
	"visavis/internal/lang"
	"visavis/internal/profession"

	"visavis/scheduling/tariff"
)

//go:embed texts
var texts embed.FS

// Texts is the catalogue of what this module says to people.
func Texts() (*lang.Catalogue, error) {
	sub, err := fs.Sub(texts, "texts")
	if err != nil {
		return nil, err
	}
	return lang.New(sub, string(care.French), string(care.English))
}

type specialtyBody struct {
	Code  string `json:"code" example:"SM54"`
	Label string `json:"label"`
}

type specialtiesOut struct {
	Body struct {
		Items []specialtyBody `json:"items"`
	}
}

type slotBody struct {
	ScheduleID string    `json:"scheduleId,omitempty"`
	Start      time.Time `json:"start"`
	End        time.Time `json:"end"`
}

type slotsOut struct {
	Body struct {
		Zone  string     `json:"zone"`
		Items []slotBody `json:"items"`
	}
}

type priceBody struct {
	AmountCents     int64      `json:"amountCents"`
	ReimbursedCents int64      `json:"reimbursedCents"`
	RemainingCents  int64      `json:"remainingCents"`
	Headline        string     `json:"headline" doc:"who pays what, in one line"`
	RateLabel       string     `json:"rateLabel"`
	Explanation     string     `json:"explanation"`
	Source          string     `json:"source"`
	Young           *youngBody `json:"young,omitempty" doc:"the price of younger patients, when the age is not known yet"`
}

type youngBody struct {
	UnderAge        int    `json:"underAge" doc:"years on the day of the act, in Paris"`
	ReimbursedCents int64  `json:"reimbursedCents"`
	RemainingCents  int64  `json:"remainingCents"`
	Headline        string `json:"headline"`
	Explanation     string `json:"explanation"`
}

type practitionerBody struct {
	ID               string     `json:"id"`
	DisplayName      string     `json:"displayName"`
	Title            string     `json:"title,omitempty"`
	SpecialtyCode    string     `json:"specialtyCode,omitempty"`
	SpecialtyLabel   string     `json:"specialtyLabel,omitempty"`
	RPPS             string     `json:"rpps,omitempty"`
	OrganizationName string     `json:"organizationName,omitempty"`
	City             string     `json:"city,omitempty"`
	Phone            string     `json:"phone,omitempty" doc:"of the organisation, E.164"`
	NextSlot         *slotBody  `json:"nextSlot,omitempty"`
	Price            *priceBody `json:"price,omitempty" doc:"of an adult; absent: no price is known"`
	Bio              string     `json:"bio,omitempty"`
	Languages        []string   `json:"languages,omitempty"`
}

type practitionerOut struct{ Body practitionerBody }

type practitionersOut struct {
	Body struct {
		Items []practitionerBody `json:"items"`
	}
}

type sentTo struct {
	Email string `json:"email,omitempty"`
	SMS   string `json:"sms,omitempty"`
}

type bookedOut struct {
	Body struct {
		ID           string           `json:"id"`
		Status       string           `json:"status" enum:"booked"`
		Start        time.Time        `json:"start"`
		End          time.Time        `json:"end"`
		Practitioner practitionerBody `json:"practitioner"`
		SentTo       sentTo           `json:"sentTo"`
	}
}

type namedBody struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
}

type appointmentBody struct {
	ID           string           `json:"id"`
	Status       string           `json:"status" enum:"booked,arrived,fulfilled,cancelled,noshow"`
	Start        time.Time        `json:"start"`
	End          time.Time        `json:"end"`
	Zone         string           `json:"zone"`
	Practitioner practitionerBody `json:"practitioner"`
	Patient      namedBody        `json:"patient"`
	Price        *priceBody       `json:"price,omitempty" doc:"as shown before booking; absent: no price was known"`
	PriceText    string           `json:"priceText" doc:"the price in one line, or that the clinic tells it"`
	EncounterID  string           `json:"encounterId,omitempty"`
	CanMove      bool             `json:"canMove"`
	CanCancel    bool             `json:"canCancel"`
	Version      int              `json:"version"`
}

type appointmentOut struct {
	ETag string `header:"ETag"`
	Body appointmentBody
}

type entryBody struct {
	ID           string     `json:"id"`
	Start        time.Time  `json:"start"`
	End          time.Time  `json:"end"`
	Status       string     `json:"status" enum:"booked,arrived,fulfilled,cancelled,noshow"`
	Patient      namedBody  `json:"patient"`
	EncounterID  string     `json:"encounterId,omitempty"`
	WaitingSince *time.Time `json:"waitingSince,omitempty"`
	Troubled     bool       `json:"troubled" doc:"technical trouble keeps the patient away: a failed connection test, or a call that is cut"`
	Consent      string     `json:"consent" enum:"none,granted,refused,withdrawn,emergency"`
	Version      int        `json:"version"`
}

type columnBody struct {
	ID           string      `json:"id"`
	DisplayName  string      `json:"displayName"`
	Appointments []entryBody `json:"appointments"`
	FreeSlots    []slotBody  `json:"freeSlots"`
}

type agendaOut struct {
	Body struct {
		Zone          string       `json:"zone"`
		Practitioners []columnBody `json:"practitioners"`
	}
}

func (s *Service) cardBody(ctx context.Context, c Card) practitionerBody {
	return practitionerBody{
		ID: string(c.ID), DisplayName: c.DisplayName, Title: c.Title, SpecialtyCode: c.Specialty,
		SpecialtyLabel: s.practises(c, httpx.Language(ctx)), RPPS: c.RPPS,
		OrganizationName: c.OrganizationName, City: c.City, Phone: c.Phone, Bio: c.Bio, Languages: c.Languages,
	}
}

// practises says what a practitioner is to a patient: the specialty of a physician, and else the profession, which
// no specialty tells.
func (s *Service) practises(c Card, language care.Language) string {
	specialty, name := s.specialties.Label(c.Specialty, language), profession.Name(c.Profession, language)
	switch {
	case c.Profession == physician && specialty != "", name == "":
		return specialty
	case specialty != "":
		return name + ", " + specialty
	}
	return name
}

func (s *Service) offerBody(ctx context.Context, o Offer) practitionerBody {
	b, when := s.cardBody(ctx, o.Card), s.Clock.Now()
	if o.Next != nil {
		b.NextSlot, when = &slotBody{string(o.Next.ScheduleID), o.Next.Start, o.Next.End}, o.Next.Start
	}
	s.addPrice(ctx, &b, o.Card, when)
	return b
}

// addPrice adds the price of an act of an instant, for adults and for the young;
// nothing when no rule gives one.
func (s *Service) addPrice(ctx context.Context, b *practitionerBody, c Card, when time.Time) {
	b.Price = nil
	p, ok := s.Price(c, when, "")
	if !ok {
		return
	}
	language, young := string(httpx.Language(ctx)), p.Young()
	b.Price = s.priceBody(language, p)
	b.Price.Young = &youngBody{
		p.FromAge, young.Reimbursed, young.Remaining(), s.headline(language, young), s.explain(language, young),
	}
}

func (s *Service) priceBody(language string, p tariff.Price) *priceBody {
	return &priceBody{
		AmountCents: p.Amount, ReimbursedCents: p.Reimbursed, RemainingCents: p.Remaining(), Headline: s.headline(language, p),
		RateLabel: s.texts.T(language, "price."+p.Label, nil), Explanation: s.explain(language, p), Source: p.Source,
	}
}

// shownPrice says the price that was shown before a booking, and its line. What the
// tariff of the day no longer explains keeps its sums.
func (s *Service) shownPrice(language string, v View) (*priceBody, string) {
	if !v.Shown.Known {
		return nil, s.texts.T(language, "price.unknown", nil)
	}
	adult, ok := s.Price(v.Card, v.Start, "")
	for _, p := range []tariff.Price{adult, adult.Young()} {
		if ok && p.Amount == v.Shown.Amount && p.Reimbursed == v.Shown.Reimbursed {
			b := s.priceBody(language, p)
			return b, b.Headline
		}
	}
	p := tariff.Price{Amount: v.Shown.Amount, Reimbursed: v.Shown.Reimbursed, Source: v.Shown.Source}
	line := s.headline(language, p)
	return &priceBody{AmountCents: p.Amount, ReimbursedCents: p.Reimbursed, RemainingCents: p.Remaining(), Headline: line, Source: p.Source}, line
}

// headline says what is left to pay, and what of it a complementary insurer may pay.
func (s *Service) headline(language string, p tariff.Price) string {
	key := "price.remaining"
	switch {
	case p.Remaining() == 0:
		key = "price.nothing"
	case p.Complementary == p.Remaining():
		key = "price.remaining-covered"
	case p.Complementary > 0:
		key = "price.remaining-partly"
	}
	return s.texts.T(language, key, s.sums(language, p))
}

func (s *Service) explain(language string, p tariff.Price) string {
	key := "price.explanation"
	if p.Participation == 0 {
		key = "price.explanation-young"
	}
	return s.texts.T(language, key, s.sums(language, p)) + " " + s.texts.T(language, "price.conditions", nil)
}

func (s *Service) sums(language string, p tariff.Price) lang.Args {
	money := func(cents int64) string { return s.words.Money(language, cents) }
	return lang.Args{
		"amount": money(p.Amount), "reimbursed": money(p.Reimbursed), "remaining": money(p.Remaining()),
		"complementary": money(p.Complementary), "participation": money(p.Participation), "age": strconv.Itoa(p.FromAge),
	}
}

// booked makes the answer of a booking.
func (s *Service) booked(ctx context.Context) func(Receipt, error) (*bookedOut, error) {
	return func(r Receipt, err error) (*bookedOut, error) {
		if err != nil {
			return nil, err
		}
		out := &bookedOut{}
		out.Body.ID, out.Body.Status, out.Body.Start, out.Body.End = string(r.ID), string(r.Status), r.Start, r.End
		out.Body.Practitioner, out.Body.SentTo = s.cardBody(ctx, r.Card), sentTo{r.Known.EmailHint, r.Known.SMSHint}
		return out, nil
	}
}

// changed makes the answer of a move or a cancellation.
func (s *Service) changed(ctx context.Context) func(Appointment, error) (*appointmentOut, error) {
	return func(a Appointment, err error) (*appointmentOut, error) {
		if err != nil {
			return nil, err
		}
		v, err := s.View(ctx, a)
		if err != nil {
			return nil, err
		}
		return s.appointmentOut(ctx, v), nil
	}
}

func (s *Service) appointmentOut(ctx context.Context, v View) *appointmentOut {
	may := v.Changeable(authz.From(ctx).Role, s.Clock.Now())
	price, text := s.shownPrice(string(httpx.Language(ctx)), v)
	return &appointmentOut{`"` + strconv.Itoa(v.Version) + `"`, appointmentBody{
		ID: string(v.ID), Status: string(v.Status), Start: v.Start, End: v.End, Zone: v.Zone,
		Practitioner: s.cardBody(ctx, v.Card), Patient: namedBody{string(v.PatientID), v.PatientName}, Price: price, PriceText: text,
		EncounterID: string(v.Progress.EncounterID), CanMove: may, CanCancel: may, Version: v.Version,
	}}
}

func agendaOf(columns []Column, zone string) *agendaOut {
	out := &agendaOut{}
	out.Body.Zone, out.Body.Practitioners = zone, make([]columnBody, len(columns))
	for i, c := range columns {
		b := columnBody{string(c.Card.ID), c.Card.DisplayName, make([]entryBody, len(c.Appointments)), make([]slotBody, len(c.Free))}
		for j, v := range c.Appointments {
			b.Appointments[j] = v.entry()
		}
		for j, f := range c.Free {
			b.FreeSlots[j] = slotBody{Start: f.Start, End: f.End}
		}
		out.Body.Practitioners[i] = b
	}
	return out
}

func (v View) entry() entryBody {
	e := entryBody{
		ID: string(v.ID), Start: v.Start, End: v.End, Status: string(v.Status), Patient: namedBody{string(v.PatientID), v.PatientName},
		EncounterID: string(v.Progress.EncounterID), Troubled: v.Progress.Troubled, Consent: string(v.Consent), Version: v.Version,
	}
	if e.Consent == "" {
		e.Consent = string(care.ConsentNone)
	}
	if !v.Progress.WaitingSince.IsZero() {
		e.WaitingSince = &v.Progress.WaitingSince
	}
	return e
}
