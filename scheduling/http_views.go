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
	AmountCents     int64  `json:"amountCents"`
	ReimbursedCents int64  `json:"reimbursedCents"`
	RemainingCents  int64  `json:"remainingCents"`
	RateLabel       string `json:"rateLabel"`
	Explanation     string `json:"explanation"`
	Source          string `json:"source"`
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
	Price            *priceBody `json:"price,omitempty"`
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
	Price        *priceBody       `json:"price,omitempty" doc:"as shown before booking"`
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
		SpecialtyLabel: s.specialties.Label(c.Specialty, httpx.Language(ctx)), RPPS: c.RPPS,
		OrganizationName: c.OrganizationName, City: c.City, Phone: c.Phone, Bio: c.Bio, Languages: c.Languages,
	}
}

func (s *Service) offerBody(ctx context.Context, o Offer) practitionerBody {
	b, when := s.cardBody(ctx, o.Card), s.Clock.Now()
	if o.Next != nil {
		b.NextSlot, when = &slotBody{string(o.Next.ScheduleID), o.Next.Start, o.Next.End}, o.Next.Start
	}
	b.Price = s.priceBody(ctx, o.Card, when)
	return b
}

// priceBody says a price; nil when no rule gives one.
func (s *Service) priceBody(ctx context.Context, c Card, when time.Time) *priceBody {
	p, ok := s.Price(c, when)
	if !ok {
		return nil
	}
	language := string(httpx.Language(ctx))
	return &priceBody{
		p.Amount, p.Reimbursed, p.Remaining(), s.texts.T(language, "price."+p.Label, nil), s.explain(language, p), p.Source,
	}
}

func (s *Service) explain(language string, p tariff.Price) string {
	money := func(cents int64) string { return s.words.Money(language, cents) }
	return s.texts.T(language, "price.explanation", lang.Args{
		"amount": money(p.Amount), "reimbursed": money(p.Reimbursed), "remaining": money(p.Remaining()),
		"complementary": money(p.Complementary), "participation": money(p.Participation),
	})
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
	price := s.priceBody(ctx, v.Card, v.Start)
	if price == nil || price.AmountCents != v.Shown.Amount || price.ReimbursedCents != v.Shown.Reimbursed {
		price = &priceBody{AmountCents: v.Shown.Amount, ReimbursedCents: v.Shown.Reimbursed, RemainingCents: v.Shown.Amount - v.Shown.Reimbursed, Source: v.Shown.Source}
	}
	return &appointmentOut{`"` + strconv.Itoa(v.Version) + `"`, appointmentBody{
		ID: string(v.ID), Status: string(v.Status), Start: v.Start, End: v.End, Zone: v.Zone,
		Practitioner: s.cardBody(ctx, v.Card), Patient: namedBody{string(v.PatientID), v.PatientName}, Price: price,
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
