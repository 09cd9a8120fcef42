package identity

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"visavis/identity/contacts"
	"visavis/identity/traits"
	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/limit"
	"visavis/internal/store"
)

const (
	linkOpensBefore = 7 * 24 * time.Hour // before the appointment
	linkLivesAfter  = time.Hour          // after it, or after the link was asked for again
)

// linkSending bounds the links that professionals have sent for one appointment.
var linkSending = limit.Rule{Name: "link.send", Burst: 5, Every: 10 * time.Minute}

// IssueLink makes a new link to an appointment and gives its secret, for the
// fragment of the address: /rdv#<secret>. Only its hash is kept, so the caller
// must seal it until it is delivered. Earlier links stay good until revoked.
func (s *Service) IssueLink(ctx context.Context, id care.AppointmentID) (secret string, err error) {
	return s.IssueLinkTo(ctx, id, "")
}

// IssueLinkTo is IssueLink for a link that goes to a minor's representative, as
// LinkRequested named them: the codes of its sessions go there too.
func (s *Service) IssueLinkTo(ctx context.Context, id care.AppointmentID, representative string) (secret string, err error) {
	about, err := s.Appointments.Appointment(ctx, id)
	if err != nil {
		return "", err
	}
	secret, hash := token()
	now := s.Clock.Now()
	err = s.tx(ctx, func(_ context.Context, tx *store.Tx) error {
		return insertLink(tx, linkRow{ID: care.NewID(now), Hash: hash, PatientID: string(about.PatientID), AppointmentID: string(id), At: store.Micros(now),
			Representative: representative})
	})
	return secret, err
}

// OpenLink opens a session with a link and gives its cookie's secret. It may be
// used again while it lives: a telephone that slept, a second device. A session
// the browser had before ends. Refusals: NotFound link-unknown, Gone
// link-revoked and link-expired, and TooEarly; with the latter three, a says
// whose link it is.
func (s *Service) OpenLink(ctx context.Context, secret string) (session string, a authz.Actor, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		link, err := linkByHash(tx, hashOf(secret))
		if fault.KindOf(err) == fault.NotFound {
			return fault.New(fault.NotFound, "link-unknown")
		}
		if err != nil {
			return err
		}
		about, err := s.Appointments.Appointment(ctx, care.AppointmentID(link.AppointmentID))
		if err != nil {
			return fmt.Errorf("identity: appointment of a link: %w", err)
		}
		a = authz.Actor{Role: care.Patient, PatientID: care.PatientID(link.PatientID), AppointmentID: care.AppointmentID(link.AppointmentID),
			Level: authz.LevelLink, Proof: "link"}
		if link.CompanionID != "" {
			a.Role, a.CompanionID = care.Companion, care.CompanionID(link.CompanionID)
		}
		if err := s.openable(link, about); err != nil {
			return err
		}
		if session, a, err = s.begin(ctx, tx, a, kept{representative: link.Representative, link: link.ID}); err != nil {
			return err
		}
		return s.Audit.Append(authz.With(ctx, a), tx, audit.Entry{Action: "link.open", Object: "appointment/" + link.AppointmentID, Patient: about.PatientID})
	})
	return session, a, err
}

// TooEarly refuses a link that opens later.
type TooEarly struct{ Opens time.Time }

// Error is for logs.
func (e *TooEarly) Error() string {
	return "identity: the link opens at " + e.Opens.Format(time.RFC3339)
}

// openable tells why a link does not open now.
func (s *Service) openable(l linkRow, about Appointment) error {
	now := s.Clock.Now()
	last := about.End
	if asked := store.Time(l.At); asked.After(last) {
		last = asked
	}
	opens := about.Start.Add(-linkOpensBefore)
	switch {
	case l.RevokedAt != 0 || care.PatientID(l.PatientID) != about.PatientID:
		return fault.New(fault.Gone, "link-revoked")
	case now.After(last.Add(linkLivesAfter)):
		return fault.New(fault.Gone, "link-expired")
	case now.Before(opens):
		return &TooEarly{opens}
	}
	return nil
}

