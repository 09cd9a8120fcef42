package documents

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/cda"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/lang"
	"visavis/internal/paper"
	"visavis/internal/profession"
	"visavis/internal/sheet"
	"visavis/internal/store"
	"visavis/internal/typography"
)

// typeReport is the LOINC code of a telemedicine report.
const typeReport = "85208-7"

// How long, and how often, Await asks.
const (
	awaitFor   = 4 * time.Second
	awaitEvery = 100 * time.Millisecond
)

// Await waits until an act that ended is settled, so that its report says what its
// call told last; at most 4 s, then it fails as Conflict "act-not-settled". It
// does not wait for an act that goes on or does not exist: Sign refuses that. Call
// it outside any transaction.
func (s *Service) Await(ctx context.Context, id care.EncounterID) error {
	ctx, cancel := context.WithTimeout(ctx, awaitFor)
	defer cancel()
	every := time.NewTicker(awaitEvery)
	defer every.Stop()
	for {
		settling, err := s.Acts.Settling(ctx, id)
		if err == nil && !settling || err != nil && fault.KindOf(err) == fault.NotFound {
			return nil
		}
		select {
		case <-ctx.Done():
			return fault.New(fault.Conflict, "act-not-settled").Because(err)
		case <-every.C:
		}
	}
}

// Sign freezes the report of a finished act: files, hashes and signature, the audit row and the fact are
// written together or not at all. edit is the version that the signer saw. It fails as Conflict
// ("report-signed", "act-not-finished", "changed-meanwhile"), as Invalid, naming the fields, or, when nothing else is wrong, as
// Forbidden (authz.MaySign).
func (s *Service) Sign(ctx context.Context, id care.EncounterID, edit int64) (*Document, error) {
	var d *Document
	err := s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		act, err := s.author(ctx, id, "report.sign")
		if err != nil {
			return err
		}
		if err := lockReport(tx, id); err != nil {
			return err
		}
		r, err := s.load(ctx, tx, id)
		switch {
		case fault.KindOf(err) == fault.NotFound:
			return fault.Fields(Text{}.missing()...)
		case err != nil:
			return err
		case r.Status == Signed:
			return fault.New(fault.Conflict, "report-signed")
		case r.Edit != edit:
			return fault.New(fault.Conflict, "changed-meanwhile")
		case !act.Finished:
			return fault.New(fault.Conflict, "act-not-finished")
		}
		f, err := s.compose(ctx, tx, act, r)
		if err == nil {
			err = authz.MaySign(ctx, s.Clock.Now()) // last: nobody proves who they are for a report that cannot be signed
		}
		if err != nil {
			return err
		}
		if d, err = s.file(ctx, tx, f); err != nil {
			return err
		}
		r.Status, r.DocumentID, r.Number, r.ChangedAt = Signed, d.ID, d.Number, d.SignedAt
		r.Edit++
		if err := s.keep(ctx, tx, r, false); err != nil {
			return err
		}
		if err := s.Audit.Append(ctx, tx, audit.Entry{Action: "report.sign", Object: "document/" + string(d.ID), Patient: d.PatientID,
			Detail: map[string]string{"cda": hex.EncodeToString(d.cdaHash), "pdf": hex.EncodeToString(d.pdfHash)}}); err != nil {
			return err
		}
		return s.Bus.Publish(ctx, tx, events.ReportSigned, string(d.ID), events.Document{
			DocumentID: d.ID, EncounterID: d.EncounterID, PatientID: d.PatientID, AuthorID: d.AuthorID, Version: d.Number, ReplacesID: d.ReplacesID})
	})
	return d, err
}

