package prescriptions

import (
	"context"
	"slices"
	"sync"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/clock"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/lang"
	"visavis/internal/limit"
	"visavis/internal/medicines"
	"visavis/internal/paper"
	"visavis/internal/seal"
	"visavis/internal/sheet"
	"visavis/internal/store"
	"visavis/prescriptions/restricted"
)

// maxLines bounds one prescription.
const maxLines = 30

// Acts tells about an act of care; encounters, identity and consent answer. It fails as NotFound.
type Acts interface {
	Act(ctx context.Context, id care.EncounterID) (paper.Act, error)
}

// Filer keeps signed documents, in the transaction of ctx; documents answers.
type Filer interface {
	File(ctx context.Context, f paper.Filing) error
	Cancel(ctx context.Context, id care.DocumentID) error
}

// Declared is what the patient said for one act, in their words; empty when nothing or none was said.
type Declared struct{ Allergies, Treatments string }

// Declarations tells what the patient declared for an act; encounters/declared answers.
type Declarations interface {
	Declared(ctx context.Context, id care.EncounterID) (Declared, error)
}

// Deps are what the module is made of.
type Deps struct {
	DB        *store.DB
	Bus       *events.Bus
	Audit     *audit.Log
	Keeper    *seal.Keeper
	Table     *authz.Table
	Clock     clock.Clock
	Limits    limit.Limiter
	Press     *sheet.Press
	Medicines *medicines.Base
	OldAfter  int // days after which the medicines base counts as old; 0 for the rule of medicines.OldAfter
	Acts      Acts
	Filer     Filer
	// Pharmacies names the pharmacists who dispense.
	Pharmacies Pharmacies
	// Declarations tells what the patient said of allergies and treatments; nil when nobody asks.
	Declarations Declarations
	Zone         *time.Location // in which people read dates
	PublicURL    string         // as https://host, no slash at the end
}

// Service holds the use cases.
type Service struct {
	Deps
	words   *lang.Catalogue
	dates   *lang.Words
	hashing chan struct{}
	table   *restricted.Table

	reading sync.Mutex
	read    *medicines.Index // of which names was made
	names   *restricted.Base
}

// New returns the service.
func New(d Deps) (*Service, error) {
	words, err := Texts()
	if err != nil {
		return nil, err
	}
	dates, err := lang.NewWords()
	if err != nil {
		return nil, err
	}
	table, err := restricted.Load()
	if err != nil {
		return nil, err
	}
	return &Service{Deps: d, words: words, dates: dates, hashing: make(chan struct{}, hashers), table: table}, nil
}

// base gives the names of a medicines base, read once for each index.
func (s *Service) base(index *medicines.Index) *restricted.Base {
	s.reading.Lock()
	defer s.reading.Unlock()
	if s.names == nil || s.read != index {
		s.read, s.names = index, restricted.NewBase(index.All)
	}
	return s.names
}

// declared gives what the patient declared for the act of a prescription.
func (s *Service) declared(ctx context.Context, id care.EncounterID) (Declared, error) {
	if s.Declarations == nil {
		return Declared{}, nil
	}
	return s.Declarations.Declared(ctx, id)
}

// recordDeclared writes that what the patient declared was read beside a prescription.
func (s *Service) recordDeclared(ctx context.Context, tx *store.Tx, act paper.Act, said Declared) error {
	if said == (Declared{}) {
		return nil
	}
	return s.Audit.Append(ctx, tx, audit.Entry{Action: "declaration.read", Object: "appointment/" + string(act.AppointmentID), Patient: act.PatientID})
}

// author asks for the act and lets only the professional responsible for it go on.
func (s *Service) author(ctx context.Context, id care.EncounterID, action authz.Action) (paper.Act, error) {
	act, err := s.Acts.Act(ctx, id)
	if err != nil {
		return act, err
	}
	a := authz.From(ctx)
	return act, s.Table.Can(a, action, a.To(authz.Subject{StaffID: act.AuthorID, OrganizationID: act.OrganizationID}, false))
}

func (s *Service) record(ctx context.Context, tx *store.Tx, action authz.Action, p *Prescription) error {
	return s.Audit.Append(ctx, tx, audit.Entry{Action: action, Object: "prescription/" + string(p.ID), Patient: p.PatientID})
}

// OfEncounter lists the prescriptions of an act, drafts included, oldest first.
func (s *Service) OfEncounter(ctx context.Context, id care.EncounterID) ([]*Prescription, error) {
	var list []*Prescription
	err := s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		act, err := s.author(ctx, id, "prescription.read")
		if err != nil {
			return err
		}
		if list, err = s.ofEncounter(ctx, tx, id); err != nil {
			return err
		}
		for _, p := range list {
			p.by = prescriberOf(act)
		}
		said, err := s.declared(ctx, id)
		if err != nil {
			return err
		}
		if err := s.recordDeclared(ctx, tx, act, said); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "prescription.read", Object: "encounter/" + string(id), Patient: act.PatientID})
	})
	return list, err
}

