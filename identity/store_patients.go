package identity

import (
	"context"
	"encoding/json"
	"fmt"

	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/seal"
	"visavis/internal/store"

	"gorm.io/gorm/clause"
)

type patientRow struct {
	ID             string
	OrganizationID string
	Status         string
	Language       string
	Record         []byte
	At             int64
	ChangedAt      int64
	Indexed        int64 // indexVersion its hashes were made at
	store.Guarded
}

// indexVersion is raised when patients are found by more than before.
const indexVersion = 1

func (patientRow) TableName() string { return "patients" }

type indexRow struct {
	PatientID      string
	OrganizationID string
	Hash           []byte
}

func (indexRow) TableName() string { return "patient_index" }

type claimRow struct {
	OrganizationID string
	Hash           []byte
	PatientID      string
}

func (claimRow) TableName() string { return "patient_claims" }

func recordPlace(id string) seal.Place {
	return seal.Place{Table: "patients", Column: "record", Row: id}
}

// insertPatient seals and writes a new patient with the hashes it is found by.
func insertPatient(ctx context.Context, tx *store.Tx, k *seal.Keeper, p Patient, hashes [][]byte) error {
	sealed, err := sealRecord(ctx, tx, k, p)
	if err != nil {
		return err
	}
	at := store.Micros(p.Since)
	r := patientRow{ID: string(p.ID), OrganizationID: string(p.OrganizationID), Status: string(p.Status), Language: string(p.Language), Record: sealed,
		At: at, ChangedAt: at, Indexed: indexVersion}
	if err := tx.G().Create(&r).Error; err != nil {
		return err
	}
	return insertHashes(tx, p, hashes)
}

func insertHashes(tx *store.Tx, p Patient, hashes [][]byte) error {
	rows := make([]indexRow, 0, len(hashes))
	for _, h := range hashes {
		rows = append(rows, indexRow{string(p.ID), string(p.OrganizationID), h})
	}
	return tx.G().Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error
}

// reindex adds the hashes of some patients indexed by an earlier version, and
// tells whether there may be more.
func reindex(ctx context.Context, tx *store.Tx, k *seal.Keeper, some int, hashes func(Patient) [][]byte) (bool, error) {
	var rows []patientRow
	if err := tx.G().Where("indexed < ?", indexVersion).Order("id").Limit(some).Find(&rows).Error; err != nil || len(rows) == 0 {
		return false, err
	}
	list, err := openAll(ctx, tx, k, rows)
	if err != nil {
		return false, err
	}
	for _, p := range list {
		if err := insertHashes(tx, p, hashes(p)); err != nil {
			return false, err
		}
	}
	ids := make([]string, len(rows)) // also those whose key was destroyed
	for i, r := range rows {
		ids[i] = r.ID
	}
	err = tx.G().Model(&patientRow{}).Where("id IN ?", ids).Updates(map[string]any{"indexed": indexVersion}).Error
	return len(rows) == some, err
}

func updateStatus(tx *store.Tx, id care.PatientID, from, to care.IdentityStatus, at int64) (bool, error) {
	res := tx.G().Model(&patientRow{}).Where("id = ? AND status = ?", string(id), string(from)).
		Updates(map[string]any{"status": string(to), "changed_at": at})
	return res.RowsAffected == 1, res.Error
}

func sealRecord(ctx context.Context, tx *store.Tx, k *seal.Keeper, p Patient) ([]byte, error) {
	raw, err := json.Marshal(p.Record)
	if err != nil {
		return nil, fmt.Errorf("identity: record: %w", err)
	}
	return k.Seal(ctx, tx, p.ID, recordPlace(string(p.ID)), raw)
}

func loadPatient(ctx context.Context, tx *store.Tx, k *seal.Keeper, id care.PatientID) (Patient, error) {
	var r patientRow
	if err := tx.G().Where("id = ?", string(id)).Take(&r).Error; err != nil {
		return Patient{}, missing(err)
	}
	return r.open(ctx, tx, k)
}

