package consent

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"visavis/consent/entitlement"
	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/clock"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/seal"
	"visavis/internal/sheet"
	"visavis/internal/store"
)

// Act is what consent asks to know of an appointment.
type Act struct {
	Kind           care.ActKind
	PatientID      care.PatientID
	PractitionerID care.StaffID
	OrganizationID care.OrganizationID
	Start          time.Time
	Open           bool // neither over nor cancelled
}

// Patient is what consent asks to know of a person.
type Patient struct {
	DisplayName string // as shown on the screen
	Minor       bool   // on the day of the act
}

// Acts answers about appointments: scheduling does. Act fails as NotFound when
// there is none.
type Acts interface {
	Act(ctx context.Context, id care.AppointmentID) (Act, error)
}

// Professionals are the names that a record keeps.
type Professionals struct {
	Practitioner, RPPS string // who answers for the act; RPPS may be empty
	Organization       string
	Actor              string // the member of staff who records; empty for a patient
}

// People answers about persons: identity does.
type People interface {
	Patient(ctx context.Context, id care.PatientID, on time.Time) (Patient, error)
	// Professionals names the practitioner of an act and, unless empty, actor.
	Professionals(ctx context.Context, practitioner, actor care.StaffID) (Professionals, error)
}

// Team tells who takes part in an act: encounters does.
type Team interface {
	InCareTeam(ctx context.Context, id care.AppointmentID, staff care.StaffID) (bool, error)
}

// Deps is what the service is made of.
type Deps struct {
	DB     *store.DB
	Bus    *events.Bus
	Audit  *audit.Log
	Keeper *seal.Keeper
	Signer *seal.Signer
	Table  *authz.Table
	Clock  clock.Clock
	Acts   Acts
	People People
	Team   Team
	Agents Representatives

	Log     *slog.Logger
	Stamps  Stamper          // nil: records are signed, not time-stamped
	Ledger  *audit.Sequencer // proves that a record is in the audit log
	Press   *sheet.Press     // prints receipts
	Zone    *time.Location   // of the hours on receipts
	Address string           // of the platform, for receipts
	Build   string           // of the pages, for records
}

// Service keeps consents.
type Service struct {
	Deps
	library *Library
	rules   *entitlement.Rules

	situations []entitlement.Situation
}

// New returns the service; it fails when a released text was altered.
func New(d Deps) (*Service, error) {
	library, err := LoadLibrary()
	if err != nil {
		return nil, err
	}
	rules, err := entitlement.Load()
	if err != nil {
		return nil, err
	}
	situations, err := entitlement.LoadSituations()
	if err != nil {
		return nil, err
	}
	return &Service{d, library, rules, situations}, nil
}

// Decision is what somebody decided about an act, having read a text.
type Decision struct {
	AppointmentID care.AppointmentID
	State         care.ConsentState // granted or refused
	TextID        string
	SHA256        string // of the HTML the person read
	Channel       Channel
	// Agent is who decided for the patient, as a professional attests it. On the page
	// it is not given: the file and the code name the representative.
	Agent  *Agent
	Ground entitlement.Ground // attested by a professional
	Screen Screen

	emergency *BundleEmergency // of DecideEmergency alone
}

// Text gives the current text of a purpose in a language.
func (s *Service) Text(purpose care.ActKind, language care.Language) (Text, error) {
	t, ok := s.library.Current(purpose, language)
	if !ok {
		return Text{}, fault.Fields(fault.Field{Name: "purpose", Code: "not-a-choice"})
	}
	return t, nil
}

// Decide records an agreement or a refusal: by the patient or a representative
// on the page, or attested by a professional of the act (channel Oral). The
// same decision about the same text again changes nothing and gives the first
// record. Of two different decisions at once, one fails as Conflict; so does any
// where the records of the act are not what was signed (consent-damaged).
func (s *Service) Decide(ctx context.Context, d Decision) (Record, error) {
	action := authz.Action("consent.grant")
	if d.Channel == Oral {
		action = "consent.attest"
	}
	var r Record
	err := s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		act, err := s.act(ctx, d.AppointmentID, action)
		if err != nil {
			return err
		}
		patient, err := s.People.Patient(ctx, act.PatientID, act.Start)
		if err != nil {
			return err
		}
		if d, err = s.nameAgent(ctx, d); err != nil {
			return err
		}
		text, err := s.check(d, act, patient)
		if err != nil {
			return err
		}
		last, err := s.last(ctx, tx, d.AppointmentID)
		if err != nil {
			return err
		}
		same, err := s.repeats(ctx, tx, last, d)
		if err != nil {
			return err
		}
		if same {
			r = last
			return nil
		}
		if !act.Open {
			return fault.New(fault.Conflict, "act-closed")
		}
		r, err = s.record(ctx, tx, action, act, patient, last, d, text)
		return err
	})
	return r, err
}

