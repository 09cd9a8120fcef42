package seal

import (
	"context"
	"errors"
	"fmt"

	"visavis/internal/care"
	"visavis/internal/store"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
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

// Proved tells whether the data keys in the database were wrapped by m; known
// is false where there is none to try.
func Proved(ctx context.Context, db *store.DB, m Master) (ok, known bool, err error) {
	wrap, err := subtle.NewAESGCM(m.Derive("wrap"))
	if err != nil {
		return false, false, fmt.Errorf("seal: %w", err)
	}
	var r []keyRow
	err = db.Read(ctx, func(_ context.Context, tx *store.Tx) error { return tx.G().Limit(1).Find(&r).Error })
	if err != nil || len(r) == 0 {
		return false, false, err
	}
	_, err = wrap.Decrypt(r[0].Wrapped, []byte("seal_keys|"+r[0].Patient))
	return err == nil, true, nil
}
