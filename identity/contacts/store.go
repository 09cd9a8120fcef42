package contacts

import "visavis/internal/store"

type codeRow struct {
	ID        string
	Contact   []byte
	Channel   string
	Hash      []byte
	Sealed    []byte
	Language  string
	At        int64
	ExpiresAt int64
	store.Guarded
}

func (codeRow) TableName() string { return "contact_codes" }

type attemptRow struct {
	Hash           []byte
	Contact        []byte
	Channel        string
	PractitionerID string
	Tries          int64
	At             int64
	ProvenAt       int64
	store.Guarded
}

func (attemptRow) TableName() string { return "contact_attempts" }

func insertCode(tx *store.Tx, r codeRow) error { return tx.G().Create(&r).Error }

func insertAttempt(tx *store.Tx, r attemptRow) error { return tx.G().Create(&r).Error }

// lastCode is the newest code sent to a contact.
func lastCode(tx *store.Tx, contact []byte) (r codeRow, found bool, err error) {
	var rows []codeRow
	err = tx.G().Where("contact = ?", contact).Order("at DESC, id DESC").Limit(1).Find(&rows).Error
	if len(rows) == 1 {
		return rows[0], true, err
	}
	return r, false, err
}

// codesOf gives the codes of a contact that are valid at an instant: few, as few
// are sent.
func codesOf(tx *store.Tx, contact []byte, at int64) (rows []codeRow, err error) {
	err = tx.G().Where("contact = ? AND expires_at > ?", contact, at).Find(&rows).Error
	return rows, err
}

func codeByID(tx *store.Tx, id string) (codeRow, error) {
	var r codeRow
	err := tx.G().Where("id = ?", id).Take(&r).Error
	return r, store.Missing(err)
}

// prolong makes a code last until an instant at least.
func prolong(tx *store.Tx, id string, until int64) error {
	return tx.G().Model(&codeRow{}).Where("id = ? AND expires_at < ?", id, until).Updates(map[string]any{"expires_at": until}).Error
}

func attemptByHash(tx *store.Tx, hash []byte) (attemptRow, error) {
	var r attemptRow
	err := tx.G().Where("hash = ?", hash).Take(&r).Error
	return r, store.Missing(err)
}

// lockAttempt is attemptByHash for a try: of several at once each sees what became of
// the one before.
func lockAttempt(tx *store.Tx, hash []byte) (attemptRow, error) {
	var r attemptRow
	err := tx.Locked().Where("hash = ?", hash).Take(&r).Error
	return r, store.Missing(err)
}

// countTry counts one try, and tells whether there was one left: the row stays
// locked from the bound to the count, so that no number of concurrent guesses gets more.
func countTry(tx *store.Tx, hash []byte, bound int) (bool, error) {
	var r []attemptRow
	if err := tx.Locked().Where("hash = ? AND tries < ?", hash, bound).Limit(1).Find(&r).Error; err != nil || len(r) == 0 {
		return false, err
	}
	res := tx.G().Model(&attemptRow{}).Where("hash = ?", hash).Updates(map[string]any{"tries": r[0].Tries + 1})
	return res.RowsAffected == 1, res.Error
}

// proveAttempt notes a proof; false when it is proven already.
func proveAttempt(tx *store.Tx, hash []byte, at int64) (bool, error) {
	res := tx.G().Model(&attemptRow{}).Where("hash = ? AND proven_at = 0", hash).Updates(map[string]any{"proven_at": at})
	return res.RowsAffected == 1, res.Error
}

func forget(tx *store.Tx, attemptsBefore, codesBefore int64) error {
	if err := tx.G().Where("at < ?", attemptsBefore).Delete(&attemptRow{}).Error; err != nil {
		return err
	}
	return tx.G().Where("expires_at < ?", codesBefore).Delete(&codeRow{}).Error
}
