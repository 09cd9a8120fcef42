package scheduling

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/httpx"
	"visavis/internal/limit"
)

type attemptIn struct {
	Body struct {
		PractitionerID string     `json:"practitionerId" maxLength:"36"`
		Start          time.Time  `json:"start"`
		Patient        personBody `json:"patient"`
		Locale         string     `json:"locale" enum:"fr,en"`
		Zone           string     `json:"zone" maxLength:"64" doc:"IANA name of the patient's zone"`
		PriceShown     *shownBody `json:"priceShown,omitempty" doc:"what the person saw before confirming; absent: that no price is known"`
		Channel        string     `json:"channel,omitempty" enum:"sms,email" doc:"where the code goes; the telephone first when absent"`
		Again          bool       `json:"again,omitempty" doc:"the last code did not arrive"`
		Work           string     `json:"work,omitempty" maxLength:"80" doc:"the answer to the challenge of a work-needed refusal"`
	}
}

func (in *attemptIn) booking() Booking {
	b := in.Body
	return Booking{
		PractitionerID: care.StaffID(b.PractitionerID), Start: b.Start, Person: b.Patient.person(b.Locale), Zone: b.Zone,
		Shown: b.PriceShown.shown(),
	}
}

func (in *attemptIn) request(ctx context.Context) ContactRequest {
	return ContactRequest{Channel: in.Body.Channel, Again: in.Body.Again, Work: in.Body.Work, Network: httpx.Remote(ctx)}
}

type attemptOut struct {
	Body struct {
		Attempt   string    `json:"attempt" doc:"secret: it goes with the code, then with the booking"`
		Proven    bool      `json:"proven" doc:"no code is needed: the session proves the contact"`
		Channel   string    `json:"channel" enum:"sms,email"`
		Hint      string    `json:"hint" doc:"the contact as it was typed, mostly hidden"`
		ExpiresAt time.Time `json:"expiresAt"`

		Sent       bool      `json:"sent" doc:"a code left because of this request; otherwise none did, and the last one is still good"`
		SentAt     time.Time `json:"sentAt" doc:"when the last code left"`
		AgainAfter int       `json:"againAfter" doc:"seconds until another one can be asked for"`
	}
}

type verifyIn struct {
	Body struct {
		Attempt string `json:"attempt" maxLength:"64"`
		Code    string `json:"code" maxLength:"20"`
	}
}

type nearIn struct {
	ID    string    `path:"id"`
	Start time.Time `query:"start" required:"true" doc:"the slot that was wanted"`
}

type nearOut struct {
	Body struct {
		Items []slotBody `json:"items" doc:"at most three, in the order of the day"`
	}
}

// verifying is what typing codes costs whoever makes the calls. Guesses have bounds
// of their own; a hospital is one address.
var verifying = limit.Rule{Name: "booking.verify", Burst: 300, Every: 100 * time.Millisecond}

// attemptRoutes are the proof of a contact, before a booking.
func attemptRoutes(s *httpx.Server, svc *Service) {
	httpx.Handle(s, httpx.Op{
		Method: http.MethodPost, Path: "/api/booking-attempts", Action: "booking.start", Tag: tag, Summary: "Have a code sent before booking; nothing is held",
		Status: http.StatusCreated, Once: true, Limit: svc.BookingLimit, Admit: svc.admitAttempt,
	}, svc.postAttempt)
	httpx.Handle(s, httpx.Op{
		Method: http.MethodPost, Path: "/api/booking-attempts/verify", Action: "booking.verify", Tag: tag, Summary: "Type the code that was sent",
		Status: http.StatusNoContent, Limit: verifying,
	}, svc.postVerify)
	httpx.Handle(s, httpx.Op{
		Method: http.MethodGet, Path: "/api/practitioners/{id}/slots/near", Action: "slot.search", ID: "findNearSlots", Tag: tag,
		Summary: "Three free slots near one that was taken", Limit: browsing,
	}, svc.getNear)
}

// admitAttempt refuses, before anything is written, a booking that cannot be made
// and an attempt that must bring work and does not.
func (s *Service) admitAttempt(ctx context.Context, in any) (undo func(), err error) {
	a, ok := in.(*attemptIn)
	if !ok {
		return func() {}, fault.New(fault.Internal, "internal")
	}
	undo, err = s.AdmitAttempt(ctx, a.booking(), a.request(ctx))
	return undo, s.sayWhen(ctx, err)
}

// admitBooking refuses a contact that is not proved before anything is written.
func (s *Service) admitBooking(ctx context.Context, in any) (undo func(), err error) {
	b, ok := in.(*bookIn)
	if !ok {
		return func() {}, fault.New(fault.Internal, "internal")
	}
	_, _, err = s.provenContact(ctx, b.booking())
	return func() {}, err
}

func (s *Service) postAttempt(ctx context.Context, in *attemptIn) (*attemptOut, error) {
	a, err := s.StartAttempt(ctx, in.booking(), in.request(ctx))
	if err != nil {
		return nil, s.sayWhen(ctx, err)
	}
	out := &attemptOut{}
	out.Body.Attempt, out.Body.Proven, out.Body.Channel, out.Body.Hint, out.Body.ExpiresAt = a.Secret, a.Proven, a.Channel, a.Hint, a.Expires
	out.Body.Sent, out.Body.SentAt, out.Body.AgainAfter = a.Sent, a.SentAt, int(math.Ceil(a.After.Seconds()))
	return out, nil
}

func (s *Service) postVerify(ctx context.Context, in *verifyIn) (*struct{}, error) {
	return &struct{}{}, s.sayWhen(ctx, s.Contacts.Verify(ctx, in.Body.Attempt, in.Body.Code, httpx.Remote(ctx)))
}

func (s *Service) getNear(ctx context.Context, in *nearIn) (*nearOut, error) {
	list, err := s.Near(ctx, care.StaffID(in.ID), in.Start)
	if err != nil {
		return nil, err
	}
	out := &nearOut{}
	out.Body.Items = make([]slotBody, len(list))
	for i, f := range list {
		out.Body.Items[i] = slotBody{string(f.ScheduleID), f.Start, f.End}
	}
	return out, nil
}

// sayWhen gives a refusal for want of a budget the clock time at which to try
// again, in the clinic's zone.
func (s *Service) sayWhen(ctx context.Context, err error) error {
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Throttled {
		return err
	}
	seconds, wrong := strconv.Atoi(f.Args["seconds"])
	zone, missing := loadZone(home)
	if wrong != nil || missing != nil {
		return err
	}
	at := s.Clock.Now().Add(time.Duration(seconds)*time.Second + time.Minute - 1).Truncate(time.Minute)
	return f.With("at", s.words.Clock(string(httpx.Language(ctx)), at.In(zone)))
}
