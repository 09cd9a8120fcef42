package identity

import (
	"context"
	"encoding/json"
	"fmt"
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
	"visavis/internal/seal"
	"visavis/internal/store"
)

// maxCompanions is how many companions an act has at a time: with the doctor,
// the patient and a nurse, five pictures are what a telephone can show.
const maxCompanions = 2

// inviting bounds the invitations to one act: those of each link of a patient, and
// those of professionals, so that whoever has a forwarded link takes nobody's.
var inviting = limit.Rule{Name: "companion.invite", Burst: 5, Every: 10 * time.Minute}

// Companion is somebody at the patient's side in one act: un proche, un aidant
// (arrêté of 14 October 2021; product B2, B13). They are known by what who
// invited them wrote, have a link of their own, and see the call and nothing of
// the record. They agree to nothing in the patient's name.
type Companion struct {
	ID            care.CompanionID
	PatientID     care.PatientID
	AppointmentID care.AppointmentID
	Invitation
	InvitedAt time.Time
	RevokedAt time.Time // zero: good
	// Sending tells, of InviteCompanion, whether a message left.
	contacts.Sending
}

// Invitation is what is sealed of a companion. One of the contacts is set; a
// telephone is a mobile one, in E.164.
type Invitation struct {
	Name  string `json:"name"`
	Phone string `json:"phone,omitempty"`
	Email string `json:"email,omitempty"`
}

// clean writes an invitation one way, or names what is refused.
func (i Invitation) clean() (Invitation, error) {
	var problems []fault.Field
	note := func(field string, err error) {
		if r, ok := err.(traits.Refusal); ok {
			problems = append(problems, r.Field(field))
		}
	}
	var err error
	i.Name, err = traits.CleanName(i.Name)
	note("displayName", err)
	switch {
	case strings.TrimSpace(i.Phone) != "":
		i.Email = ""
		if i.Phone, err = traits.ParsePhone(i.Phone); err == nil && !traits.Mobile(i.Phone) {
			err = traits.Refusal("phone-not-mobile")
		}
		note("phone", err)
	case strings.TrimSpace(i.Email) != "":
		i.Email, err = traits.ParseEmail(i.Email)
		note("email", err)
	default:
		note("phone", traits.Refusal("phone-or-email-needed"))
	}
	return i, fault.Fields(problems...)
}

// hint is the contact, mostly hidden.
func (i Invitation) hint() string {
	if i.Phone != "" {
		return traits.HidePhone(i.Phone)
	}
	return traits.HideEmail(i.Email)
}

func (i Invitation) contact() string { return i.Phone + strings.ToLower(i.Email) }

// InviteCompanion invites somebody to an act, in the name of the patient or of
// who cares for them, and has a link sent to them. Who is invited already gets
// another message; under another name they are refused, and the name they have stays. Refusals: Invalid
// field by field, Gone companions-over when the act is over, Conflict companions-full and companion-invited, Throttled. Who was
// sent a message a moment ago gets none (Sent is false).
func (s *Service) InviteCompanion(ctx context.Context, id care.AppointmentID, who Invitation) (c Companion, err error) {
	if who, err = who.clean(); err != nil {
		return c, err
	}
	about, err := s.reachAppointment(ctx, "companion.invite", id)
	if err != nil {
		return c, err
	}
	act, err := s.Encounters.Act(ctx, id)
	if err != nil {
		return c, err
	}
	if act.Over || s.Clock.Now().After(about.End.Add(linkLivesAfter)) {
		return c, fault.New(fault.Gone, "companions-over")
	}
	err = s.tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		fresh := false
		if c, fresh, err = s.companion(ctx, tx, about, id, who); err != nil {
			return err
		}
		if !strings.EqualFold(c.Name, who.Name) {
			return fault.New(fault.Conflict, "companion-invited").With("name", c.Name)
		}
		lately := false
		if c.Sending, lately, err = s.countInvitation(ctx, tx, c, fresh); err != nil || lately {
			return err
		}
		if err := s.Audit.Append(ctx, tx, audit.Entry{Action: "companion.invite", Object: "companion/" + string(c.ID), Patient: c.PatientID}); err != nil {
			return err
		}
		return s.Bus.Publish(ctx, tx, events.CompanionInvited, string(c.ID), events.Companion{CompanionID: c.ID, AppointmentID: id, PatientID: c.PatientID})
	})
	return c, err
}

