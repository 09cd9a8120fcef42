package encounters

import (
	"visavis/internal/care"
	"visavis/internal/store"

	"gorm.io/gorm/clause"
)

// qualityRow is what one client said of a minute of its call. In clear: it
// holds numbers and words of closed lists.
type qualityRow struct {
	ID          string
	EncounterID string
	SeatID      string
	Role        string
	FromAt      int64
	ToAt        int64
	Samples     string
}

func (qualityRow) TableName() string { return "encounter_quality" }

// insertQuality writes what was told, once; its id is that of the fact.
func insertQuality(tx *store.Tx, r qualityRow) error {
	return tx.G().Clauses(clause.OnConflict{DoNothing: true}).Create(&r).Error
}

func qualityOf(tx *store.Tx, id care.EncounterID) ([]qualityRow, error) {
	var rows []qualityRow
	err := tx.G().Where("encounter_id = ?", string(id)).Order("from_at, id").Find(&rows).Error
	return rows, err
}
