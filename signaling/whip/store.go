package whip

import (
	"visavis/internal/care"
	"visavis/internal/store"
	"visavis/signaling"
)

type deviceRow struct {
	SeatID      string `gorm:"primaryKey"`
	EncounterID string
	Token       []byte // SHA-256
	Direction   string
	Label       []byte // sealed under the patient's key
	Owner       string
	SessionID   string
	MadeAt      int64
	ExpiresAt   int64
	store.Guarded
}

func (deviceRow) TableName() string { return "seat_devices" }

// seated is a device with what its seat says.
type seated struct {
	Row       deviceRow
	PatientID string
	State     string
}

func insert(tx *store.Tx, r deviceRow) error { return tx.G().Create(&r).Error }

func (s seated) gone() bool {
	return s.State == string(signaling.Removed) || s.State == string(signaling.Ended)
}

// one finds a device by a column that names it.
func one(tx *store.Tx, column string, value any) (seated, error) {
	var r deviceRow
	if err := tx.G().Where("seat_devices."+column+" = ?", value).Take(&r).Error; err != nil {
		return seated{}, store.Missing(err)
	}
	seat, err := signaling.LoadSeat(tx, r.SeatID)
	return seated{r, string(seat.PatientID), string(seat.State)}, err
}

// ofAct lists the devices of an act that were not taken out, oldest first.
func ofAct(tx *store.Tx, id care.EncounterID) ([]seated, error) {
	var rows []deviceRow
	if err := tx.G().Where("encounter_id = ?", string(id)).Order("made_at, seat_id").Find(&rows).Error; err != nil || len(rows) == 0 {
		return nil, err
	}
	seats, err := signaling.SeatsOf(tx, id)
	if err != nil {
		return nil, err
	}
	var list []seated
	for _, r := range rows {
		for _, seat := range seats {
			if d := (seated{r, string(seat.PatientID), string(seat.State)}); seat.ID == r.SeatID && !d.gone() {
				list = append(list, d)
			}
		}
	}
	return list, nil
}

// lock keeps other transactions from adding a device to the act.
func lock(tx *store.Tx, id care.EncounterID) error {
	var ids []string
	return store.Unverified(tx.Locked()).Table("seats").Where("encounter_id = ?", string(id)).Order("id").Pluck("id", &ids).Error
}
