package prescriptions

import (
	"context"
	"encoding/json"
	"fmt"

	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/seal"
	"visavis/internal/store"
)

type dispensingRow struct {
	ID             string
	PrescriptionID string
	SetID          string
	Number         int64
	PharmacistID   string
	OrganizationID string
	Status         string
	Content        []byte
	At             int64
	ChangedAt      int64
	store.Guarded
}

func (dispensingRow) TableName() string { return "prescription_dispensings" }

func handedPlace(id string) seal.Place {
	return seal.Place{Table: "prescription_dispensings", Column: "content", Row: id}
}

func (s *Service) sealHanded(ctx context.Context, tx *store.Tx, patient care.PatientID, d Dispensing) ([]byte, error) {
	raw, err := json.Marshal(d.Handed)
	if err != nil {
		return nil, fmt.Errorf("prescriptions: dispensing: %w", err)
	}
	return s.Keeper.Seal(ctx, tx, patient, handedPlace(d.ID), raw)
}

// insertDispensing writes an entry; two with one number are refused by the database whatever the locks.
func (s *Service) insertDispensing(ctx context.Context, tx *store.Tx, patient care.PatientID, d Dispensing) error {
	content, err := s.sealHanded(ctx, tx, patient, d)
	if err != nil {
		return err
	}
	err = tx.G().Create(&dispensingRow{
		ID: d.ID, PrescriptionID: string(d.PrescriptionID), SetID: d.SetID, Number: int64(d.Number), PharmacistID: string(d.PharmacistID),
		OrganizationID: string(d.OrganizationID), Status: string(d.Status), Content: content, At: store.Micros(d.At), ChangedAt: store.Micros(d.ChangedAt),
	}).Error
	if _, dup := store.Duplicate(err); dup {
		return fault.New(fault.Conflict, "dispensed-meanwhile").Because(err)
	}
	return err
}

func (s *Service) updateDispensing(ctx context.Context, tx *store.Tx, patient care.PatientID, d Dispensing) error {
	content, err := s.sealHanded(ctx, tx, patient, d)
	if err != nil {
		return err
	}
	return tx.G().Model(&dispensingRow{}).Where("id = ?", d.ID).Updates(map[string]any{
		"status": string(d.Status), "content": content, "changed_at": store.Micros(d.ChangedAt),
	}).Error
}

// history loads the entries of a prescription, and apart those of the versions it replaces.
func (s *Service) history(ctx context.Context, tx *store.Tx, p *Prescription) error {
	var rows []dispensingRow
	if err := tx.G().Where("set_id = ?", p.SetID).Order("at, number, id").Find(&rows).Error; err != nil {
		return err
	}
	p.Dispensings, p.Before = nil, nil
	for _, r := range rows {
		d := Dispensing{ID: r.ID, PrescriptionID: care.PrescriptionID(r.PrescriptionID), SetID: r.SetID, Number: int(r.Number), PharmacistID: care.StaffID(r.PharmacistID),
			OrganizationID: care.OrganizationID(r.OrganizationID), Status: Record(r.Status), At: store.Time(r.At), ChangedAt: store.Time(r.ChangedAt)}
		raw, err := s.Keeper.Open(ctx, tx, p.PatientID, handedPlace(r.ID), r.Content)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(raw, &d.Handed); err != nil {
			return fmt.Errorf("prescriptions: dispensing: %w", err)
		}
		if d.PrescriptionID == p.ID {
			p.Dispensings = append(p.Dispensings, d)
		} else {
			p.Before = append(p.Before, d)
		}
	}
	return nil
}

func (s *Service) byDocument(ctx context.Context, tx *store.Tx, id care.DocumentID) (*Prescription, error) {
	var r row
	if err := tx.G().Where("document_id = ? AND document_id <> ''", string(id)).Take(&r).Error; err != nil {
		return nil, store.Missing(err)
	}
	return s.fromRow(ctx, tx, r)
}