// countInvitation counts the message to a companion; lately is true when one left a
// moment ago to somebody who was invited already.
func (s *Service) countInvitation(ctx context.Context, tx *store.Tx, c Companion, fresh bool) (sending contacts.Sending, lately bool, err error) {
	channel := contacts.Email
	if c.Phone != "" {
		channel = contacts.SMS
	}
	m, err := s.message(ctx, contacts.Invitation, c.AppointmentID, channel, Contact{Phone: c.Phone, Email: c.Email})
	if err != nil {
		return sending, false, err
	}
	if !fresh {
		if sending, lately, err = s.Requests.Lately(tx, m); err != nil || lately {
			return sending, lately, err
		}
	}
	if a := authz.From(ctx); a.Role == care.Patient {
		session, err := sessionByID(tx, a.SessionID)
		if fault.KindOf(err) == fault.NotFound { // ended meanwhile
			session, err = sessionRow{ID: string(a.SessionID)}, nil
		}
		if err != nil {
			return sending, false, err
		}
		if m.Link, _, err = s.linkOf(tx, session); err != nil {
			return sending, false, err
		}
	}
	if err := s.Limits.Take(ctx, inviting, string(c.AppointmentID)+"|"+m.Link); err != nil {
		return sending, false, err
	}
	if err := s.Requests.SpendRequest(ctx, tx, m); err != nil {
		return sending, false, err
	}
	after, err := s.Requests.Next(tx, m, s.Clock.Now())
	return contacts.Sending{Sent: true, At: s.Clock.Now(), After: after}, false, err
}

// companion finds who is invited already, or adds them: fresh.
func (s *Service) companion(ctx context.Context, tx *store.Tx, about Appointment, id care.AppointmentID, who Invitation) (c Companion, fresh bool, err error) {
	now := s.Clock.Now()
	c = Companion{ID: care.CompanionID(care.NewID(now)), PatientID: about.PatientID, AppointmentID: id, Invitation: who, InvitedAt: now}
	plain, err := json.Marshal(who)
	if err != nil {
		return c, false, fmt.Errorf("identity: companion: %w", err)
	}
	row := companionRow{ID: string(c.ID), AppointmentID: string(id), PatientID: string(c.PatientID),
		Contact: s.index.Of("companions.contact", who.contact()), At: store.Micros(now)}
	if row.Sealed, err = s.Keeper.Seal(ctx, tx, c.PatientID, invitationPlace(row.ID), plain); err != nil {
		return c, false, err
	}
	if fresh, err = insertCompanion(tx, row); err != nil {
		return c, false, err
	}
	all, err := companionsOf(tx, id)
	if err != nil {
		return c, false, err
	}
	if fresh && len(all) > maxCompanions {
		return c, false, fault.New(fault.Conflict, "companions-full")
	}
	for _, r := range all {
		if same(r.Contact, row.Contact) {
			c, err = s.openCompanion(ctx, tx, r)
			return c, fresh, err
		}
	}
	return c, false, fault.New(fault.Conflict, "changed-meanwhile") // revoked between the two
}

// Companions lists those who are invited to an act, the first one first.
func (s *Service) Companions(ctx context.Context, id care.AppointmentID) (list []Companion, err error) {
	about, err := s.reachAppointment(ctx, "companion.list", id)
	if err != nil {
		return nil, err
	}
	err = s.tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		rows, err := companionsOf(tx, id)
		if err != nil {
			return err
		}
		list = make([]Companion, len(rows))
		for i, r := range rows {
			if list[i], err = s.openCompanion(ctx, tx, r); err != nil {
				return err
			}
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "companion.list", Object: "appointment/" + string(id), Patient: about.PatientID})
	})
	return list, err
}

