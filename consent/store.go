package consent

import (
	"errors"
	"time"

	"visavis/consent/entitlement"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
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

type stampRow struct {
	ConsentID string `gorm:"primaryKey"`
	State     string
	Attempts  int
	NextAt    int64
	Reason    string
	Token     []byte
	At        int64
	Authority string
}

func (stampRow) TableName() string { return "consent_stamps" }

func (r stampRow) stamp() Stamp {
	s := Stamp{State: StampState(r.State), Attempts: r.Attempts, Reason: r.Reason, Authority: r.Authority}
	if s.State == Stamped {
		s.At = store.Time(r.At)
	} else {
		s.NextAt = store.Time(r.NextAt)
	}
	return s
}

func insertStamp(tx *store.Tx, id care.ConsentID, at time.Time) error {
	return tx.G().Create(&stampRow{ConsentID: string(id), State: string(StampPending), NextAt: store.Micros(at), Token: []byte{}}).Error
}

// stampRowOf gives the row of a record; with lock, no other transaction can
// change it meanwhile (SQLite has one writer).
func stampRowOf(tx *store.Tx, id care.ConsentID, lock bool) (stampRow, error) {
	q := tx.G()
	if lock && tx.Dialect() == store.Postgres {
		q = q.Clauses(clause.Locking{Strength: "UPDATE"})
	}
	var r stampRow
	err := q.Where("consent_id = ?", string(id)).Take(&r).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = fault.Missing()
	}
	return r, err
}

func updateStamp(tx *store.Tx, r stampRow) error {
	return tx.G().Model(&stampRow{}).Where("consent_id = ?", r.ConsentID).Updates(map[string]any{
		"state": r.State, "attempts": r.Attempts, "next_at": r.NextAt, "reason": r.Reason, "token": r.Token, "at": r.At, "authority": r.Authority,
	}).Error
}

// overdueStamps lists records whose stamp should have been asked for before at.
func overdueStamps(tx *store.Tx, at time.Time, limit int) ([]stampRow, error) {
	var rows []stampRow
	err := tx.G().Where("state <> ? AND next_at < ?", string(Stamped), store.Micros(at)).Order("next_at").Limit(limit).Find(&rows).Error
	return rows, err
}

// eachStamp gives every received stamp with the signature it dates, in order,
// and counts those still to come.
func eachStamp(tx *store.Tx, fn func(r stampRow, jws string) error) (waiting int64, err error) {
	const page = 500
	for last := ""; ; {
		var rows []stampRow
		if err := tx.G().Where("state = ? AND consent_id > ?", string(Stamped), last).Order("consent_id").Limit(page).Find(&rows).Error; err != nil {
			return 0, err
		}
		for _, r := range rows {
			c, err := byID(tx, care.ConsentID(r.ConsentID))
			if err != nil {
				return 0, err
			}
			if err := fn(r, c.JWS); err != nil {
				return 0, err
			}
			last = r.ConsentID
		}
		if len(rows) < page {
			break
		}
	}
	err = tx.G().Model(&stampRow{}).Where("state <> ?", string(Stamped)).Count(&waiting).Error
	return waiting, err
}

// unasked counts the records that have no row for their stamp: none, unless one
// was removed.
func unasked(tx *store.Tx) (n int64, err error) {
	err = tx.G().Model(&row{}).Where("id NOT IN (?)", tx.G().Model(&stampRow{}).Select("consent_id")).Count(&n).Error
	return n, err
}

// byID gives one record with its proof.
func byID(tx *store.Tx, id care.ConsentID) (row, error) {
	var r row
	err := tx.G().Where("id = ?", string(id)).Take(&r).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = fault.Missing()
	}
	return r, err
}

// byHash gives the record whose bundle's hash begins so, in hexadecimal.
func byHash(tx *store.Tx, prefix string) (Record, error) {
	var rows []row
	err := tx.G().Omit("bundle", "jws").Where("hash >= ? AND hash < ?", prefix, prefix+"g").Limit(2).Find(&rows).Error
	if err == nil && len(rows) != 1 {
		err = fault.Missing()
	}
	if err != nil {
		return Record{}, err
	}
	return rows[0].record(), nil
}
