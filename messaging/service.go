package messaging

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/clock"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/lang"
	"visavis/internal/seal"
	"visavis/internal/store"
	"visavis/messaging/mssante"
	"visavis/messaging/post"
	"visavis/messaging/sms"
	"visavis/messaging/xdm"
)

//go:embed texts
var textFiles embed.FS

// Texts is the catalogue of this module.
func Texts() (*lang.Catalogue, error) {
	sub, err := fs.Sub(textFiles, "texts")
	if err != nil {
		return nil, err
	}
	return lang.New(sub, "fr", "en")
}

// Addressee is what this module needs to know of a patient.
type Addressee struct {
	Name      string
	Language  care.Language
	Status    care.IdentityStatus
	Matricule string // 15 characters, "" when there is none
	Phone     string // E.164, "" when it cannot get an SMS; a minor's is a representative's
	Email     string
	Street    string
	Postcode  string
	City      string
	Doctor    *Colleague // the referring doctor, nil when there is none
	Clinic    string     // the name of their organisation
}

// Colleague is a professional.
type Colleague struct {
	Name    string // « Claire Martin », without title
	Title   string // « Dr », may be empty
	MSSante string // "" when they have no mailbox
	Place   string // the organisation's name
}

// Full is the name with its title.
func (c Colleague) Full() string {
	if c.Title == "" {
		return c.Name
	}
	return c.Title + " " + c.Name
}

// Paperwork is what is known of a signed document without opening it.
type Paperwork struct {
	Title          string
	OrganizationID care.OrganizationID
	AppointmentID  care.AppointmentID
	Visibility     []xdm.Code // flags of TRE_A07
	Void           bool       // taken back by its author: leaves the house no more
}

// Files are a signed document as it was signed.
type Files struct{ CDA, PDF []byte }

// Act is what is known of an encounter, seen by one actor.
type Act struct {
	AppointmentID care.AppointmentID
	PatientID     care.PatientID
	Relation      authz.Relation
	Begun         bool // the patient came, or it is over
}

// People tells who is who; identity answers.
type People interface {
	Patient(ctx context.Context, id care.PatientID) (Addressee, error)
	Staff(ctx context.Context, id care.StaffID) (Colleague, error)
	// Representative tells where the one of a minor who asked, as LinkRequested
	// and CodeRequested name them, is written to.
	Representative(ctx context.Context, id care.PatientID, who string) (email, phone string, err error)
}

// Secrets gives what a message must carry and nothing else may keep; identity
// answers. IssueLink joins the transaction of ctx.
type Secrets interface {
	IssueLink(ctx context.Context, id care.AppointmentID, representative string) (secret string, err error)
	// PendingCode fails as Gone when the code is of no more use.
	PendingCode(ctx context.Context, id string) (code string, err error)
}

// Papers gives the signed documents; documents and prescriptions answer.
type Papers interface {
	About(ctx context.Context, id care.DocumentID) (Paperwork, error)
	Files(ctx context.Context, id care.DocumentID) (Files, error)
}

// Acts tells about an encounter; encounters answers. It fails as NotFound.
type Acts interface {
	Act(ctx context.Context, a authz.Actor, id care.EncounterID) (Act, error)
}

// Secrecy tells whether the parents of the patient are told nothing of an
// appointment; consent and identity answer.
type Secrecy interface {
	Confidential(ctx context.Context, id care.AppointmentID, patient care.PatientID) (bool, error)
}

// Printer makes the cover sheet of a posted letter; internal/sheet answers.
type Printer interface {
	Cover(sender, name, street, postcode, city string, titles []string, at time.Time) ([]byte, error)
}

// MailOutlet is the ordinary mail server. An empty address means there is none.
type MailOutlet struct {
	SMTP post.Server
	From string
}

// SecureOutlet is our mailbox of the secure space. An empty SMTP address means
// there is none: documents go to the paper queue.
type SecureOutlet struct {
	SMTP post.Server
	IMAP mssante.Mailbox
	// Box is our applicative mailbox: sender, witness and place of reports.
	Box string
	// PatientDomain is mssante.PatientDomain but in tests; TestDomain is accepted
	// beside mssante.fr for professionals, "" in production.
	PatientDomain, TestDomain string
	NIL                       string
	OID                       string // the platform's root
	Version                   string
}

// Deps are what the module is made of.
type Deps struct {
	DB        *store.DB
	Bus       *events.Bus
	Audit     *audit.Log
	Keeper    *seal.Keeper
	Table     *authz.Table
	Clock     clock.Clock
	Log       *slog.Logger
	People    People
	Secrets   Secrets
	Contacts  ContactCodes
	Guests    Guests
	Papers    Papers
	Acts      Acts
	Secrecy   Secrecy
	Printer   Printer
	Mail      MailOutlet
	MSSante   SecureOutlet
	SMS       sms.Gateway
	PublicURL string
	Zone      *time.Location // the organisation's
	// Together is how long a signed document waits for others of the same act,
	// so that they leave as one message; 10 s when zero. Without the report it
	// waits ReportFor; 10 min when zero.
	Together, ReportFor time.Duration
	// DoubtFor is how long the witness copy may take; 10 min when zero.
	DoubtFor time.Duration
}

// Service holds the use cases.
type Service struct {
	Deps
	texts *lang.Catalogue
	words *lang.Words
	// at, when set by a test, is called at named points of an attempt.
	at func(point string)
}