// Add starts an empty draft.
func (s *Service) Add(ctx context.Context, id care.EncounterID, c Category) (*Prescription, error) {
	if _, _, ok := c.form(); !ok {
		return nil, fault.Fields(fault.Field{Name: "category", Code: "not-a-choice"})
	}
	var p *Prescription
	err := s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		act, err := s.author(ctx, id, "prescription.write")
		if err != nil {
			return err
		}
		now := s.Clock.Now()
		p = &Prescription{ID: care.PrescriptionID(care.NewID(now)), SetID: care.NewID(now), Number: 1, EncounterID: id, PatientID: act.PatientID, AuthorID: act.AuthorID,
			OrganizationID: act.OrganizationID, Status: Draft, Edit: 1, Content: Content{Category: c, Lines: []Line{}}, At: now, ChangedAt: now, by: prescriberOf(act)}
		if err := s.insert(ctx, tx, p); err != nil {
			return err
		}
		return s.record(ctx, tx, "prescription.write", p)
	})
	return p, err
}

// change loads, locks, checks and applies one change, which records itself when record is true.
func (s *Service) change(ctx context.Context, id care.PrescriptionID, action authz.Action, apply func(ctx context.Context, tx *store.Tx, act paper.Act, p *Prescription) error) (*Prescription, error) {
	var p *Prescription
	err := s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if err = lock(tx, id); err != nil {
			return err
		}
		if p, err = s.load(ctx, tx, id); err != nil {
			return err
		}
		act, err := s.author(ctx, p.EncounterID, action)
		if err != nil {
			return err
		}
		p.by = prescriberOf(act)
		return apply(ctx, tx, act, p)
	})
	return p, err
}

// Write keeps the lines of a draft, and the measures of the patient that they depend on. edit is the version that the writer saw; it fails as Conflict
// "changed-meanwhile" when it is no longer the last, and "prescription-signed" once signed.
func (s *Service) Write(ctx context.Context, id care.PrescriptionID, lines []Line, m Measures, edit int64) (*Prescription, error) {
	if len(lines) > maxLines {
		return nil, fault.Fields(fault.Field{Name: "lines", Code: "too-long"})
	}
	lines = slices.Clone(lines)
	if err := fault.Fields(unprintable(lines)...); err != nil {
		return nil, err
	}
	return s.change(ctx, id, "prescription.write", func(ctx context.Context, tx *store.Tx, _ paper.Act, p *Prescription) error {
		if p.Status != Draft {
			return fault.New(fault.Conflict, "prescription-signed")
		}
		if p.Edit != edit {
			return fault.New(fault.Conflict, "changed-meanwhile")
		}
		p.Lines, p.Measures, p.ChangedAt = lines, m, s.Clock.Now()
		p.Edit++
		if err := s.update(ctx, tx, p); err != nil {
			return err
		}
		return s.record(ctx, tx, "prescription.write", p)
	})
}

// Drop throws a draft away; a signed prescription is cancelled instead.
func (s *Service) Drop(ctx context.Context, id care.PrescriptionID) error {
	_, err := s.change(ctx, id, "prescription.write", func(ctx context.Context, tx *store.Tx, _ paper.Act, p *Prescription) error {
		if p.Status != Draft {
			return fault.New(fault.Conflict, "prescription-signed")
		}
		if err := remove(tx, p.ID); err != nil {
			return err
		}
		return s.record(ctx, tx, "prescription.write", p)
	})
	return err
}

// Replace starts the next version of a signed prescription, with its lines; the signed one holds until
// the new one is signed. Asked again, it gives the same draft.
func (s *Service) Replace(ctx context.Context, id care.PrescriptionID) (*Prescription, error) {
	var draft *Prescription
	_, err := s.change(ctx, id, "prescription.write", func(ctx context.Context, tx *store.Tx, _ paper.Act, p *Prescription) error {
		if p.Status != Signed {
			return fault.New(fault.Conflict, "prescription-not-current")
		}
		list, err := s.ofEncounter(ctx, tx, p.EncounterID)
		if err != nil {
			return err
		}
		for _, q := range list {
			if q.ReplacesID == p.ID && q.Status == Draft {
				draft = q
				draft.by = p.by
				return nil
			}
		}
		now := s.Clock.Now()
		draft = &Prescription{ID: care.PrescriptionID(care.NewID(now)), SetID: p.SetID, Number: p.Number + 1, EncounterID: p.EncounterID, PatientID: p.PatientID,
			AuthorID: p.AuthorID, OrganizationID: p.OrganizationID, Status: Draft, Edit: 1, ReplacesID: p.ID,
			Content: Content{Category: p.Category, Lines: slices.Clone(p.Lines), Measures: p.Measures}, At: now, ChangedAt: now, by: p.by}
		if err := s.insert(ctx, tx, draft); err != nil {
			return err
		}
		return s.record(ctx, tx, "prescription.write", draft)
	})
	return draft, err
}

// Cancel takes a signed prescription back, with the reason. The verification page says so at once.
func (s *Service) Cancel(ctx context.Context, id care.PrescriptionID, reason string) (*Prescription, error) {
	if reason == "" {
		return nil, fault.Fields(fault.Field{Name: "reason", Code: "required"})
	}
	return s.change(ctx, id, "prescription.cancel", func(ctx context.Context, tx *store.Tx, _ paper.Act, p *Prescription) error {
		if !p.to(Cancelled) {
			return fault.New(fault.Conflict, "prescription-not-current")
		}
		p.CancelReason, p.ChangedAt = reason, s.Clock.Now()
		p.Edit++
		if err := s.update(ctx, tx, p); err != nil {
			return err
		}
		if err := s.Filer.Cancel(ctx, p.DocumentID); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "prescription.cancel", Object: "document/" + string(p.DocumentID), Patient: p.PatientID,
			Detail: map[string]string{"reason": reason}})
	})
}
