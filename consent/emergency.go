package consent

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"visavis/consent/entitlement"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/httpx"
	"visavis/internal/store"
)

// The length of the reason that a doctor writes, in characters.
const (
	reasonLeast = 10
	reasonMost  = 1000
)

// Urgent is a doctor's decision to begin without an agreement.
type Urgent struct {
	AppointmentID care.AppointmentID
	Situation     string // a code of entitlement/emergency.tsv
	Reason        string // in the doctor's words; the patient reads it afterwards
	Screen        Screen
}

// DecideEmergency records that a doctor of the act begins without the patient's
// agreement (CSP L1111-4). It is no agreement and is never shown as one. It may
// not pass over a will that an adult expressed. The same decision again gives the
// first record. Refusals: Invalid by field, Conflict act-closed, consent-damaged,
// emergency-agreed, emergency-refused and emergency-nobody-refused.
func (s *Service) DecideEmergency(ctx context.Context, u Urgent) (Record, error) {
	const action = authz.Action("consent.emergency")
	var r Record
	err := s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		act, err := s.act(ctx, u.AppointmentID, action)
		if err != nil {
			return err
		}
		patient, err := s.People.Patient(ctx, act.PatientID, act.Start)
		if err != nil {
			return err
		}
		situation, err := s.checkUrgent(&u, act, patient)
		if err != nil {
			return err
		}
		last, err := s.last(ctx, tx, u.AppointmentID)
		if err != nil {
			return err
		}
		switch {
		case last.State == care.ConsentEmergency:
			r, err = s.repeated(ctx, tx, last, situation.Code, u.Reason)
			return err
		case !act.Open:
			return fault.New(fault.Conflict, "act-closed")
		case !slices.Contains(situation.After, string(last.State)):
			return notAfter(last.State)
		}
		d := Decision{AppointmentID: u.AppointmentID, State: care.ConsentEmergency, Channel: Emergency, Screen: u.Screen,
			emergency: &BundleEmergency{situation.Code, u.Reason, situation.Source}}
		r, err = s.record(ctx, tx, action, act, patient, last, d, Text{Purpose: act.Kind, Language: u.Screen.Language})
		return err
	})
	return r, err
}

// repeated gives the emergency on record when the same one is decided again. Another situation
// or reason fails as Conflict "emergency-recorded": the first one stands.
func (s *Service) repeated(ctx context.Context, tx *store.Tx, last Record, situation, reason string) (Record, error) {
	b, _, err := s.lastBundle(ctx, tx, last)
	if err != nil {
		return Record{}, err
	}
	if b.Emergency == nil || b.Emergency.Situation != situation || b.Emergency.Reason != reason {
		return Record{}, fault.New(fault.Conflict, "emergency-recorded")
	}
	return last, nil
}

// notAfter says why the state of the consent leaves no room for an emergency.
func notAfter(state care.ConsentState) error {
	switch state {
	case care.ConsentGranted:
		return fault.New(fault.Conflict, "emergency-agreed")
	case care.ConsentNone:
		return fault.New(fault.Conflict, "emergency-nobody-refused")
	default:
		return fault.New(fault.Conflict, "emergency-refused")
	}
}

// checkUrgent cleans the reason, and finds the situation in force on the day of
// the act.
func (s *Service) checkUrgent(u *Urgent, act Act, p Patient) (found entitlement.Situation, err error) {
	var problems []fault.Field
	u.Reason = strings.TrimSpace(u.Reason)
	switch n := utf8.RuneCountInString(u.Reason); {
	case n < reasonLeast:
		problems = append(problems, fault.Field{Name: "reason", Code: "reason-too-short"})
	case n > reasonMost:
		problems = append(problems, fault.Field{Name: "reason", Code: "too-long"})
	}
	i := slices.IndexFunc(s.situations, func(x entitlement.Situation) bool {
		return x.Code == u.Situation && !x.From.After(act.Start) && (p.Minor || !x.MinorOnly)
	})
	if i < 0 {
		problems = append(problems, fault.Field{Name: "situation", Code: "not-a-choice"})
		return found, fault.Fields(problems...)
	}
	return s.situations[i], fault.Fields(problems...)
}

type urgentIn struct {
	ID   string `path:"id"`
	Body struct {
		Situation string    `json:"situation" enum:"unable,unreachable,minor-refused" doc:"CSP L1111-4, R4127-42"`
		Reason    string    `json:"reason" maxLength:"4000" printed:"text" doc:"why nobody could be asked; the patient reads it"`
		Screen    *pageBody `json:"screen,omitempty"`
	}
}

func emergencyRoutes(s *httpx.Server, svc *Service) {
	httpx.Handle(s, httpx.Op{
		Method: http.MethodPost, Path: "/api/appointments/{id}/consent/emergency", Action: "consent.emergency", ID: "decideEmergency", Tag: tag,
		Summary: "Begin in an emergency, without an agreement", Status: http.StatusCreated, Once: true,
	}, svc.postEmergency)
}

func (s *Service) postEmergency(ctx context.Context, in *urgentIn) (*recordOut, error) {
	return answer(s.DecideEmergency(ctx, Urgent{
		AppointmentID: care.AppointmentID(in.ID), Situation: in.Body.Situation, Reason: in.Body.Reason, Screen: screen(ctx).of(in.Body.Screen),
	}))
}
