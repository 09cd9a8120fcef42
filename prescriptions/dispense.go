package prescriptions

import (
	"context"
	"slices"
	"strconv"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/httpx"
	"visavis/internal/store"
)

// Pharmacies says who a pharmacist is; identity answers.
type Pharmacies interface {
	Pharmacist(ctx context.Context, id care.StaffID) (Pharmacist, error)
}

// atCounter runs one change about a genuine prescription whose sheet is in the hand of the caller, who
// proves it by the printed code: two changes of one prescription wait for each other.
func (s *Service) atCounter(ctx context.Context, public, code string, apply func(ctx context.Context, tx *store.Tx, p *Prescription) error) (*Prescription, error) {
	p, _, err := s.Open(ctx, public, code)
	if err != nil {
		return nil, err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if err = lock(tx, p.ID); err != nil {
			return err
		}
		if p, err = s.load(ctx, tx, p.ID); err != nil {
			return err
		}
		if err := s.history(ctx, tx, p); err != nil {
			return err
		}
		if err := apply(ctx, tx, p); err != nil {
			return err
		}
		return s.history(ctx, tx, p)
	})
	return p, err
}

// Dispense records what a pharmacist gives. seen counts the entries that the pharmacist has read: when two
// pharmacists dispense at once one wins, and the other is told by whom and when (Conflict
// "dispensed-meanwhile"). It fails as Conflict when the sheet no longer holds ("dispense-replaced",
// "dispense-cancelled", "dispense-expired", "first-dispensing-late"), is not for a pharmacy
// ("not-for-pharmacy") or was given in full ("already-dispensed"), or as Invalid, naming the fields.
func (s *Service) Dispense(ctx context.Context, public, code string, seen, renewal int, give []Given) (*Prescription, error) {
	a := authz.From(ctx)
	// The patient who hands the sheet over takes the pharmacist into the care team (CSP L1110-12, L1110-4):
	// the printed code, checked next, is the proof.
	if err := s.Table.Can(a, "prescription.dispense", authz.Team); err != nil {
		return nil, err
	}
	by, err := s.Pharmacies.Pharmacist(ctx, a.StaffID)
	if err != nil {
		return nil, err
	}
	return s.atCounter(ctx, public, code, func(ctx context.Context, tx *store.Tx, p *Prescription) error {
		now := s.Clock.Now()
		if err := p.holdsAtCounter(now); err != nil {
			return err
		}
		if len(p.Dispensings) != seen {
			return s.already(ctx, p, "dispensed-meanwhile")
		}
		if renewal < 0 || renewal > most(p.Lines) {
			return fault.Fields(fault.Field{Name: "renewal", Code: "renewal-too-many", Args: map[string]string{"n": strconv.Itoa(most(p.Lines))}})
		}
		lines, err := sum(p.Dispensings).admit(p.Lines, renewal, give)
		if fault.KindOf(err) == fault.Conflict && err != nil {
			return s.already(ctx, p, "already-dispensed")
		}
		if err != nil {
			return err
		}
		d := Dispensing{ID: care.NewID(now), PrescriptionID: p.ID, SetID: p.SetID, Number: len(p.Dispensings) + 1, PharmacistID: a.StaffID, OrganizationID: a.OrganizationID,
			Status: Recorded, At: now, ChangedAt: now, Handed: Handed{By: by, Renewal: renewal, Lines: lines}}
		if err := s.insertDispensing(ctx, tx, p.PatientID, d); err != nil {
			return err
		}
		return s.handed(ctx, tx, "prescription.dispense", p, map[string]string{"renewal": strconv.Itoa(renewal), "pharmacy": by.Pharmacy})
	})
}

// Withdraw takes back the last entry in force, made by mistake by the same pharmacy; it stays readable. It
// fails as NotFound for an entry of another pharmacy, as Conflict "not-the-last-dispensing" when another
// entry follows or it is withdrawn already.
func (s *Service) Withdraw(ctx context.Context, public, code, id, reason string) (*Prescription, error) {
	if reason == "" {
		return nil, fault.Fields(fault.Field{Name: "reason", Code: "required"})
	}
	return s.atCounter(ctx, public, code, func(ctx context.Context, tx *store.Tx, p *Prescription) error {
		a := authz.From(ctx)
		i := slices.IndexFunc(p.Dispensings, func(d Dispensing) bool { return d.ID == id })
		if i < 0 {
			return fault.Missing()
		}
		d := p.Dispensings[i]
		if err := s.Table.Can(a, "prescription.undispense", a.To(authz.Subject{StaffID: d.PharmacistID, OrganizationID: d.OrganizationID}, false)); err != nil {
			return err
		}
		later := slices.ContainsFunc(p.Dispensings[i+1:], func(d Dispensing) bool { return d.Status == Recorded })
		if later || !slices.Contains(correctable[d.Status], Withdrawn) {
			return fault.New(fault.Conflict, "not-the-last-dispensing")
		}
		d.Status, d.Mistake, d.ChangedAt = Withdrawn, reason, s.Clock.Now()
		if err := s.updateDispensing(ctx, tx, p.PatientID, d); err != nil {
			return err
		}
		return s.handed(ctx, tx, "prescription.undispense", p, map[string]string{"reason": reason})
	})
}

func (s *Service) handed(ctx context.Context, tx *store.Tx, action authz.Action, p *Prescription, detail map[string]string) error {
	return s.Audit.Append(ctx, tx, audit.Entry{Action: action, Object: "document/" + string(p.DocumentID), Patient: p.PatientID, Detail: detail})
}

// holdsAtCounter refuses what no pharmacy may dispense today.
func (p *Prescription) holdsAtCounter(now time.Time) error {
	if st := p.standing(now); st != StandsValid {
		return fault.New(fault.Conflict, "dispense-"+string(st))
	}
	if !p.Category.dispensable() {
		return fault.New(fault.Conflict, "not-for-pharmacy")
	}
	if first := p.Frozen.FirstBy; !first.IsZero() && now.After(first) && len(sum(p.Dispensings)) == 0 {
		return fault.New(fault.Conflict, "first-dispensing-late")
	}
	return nil
}

// already says by whom and on which day the prescription was dispensed last.
func (s *Service) already(ctx context.Context, p *Prescription, code string) error {
	if len(p.Dispensings) == 0 {
		return fault.New(fault.Conflict, code)
	}
	last := p.Dispensings[len(p.Dispensings)-1]
	return fault.New(fault.Conflict, code).With("pharmacy", last.By.Pharmacy).With("date", s.dates.Date(string(httpx.Language(ctx)), last.At.In(s.Zone)))
}

// DispensedState tells how far the prescription of a document was dispensed, when last and by which
// pharmacy; ok is false for what no pharmacy dispenses. It answers other modules, which answer for who asks.
func (s *Service) DispensedState(ctx context.Context, id care.DocumentID) (state Progress, at time.Time, pharmacy string, ok bool, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		p, err := s.byDocument(ctx, tx, id)
		if fault.KindOf(err) == fault.NotFound && err != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.history(ctx, tx, p); err != nil {
			return err
		}
		state, ok = sum(p.Dispensings).progress(p.Lines), p.Category.dispensable()
		for _, d := range p.Dispensings {
			if d.Status == Recorded {
				at, pharmacy = d.At, d.By.Pharmacy
			}
		}
		return nil
	})
	return state, at, pharmacy, ok, err
}
