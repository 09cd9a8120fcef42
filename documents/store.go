package documents

import (
	"context"
	"encoding/json"
	"fmt"

	"visavis/internal/care"
	"visavis/internal/seal"
	"visavis/internal/store"

	"gorm.io/gorm"
)

type reportRow struct {
	ID             string
	EncounterID    string
	PatientID      string
	AuthorID       string
	OrganizationID string
	Status         string
	Edit           int64
	DocumentID     string
	Number         int64
	Content        []byte
	At             int64
	ChangedAt      int64
	store.Guarded
}

func (reportRow) TableName() string { return "reports" }

type documentRow struct {
	ID             string
	SetID          string
	Number         int64
	Kind           string
	Status         string
	PatientID      string
	AuthorID       string
	EncounterID    string
	AppointmentID  string
	OrganizationID string
	ReplacesID     string
	SignedAt       int64
	Meta           []byte
	CdaBlob        string
	PdfBlob        string
	CdaHash        []byte
	PdfHash        []byte
	Signature      []byte
	KeyID          string
	store.Guarded
}

func (documentRow) TableName() string { return "documents" }

func reportPlace(id string) seal.Place {
	return seal.Place{Table: "reports", Column: "content", Row: id}
}

func metaPlace(id string) seal.Place {
	return seal.Place{Table: "documents", Column: "meta", Row: id}
}

// lockReport makes writers of one report wait for each other. SQLite has one writer already.
func lockReport(tx *store.Tx, id care.EncounterID) error {
	var rows []reportRow
	return tx.Locked().Where("encounter_id = ?", string(id)).Find(&rows).Error
}

func (s *Service) load(ctx context.Context, tx *store.Tx, id care.EncounterID) (*Report, error) {
	var r reportRow
	if err := tx.G().Where("encounter_id = ?", string(id)).Take(&r).Error; err != nil {
		return nil, store.Missing(err)
	}
	out := &Report{
		ID: r.ID, EncounterID: care.EncounterID(r.EncounterID), PatientID: care.PatientID(r.PatientID), AuthorID: care.StaffID(r.AuthorID),
		OrganizationID: care.OrganizationID(r.OrganizationID), Status: Status(r.Status), Edit: r.Edit, DocumentID: care.DocumentID(r.DocumentID),
		Number: int(r.Number), At: store.Time(r.At), ChangedAt: store.Time(r.ChangedAt),
	}
	raw, err := s.Keeper.Open(ctx, tx, out.PatientID, reportPlace(r.ID), r.Content)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &out.Text); err != nil {
		return nil, fmt.Errorf("documents: report: %w", err)
	}
	return out, nil
}

// keep writes a report, new or changed.
func (s *Service) keep(ctx context.Context, tx *store.Tx, r *Report, fresh bool) error {
	raw, err := json.Marshal(r.Text)
	if err != nil {
		return fmt.Errorf("documents: report: %w", err)
	}
	content, err := s.Keeper.Seal(ctx, tx, r.PatientID, reportPlace(r.ID), raw)
	if err != nil {
		return err
	}
	if fresh {
		return tx.G().Create(&reportRow{
			ID: r.ID, EncounterID: string(r.EncounterID), PatientID: string(r.PatientID), AuthorID: string(r.AuthorID), OrganizationID: string(r.OrganizationID),
			Status: string(r.Status), Edit: r.Edit, DocumentID: string(r.DocumentID), Number: int64(r.Number), Content: content,
			At: store.Micros(r.At), ChangedAt: store.Micros(r.ChangedAt),
		}).Error
	}
	return tx.G().Model(&reportRow{}).Where("id = ?", r.ID).Updates(map[string]any{
		"status": string(r.Status), "edit": r.Edit, "document_id": string(r.DocumentID), "number": int64(r.Number), "content": content,
		"changed_at": store.Micros(r.ChangedAt),
	}).Error
}

func (s *Service) insert(ctx context.Context, tx *store.Tx, d *Document) error {
	raw, err := json.Marshal(d.Meta)
	if err != nil {
		return fmt.Errorf("documents: meta: %w", err)
	}
	meta, err := s.Keeper.Seal(ctx, tx, d.PatientID, metaPlace(string(d.ID)), raw)
	if err != nil {
		return err
	}
	return tx.G().Create(&documentRow{
		ID: string(d.ID), SetID: d.SetID, Number: int64(d.Number), Kind: string(d.Kind), Status: string(d.State), PatientID: string(d.PatientID),
		AuthorID: string(d.AuthorID), EncounterID: string(d.EncounterID), AppointmentID: string(d.AppointmentID), OrganizationID: string(d.OrganizationID),
		ReplacesID: string(d.ReplacesID), SignedAt: store.Micros(d.SignedAt), Meta: meta, CdaBlob: d.cdaBlob, PdfBlob: d.pdfBlob,
		CdaHash: d.cdaHash, PdfHash: d.pdfHash, Signature: d.signature, KeyID: d.keyID,
	}).Error
}

func setState(tx *store.Tx, id care.DocumentID, state State) error {
	return tx.G().Model(&documentRow{}).Where("id = ?", string(id)).Update("status", string(state)).Error
}

func (s *Service) document(ctx context.Context, tx *store.Tx, id care.DocumentID) (*Document, error) {
	var r documentRow
	if err := tx.G().Where("id = ?", string(id)).Take(&r).Error; err != nil {
		return nil, store.Missing(err)
	}
	return s.fromRow(ctx, tx, r)
}

func (s *Service) ofPatient(ctx context.Context, tx *store.Tx, id care.PatientID) ([]*Document, error) {
	return s.find(ctx, tx, tx.G().Where("patient_id = ?", string(id)))
}

func (s *Service) ofEncounter(ctx context.Context, tx *store.Tx, id care.EncounterID) ([]*Document, error) {
	return s.find(ctx, tx, tx.G().Where("encounter_id = ?", string(id)))
}

func (s *Service) find(ctx context.Context, tx *store.Tx, q *gorm.DB) ([]*Document, error) {
	var rows []documentRow
	if err := q.Order("signed_at DESC, id DESC").Find(&rows).Error; err != nil {
		return nil, err
	}
	out := make([]*Document, 0, len(rows))
	for _, r := range rows {
		d, err := s.fromRow(ctx, tx, r)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

func everyID(tx *store.Tx) ([]care.DocumentID, error) {
	var ids []care.DocumentID
	err := store.Unverified(tx.G()).Model(&documentRow{}).Order("id").Pluck("id", &ids).Error
	return ids, err
}

func (s *Service) fromRow(ctx context.Context, tx *store.Tx, r documentRow) (*Document, error) {
	d := &Document{
		ID: care.DocumentID(r.ID), SetID: r.SetID, Number: int(r.Number), Kind: Kind(r.Kind), State: State(r.Status), PatientID: care.PatientID(r.PatientID),
		AuthorID: care.StaffID(r.AuthorID), EncounterID: care.EncounterID(r.EncounterID), AppointmentID: care.AppointmentID(r.AppointmentID),
		OrganizationID: care.OrganizationID(r.OrganizationID), ReplacesID: care.DocumentID(r.ReplacesID), SignedAt: store.Time(r.SignedAt),
		cdaBlob: r.CdaBlob, pdfBlob: r.PdfBlob, cdaHash: r.CdaHash, pdfHash: r.PdfHash, signature: r.Signature, keyID: r.KeyID,
	}
	raw, err := s.Keeper.Open(ctx, tx, d.PatientID, metaPlace(r.ID), r.Meta)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &d.Meta); err != nil {
		return nil, fmt.Errorf("documents: meta: %w", err)
	}
	return d, nil
}