// Withdraw takes an agreement back, at any time: by the patient on the page, or
// by the doctor to whom the patient said so. It fails as Conflict when there is
// no agreement.
func (s *Service) Withdraw(ctx context.Context, id care.AppointmentID, screen Screen) (Record, error) {
	var r Record
	err := s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		act, err := s.act(ctx, id, "consent.withdraw")
		if err != nil {
			return err
		}
		patient, err := s.People.Patient(ctx, act.PatientID, act.Start)
		if err != nil {
			return err
		}
		last, err := s.last(ctx, tx, id)
		if err != nil {
			return err
		}
		if last.State == care.ConsentWithdrawn {
			r = last
			return nil
		}
		text, _ := s.library.ByID(last.TextID)
		d := Decision{AppointmentID: id, State: care.ConsentWithdrawn, TextID: last.TextID, SHA256: last.SHA256, Channel: Oral, Screen: screen}
		if authz.From(ctx).Role == care.Patient {
			d.Channel = Web
		}
		r, err = s.record(ctx, tx, "consent.withdraw", act, patient, last, d, text)
		return err
	})
	return r.seenBy(authz.From(ctx).Role), err
}

// Current gives the last record of an act, to whom may see it; its state is
// none when there is no record. That staff read it is audited.
func (s *Service) Current(ctx context.Context, id care.AppointmentID) (r Record, err error) {
	own := authz.From(ctx).Role == care.Patient
	open := s.DB.Tx
	if own {
		open = s.DB.Read
	}
	err = open(ctx, func(ctx context.Context, tx *store.Tx) error {
		act, err := s.act(ctx, id, "consent.read")
		if err != nil {
			return err
		}
		if r, err = latest(tx, id); err != nil {
			return err
		}
		if state, err := s.standing(ctx, tx, id); err != nil {
			return err
		} else if state != r.State {
			r = Record{State: care.ConsentNone}
		}
		r = r.seenBy(authz.From(ctx).Role)
		if own {
			return nil
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "consent.read", Object: "appointment/" + string(id), Patient: act.PatientID})
	})
	return r, err
}

// State answers the other modules: where the consent to an act stands now.
func (s *Service) State(ctx context.Context, id care.AppointmentID) (care.ConsentState, error) {
	state := care.ConsentNone
	err := s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		state, err = s.standing(ctx, tx, id)
		return err
	})
	return state, err
}

// standing is the decision in force of an act, believed by its signature and
// never by a column: the record is the last that the guarded head names, its
// bundle opens, and the JWS is ours over what the row says. Without proof there
// is no consent.
func (s *Service) standing(ctx context.Context, tx *store.Tx, id care.AppointmentID) (care.ConsentState, error) {
	r, ok, err := lastSealed(tx, id)
	if err != nil || !ok {
		return care.ConsentNone, err
	}
	if ok, err = s.proven(ctx, tx, r); err != nil || !ok {
		return care.ConsentNone, err
	}
	return r.record().State, nil
}

// MediaAllowed tells whether sound and picture may flow (product A7). It is
// asked by the server at admission, never by the page.
func (s *Service) MediaAllowed(ctx context.Context, id care.AppointmentID) (bool, error) {
	state, err := s.State(ctx, id)
	return err == nil && state.AllowsMedia(), err
}

// act loads what the records are about and lets the table decide.
func (s *Service) act(ctx context.Context, id care.AppointmentID, action authz.Action) (Act, error) {
	act, err := s.Acts.Act(ctx, id)
	if err != nil {
		return Act{}, err
	}
	actor, inTeam := authz.From(ctx), false
	if actor.StaffID != "" && actor.StaffID != act.PractitionerID {
		if inTeam, err = s.Team.InCareTeam(ctx, id, actor.StaffID); err != nil {
			return Act{}, err
		}
	}
	subject := authz.Subject{PatientID: act.PatientID, AppointmentID: id, StaffID: act.PractitionerID, OrganizationID: act.OrganizationID}
	return act, s.Table.Can(actor, action, actor.To(subject, inTeam))
}

