package httpx

import (
	"visavis/internal/store"

	"gorm.io/gorm/clause"
)

type onceRow struct {
	Actor       string
	Route       string
	Key         string
	RequestHash []byte
	Status      int
	Body        []byte
	At          int64
}

func (onceRow) TableName() string { return "idempotency" }

// claim returns false when the key is taken; on PostgreSQL it first waits for
// the transaction that took it.
func claim(tx *store.Tx, r onceRow) (bool, error) {
	res := tx.G().Clauses(clause.OnConflict{DoNothing: true}).Create(&r)
	return res.RowsAffected == 1, res.Error
}

func claimed(tx *store.Tx, r onceRow) (onceRow, error) {
	var got onceRow
	err := tx.G().Where("actor = ? AND route = ? AND key = ?", r.Actor, r.Route, r.Key).Take(&got).Error
	return got, err
}

func settle(tx *store.Tx, r onceRow) error {
	return tx.G().Model(&onceRow{}).Where("actor = ? AND route = ? AND key = ?", r.Actor, r.Route, r.Key).
		Updates(map[string]any{"status": r.Status, "body": r.Body}).Error
}

func forget(tx *store.Tx, before int64) error {
	return tx.G().Where("at < ?", before).Delete(&onceRow{}).Error
}