func (r patientRow) open(ctx context.Context, tx *store.Tx, k *seal.Keeper) (Patient, error) {
	p := Patient{ID: care.PatientID(r.ID), OrganizationID: care.OrganizationID(r.OrganizationID),
		Status: care.IdentityStatus(r.Status), Language: care.Language(r.Language), Since: store.Time(r.At)}
	raw, err := k.Open(ctx, tx, p.ID, recordPlace(r.ID), r.Record)
	if err != nil {
		return Patient{}, err
	}
	if err := json.Unmarshal(raw, &p.Record); err != nil {
		return Patient{}, fmt.Errorf("identity: record of a patient: %w", err)
	}
	return p, nil
}

// patientsWith lists the patients of an organisation that carry all the hashes.
func patientsWith(ctx context.Context, tx *store.Tx, k *seal.Keeper, o care.OrganizationID, hashes [][]byte, limit int) ([]Patient, error) {
	q := tx.G().Where("organization_id = ?", string(o))
	for _, h := range hashes {
		q = q.Where("id IN (SELECT patient_id FROM patient_index WHERE hash = ?)", h)
	}
	var rows []patientRow
	if err := q.Order("id").Limit(limit).Find(&rows).Error; err != nil {
		return nil, err
	}
	return openAll(ctx, tx, k, rows)
}

// patientIDsWith lists at most ten patients, of any organisation, that carry a
// hash.
func patientIDsWith(tx *store.Tx, hash []byte) ([]care.PatientID, error) {
	var ids []care.PatientID
	err := tx.G().Model(&indexRow{}).Where("hash = ?", hash).Order("patient_id").Limit(10).Pluck("patient_id", &ids).Error
	return ids, err
}

// claimants lists the patients of an organisation that hold any of the claims,
// the oldest first.
func claimants(tx *store.Tx, o care.OrganizationID, claims [][]byte) ([]care.PatientID, error) {
	if len(claims) == 0 {
		return nil, nil
	}
	var ids []care.PatientID
	err := tx.G().Model(&claimRow{}).Where("organization_id = ? AND hash IN ?", string(o), claims).
		Distinct().Order("patient_id").Pluck("patient_id", &ids).Error
	return ids, err
}

// claim takes one claim for a patient and tells who has it: on PostgreSQL it
// first waits for a transaction that is taking it.
func claim(tx *store.Tx, o care.OrganizationID, hash []byte, id care.PatientID) (care.PatientID, error) {
	r := claimRow{string(o), hash, string(id)}
	if err := tx.G().Clauses(clause.OnConflict{DoNothing: true}).Create(&r).Error; err != nil {
		return "", err
	}
	var kept claimRow
	err := tx.G().Where("organization_id = ? AND hash = ?", string(o), hash).Take(&kept).Error
	return care.PatientID(kept.PatientID), err
}

// reclaim gives what a patient that never was had claimed to another.
func reclaim(tx *store.Tx, from, to care.PatientID) error {
	return tx.G().Model(&claimRow{}).Where("patient_id = ?", string(from)).Updates(map[string]any{"patient_id": string(to)}).Error
}

// patientsByID loads the patients that exist among ids.
func patientsByID(ctx context.Context, tx *store.Tx, k *seal.Keeper, ids []care.PatientID) ([]Patient, error) {
	var rows []patientRow
	if err := tx.G().Where("id IN ?", ids).Order("id").Find(&rows).Error; err != nil {
		return nil, err
	}
	return openAll(ctx, tx, k, rows)
}

// openAll opens rows, without those whose key was destroyed.
func openAll(ctx context.Context, tx *store.Tx, k *seal.Keeper, rows []patientRow) ([]Patient, error) {
	list := make([]Patient, 0, len(rows))
	for _, r := range rows {
		p, err := r.open(ctx, tx, k)
		if fault.KindOf(err) == fault.Gone {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}