// compose makes the two files of a report, or names what is wrong.
func (s *Service) compose(ctx context.Context, tx *store.Tx, act paper.Act, r *Report) (paper.Filing, error) {
	missing := r.missing()
	if refused := typography.Check(&r.Text); len(refused) > 0 { // a draft saved before this check existed
		return paper.Filing{}, fault.Fields(append(missing, refused...)...)
	}
	now := s.Clock.Now()
	v := paper.Version{ID: care.NewID(now), Set: r.ID, Number: r.Number + 1}
	if r.Number > 0 {
		last, err := s.document(ctx, tx, r.DocumentID)
		if err != nil {
			return paper.Filing{}, err
		}
		v.Replaces, v.ReplacedOn = string(last.ID), act.Local(last.SignedAt)
	}
	title := s.say("title.report", nil)
	h, err := act.Header(v, title, now)
	if err != nil {
		return paper.Filing{}, fmt.Errorf("documents: %w", err)
	}
	page, err := s.page(ctx, tx, act, r, v, now)
	if err != nil {
		return paper.Filing{}, err
	}
	f := paper.Filing{Act: act, Version: v, Kind: string(KindReport), TypeCode: typeReport, Title: title, SignedAt: now, Measured: s.Press.Measured(page)}
	if f.PDF, err = s.Press.Report(page); err != nil {
		return f, err
	}
	report := cda.Report{Header: h, Act: ngap(act.Author.Specialty), PDF: f.PDF}
	if problems := append(missing, paper.Fields(report.Check(), nil)...); len(problems) > 0 {
		return f, fault.Fields(problems...)
	}
	f.CDA, err = cda.BuildTeleconsultationReport(report)
	return f, err
}

// ngap is the act of the national nomenclature: TCG for general practice, TC for the other specialties
// (UNCAM decision of 18 July 2019 and its follow-ups; NGAP art. 14.9.3). Both are acts of a physician, and
// the value set has none of a dentist or a midwife: internal/cda keeps the label of TC from calling them one.
func ngap(specialty string) string {
	switch specialty {
	case "G15_10/SM26", "G15_10/SM53", "G15_10/SM54", "G15_10":
		return "TCG"
	}
	return "TC"
}

// page is the printed report: what was written, and what the act itself tells (CSP R6316-4).
func (s *Service) page(ctx context.Context, tx *store.Tx, act paper.Act, r *Report, v paper.Version, now time.Time) (sheet.Report, error) {
	p := sheet.Report{
		Kind: "teleconsultation", ID: v.ID, Author: act.SheetAuthor(), Patient: act.SheetPatient(), Start: act.Local(act.Start), End: act.Local(act.End),
		RequestedBy: act.ReferringName, IdentityCheck: act.IdentityCheck, Consent: act.ConsentText,
		Motive: r.Motive, Content: r.Text.Text, Conclusion: r.Conclusion, FollowUp: r.FollowUp,
		Version: sheet.Version{Number: v.Number, ReplacedOn: v.ReplacedOn}, Signature: sheet.Signature{Name: act.AuthorName(), At: act.Local(now)},
	}
	for _, x := range act.People {
		p.Presences = append(p.Presences, sheet.Presence{Name: x.Name, Role: s.roleOf(act, x), Spans: s.spans(act, x.Stays)})
	}
	for _, x := range act.Devices {
		what := s.say("device.of", lang.Args{"name": x.Owner})
		p.Presences = append(p.Presences, sheet.Presence{Name: x.Name, Role: what, Spans: s.spans(act, x.Stays)})
	}
	for _, i := range act.Incidents {
		p.Incidents = append(p.Incidents, sheet.Incident{At: act.Local(i.At), Text: i.Text})
	}
	// Seconds that a process of ours had not told when it died are lost: that none is
	// known then does not prove that there was none.
	p.Video = sheet.Video{Measured: act.VideoSeconds > 0 || !act.Unmeasured, Seconds: act.VideoSeconds}
	var err error
	if p.Stills, err = s.photos(tx, act); err != nil {
		return p, err
	}
	if act.ReferringName != "" {
		p.Recipients = append(p.Recipients, act.ReferringName)
	}
	if act.Patient.INS != nil {
		p.Recipients = append(p.Recipients, s.say("recipient.patient", nil))
	}
	filed, err := s.ofEncounter(ctx, tx, act.EncounterID)
	for _, d := range filed {
		if d.Kind == KindPrescription && d.State == Current {
			p.Prescriptions = append(p.Prescriptions, strings.TrimSpace(d.Title+" "+d.Detail))
		}
	}
	return p, err
}

// roleOf says what somebody was in the act: a patient by the sex on file, a professional as the nomenclature
// calls the profession (TRE_G15), whose civility nobody keeps.
func (s *Service) roleOf(act paper.Act, x paper.Person) string {
	if x.Role == care.Patient && act.Patient.Sex == "F" {
		return s.say("role.patient.F", nil)
	}
	return s.say("role."+string(profession.WordOf(x.Profession, x.Role)), nil)
}

