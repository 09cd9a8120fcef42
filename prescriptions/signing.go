package prescriptions

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/cda"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/lang"
	"visavis/internal/medicines"
	"visavis/internal/paper"
	"visavis/internal/sheet"
	"visavis/internal/store"
)

// Sign freezes a draft: it is checked, printed, coded and filed, what it replaces is marked, and the audit
// row and the fact are written, together or not at all. edit is the version that the signer has read:
// nobody signs lines changed meanwhile in another tab. It fails as Conflict ("prescription-signed",
// "changed-before-signing", "act-not-started", "prescription-not-current" when what it replaces was
// cancelled meanwhile), as Invalid, naming the fields, or, when nothing else is wrong, as Forbidden
// (authz.MaySign). Asked twice, it signs once.
func (s *Service) Sign(ctx context.Context, id care.PrescriptionID, edit int64) (*Prescription, error) {
	return s.change(ctx, id, "prescription.sign", func(ctx context.Context, tx *store.Tx, act paper.Act, p *Prescription) error {
		if p.Status != Draft {
			return fault.New(fault.Conflict, "prescription-signed")
		}
		if p.Edit != edit {
			return fault.New(fault.Conflict, "changed-before-signing")
		}
		if !act.Started {
			return fault.New(fault.Conflict, "act-not-started")
		}
		old, err := s.replaced(ctx, tx, p)
		if err != nil {
			return err
		}
		said, err := s.declared(ctx, p.EncounterID)
		if err != nil {
			return err
		}
		if err := s.recordDeclared(ctx, tx, act, said); err != nil {
			return err
		}
		f, err := s.compose(act, p, old, said)
		if err == nil {
			err = authz.MaySign(ctx, s.Clock.Now()) // last: nobody proves who they are for lines that cannot be signed
		}
		if err != nil {
			return err
		}
		if err := s.Filer.File(ctx, f); err != nil {
			return err
		}
		p.to(Signed)
		p.Edit++
		if err := s.update(ctx, tx, p); err != nil {
			return err
		}
		if err := s.Audit.Append(ctx, tx, audit.Entry{Action: "prescription.sign", Object: "document/" + string(p.DocumentID), Patient: p.PatientID}); err != nil {
			return err
		}
		fact := events.Document{DocumentID: p.DocumentID, EncounterID: p.EncounterID, PatientID: p.PatientID, AuthorID: p.AuthorID, Version: p.Number}
		if old != nil {
			fact.ReplacesID = old.DocumentID
		}
		return s.Bus.Publish(ctx, tx, events.PrescriptionIssued, string(p.DocumentID), fact)
	})
}

// replaced marks the version that p replaces; nil when p is the first.
func (s *Service) replaced(ctx context.Context, tx *store.Tx, p *Prescription) (*Prescription, error) {
	if p.ReplacesID == "" {
		return nil, nil
	}
	if err := lock(tx, p.ReplacesID); err != nil {
		return nil, err
	}
	old, err := s.load(ctx, tx, p.ReplacesID)
	if err != nil {
		return nil, err
	}
	if !old.to(Replaced) {
		return nil, fault.New(fault.Conflict, "prescription-not-current")
	}
	old.ChangedAt = s.Clock.Now()
	old.Edit++
	return old, s.update(ctx, tx, old)
}

