package documents

import (
	"context"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/clock"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/lang"
	"visavis/internal/paper"
	"visavis/internal/profession"
	"visavis/internal/seal"
	"visavis/internal/sheet"
	"visavis/internal/store"
	"visavis/internal/typography"
)

// Acts tells about an act of care; encounters, identity and consent answer. Act fails as NotFound.
type Acts interface {
	Act(ctx context.Context, id care.EncounterID) (paper.Act, error)
	// CaresFor tells whether a professional takes or took part in an act for the patient.
	CaresFor(ctx context.Context, staff care.StaffID, patient care.PatientID) (bool, error)
	// Settling tells whether the act ended and its record may still grow by what its call told.
	Settling(ctx context.Context, id care.EncounterID) (bool, error)
}

// Names says who somebody is, for the list of accesses, and the word for them; identity answers.
type Names interface {
	Name(ctx context.Context, role care.Role, id string) (string, profession.Word, error)
}

// Secrecy tells whether the documents of an act are hidden from the parents of its patient, who hold the
// patient's links while they are a minor; consent and identity answer.
type Secrecy interface {
	Confidential(ctx context.Context, id care.EncounterID, patient care.PatientID) (bool, error)
}

// Deliveries tells where the sending of a document to the patient stands; messaging answers.
type Deliveries interface {
	StateOf(ctx context.Context, id care.DocumentID) (state string, at time.Time, ok bool, err error)
}

// Dispensings tells how far a prescription was dispensed, when last and by which pharmacy; prescriptions
// answers. ok is false for a document that no pharmacy dispenses.
type Dispensings interface {
	DispensedState(ctx context.Context, id care.DocumentID) (state string, at time.Time, pharmacy string, ok bool, err error)
}

// Deps are what the module is made of.
type Deps struct {
	DB         *store.DB
	Bus        *events.Bus
	Audit      *audit.Log
	Keeper     *seal.Keeper
	Signer     *seal.Signer
	Table      *authz.Table
	Clock      clock.Clock
	Press      *sheet.Press
	Acts       Acts
	Names      Names
	Secrecy    Secrecy
	Deliveries Deliveries
	// Dispensings answers for prescriptions.
	Dispensings Dispensings
	Calls       Calls
}

// Service holds the use cases.
type Service struct {
	Deps
	words *lang.Catalogue
}

// New returns the service.
func New(d Deps) (*Service, error) {
	words, err := Texts()
	if err != nil {
		return nil, err
	}
	return &Service{Deps: d, words: words}, nil
}

// say is a text of a legal document: French.
func (s *Service) say(key string, args lang.Args) string {
	return s.words.T(string(care.French), key, args)
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

// relation ties the actor to a patient's documents. author is the one of a document, or empty.
func (s *Service) relation(ctx context.Context, patient care.PatientID, author care.StaffID) (authz.Relation, error) {
	a := authz.From(ctx)
	switch {
	case a.PatientID != "" && a.PatientID == patient, a.StaffID != "" && a.StaffID == author:
		return authz.Own, nil
	case a.StaffID == "":
		return authz.Other, nil
	}
	cares, err := s.Acts.CaresFor(ctx, a.StaffID, patient)
	if err != nil {
		return authz.Other, err
	}
	if cares {
		return authz.Team, nil
	}
	return authz.Other, nil
}

// Read returns the report of an act; an empty draft when nothing was written yet.
func (s *Service) Read(ctx context.Context, id care.EncounterID) (*Report, error) {
	var r *Report
	err := s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		act, err := s.author(ctx, id, "report.read")
		if err != nil {
			return err
		}
		r, err = s.load(ctx, tx, id)
		if fault.KindOf(err) == fault.NotFound {
			r, err = s.blank(act), nil
		}
		if err != nil {
			return err
		}
		if r.Status == Signed {
			if err := s.compare(ctx, tx, act, r); err != nil {
				return err
			}
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "report.read", Object: "report/" + string(id), Patient: act.PatientID})
	})
	return r, err
}

// compare says what was learnt of an act since its report was signed.
func (s *Service) compare(ctx context.Context, tx *store.Tx, act paper.Act, r *Report) error {
	for _, p := range act.People {
		if p.Told.After(r.ChangedAt) {
			r.ToldLate = append(r.ToldLate, p.Name)
		}
	}
	d, err := s.document(ctx, tx, r.DocumentID)
	if err != nil {
		return err
	}
	page, err := s.page(ctx, tx, act, r, paper.Version{}, d.SignedAt)
	if err != nil {
		return err
	}
	r.Changed = changed(d.Measured, s.Press.Measured(page))
	return nil
}

func (s *Service) blank(act paper.Act) *Report {
	return &Report{EncounterID: act.EncounterID, PatientID: act.PatientID, AuthorID: act.AuthorID, OrganizationID: act.OrganizationID, Status: Draft}
}

// Write keeps the text of a draft. edit is the version that the writer saw (0: nothing was written yet);
// it fails as Conflict "changed-meanwhile" when it is no longer the last, and as Conflict "report-signed"
// once signed.
func (s *Service) Write(ctx context.Context, id care.EncounterID, text Text, edit int64) (*Report, error) {
	if err := fault.Fields(typography.Check(&text)...); err != nil {
		return nil, err
	}
	if err := text.tooLong(); err != nil {
		return nil, err
	}
	var r *Report
	err := s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		act, err := s.author(ctx, id, "report.write")
		if err != nil {
			return err
		}
		if err := lockReport(tx, id); err != nil {
			return err
		}
		r, err = s.load(ctx, tx, id)
		now := s.Clock.Now()
		fresh := fault.KindOf(err) == fault.NotFound
		if fresh {
			r, err = s.blank(act), nil
			r.ID, r.At = care.NewID(now), now
		}
		switch {
		case err != nil:
			return err
		case r.Status == Signed:
			return fault.New(fault.Conflict, "report-signed")
		case r.Edit != edit:
			return fault.New(fault.Conflict, "changed-meanwhile")
		}
		r.Text, r.ChangedAt = text, now
		r.Edit++
		if err := s.keep(ctx, tx, r, fresh); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "report.write", Object: "report/" + string(id), Patient: r.PatientID})
	})
	if _, twice := store.Duplicate(err); twice {
		return nil, fault.New(fault.Conflict, "changed-meanwhile")
	}
	return r, err
}