// check finds everything that is wrong with a decision.
func (s *Service) check(d Decision, act Act, p Patient) (Text, error) {
	problems := s.checkAgent(d, p.Minor, act.Start)
	if d.State != care.ConsentGranted && d.State != care.ConsentRefused {
		problems = append(problems, fault.Field{Name: "decision", Code: "not-a-choice"})
	}
	text, known := s.library.ByID(d.TextID)
	current, _ := s.library.Current(act.Kind, text.Language)
	switch {
	case !known || text.Purpose != act.Kind:
		problems = append(problems, fault.Field{Name: "textId", Code: "not-a-choice"})
	case text.ID != current.ID:
		problems = append(problems, fault.Field{Name: "textId", Code: "text-outdated"})
	case text.SHA256 != d.SHA256:
		problems = append(problems, fault.Field{Name: "sha256", Code: "text-differs"})
	}
	return text, fault.Fields(problems...)
}

// record writes one decision: row, proof, audit line and fact.
func (s *Service) record(ctx context.Context, tx *store.Tx, action authz.Action, act Act, p Patient, last Record, d Decision, text Text) (Record, error) {
	if !follows(last.State, d.State) {
		return Record{}, fault.New(fault.Conflict, "nothing-to-withdraw")
	}
	actor, now := authz.From(ctx), s.Clock.Now()
	r := Record{
		ID: care.ConsentID(care.NewID(now)), AppointmentID: d.AppointmentID, PatientID: act.PatientID, Seq: last.Seq + 1,
		State: d.State, Purpose: text.Purpose, TextID: text.ID, Version: text.Version, Language: text.Language, SHA256: text.SHA256,
		Channel: d.Channel, Ground: d.Ground, By: actor.Role, At: now,
	}
	who, err := s.People.Professionals(ctx, act.PractitionerID, actor.StaffID)
	if err != nil {
		return Record{}, err
	}
	b := s.bundle(actor, r, act, p, who, d, last.Hash)
	if field := b.missing(); field != "" {
		return Record{}, fmt.Errorf("consent: a record without %s proves too little", field)
	}
	if err := s.write(ctx, tx, &r, b); err != nil {
		return Record{}, err
	}
	if err := s.Audit.Append(ctx, tx, audit.Entry{
		Action: action, Object: "consent/" + string(r.ID), Patient: r.PatientID,
		Detail: map[string]string{"decision": string(r.State), "text": r.TextID, "channel": string(r.Channel)},
	}); err != nil {
		return Record{}, err
	}
	return r, s.Bus.Publish(ctx, tx, events.ConsentRecorded, string(r.ID),
		events.Consent{ConsentID: r.ID, AppointmentID: r.AppointmentID, PatientID: r.PatientID, State: r.State})
}

// write seals, signs and inserts a record, and sets its hash.
func (s *Service) write(ctx context.Context, tx *store.Tx, r *Record, b Bundle) error {
	raw, err := canonical(b)
	if err != nil {
		return fmt.Errorf("consent: bundle: %w", err)
	}
	jws, err := sign(s.Signer, raw)
	if err != nil {
		return fmt.Errorf("consent: signature: %w", err)
	}
	sealed, err := s.Keeper.Seal(ctx, tx, r.PatientID, place(r.ID), raw)
	if err != nil {
		return err
	}
	r.Hash = hash(raw)
	err = insert(tx, *r, sealed, jws)
	if _, taken := store.Duplicate(err); taken {
		return fault.New(fault.Conflict, "changed-meanwhile").Because(err)
	}
	if err != nil {
		return err
	}
	if err := setHead(tx, *r); err != nil {
		return err
	}
	return s.askStamp(ctx, tx, r.ID, r.At)
}

func place(id care.ConsentID) seal.Place {
	return seal.Place{Table: "consents", Column: "bundle", Row: string(id)}
}

// printable keeps the ASCII a browser's name is made of.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
}