// compose fills in what signing gives p and makes its two files, or names what is wrong.
func (s *Service) compose(act paper.Act, p, old *Prescription, said Declared) (paper.Filing, error) {
	now := s.Clock.Now()
	issued := act.Local(now)
	rules, err := rulesOn(issued)
	if err != nil {
		return paper.Filing{}, err
	}
	lines, wrong, index := p.Lines, []fault.Field(nil), s.Medicines.Current()
	if p.Category == Medicines {
		lines, wrong = complete(stated(p.Lines, index), index, s.words)
		lines = withINN(lines, s.base(index))
		named, unread := withRegulated(lines, s.table)
		lines, wrong = named, append(wrong, unread...)
	}
	lines = slices.Clone(lines)
	wrong = append(wrong, unprintable(lines)...)
	wrong = append(append(wrong, check(p.Category, lines, rules)...), mentions(p, lines, act.Patient.BirthDate, issued, rules, s.table)...)
	for _, q := range s.examine(p.Category, lines, index, issued, said) {
		if q.refuses {
			wrong = append(wrong, q.Field)
		}
	}
	may, err := mayPrescribe(act, p, lines, index, issued)
	if err != nil {
		return paper.Filing{}, err
	}
	if wrong = append(wrong, may...); len(wrong) > 0 {
		return paper.Filing{}, fault.Fields(wrong...)
	}
	p.Lines = lines
	first, last := window(p.Category, lines, issued, rules)
	if !last.IsZero() {
		p.ValidUntil = last.AddDate(0, 0, 1)
	}
	code := newCode()
	p.PublicID, p.codeHash = newPublicID(), s.hashCode(code, newSalt())
	p.DocumentID, p.SignedAt, p.ChangedAt = care.DocumentID(care.NewID(now)), now, now
	who := act.SheetPatient()
	p.Frozen = Frozen{Number: newCode(), Prescriber: act.AuthorName(), Quality: act.AuthorQuality, RPPS: act.Author.RPPS,
		Organization: act.Author.Organization.Name, Initials: initials(who.Given, who.Family)}
	if !first.IsZero() {
		p.Frozen.FirstBy = first.AddDate(0, 0, 1)
	}
	v := paper.Version{ID: string(p.DocumentID), Set: p.SetID, Number: p.Number}
	if old != nil {
		v.Replaces, v.ReplacedOn = string(old.DocumentID), act.Local(old.SignedAt)
	}
	_, typeCode, _ := p.Category.form()
	f := paper.Filing{Act: act, Version: v, Kind: "prescription", TypeCode: typeCode, Title: s.words.T("fr", "title."+string(p.Category), nil),
		Detail: s.words.T("fr", "number", lang.Args{"number": p.Frozen.Number}), SignedAt: now}
	if f.PDF, err = s.print(act, p, v, first, code); err != nil {
		return f, err
	}
	f.CDA, err = s.code(act, p, f, last, index)
	return f, err
}

// print makes the sheet; the code is on it and nowhere else.
func (s *Service) print(act paper.Act, p *Prescription, v paper.Version, first time.Time, code string) ([]byte, error) {
	kind, _, _ := p.Category.form()
	who := act.SheetPatient()
	if p.WeightKg > 0 {
		who.Weight = strings.Replace(decimal(p.WeightKg), ".", ",", 1)
	}
	if p.HeightCm > 0 {
		who.Height = strconv.Itoa(p.HeightCm)
	}
	return s.Press.Prescription(sheet.Prescription{
		Kind: kind, ID: string(p.DocumentID), Number: p.Frozen.Number, IssuedAt: act.Local(p.SignedAt), ValidUntil: first, Prescriber: act.SheetAuthor(), Patient: who,
		Lines: printed(p.Category, p.Lines, s.words), Version: sheet.Version{Number: v.Number, ReplacedOn: v.ReplacedOn},
		Signature: sheet.Signature{Name: act.AuthorName(), At: act.Local(p.SignedAt)}, Verify: sheet.Verification{URL: s.url(p.PublicID), Code: code},
	})
}

// code makes the CDA document: structured for medicines and devices, the PDF inside for the others.
func (s *Service) code(act paper.Act, p *Prescription, f paper.Filing, last time.Time, index *medicines.Index) ([]byte, error) {
	h, err := act.Header(f.Version, f.Title, p.SignedAt)
	if err != nil {
		return nil, fmt.Errorf("prescriptions: %w", err)
	}
	if !p.Category.dispensable() {
		doc := cda.OtherPrescription{Header: h, Kind: f.TypeCode, PDF: f.PDF}
		if wrong := doc.Check(); len(wrong) > 0 {
			return nil, fault.Fields(paper.Fields(wrong, nil)...)
		}
		return cda.BuildOtherPrescription(doc)
	}
	number, err := cda.OIDFromUUID(string(p.ID))
	if err != nil {
		return nil, fmt.Errorf("prescriptions: %w", err)
	}
	issued := act.Local(p.SignedAt)
	ids := make([]string, len(p.Lines))
	for i := range ids {
		ids[i] = care.NewID(p.SignedAt)
	}
	doc := cda.MedicationPrescription{Header: h, Number: cda.ID{Root: number}, ValidFrom: issued.Format(time.DateOnly), ValidUntil: last.Format(time.DateOnly),
		SectionID: care.NewID(p.SignedAt), DevicesID: care.NewID(p.SignedAt), WeightID: care.NewID(p.SignedAt), CopyID: care.NewID(p.SignedAt), PDF: f.PDF}
	if p.Category == Device {
		doc.Devices = devices(p.Lines, issued, last, ids)
	} else {
		doc.Lines = coded(p.Lines, index, s.words, issued, ids)
	}
	if p.WeightKg > 0 {
		doc.Weight = decimal(p.WeightKg)
	}
	for _, l := range p.Lines {
		if l.ALD {
			doc.Flags = []string{"MED-1096"} // bizone
		}
	}
	if wrong := doc.Check(); len(wrong) > 0 {
		return nil, fault.Fields(paper.Fields(wrong, nil)...)
	}
	return cda.BuildMedicationPrescription(doc)
}
