package still

import (
	"visavis/internal/care"
	"visavis/internal/store"

	"gorm.io/gorm/clause"
)

type row struct {
	ID          string
	EncounterID string
	SeatID      string
	BySeat      string
	State       string
	StillID     string
	At          int64
	store.Guarded
}

func (row) TableName() string { return "still_requests" }

func (r row) request() Request {
	return Request{r.ID, care.EncounterID(r.EncounterID), r.SeatID, r.BySeat, State(r.State), r.StillID, store.Time(r.At)}
}

// insert keeps a request unless one of the seat is open: the index still_requests_open has one place.
func insert(tx *store.Tx, r Request) (bool, error) {
	res := tx.G().Clauses(clause.OnConflict{DoNothing: true}).Create(&row{
		ID: r.ID, EncounterID: string(r.Encounter), SeatID: r.Seat, BySeat: r.By, State: string(r.State), StillID: r.Still, At: store.Micros(r.At),
	})
	return res.RowsAffected == 1, res.Error
}

func dropOlder(tx *store.Tx, seat string, at int64) error {
	return tx.G().Model(&row{}).Where("seat_id = ? AND state = ? AND at <= ?", seat, string(Asked), at).Update("state", string(Dropped)).Error
}

func settle(tx *store.Tx, id string, state State, photo string) (bool, error) {
	res := tx.G().Model(&row{}).Where("id = ? AND state = ?", id, string(Asked)).Updates(map[string]any{"state": string(state), "still_id": photo})
	return res.RowsAffected == 1, res.Error
}

func find(tx *store.Tx, id string) (Request, error) {
	var r row
	err := tx.G().Where("id = ?", id).Take(&r).Error
	return r.request(), store.Missing(err)
}

func since(tx *store.Tx, id care.EncounterID, at int64) ([]Request, error) {
	var rows []row
	err := tx.G().Where("encounter_id = ? AND at > ?", string(id), at).Order("at, id").Find(&rows).Error
	out := make([]Request, len(rows))
	for i, r := range rows {
		out[i] = r.request()
	}
	return out, err
}
