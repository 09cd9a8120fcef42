package encounters

import (
	"context"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/clock"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/profession"
	"visavis/internal/store"
)

// Person is what this module shows of somebody.
type Person struct {
	ID             string
	DisplayName    string
	Role           care.Role
	Word           profession.Word // what texts name them by; empty: the role
	Title          string
	SpecialtyLabel string
	OrganizationID care.OrganizationID
	BirthDate      string // YYYY-MM-DD, of a patient
	Minor          bool
	IdentityStatus care.IdentityStatus
}

// People tells who is who; identity answers.
type People interface {
	Patient(ctx context.Context, id care.PatientID) (Person, error)
	Staff(ctx context.Context, id care.StaffID) (Person, error)
	Companion(ctx context.Context, id care.CompanionID) (Person, error)
}

// Consents tells where the consent to an act stands; consent answers.
type Consents interface {
	State(ctx context.Context, id care.AppointmentID) (care.ConsentState, error)
}

// Live tells who is on line now; signaling answers.
type Live interface {
	Online(ctx context.Context, id care.EncounterID) (bool, error)
}

// Checks tells about the connections tried before an act; signaling/check
// answers.
type Checks interface {
	// Failed gives those of some acts of which the patient's last test says that
	// no call would work.
	Failed(ctx context.Context, ids []care.EncounterID) (map[care.EncounterID]bool, error)
}

// Deps are what the module is made of.
type Deps struct {
	DB       *store.DB
	Bus      *events.Bus
	Audit    *audit.Log
	Table    *authz.Table
	Clock    clock.Clock
	People   People
	Consents Consents
	Live     Live
	Checks   Checks
}

// Service holds the use cases.
type Service struct{ Deps }

// New returns the service.
func New(d Deps) *Service { return &Service{d} }

// relation ties an actor to an act.
func relation(a authz.Actor, e *Encounter) authz.Relation {
	return a.To(authz.Subject{
		PatientID: e.PatientID, AppointmentID: e.AppointmentID, StaffID: e.PractitionerID, OrganizationID: e.OrganizationID,
	}, e.inTeam(a.StaffID))
}

// Read returns an act with its people, stays and incidents, and writes that it
// was read (trust B7).
func (s *Service) Read(ctx context.Context, id care.EncounterID) (*Encounter, error) {
	var e *Encounter
	err := s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if e, err = s.load(ctx, tx, id, "encounter.read"); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "encounter.read", Object: "encounter/" + string(id), Patient: e.PatientID})
	})
	return e, err
}

// Facts returns an act for another module, which has checked who asks.
func (s *Service) Facts(ctx context.Context, id care.EncounterID) (*Encounter, error) {
	var e *Encounter
	err := s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		e, err = load(tx, id)
		return err
	})
	return e, err
}

// OfAppointment returns the act of an appointment, for another module.
func (s *Service) OfAppointment(ctx context.Context, id care.AppointmentID) (*Encounter, error) {
	var e *Encounter
	err := s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		e, err = loadByAppointment(tx, id)
		return err
	})
	return e, err
}

// Relation ties an actor to an act, for another module's checks.
func (s *Service) Relation(ctx context.Context, a authz.Actor, id care.EncounterID) (authz.Relation, error) {
	e, err := s.Facts(ctx, id)
	if err != nil {
		return authz.Other, err
	}
	return relation(a, e), nil
}

func (s *Service) load(ctx context.Context, tx *store.Tx, id care.EncounterID, act authz.Action) (*Encounter, error) {
	e, err := load(tx, id)
	if err != nil {
		return nil, err
	}
	a := authz.From(ctx)
	return e, s.Table.Can(a, act, relation(a, e))
}

// change loads, locks, checks, applies and records one change of an act.
func (s *Service) change(ctx context.Context, id care.EncounterID, act authz.Action, apply func(ctx context.Context, tx *store.Tx, e *Encounter) error) (*Encounter, error) {
	return s.changed(ctx, id, act, nil, apply)
}

