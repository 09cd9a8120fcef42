package documents

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/profession"
	"visavis/internal/seal"
	"visavis/internal/store"
)

// ErrDamaged says that a stored document is not what was signed.
var ErrDamaged = errors.New("documents: not what was signed")

// List gives the documents of a patient, the newest first. An empty patient means the one who asks.
func (s *Service) List(ctx context.Context, patient care.PatientID) ([]*Document, error) {
	if patient == "" {
		patient = authz.From(ctx).PatientID
	}
	if patient == "" {
		return nil, fault.Fields(fault.Field{Name: "patientId", Code: "required"})
	}
	var list []*Document
	err := s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		rel, err := s.relation(ctx, patient, "")
		if err != nil {
			return err
		}
		if err := s.Table.Can(authz.From(ctx), "document.list", rel); err != nil {
			return err
		}
		if list, err = s.ofPatient(ctx, tx, patient); err != nil {
			return err
		}
		if list, err = notSecret(ctx, s, list, actOfDocument); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "document.list", Object: "patient/" + string(patient), Patient: patient})
	})
	return list, err
}

// notSecret takes what belongs to confidential acts out of what a patient's session sees;
// of gives the act and the patient of one thing.
func notSecret[T any](ctx context.Context, s *Service, list []T, of func(T) (care.EncounterID, care.PatientID)) ([]T, error) {
	if authz.From(ctx).Role != care.Patient {
		return list, nil
	}
	out := make([]T, 0, len(list))
	for _, x := range list {
		act, patient := of(x)
		secret, err := s.Secrecy.Confidential(ctx, act, patient)
		if err != nil {
			return nil, err
		}
		if !secret {
			out = append(out, x)
		}
	}
	return out, nil
}

func actOfDocument(d *Document) (care.EncounterID, care.PatientID) { return d.EncounterID, d.PatientID }

// open loads a document for the actor of ctx.
func (s *Service) open(ctx context.Context, tx *store.Tx, id care.DocumentID, action authz.Action) (*Document, error) {
	d, err := s.document(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	rel, err := s.relation(ctx, d.PatientID, d.AuthorID)
	if err != nil {
		return nil, err
	}
	if err := s.Table.Can(authz.From(ctx), action, rel); err != nil {
		return nil, err
	}
	list, err := notSecret(ctx, s, []*Document{d}, actOfDocument)
	if err == nil && len(list) == 0 {
		err = fault.Missing()
	}
	return d, err
}

// Open gives the files of a document, checked against what was signed, and writes who opened it.
func (s *Service) Open(ctx context.Context, id care.DocumentID) (*Document, Files, error) {
	var d *Document
	var f Files
	err := s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if d, err = s.open(ctx, tx, id, "document.read"); err != nil {
			return err
		}
		if f, err = s.files(ctx, tx, d); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "document.read", Object: "document/" + string(id), Patient: d.PatientID})
	})
	return d, f, err
}

func (s *Service) files(ctx context.Context, tx *store.Tx, d *Document) (f Files, err error) {
	if f.CDA, err = s.Keeper.GetBlob(ctx, tx, d.PatientID, d.cdaBlob); err != nil {
		return Files{}, err
	}
	if f.PDF, err = s.Keeper.GetBlob(ctx, tx, d.PatientID, d.pdfBlob); err != nil {
		return Files{}, err
	}
	xml, pdf := sha256.Sum256(f.CDA), sha256.Sum256(f.PDF)
	if !bytes.Equal(xml[:], d.cdaHash) || !bytes.Equal(pdf[:], d.pdfHash) || !s.Signer.Verify(d.statement(), d.signature, d.keyID) {
		s.Keeper.Alarm(seal.Broken{File: d.pdfBlob, Patient: d.PatientID, Code: "file-damaged"})
		return Files{}, seal.FileDamaged().Because(fmt.Errorf("%w: %s", ErrDamaged, d.ID))
	}
	return f, nil
}

// Facts gives a document to another module, which answers for who asks.
func (s *Service) Facts(ctx context.Context, id care.DocumentID) (d *Document, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		d, err = s.document(ctx, tx, id)
		return err
	})
	return d, err
}

// Files gives the files of a document to another module, which answers for who gets them.
func (s *Service) Files(ctx context.Context, id care.DocumentID) (f Files, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		d, err := s.document(ctx, tx, id)
		if err != nil {
			return err
		}
		f, err = s.files(ctx, tx, d)
		return err
	})
	return f, err
}

// accessWord says an action in the words of the page; empty for what the patient need not be told.
func accessWord(a authz.Action) string {
	switch a {
	case "document.read":
		return "download"
	case "report.sign", "prescription.sign":
		return "sign"
	case "prescription.verify":
		return "read"
	case "prescription.dispense", "prescription.undispense":
		return "dispense"
	case "delivery.send":
		return "send"
	}
	return ""
}

// Accesses tells who did what with a document, the newest first (product I3, I4).
func (s *Service) Accesses(ctx context.Context, id care.DocumentID) ([]Access, error) {
	var out []Access
	err := s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		out = nil
		d, err := s.open(ctx, tx, id, "document.accesses")
		if err != nil {
			return err
		}
		lines, err := s.Audit.About(ctx, tx, "document/"+string(id))
		if err != nil {
			return err
		}
		for i := len(lines) - 1; i >= 0; i-- {
			l := lines[i]
			word := accessWord(l.Action)
			if word == "" || l.Outcome == audit.Refused {
				continue
			}
			name, as, err := s.Names.Name(ctx, l.Role, l.Actor)
			if err != nil && fault.KindOf(err) != fault.NotFound {
				return err
			}
			out = append(out, Access{At: l.At, Who: name, Word: cmp.Or(as, profession.WordOf("", l.Role)), Action: word})
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "document.accesses", Object: "document/" + string(id), Patient: d.PatientID})
	})
	return out, err
}

// Verify reads every stored document and checks it against what was signed. It returns how many it read;
// the error joins every document that is not as it was, and wraps ErrDamaged. A patient whose key was
// destroyed has nothing left to check.
func (s *Service) Verify(ctx context.Context) (int, error) {
	n := 0
	var damaged []error
	err := s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		ids, err := everyID(tx)
		if err != nil {
			return err
		}
		for _, id := range ids {
			d, err := s.document(ctx, tx, id)
			if err == nil {
				_, err = s.files(ctx, tx, d)
			}
			switch {
			case err == nil:
				n++
			case fault.KindOf(err) == fault.Gone:
			default:
				damaged = append(damaged, fmt.Errorf("%w: document %s: %w", ErrDamaged, id, err))
			}
		}
		return nil
	})
	return n, errors.Join(append(damaged, err)...)
}

// CheckFiles looks whether the files of every document and photo are there, without reading them. What is
// missing is alarmed about by the keeper; it returns how many are.
func (s *Service) CheckFiles(ctx context.Context) (missing int, err error) {
	var files []blobOf
	err = s.DB.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		files, err = everyBlob(tx)
		return err
	})
	for _, f := range files {
		there, checkErr := s.Keeper.CheckBlob(f.patient, f.blob)
		err = errors.Join(err, checkErr)
		if checkErr == nil && !there {
			missing++
		}
		if ctx.Err() != nil {
			return missing, ctx.Err()
		}
	}
	return missing, err
}
