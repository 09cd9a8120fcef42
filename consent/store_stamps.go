package consent

import (
	"errors"
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

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
