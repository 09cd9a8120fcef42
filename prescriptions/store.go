package prescriptions

import (
	"context"
	"encoding/json"
	"fmt"

	"visavis/internal/care"
	"visavis/internal/seal"
	"visavis/internal/store"
)

type row struct {
	ID             string
	SetID          string
	Number         int64
	EncounterID    string
	PatientID      string
	AuthorID       string
	OrganizationID string
	Status         string
	Edit           int64
	ReplacesID     string
	DocumentID     string
	PublicID       string
	CodeHash       []byte
	Content        []byte
	SignedAt       int64
	ValidUntil     int64
	At             int64
	ChangedAt      int64
	store.Guarded
}

func (row) TableName() string { return "prescriptions" }

func contentPlace(id string) seal.Place {
	return seal.Place{Table: "prescriptions", Column: "content", Row: id}
}

// lock makes writers of one prescription wait for each other. SQLite has one writer already.
func lock(tx *store.Tx, id care.PrescriptionID) error {
	var r row
	return store.Missing(tx.Locked().Where("id = ?", string(id)).Take(&r).Error)
}

func (s *Service) load(ctx context.Context, tx *store.Tx, id care.PrescriptionID) (*Prescription, error) {
	var r row
	if err := tx.G().Where("id = ?", string(id)).Take(&r).Error; err != nil {
		return nil, store.Missing(err)
	}
	return s.fromRow(ctx, tx, r)
}

func (s *Service) byPublicID(ctx context.Context, tx *store.Tx, public string) (*Prescription, error) {
	var r row
	if err := tx.G().Where("public_id = ? AND public_id <> ''", public).Take(&r).Error; err != nil {
		return nil, store.Missing(err)
	}
	return s.fromRow(ctx, tx, r)
}

func (s *Service) ofEncounter(ctx context.Context, tx *store.Tx, id care.EncounterID) ([]*Prescription, error) {
	var rows []row
	if err := tx.G().Where("encounter_id = ?", string(id)).Order("at, id").Find(&rows).Error; err != nil {
		return nil, err
	}
	out := make([]*Prescription, 0, len(rows))
	for _, r := range rows {
		p, err := s.fromRow(ctx, tx, r)
		if err != nil {
			return nil, err
		}
		if err := s.history(ctx, tx, p); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func (s *Service) seal(ctx context.Context, tx *store.Tx, p *Prescription) ([]byte, error) {
	raw, err := json.Marshal(p.Content)
	if err != nil {
		return nil, fmt.Errorf("prescriptions: content: %w", err)
	}
	return s.Keeper.Seal(ctx, tx, p.PatientID, contentPlace(string(p.ID)), raw)
}

func (s *Service) insert(ctx context.Context, tx *store.Tx, p *Prescription) error {
	content, err := s.seal(ctx, tx, p)
	if err != nil {
		return err
	}
	return tx.G().Create(&row{
		ID: string(p.ID), SetID: p.SetID, Number: int64(p.Number), EncounterID: string(p.EncounterID), PatientID: string(p.PatientID), AuthorID: string(p.AuthorID),
		OrganizationID: string(p.OrganizationID), Status: string(p.Status), Edit: p.Edit, ReplacesID: string(p.ReplacesID), CodeHash: []byte{}, Content: content,
		At: store.Micros(p.At), ChangedAt: store.Micros(p.ChangedAt),
	}).Error
}

func (s *Service) update(ctx context.Context, tx *store.Tx, p *Prescription) error {
	content, err := s.seal(ctx, tx, p)
	if err != nil {
		return err
	}
	hash := p.codeHash
	if hash == nil {
		hash = []byte{}
	}
	return tx.G().Model(&row{}).Where("id = ?", string(p.ID)).Updates(map[string]any{
		"status": string(p.Status), "edit": p.Edit, "document_id": string(p.DocumentID), "public_id": p.PublicID, "code_hash": hash, "content": content,
		"signed_at": store.Micros(p.SignedAt), "valid_until": store.Micros(p.ValidUntil), "changed_at": store.Micros(p.ChangedAt),
	}).Error
}

func remove(tx *store.Tx, id care.PrescriptionID) error {
	return tx.G().Where("id = ?", string(id)).Delete(&row{}).Error
}

func (s *Service) fromRow(ctx context.Context, tx *store.Tx, r row) (*Prescription, error) {
	p := &Prescription{
		ID: care.PrescriptionID(r.ID), SetID: r.SetID, Number: int(r.Number), EncounterID: care.EncounterID(r.EncounterID), PatientID: care.PatientID(r.PatientID),
		AuthorID: care.StaffID(r.AuthorID), OrganizationID: care.OrganizationID(r.OrganizationID), Status: Status(r.Status), Edit: r.Edit,
		ReplacesID: care.PrescriptionID(r.ReplacesID), DocumentID: care.DocumentID(r.DocumentID), PublicID: r.PublicID, codeHash: r.CodeHash,
		SignedAt: store.Time(r.SignedAt), ValidUntil: store.Time(r.ValidUntil), At: store.Time(r.At), ChangedAt: store.Time(r.ChangedAt),
	}
	raw, err := s.Keeper.Open(ctx, tx, p.PatientID, contentPlace(r.ID), r.Content)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &p.Content); err != nil {
		return nil, fmt.Errorf("prescriptions: content: %w", err)
	}
	return p, nil
}
