package consent

import (
	"context"
	"crypto/ed25519"
	"errors"

	"visavis/internal/care"
	"visavis/internal/fault"
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

// setHead moves the head of an act to a record. A head that is not there, or that
// nobody with the key wrote, is refused.
func setHead(tx *store.Tx, r Record) error {
	head := headRow{AppointmentID: string(r.AppointmentID), Seq: int64(r.Seq), State: string(r.State), Hash: r.Hash}
	if r.Seq == 1 {
		return tx.G().Create(&head).Error
	}
	res := tx.G().Model(&headRow{}).Where("appointment_id = ?", head.AppointmentID).
		Updates(map[string]any{"seq": head.Seq, "state": head.State, "hash": head.Hash})
	if res.Error == nil && res.RowsAffected != 1 {
		return errDamaged()
	}
	return res.Error
}

// errDamaged refuses to add to, or to print, records that are not what was signed.
func errDamaged() error { return fault.New(fault.Conflict, "consent-damaged") }

// last gives the record that the next decision about an act follows; its state is
// none when there is none. A record that its head does not name, or that is not
// what was signed, is no ground for another: it is reported, and refused.
func (s *Service) last(ctx context.Context, tx *store.Tx, id care.AppointmentID) (Record, error) {
	r, ok, err := lastSealed(tx, id)
	if err != nil {
		return Record{}, err
	}
	newest, err := latest(tx, id)
	switch {
	case err != nil:
		return Record{}, err
	case ok && r.ID == string(newest.ID):
		if ok, err = s.proven(ctx, tx, r); err == nil && !ok {
			err = errDamaged()
		}
		return newest, err
	}
	var heads int64
	if err := store.Unverified(tx.G()).Model(&headRow{}).Where("appointment_id = ?", string(id)).Count(&heads).Error; err != nil {
		return Record{}, err
	}
	if !ok && heads == 0 && newest.State == care.ConsentNone {
		return newest, nil
	}
	// Another decision may have been committed between the readings.
	again, found, err := lastSealed(tx, id)
	switch {
	case err != nil:
		return Record{}, err
	case found && (!ok || again.ID != r.ID):
		return Record{}, fault.New(fault.Conflict, "changed-meanwhile")
	case heads == 0:
		tx.Report(store.Finding{Object: "consent_heads/" + string(id), Reason: "removed"})
	case ok:
		tx.Report(store.Finding{Object: "consents/" + string(newest.ID), Reason: "forged"})
	}
	return Record{}, errDamaged()
}

// proven tells whether a record is what was signed: its bundle opens, and the JWS
// is ours over what the row says. One that is not is reported. A bundle whose key
// was erased proves nothing.
func (s *Service) proven(ctx context.Context, tx *store.Tx, r row) (bool, error) {
	rec := r.record()
	raw, err := s.Keeper.Open(ctx, tx, rec.PatientID, place(rec.ID), r.Bundle)
	switch fault.KindOf(err) {
	case fault.Unavailable:
		return false, err
	case fault.Gone:
		return false, nil
	}
	if err == nil {
		err = genuine(raw, r, s.Signer.Private().Public().(ed25519.PublicKey))
	}
	if err != nil {
		tx.Report(store.Finding{Object: "consents/" + r.ID, Reason: "forged"})
	}
	return err == nil, nil
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
