package consent

import (
	"context"
	"crypto/ed25519"
	"fmt"

	"visavis/internal/audit"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"
)

// Proof is a record as it can be shown to a court or to the CNAM, away from
// the platform: see Verify.
type Proof struct {
	Bundle []byte // canonical JSON
	JWS    string // detached
}

// Proofs gives the proofs of an act, oldest first, to whom may see them. The
// access is audited.
func (s *Service) Proofs(ctx context.Context, id care.AppointmentID) (proofs []Proof, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		act, err := s.act(ctx, id, "consent.read")
		if err == nil {
			err = s.mayProve(ctx, id, act)
		}
		if err != nil {
			return err
		}
		rows, err := sealedOfAct(tx, id)
		if err != nil {
			return err
		}
		proofs = make([]Proof, 0, len(rows))
		for _, r := range rows {
			raw, err := s.Keeper.Open(ctx, tx, act.PatientID, place(care.ConsentID(r.ID)), r.Bundle)
			if err != nil {
				return err
			}
			proofs = append(proofs, Proof{raw, r.JWS})
		}
		return s.Audit.Append(ctx, tx, audit.Entry{Action: "consent.read", Object: "appointment/" + string(id), Patient: act.PatientID})
	})
	return proofs, err
}

// VerifyAll checks every record: the signature, the chain of each act, that the
// columns say what the bundle says, and that the last record of each act is the
// one its head names. It returns how many it checked. The
// bundles of a destroyed file no longer open; their chain is checked all the same.
func (s *Service) VerifyAll(ctx context.Context) (n int, err error) {
	key := s.Signer.Private().Public().(ed25519.PublicKey)
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		var last Record
		newest := map[care.AppointmentID]Record{}
		err := eachRow(tx, func(r row) error {
			n++
			rec := r.record()
			newest[rec.AppointmentID] = rec
			if rec.AppointmentID != last.AppointmentID {
				last = Record{}
			}
			raw, err := s.Keeper.Open(ctx, tx, rec.PatientID, place(rec.ID), r.Bundle)
			switch {
			case fault.KindOf(err) == fault.Gone:
				err = nil
			case err == nil:
				err = same(raw, r, last, key)
			}
			if err == nil && rec.Seq != last.Seq+1 {
				err = fmt.Errorf("%w: record %d is missing", ErrNotGenuine, last.Seq+1)
			}
			last = rec
			if err != nil {
				return fmt.Errorf("consent %s: %w", rec.ID, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
		return checkHeads(tx, newest)
	})
	return n, err
}

// checkHeads compares the last record of each act with the one its head names,
// whose own MAC VerifyRows checks.
func checkHeads(tx *store.Tx, newest map[care.AppointmentID]Record) error {
	err := eachHead(tx, func(h headRow) error {
		id := care.AppointmentID(h.AppointmentID)
		r := newest[id]
		delete(newest, id)
		if int64(r.Seq) != h.Seq || r.Hash != h.Hash || string(r.State) != h.State {
			return fmt.Errorf("consent of appointment %s: %w: record %d, the last one, is missing or was changed", id, ErrNotGenuine, h.Seq)
		}
		return nil
	})
	for id := range newest {
		if err == nil {
			err = fmt.Errorf("consent of appointment %s: %w: nothing says which record is the last", id, ErrNotGenuine)
		}
	}
	return err
}

func same(raw []byte, r row, last Record, key ed25519.PublicKey) error {
	if err := genuine(raw, r, key); err != nil {
		return err
	}
	if b, err := Verify(raw, r.JWS, key); err != nil || b.Previous != last.Hash {
		return fmt.Errorf("%w: the row or the chain does not say what was signed", ErrNotGenuine)
	}
	return nil
}

// genuine checks that a row says what was signed.
func genuine(raw []byte, r row, key ed25519.PublicKey) error {
	b, err := Verify(raw, r.JWS, key)
	if err != nil {
		return err
	}
	rec := r.record()
	if hash(raw) != rec.Hash || b.ID != rec.ID || b.AppointmentID != rec.AppointmentID || b.Sequence != rec.Seq ||
		b.Decision != rec.State || b.At != instant(rec.At) || b.Patient.ID != rec.PatientID || b.Ground != rec.Ground || b.Channel != rec.Channel ||
		b.Actor.Role != rec.By || b.Text != (BundleText{rec.TextID, rec.Purpose, rec.Version, rec.Language, rec.SHA256}) {
		return fmt.Errorf("%w: the row or the chain does not say what was signed", ErrNotGenuine)
	}
	return nil
}