// changed is change with what the audit log says of it.
func (s *Service) changed(ctx context.Context, id care.EncounterID, act authz.Action, detail map[string]string, apply func(ctx context.Context, tx *store.Tx, e *Encounter) error) (*Encounter, error) {
	var e *Encounter
	err := s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if err = lock(tx, id); err != nil {
			return err
		}
		if e, err = s.load(ctx, tx, id, act); err != nil {
			return err
		}
		if err = apply(ctx, tx, e); err != nil {
			return err
		}
		if err = update(tx, e); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: act, Object: "encounter/" + string(id), Patient: e.PatientID, Detail: detail})
	})
	return e, err
}

// Identify records that the professional made sure of who the patient is (A9). An identity document seen later
// takes the place of face and name, with its own time; the audit log keeps both. The same check again keeps the first,
// and one that is weaker than the one on file is refused.
func (s *Service) Identify(ctx context.Context, id care.EncounterID, how How) (*Encounter, error) {
	if how != FaceAndName && how != Document {
		return nil, fault.Fields(fault.Field{Name: "how", Code: "not-a-choice"})
	}
	detail := map[string]string{"how": string(how)}
	return s.changed(ctx, id, "encounter.identify", detail, func(ctx context.Context, _ *store.Tx, e *Encounter) error {
		switch by := authz.From(ctx).StaffID; {
		case !e.open():
			return fault.New(fault.Conflict, "encounter-"+string(e.Status))
		case !e.IdentifiedAt.IsZero() && e.IdentifiedHow == how && e.IdentifiedBy == by:
			return nil
		case !e.IdentifiedAt.IsZero() && how != Document:
			return fault.New(fault.Conflict, "identity-checked")
		default:
			e.IdentifiedAt, e.IdentifiedHow, e.IdentifiedBy = s.Clock.Now(), how, by
			return nil
		}
	})
}

// Invite gives a professional of the same organisation a seat in the act
// (product B2, B14). Inviting twice is one invitation.
func (s *Service) Invite(ctx context.Context, id care.EncounterID, staff care.StaffID) (*Encounter, error) {
	return s.change(ctx, id, "encounter.invite", func(ctx context.Context, tx *store.Tx, e *Encounter) error {
		if !e.open() {
			return fault.New(fault.Conflict, "encounter-"+string(e.Status))
		}
		p, err := s.People.Staff(ctx, staff)
		if fault.KindOf(err) == fault.NotFound || (err == nil && (p.OrganizationID != e.OrganizationID || staff == e.PractitionerID)) {
			return fault.Fields(fault.Field{Name: "staffId", Code: "not-a-colleague"})
		}
		if err != nil {
			return err
		}
		if e.inTeam(staff) {
			return nil
		}
		m := Member{StaffID: staff, Role: p.Role, InvitedBy: authz.From(ctx).StaffID, At: s.Clock.Now()}
		e.Team = append(e.Team, m)
		return insertMember(tx, e.ID, m)
	})
}

// Finish ends the act for everybody; the call is closed by the fact it writes.
// Finishing a finished act changes nothing.
func (s *Service) Finish(ctx context.Context, id care.EncounterID) (*Encounter, error) {
	return s.change(ctx, id, "encounter.finish", func(ctx context.Context, tx *store.Tx, e *Encounter) error {
		if e.Status == Finished {
			return nil
		}
		return s.finish(ctx, tx, e, s.Clock.Now())
	})
}

func (s *Service) finish(ctx context.Context, tx *store.Tx, e *Encounter, at time.Time) error {
	if err := e.to(Finished, at); err != nil {
		return err
	}
	return s.Bus.Publish(ctx, tx, events.EncounterFinished, string(e.ID), events.Presence{EncounterID: e.ID, At: store.Micros(at)})
}

// Day lists the acts of a day, [from, to), in which a professional takes part.
func (s *Service) Day(ctx context.Context, from, to time.Time) ([]*Encounter, error) {
	a := authz.From(ctx)
	if err := s.Table.Can(a, "encounter.day", authz.None); err != nil {
		return nil, err
	}
	var list []*Encounter
	err := s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		list, err = ofStaff(tx, a.StaffID, store.Micros(from), store.Micros(to))
		return err
	})
	return list, err
}

// FirstTime tells whether the patient never met this professional before.
func (s *Service) FirstTime(ctx context.Context, e *Encounter) (bool, error) {
	n := int64(0)
	err := s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		n, err = countFinished(tx, e.PatientID, e.PractitionerID)
		return err
	})
	return n == 0, err
}
