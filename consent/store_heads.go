package consent

import (
	"errors"

	"visavis/internal/care"
	"visavis/internal/store"

	"gorm.io/gorm"
)

// headRow says which record of an act is the last: records are append-only, and
// taking the last one away would bring the one before back into force.
type headRow struct {
	AppointmentID string
	Seq           int64
	State         string
	Hash          string

	store.Guarded
}

func (headRow) TableName() string { return "consent_heads" }

// setHead moves the head of an act to a record.
func setHead(tx *store.Tx, r Record) error {
	head := headRow{AppointmentID: string(r.AppointmentID), Seq: int64(r.Seq), State: string(r.State), Hash: r.Hash}
	if r.Seq == 1 {
		return tx.G().Create(&head).Error
	}
	return tx.G().Model(&headRow{}).Where("appointment_id = ?", head.AppointmentID).
		Updates(map[string]any{"seq": head.Seq, "state": head.State, "hash": head.Hash}).Error
}

// lastSealed gives the record that the head of an act names; false when there is
// none, or head and record are not genuine. A record that is gone, or says another
// state than the head, is reported.
func lastSealed(tx *store.Tx, id care.AppointmentID) (row, bool, error) {
	var h headRow
	var r row
	err := tx.G().Where("appointment_id = ?", string(id)).Take(&h).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return r, false, nil
	}
	if err == nil {
		err = tx.G().Where("appointment_id = ? AND seq = ? AND hash = ?", string(id), h.Seq, h.Hash).Take(&r).Error
	}
	if errors.Is(err, gorm.ErrRecordNotFound) {
		tx.Report(store.Finding{Object: "consents of appointment/" + string(id), Reason: "removed"})
		return r, false, nil
	}
	if err == nil && r.State != h.State {
		tx.Report(store.Finding{Object: "consents/" + r.ID, Reason: "forged"})
	}
	return r, err == nil && r.State == h.State, err
}

// eachHead gives the head of every act, in order.
func eachHead(tx *store.Tx, fn func(h headRow) error) error {
	const page = 500
	for last := ""; ; {
		var rows []headRow
		if err := store.Unverified(tx.G()).Where("appointment_id > ?", last).Order("appointment_id").Limit(page).Find(&rows).Error; err != nil {
			return err
		}
		for _, r := range rows {
			if err := fn(r); err != nil {
				return err
			}
			last = r.AppointmentID
		}
		if len(rows) < page {
			return nil
		}
	}
}