// New returns the service. It fails when the public address is too long for a
// link to fit one SMS, or the organisation's zone is missing.
func New(d Deps) (*Service, error) {
	if d.Zone == nil {
		return nil, fmt.Errorf("messaging: no time zone")
	}
	for _, t := range []struct {
		v *time.Duration
		d time.Duration
	}{{&d.Together, 10 * time.Second}, {&d.ReportFor, 10 * time.Minute}, {&d.DoubtFor, 10 * time.Minute}} {
		if *t.v == 0 {
			*t.v = t.d
		}
	}
	s := &Service{Deps: d, at: func(string) {}}
	var err error
	if s.texts, err = Texts(); err != nil {
		return nil, err
	}
	if s.words, err = lang.NewWords(); err != nil {
		return nil, err
	}
	longest := &Delivery{Channel: SMS, About: Moved, Language: care.French, StartsAt: time.Date(2026, 9, 30, 12, 30, 0, 0, time.UTC)}
	if _, err := s.write(longest, filling{with: "x", link: d.PublicURL + linkPath + fmt.Sprintf("%043d", 0)}); err != nil {
		return nil, err
	}
	return s, nil
}

// relation ties an actor to a delivery.
func relation(a authz.Actor, d *Delivery) authz.Relation {
	switch {
	case a.StaffID != "" && a.StaffID == d.PractitionerID:
		return authz.Own
	case a.OrganizationID != "" && a.OrganizationID == d.OrganizationID:
		return authz.Org
	}
	return authz.Other
}

// OfEncounter lists the deliveries of an act, its booking messages included,
// oldest first, and writes that they were read.
func (s *Service) OfEncounter(ctx context.Context, id care.EncounterID) (list []*Delivery, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		a := authz.From(ctx)
		act, err := s.Acts.Act(ctx, a, id)
		if err != nil {
			return err
		}
		if err := s.Table.Can(a, "delivery.read", act.Relation); err != nil {
			return err
		}
		if list, err = byAct(tx, id, act.AppointmentID); err != nil {
			return err
		}
		if err := s.open(ctx, tx, list); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "delivery.read", Object: "encounter/" + string(id), Patient: act.PatientID})
	})
	return list, err
}

// PaperQueue lists what the caller's organisation has to post, oldest first.
func (s *Service) PaperQueue(ctx context.Context) (list []*Delivery, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		a := authz.From(ctx)
		if err := s.Table.Can(a, "delivery.queue", authz.Org); err != nil {
			return err
		}
		if list, err = toPost(tx, a.OrganizationID); err != nil {
			return err
		}
		if err := s.open(ctx, tx, list); err != nil {
			return err
		}
		for _, d := range list {
			if err := s.Audit.Append(ctx, tx, audit.Entry{Action: "delivery.queue", Object: "delivery/" + string(d.ID), Patient: d.PatientID}); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// MarkPosted records that a letter was put in the post. A letter already
// posted stays so.
func (s *Service) MarkPosted(ctx context.Context, id care.DeliveryID) (*Delivery, error) {
	return s.act(ctx, id, "delivery.post", func(_ context.Context, _ *store.Tx, d *Delivery) error {
		if d.State == Posted {
			return nil
		}
		if d.About != Documents {
			return fault.New(fault.Conflict, "delivery-no-sheet")
		}
		return d.to(Posted, "", s.Clock.Now())
	})
}

// Retry sends a delivery again that was refused, bounced, is in doubt or waits.
// What was sent, or is being sent now, stays as it is: Conflict.
func (s *Service) Retry(ctx context.Context, id care.DeliveryID) (*Delivery, error) {
	return s.act(ctx, id, "delivery.retry", func(ctx context.Context, tx *store.Tx, d *Delivery) error {
		now := s.Clock.Now()
		busy := now.Before(d.claimedUntil) || d.State == Sending && !d.inDoubt(now)
		if busy || d.About == Code || d.About == ContactCode || d.Reason == reasonOvertaken {
			return fault.New(fault.Conflict, "delivery-not-now")
		}
		if err := d.to(Queued, "", now); err != nil {
			return err
		}
		d.phase, d.claim, d.claimedUntil, d.Attempts, d.NextAt = phaseNone, "", time.Time{}, 0, now
		if d.About == Documents {
			d.sealed = nil // the address may have been corrected
		}
		return s.enqueue(ctx, tx, d)
	})
}

// act loads, locks, checks, changes and records one delivery.
func (s *Service) act(ctx context.Context, id care.DeliveryID, action authz.Action, change func(context.Context, *store.Tx, *Delivery) error) (d *Delivery, err error) {
	if !care.ValidID(string(id)) {
		return nil, fault.Missing()
	}
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if d, err = lockDelivery(tx, id); err != nil {
			return err
		}
		a := authz.From(ctx)
		if err := s.Table.Can(a, action, relation(a, d)); err != nil {
			return err
		}
		if err := change(ctx, tx, d); err != nil {
			return err
		}
		if err := s.save(ctx, tx, d); err != nil {
			return err
		}
		if err := s.open(ctx, tx, []*Delivery{d}); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: action, Object: "delivery/" + string(id), Patient: d.PatientID})
	})
	return d, err
}

// StateOf tells where the sending of a document to the patient stands, for the
// module that shows documents; ok is false when none is planned.
func (s *Service) StateOf(ctx context.Context, id care.DocumentID) (state State, at time.Time, ok bool, err error) {
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		d, err := ofDocument(tx, id, ToPatient)
		if fault.KindOf(err) == fault.NotFound {
			return nil
		}
		if err == nil {
			state, at, ok = d.State, d.updatedAt, true
		}
		return err
	})
	return state, at, ok, err
}
