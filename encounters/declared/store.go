package declared

import (
	"context"
	"encoding/json"
	"fmt"

	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/seal"
	"visavis/internal/store"
)

type declarationRow struct {
	AppointmentID string
	PatientID     string
	Content       []byte
	Version       int64
	ChangedAt     int64
}

func (declarationRow) TableName() string { return "declarations" }

func place(id care.AppointmentID) seal.Place {
	return seal.Place{Table: "declarations", Column: "content", Row: string(id)}
}

// load gives what was said, nothing when nobody said anything.
func (s *Service) load(ctx context.Context, tx *store.Tx, id care.AppointmentID) (Declaration, error) {
	var rows []declarationRow
	if err := tx.G().Where("appointment_id = ?", string(id)).Find(&rows).Error; err != nil || len(rows) == 0 {
		return Declaration{}, err
	}
	raw, err := s.Keeper.Open(ctx, tx, care.PatientID(rows[0].PatientID), place(id), rows[0].Content)
	if err != nil {
		return Declaration{}, err
	}
	var d Declaration
	if err := json.Unmarshal(raw, &d); err != nil {
		return d, fmt.Errorf("declared: content: %w", err)
	}
	d.Version = rows[0].Version
	return d, nil
}

func (s *Service) seal(ctx context.Context, tx *store.Tx, id care.AppointmentID, patient care.PatientID, d Declaration) ([]byte, error) {
	raw, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("declared: content: %w", err)
	}
	return s.Keeper.Seal(ctx, tx, patient, place(id), raw)
}

func (s *Service) insert(ctx context.Context, tx *store.Tx, id care.AppointmentID, patient care.PatientID, d Declaration) error {
	content, err := s.seal(ctx, tx, id, patient, d)
	if err != nil {
		return err
	}
	err = tx.G().Create(&declarationRow{string(id), string(patient), content, d.Version, store.Micros(s.Clock.Now())}).Error
	if _, twice := store.Duplicate(err); twice {
		return fault.New(fault.Conflict, "changed-meanwhile").Because(err)
	}
	return err
}

// replace writes d over the version before it; of two writers, one does.
func (s *Service) replace(ctx context.Context, tx *store.Tx, id care.AppointmentID, patient care.PatientID, d Declaration) error {
	content, err := s.seal(ctx, tx, id, patient, d)
	if err != nil {
		return err
	}
	done := tx.G().Model(&declarationRow{}).Where("appointment_id = ? AND version = ?", string(id), d.Version-1).
		Updates(map[string]any{"content": content, "version": d.Version, "changed_at": store.Micros(s.Clock.Now())})
	if done.Error == nil && done.RowsAffected == 0 {
		return fault.New(fault.Conflict, "changed-meanwhile")
	}
	return done.Error
}
