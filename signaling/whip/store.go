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
}

func (deviceRow) TableName() string { return "seat_devices" }

// seated is a device with what its seat says.
type seated struct {
	Row       deviceRow `gorm:"embedded"`
	PatientID string
	State     string
}

func insert(tx *store.Tx, r deviceRow) error { return tx.G().Create(&r).Error }

func (s seated) gone() bool {
	return s.State == string(signaling.Removed) || s.State == string(signaling.Ended)
}

// one finds a device by a column that names it.
func one(tx *store.Tx, column string, value any) (seated, error) {
	var d seated
	err := tx.G().Table("seat_devices").Select("seat_devices.*, seats.patient_id, seats.state").
		Joins("JOIN seats ON seats.id = seat_devices.seat_id").Where("seat_devices."+column+" = ?", value).Take(&d).Error
	return d, store.Missing(err)
}

// ofAct lists the devices of an act that were not taken out, oldest first.
func ofAct(tx *store.Tx, id care.EncounterID) ([]seated, error) {
	var list []seated
	err := tx.G().Table("seat_devices").Select("seat_devices.*, seats.patient_id, seats.state").
		Joins("JOIN seats ON seats.id = seat_devices.seat_id").
		Where("seat_devices.encounter_id = ? AND seats.state NOT IN ?", string(id), []string{string(signaling.Removed), string(signaling.Ended)}).
		Order("seat_devices.made_at, seat_devices.seat_id").Find(&list).Error
	return list, err
}

// lock keeps other transactions from adding a device to the act.
func lock(tx *store.Tx, id care.EncounterID) error {
	var ids []string
	return tx.Locked().Table("seats").Where("encounter_id = ?", string(id)).Order("id").Pluck("id", &ids).Error
}