// SendLink asks for a new link to be sent to the patient of an appointment. It
// is refused as Throttled when too many were, and as Conflict "link-cancelled" for a cancelled
// appointment, of which no link is sent.
func (s *Service) SendLink(ctx context.Context, id care.AppointmentID) error {
	return s.tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		about, err := s.reachAppointment(ctx, "link.send", id)
		if err != nil {
			return err
		}
		if about.Cancelled {
			return fault.New(fault.Conflict, "link-cancelled")
		}
		if err := s.Limits.Take(ctx, linkSending, string(id)); err != nil {
			return err
		}
		return s.requestLink(ctx, tx, id, about.PatientID, "")
	})
}

func (s *Service) requestLink(ctx context.Context, tx *store.Tx, id care.AppointmentID, patient care.PatientID, representative string) error {
	if err := s.Audit.Append(ctx, tx, audit.Entry{Action: "link.send", Object: "appointment/" + string(id), Patient: patient}); err != nil {
		return err
	}
	return s.Bus.Publish(ctx, tx, events.LinkRequested, string(id), events.Link{AppointmentID: id, PatientID: patient, Representative: representative})
}

// RevokeLinks ends every link of an appointment, those of companions too, and the
// sessions they opened, at once and everywhere.
func (s *Service) RevokeLinks(ctx context.Context, id care.AppointmentID) error {
	return s.tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		about, err := s.reachAppointment(ctx, "link.revoke", id)
		if err != nil {
			return err
		}
		now := store.Micros(s.Clock.Now())
		if err := revokeLinks(tx, id, now); err != nil {
			return err
		}
		if err := endSessionsOf(tx, "appointment_id", string(id), now); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "link.revoke", Object: "appointment/" + string(id), Patient: about.PatientID})
	})
}

// reachAppointment finds an appointment the caller may do act to.
func (s *Service) reachAppointment(ctx context.Context, act authz.Action, id care.AppointmentID) (Appointment, error) {
	if !care.ValidID(string(id)) {
		return Appointment{}, fault.Missing()
	}
	about, err := s.Appointments.Appointment(ctx, id)
	if err != nil {
		return Appointment{}, err
	}
	a := authz.From(ctx)
	rel := a.To(authz.Subject{PatientID: about.PatientID, AppointmentID: id, StaffID: about.PractitionerID, OrganizationID: about.OrganizationID}, false)
	return about, s.Table.Can(a, act, rel)
}

const recoverJob = "identity.recover"

// recovery is the job of a lost link: what was typed, as the blind index of a
// patient's contact and of a representative's.
type recovery struct {
	Hash           string         `json:"hash,omitempty"`
	Representative string         `json:"representative"`
	Only           care.PatientID `json:"only,omitempty"` // found: what is left is to send
	Put            int            `json:"put,omitempty"`  // how often it was put off
}

// recoverPutOff is how often a lost link waits for the budgets of the platform before
// it is given up: some hours.
const recoverPutOff = 4

// RecoverLink sends a new link to the contacts on file of whoever has that
// phone or e-mail: a patient, or a representative for the minor they represent,
// who then gets it themselves. The answer is the same, and takes the same time, whether
// anybody has: the search is a job. Sent is false when one was asked for a moment ago
// or as often as may be. It refuses what is no address, and as contacts.AdmitLink does.
func (s *Service) RecoverLink(ctx context.Context, r contacts.Request) (sending contacts.Sending, err error) {
	var hash []byte
	field, value := "phone", ""
	if strings.TrimSpace(r.Phone) != "" {
		value, err = traits.ParsePhone(r.Phone)
		hash = s.index.Of("patients.phone", value)
	} else {
		field = "email"
		value, err = traits.ParseEmail(r.Email)
		value = strings.ToLower(value)
		hash = s.index.Of("patients.email", value)
	}
	if refused, ok := err.(traits.Refusal); ok {
		return sending, fault.Fields(refused.Field(field))
	}
	undo, err := s.Requests.AdmitLink(ctx, r, value)
	if err != nil {
		return sending, err
	}
	job := recovery{Hash: hex.EncodeToString(hash), Representative: hex.EncodeToString(s.representative(value))}
	err = s.tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if sending, err = s.Requests.AskLink(tx, value); err != nil || !sending.Sent {
			return err
		}
		return s.Bus.Enqueue(ctx, tx, recoverJob, job, time.Time{})
	})
	if err != nil || !sending.Sent {
		undo()
	}
	return sending, err
}

