package consent

import (
	"visavis/consent/entitlement"
	"visavis/internal/care"
	"visavis/internal/store"
)

type row struct {
	ID            string
	AppointmentID string
	PatientID     string
	Seq           int
	State         string
	Purpose       string
	TextID        string
	Version       int
	Language      string
	SHA256        string `gorm:"column:sha256"`
	Channel       string
	Ground        string
	ByRole        string
	At            int64
	Bundle        []byte
	JWS           string `gorm:"column:jws"`
	Hash          string
}

func (row) TableName() string { return "consents" }

func (r row) record() Record {
	return Record{
		ID: care.ConsentID(r.ID), AppointmentID: care.AppointmentID(r.AppointmentID), PatientID: care.PatientID(r.PatientID), Seq: r.Seq,
		State: care.ConsentState(r.State), Purpose: care.ActKind(r.Purpose), TextID: r.TextID, Version: r.Version,
		Language: care.Language(r.Language), SHA256: r.SHA256, Channel: Channel(r.Channel), Ground: entitlement.Ground(r.Ground), By: care.Role(r.ByRole),
		At: store.Time(r.At), Hash: r.Hash,
	}
}

func insert(tx *store.Tx, r Record, sealed []byte, jws string) error {
	return tx.G().Create(&row{
		ID: string(r.ID), AppointmentID: string(r.AppointmentID), PatientID: string(r.PatientID), Seq: r.Seq, State: string(r.State),
		Purpose: string(r.Purpose), TextID: r.TextID, Version: r.Version, Language: string(r.Language), SHA256: r.SHA256,
		Channel: string(r.Channel), Ground: string(r.Ground), ByRole: string(r.By), At: store.Micros(r.At), Bundle: sealed, JWS: jws, Hash: r.Hash,
	}).Error
}

// latest gives the last record of an act; without any, one whose state is none.
func latest(tx *store.Tx, id care.AppointmentID) (Record, error) {
	var rows []row
	err := tx.G().Omit("bundle", "jws").Where("appointment_id = ?", string(id)).Order("seq DESC").Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return Record{State: care.ConsentNone}, err
	}
	return rows[0].record(), nil
}

// ofAct lists the records of an act, oldest first.
func ofAct(tx *store.Tx, id care.AppointmentID) ([]Record, error) {
	var rows []row
	err := tx.G().Omit("bundle", "jws").Where("appointment_id = ?", string(id)).Order("seq").Find(&rows).Error
	records := make([]Record, len(rows))
	for i, r := range rows {
		records[i] = r.record()
	}
	return records, err
}

func statesOf(tx *store.Tx, ids []care.AppointmentID) (map[care.AppointmentID]care.ConsentState, error) {
	var rows []row
	err := tx.G().Select("appointment_id", "state").Where("appointment_id IN ?", ids).Order("seq").Find(&rows).Error
	states := make(map[care.AppointmentID]care.ConsentState, len(rows))
	for _, r := range rows {
		states[care.AppointmentID(r.AppointmentID)] = care.ConsentState(r.State)
	}
	return states, err
}

func sealedOfAct(tx *store.Tx, id care.AppointmentID) ([]row, error) {
	var rows []row
	err := tx.G().Where("appointment_id = ?", string(id)).Order("seq").Find(&rows).Error
	return rows, err
}

// eachRow gives every row, act by act, in order.
func eachRow(tx *store.Tx, fn func(row) error) error {
	const page = 500
	var act string
	var seq int
	for {
		var rows []row
		err := tx.G().Where("appointment_id > ? OR (appointment_id = ? AND seq > ?)", act, act, seq).
			Order("appointment_id, seq").Limit(page).Find(&rows).Error
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := fn(r); err != nil {
				return err
			}
			act, seq = r.AppointmentID, r.Seq
		}
		if len(rows) < page {
			return nil
		}
	}
}