// RevokeCompanion ends an invitation, its links and the sessions they opened, at
// once and everywhere: who is in the call is put out. Doing it again changes
// nothing.
func (s *Service) RevokeCompanion(ctx context.Context, id care.CompanionID) error {
	c, err := s.Companion(ctx, id)
	if err != nil {
		return err
	}
	if _, err := s.reachAppointment(ctx, "companion.revoke", c.AppointmentID); err != nil {
		return err
	}
	return s.tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := revokeCompanion(tx, id, store.Micros(s.Clock.Now())); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "companion.revoke", Object: "companion/" + string(id), Patient: c.PatientID})
	})
}

// Companion gives a companion, revoked or not, for another module, which has
// checked who asks.
func (s *Service) Companion(ctx context.Context, id care.CompanionID) (c Companion, err error) {
	if !care.ValidID(string(id)) {
		return c, fault.Missing()
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		r, err := companionByID(tx, string(id))
		if err != nil {
			return err
		}
		c, err = s.openCompanion(ctx, tx, r)
		return err
	})
	return c, err
}

// Invited gives those whose invitation to an appointment stands, the first one
// first, for another module, which has checked who asks.
func (s *Service) Invited(ctx context.Context, id care.AppointmentID) (list []care.CompanionID, err error) {
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		rows, err := companionsOf(tx, id)
		list = make([]care.CompanionID, len(rows))
		for i, r := range rows {
			list[i] = care.CompanionID(r.ID)
		}
		return err
	})
	return list, err
}

// IssueCompanionLink is IssueLink for a companion: a capability of their own,
// which opens nothing but their seat. It fails as Gone when they were revoked.
func (s *Service) IssueCompanionLink(ctx context.Context, id care.CompanionID) (secret string, err error) {
	secret, hash := token()
	now := s.Clock.Now()
	err = s.tx(ctx, func(_ context.Context, tx *store.Tx) error {
		c, err := companionByID(tx, string(id))
		if err != nil {
			return err
		}
		if c.RevokedAt != 0 {
			return fault.New(fault.Gone, "link-revoked")
		}
		return insertLink(tx, linkRow{ID: care.NewID(now), Hash: hash, PatientID: c.PatientID, AppointmentID: c.AppointmentID, CompanionID: c.ID, At: store.Micros(now)})
	})
	return secret, err
}

// Attendance is what a companion is shown of the act they were invited to.
type Attendance struct {
	Companion
	Patient      string // their name
	Practitioner string
	EncounterID  care.EncounterID // empty until the act is planned
	Start        time.Time
	Over         bool
}

// Attendance says to the companion who asks what they were invited to.
func (s *Service) Attendance(ctx context.Context) (out Attendance, err error) {
	a := authz.From(ctx)
	about, err := s.reachAppointment(ctx, "companion.attend", a.AppointmentID)
	if err != nil {
		return out, err
	}
	if out.Companion, err = s.Companion(ctx, a.CompanionID); err != nil {
		return out, err
	}
	act, err := s.Encounters.Act(ctx, a.AppointmentID)
	if err != nil {
		return out, err
	}
	out.EncounterID, out.Over, out.Start = act.ID, act.Over, about.Start
	if out.Patient, err = s.PatientName(ctx, about.PatientID); err != nil {
		return out, err
	}
	p, err := s.Staff(ctx, about.PractitionerID)
	out.Practitioner = strings.TrimSpace(p.Title + " " + p.DisplayName())
	return out, err
}

func (s *Service) openCompanion(ctx context.Context, tx *store.Tx, r companionRow) (Companion, error) {
	c := Companion{ID: care.CompanionID(r.ID), PatientID: care.PatientID(r.PatientID), AppointmentID: care.AppointmentID(r.AppointmentID),
		InvitedAt: store.Time(r.At), RevokedAt: store.Time(r.RevokedAt)}
	plain, err := s.Keeper.Open(ctx, tx, c.PatientID, invitationPlace(r.ID), r.Sealed)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(plain, &c.Invitation); err != nil {
		return c, fmt.Errorf("identity: companion: %w", err)
	}
	return c, nil
}

func invitationPlace(id string) seal.Place {
	return seal.Place{Table: "companions", Column: "sealed", Row: id}
}