// spans says each stay, and how it ended when that is proven.
func (s *Service) spans(act paper.Act, stays []paper.Stay) []sheet.Span {
	out := make([]sheet.Span, 0, len(stays))
	for _, x := range stays {
		note := ""
		switch {
		case x.Assumed:
			note = s.say("presence.assumed", nil)
		case x.How != "":
			note = s.say("left."+x.How, nil)
		}
		out = append(out, sheet.Span{From: act.Local(x.From), To: act.Local(x.To), Note: note})
	}
	return out
}

// statement is what the platform signs of a document; its form never changes.
func (d *Document) statement() []byte {
	return fmt.Appendf(nil, "visavis document 1\n%s\n%s\n%d\n%s\n%s\n%d\n%x\n%x\n",
		d.ID, d.SetID, d.Number, d.AuthorID, d.PatientID, store.Micros(d.SignedAt), d.cdaHash, d.pdfHash)
}

// file keeps a signed document and marks the one that it replaces. Its files are durable before the row.
func (s *Service) file(ctx context.Context, tx *store.Tx, f paper.Filing) (*Document, error) {
	act := f.Act
	d := &Document{
		ID: care.DocumentID(f.Version.ID), SetID: f.Version.Set, Number: f.Version.Number, Kind: Kind(f.Kind), State: Current, PatientID: act.PatientID,
		AuthorID: act.AuthorID, EncounterID: act.EncounterID, AppointmentID: act.AppointmentID, OrganizationID: act.OrganizationID,
		ReplacesID: care.DocumentID(f.Version.Replaces), SignedAt: store.Time(store.Micros(f.SignedAt)),
		Meta: Meta{TypeCode: f.TypeCode, Title: f.Title, Detail: f.Detail, AuthorName: act.AuthorName(), AuthorTitle: act.AuthorQuality, Confidential: "N", Measured: f.Measured},
	}
	now := s.Clock.Now()
	d.cdaBlob, d.pdfBlob = care.NewID(now), care.NewID(now)
	for _, x := range []struct {
		blob string
		data []byte
		hash *[]byte
	}{{d.cdaBlob, f.CDA, &d.cdaHash}, {d.pdfBlob, f.PDF, &d.pdfHash}} {
		sum := sha256.Sum256(x.data)
		*x.hash = sum[:]
		if err := s.Keeper.PutBlob(ctx, tx, d.PatientID, x.blob, x.data); err != nil {
			return nil, err
		}
	}
	d.signature, d.keyID = s.Signer.Sign(d.statement())
	if err := s.insert(ctx, tx, d); err != nil {
		return nil, err
	}
	if d.ReplacesID == "" {
		return d, nil
	}
	return d, setState(tx, d.ReplacesID, Replaced)
}

// File keeps a document signed by another module, in the transaction of ctx. That module checked who asks
// and writes the audit row and the fact.
func (s *Service) File(ctx context.Context, f paper.Filing) error {
	return s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := s.file(ctx, tx, f)
		return err
	})
}

// Cancel marks a document as cancelled, in the transaction of ctx, for the module that signed it.
func (s *Service) Cancel(ctx context.Context, id care.DocumentID) error {
	return s.DB.Tx(ctx, func(_ context.Context, tx *store.Tx) error { return setState(tx, id, Cancelled) })
}

// Replace opens the report of a signed document again: what is signed next replaces it. The document
// itself stays as it is. Only the last version of a report can be replaced.
func (s *Service) Replace(ctx context.Context, id care.DocumentID) (*Report, error) {
	var r *Report
	err := s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		d, err := s.document(ctx, tx, id)
		if err != nil {
			return err
		}
		if _, err := s.author(ctx, d.EncounterID, "report.replace"); err != nil {
			return err
		}
		if d.Kind != KindReport || d.State != Current {
			return fault.New(fault.Conflict, "document-not-current")
		}
		if err := lockReport(tx, d.EncounterID); err != nil {
			return err
		}
		if r, err = s.load(ctx, tx, d.EncounterID); err != nil {
			return err
		}
		if r.Status == Draft {
			return nil // open already
		}
		r.Status, r.ChangedAt = Draft, s.Clock.Now()
		r.Edit++
		if err := s.keep(ctx, tx, r, false); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "report.replace", Object: "document/" + string(id), Patient: d.PatientID})
	})
	return r, err
}
