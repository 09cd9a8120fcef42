package documents

import (
	"visavis/documents/picture"
	"visavis/internal/care"
	"visavis/internal/store"

	"gorm.io/gorm"
)

type stillRow struct {
	ID          string
	RequestID   string
	EncounterID string
	PatientID   string
	TakenBy     string
	TakenRole   string
	AskedBy     string
	At          int64
	Mime        string
	Width       int64
	Height      int64
	Bytes       int64
	Sha256      []byte `gorm:"column:sha256"`
	Blob        string
	store.Guarded
}

func (stillRow) TableName() string { return "stills" }

func (r stillRow) still() *Still {
	return &Still{
		ID: r.ID, RequestID: r.RequestID, EncounterID: care.EncounterID(r.EncounterID), PatientID: care.PatientID(r.PatientID), TakenBy: r.TakenBy,
		TakenRole: care.Role(r.TakenRole), AskedBy: r.AskedBy, At: store.Time(r.At), Picture: picture.Picture{MIME: r.Mime, Width: int(r.Width), Height: int(r.Height)},
		Bytes: int(r.Bytes), Hash: r.Sha256, blob: r.Blob,
	}
}

func insertStill(tx *store.Tx, s *Still) error {
	return tx.G().Create(&stillRow{
		ID: s.ID, RequestID: s.RequestID, EncounterID: string(s.EncounterID), PatientID: string(s.PatientID), TakenBy: s.TakenBy, TakenRole: string(s.TakenRole),
		AskedBy: s.AskedBy, At: store.Micros(s.At), Mime: s.MIME, Width: int64(s.Width), Height: int64(s.Height), Bytes: int64(s.Bytes), Sha256: s.Hash, Blob: s.blob,
	}).Error
}

// lockStills makes those who add to the photos of one act wait for each other, as soon as there is one.
// SQLite has one writer already.
func lockStills(tx *store.Tx, id care.EncounterID) error {
	var rows []stillRow
	return tx.Locked().Where("encounter_id = ?", string(id)).Find(&rows).Error
}

func countStills(tx *store.Tx, id care.EncounterID) (int, error) {
	n := int64(0)
	err := store.Unverified(tx.G()).Model(&stillRow{}).Where("encounter_id = ?", string(id)).Count(&n).Error
	return int(n), err
}

func loadStill(tx *store.Tx, id string) (*Still, error) {
	var r stillRow
	err := tx.G().Where("id = ?", id).Take(&r).Error
	return r.still(), store.Missing(err)
}

func stillsOfAct(tx *store.Tx, id care.EncounterID) ([]*Still, error) {
	return findStills(tx.G().Where("encounter_id = ?", string(id)))
}

func stillsOfPatient(tx *store.Tx, id care.PatientID) ([]*Still, error) {
	return findStills(tx.G().Where("patient_id = ?", string(id)))
}

func everyStill(tx *store.Tx) ([]*Still, error) { return findStills(tx.G()) }

func findStills(q *gorm.DB) ([]*Still, error) {
	var rows []stillRow
	err := q.Order("at, id").Find(&rows).Error
	out := make([]*Still, len(rows))
	for i, r := range rows {
		out[i] = r.still()
	}
	return out, err
}

// blobOf names a file and whose it is.
type blobOf struct {
	patient care.PatientID
	blob    string
}

// everyBlob names the files of every document and photo whose patient's key was not destroyed.
func everyBlob(tx *store.Tx) ([]blobOf, error) {
	var rows []struct{ PatientID, Blob string }
	err := tx.G().Raw(`SELECT f.patient_id, f.blob FROM (
			SELECT patient_id, cda_blob AS blob FROM documents
			UNION ALL SELECT patient_id, pdf_blob FROM documents
			UNION ALL SELECT patient_id, blob FROM stills) f
		JOIN seal_keys k ON k.patient = f.patient_id`).Scan(&rows).Error
	out := make([]blobOf, len(rows))
	for i, r := range rows {
		out[i] = blobOf{care.PatientID(r.PatientID), r.Blob}
	}
	return out, err
}
