package check

import (
	"encoding/json"

	"visavis/internal/care"
	"visavis/internal/store"
)

type checkRow struct {
	ID          string
	EncounterID string
	PersonID    string
	Role        string
	At          int64
	Result      string
}

func (checkRow) TableName() string { return "connection_checks" }

// insert keeps a result and drops the person's older ones beyond most.
func insert(tx *store.Tx, id care.EncounterID, k Kept, most int) error {
	b, err := json.Marshal(k.Result)
	if err != nil {
		return err
	}
	if err := tx.G().Create(&checkRow{k.ID, string(id), k.PersonID, string(k.Role), store.Micros(k.At), string(b)}).Error; err != nil {
		return err
	}
	var old []checkRow
	err = tx.G().Where("encounter_id = ? AND person_id = ?", string(id), k.PersonID).Order("at DESC, id DESC").Limit(100).Find(&old).Error
	for i, r := range old {
		if i < most || err != nil {
			continue
		}
		err = tx.G().Where("id = ?", r.ID).Delete(&checkRow{}).Error
	}
	return err
}

func of(tx *store.Tx, id care.EncounterID) ([]Kept, error) {
	var rows []checkRow
	if err := tx.G().Where("encounter_id = ?", string(id)).Order("at DESC, id DESC").Find(&rows).Error; err != nil {
		return nil, err
	}
	list := make([]Kept, len(rows))
	for i, r := range rows {
		list[i] = Kept{ID: r.ID, PersonID: r.PersonID, Role: care.Role(r.Role), At: store.Time(r.At)}
		if err := json.Unmarshal([]byte(r.Result), &list[i].Result); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// lastOfPatients gives the newest result of the patient of each act that has one.
func lastOfPatients(tx *store.Tx, ids []care.EncounterID) (map[care.EncounterID]Result, error) {
	var rows []checkRow
	err := tx.G().Where("encounter_id IN ? AND role = ?", ids, string(care.Patient)).Order("at, id").Find(&rows).Error
	out := make(map[care.EncounterID]Result, len(rows))
	for _, r := range rows {
		var res Result
		if err := json.Unmarshal([]byte(r.Result), &res); err != nil {
			return nil, err
		}
		out[care.EncounterID(r.EncounterID)] = res
	}
	return out, err
}
