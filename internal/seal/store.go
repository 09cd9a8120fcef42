package seal

import (
	"errors"

	"visavis/internal/care"
	"visavis/internal/store"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

type keyRow struct {
	Patient string
	Wrapped []byte
	At      int64
}

func (keyRow) TableName() string { return "seal_keys" }

func loadKey(tx *store.Tx, patient care.PatientID) ([]byte, error) {
	var r keyRow
	err := tx.G().Where("patient = ?", string(patient)).Take(&r).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, nil
	}
	return r.Wrapped, err
}

// insertKey keeps the first key when two transactions make one at once, and
// returns the one that was kept.
func insertKey(tx *store.Tx, patient care.PatientID, wrapped []byte, at int64) ([]byte, error) {
	r := keyRow{Patient: string(patient), Wrapped: wrapped, At: at}
	if err := tx.G().Clauses(clause.OnConflict{DoNothing: true}).Create(&r).Error; err != nil {
		return nil, err
	}
	return loadKey(tx, patient)
}

func deleteKey(tx *store.Tx, patient care.PatientID) error {
	return tx.G().Where("patient = ?", string(patient)).Delete(&keyRow{}).Error
}