// recoverLinks does the job of RecoverLink.
func (s *Service) recoverLinks(ctx context.Context, payload json.RawMessage) error {
	var job recovery
	if err := json.Unmarshal(payload, &job); err != nil {
		return fmt.Errorf("identity: recovery: %w", err)
	}
	ctx = authz.With(ctx, authz.SystemActor())
	return s.tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if job.Only != "" {
			return s.sendCurrent(ctx, tx, job)
		}
		minors, err := s.represented(ctx, tx, job.Representative)
		if err != nil {
			return err
		}
		own, err := withHash(tx, job.Hash)
		if err != nil {
			return err
		}
		for _, patient := range own {
			if !slices.Contains(minors, patient) {
				err = errors.Join(err, s.sendCurrent(ctx, tx, recovery{Only: patient}))
			}
		}
		for _, patient := range minors {
			err = errors.Join(err, s.sendCurrent(ctx, tx, recovery{Only: patient, Representative: job.Representative}))
		}
		return err
	})
}

// represented lists the minors a representative is on file of.
func (s *Service) represented(ctx context.Context, tx *store.Tx, representative string) (minors []care.PatientID, err error) {
	ids, err := withHash(tx, representative)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	list, err := patientsByID(ctx, tx, s.Keeper, ids)
	for _, p := range list {
		if p.Minor(s.today()) {
			minors = append(minors, p.ID)
		}
	}
	return minors, err
}

func withHash(tx *store.Tx, text string) ([]care.PatientID, error) {
	hash, err := hex.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("identity: recovery: %w", err)
	}
	return patientIDsWith(tx, hash)
}

// sendCurrent asks for a link to the appointment a patient means, if any. When the
// budgets of the platform or of the contact have nothing left, it is put off until
// they have: what was asked for is not lost.
func (s *Service) sendCurrent(ctx context.Context, tx *store.Tx, job recovery) error {
	appointment, err := s.Appointments.Current(ctx, job.Only)
	if err != nil || appointment == "" {
		return err
	}
	p, err := s.Patient(ctx, job.Only)
	if err != nil {
		return err
	}
	to := s.through(p, job.Representative)
	var list []contacts.Message
	for _, way := range []struct{ channel, address string }{{contacts.SMS, to.Phone}, {contacts.Email, to.Email}} {
		if way.address == "" || way.channel == contacts.SMS && !to.Mobile || way.channel == contacts.SMS && !s.Requests.SMS || way.channel == contacts.Email && !s.Requests.Mail {
			continue
		}
		m, err := s.message(ctx, contacts.LostLink, appointment, way.channel, to)
		if err != nil {
			return err
		}
		list = append(list, m)
	}
	err = s.Requests.SpendRequest(ctx, tx, list...)
	if f := (*fault.Error)(nil); errors.As(err, &f) && f.Kind == fault.Throttled && job.Put < recoverPutOff {
		seconds, _ := strconv.Atoi(f.Args["seconds"])
		job.Put++
		return s.Bus.Enqueue(ctx, tx, recoverJob, job, s.Clock.Now().Add(time.Duration(seconds)*time.Second+time.Second))
	}
	if fault.KindOf(err) == fault.Throttled && err != nil {
		return nil // the alarm is logged
	}
	if err != nil {
		return err
	}
	return s.requestLink(ctx, tx, appointment, job.Only, job.Representative)
}
