package identity

import (
	"errors"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/store"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

type linkRow struct {
	ID            string
	Hash          []byte
	PatientID     string
	AppointmentID string
	At            int64
	RevokedAt     int64
	// Representative is who the link was sent to, when one asked for it.
	Representative string
	CompanionID    string // who it is of, when it is not the patient's own
	store.Guarded
}

func (linkRow) TableName() string { return "links" }

type sessionRow struct {
	ID            string
	Hash          []byte
	Level         int
	PatientID     string
	AppointmentID string
	StaffID       string
	Proof         string
	At            int64
	SeenAt        int64
	EndedAt       int64
	SocketAt      int64 // a socket of this session was open then
	// Representative is who codes go to: whom the link was sent to.
	Representative string
	IDToken        []byte // sealed, of a professional: what ends the session at the provider
	CompanionID    string // who it is of, when it is not the patient's own
	LinkID         string // what it was opened with; empty of a professional
	store.Guarded
}

func (sessionRow) TableName() string { return "sessions" }

type codeRow struct {
	ID        string
	SessionID string
	PatientID string
	Channel   string
	Hash      []byte
	Sealed    []byte
	Tries     int
	At        int64
	UsedAt    int64
	// Representative is who on a minor's file received it; empty for nobody.
	Representative string
	store.Guarded
}

func (codeRow) TableName() string { return "codes" }

// signinRow is a sign-in that came back, kept so that its state is good once.
// Until then it is in its browser only (sealTicket).
type signinRow struct {
	Hash        []byte
	BrowserHash []byte
	ReturnTo    string
	At          int64
	SessionID   string // of a step-up: the session that goes on
}

func (signinRow) TableName() string { return "signins" }

// stepUpRow says that the professional of a session proved again who they are.
type stepUpRow struct {
	SessionID string
	At        int64
	Mac       []byte
}

func (stepUpRow) TableName() string { return "step_ups" }

func putStepUp(tx *store.Tx, r stepUpRow) error {
	return tx.G().Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "session_id"}}, DoUpdates: clause.AssignmentColumns([]string{"at", "mac"})}).Create(&r).Error
}

func stepUpOf(tx *store.Tx, id care.SessionID) (stepUpRow, error) {
	var r stepUpRow
	err := tx.G().Where("session_id = ?", string(id)).Take(&r).Error
	return r, missing(err)
}

func insertLink(tx *store.Tx, r linkRow) error { return tx.G().Create(&r).Error }

// linkByHash gives a link and keeps it as it is until the transaction ends: what is given on its
// strength is seen by who revokes it, or is given after and refused.
func linkByHash(tx *store.Tx, hash []byte) (linkRow, error) {
	var r linkRow
	err := tx.Locked().Where("hash = ?", hash).Take(&r).Error
	return r, missing(err)
}

func linkByID(tx *store.Tx, id string) (linkRow, error) {
	var r linkRow
	err := tx.G().Where("id = ?", id).Take(&r).Error
	return r, missing(err)
}

// revokeLinks ends every link of an appointment and the invitations to it.
func revokeLinks(tx *store.Tx, id care.AppointmentID, at int64) error {
	for _, row := range []any{&linkRow{}, &companionRow{}} {
		if err := tx.G().Model(row).Where("appointment_id = ? AND revoked_at = 0", string(id)).Updates(map[string]any{"revoked_at": at}).Error; err != nil {
			return err
		}
	}
	return nil
}

// companionRow is somebody invited into an act.
type companionRow struct {
	ID            string
	AppointmentID string
	PatientID     string
	Contact       []byte // blind index
	Sealed        []byte
	At            int64
	RevokedAt     int64
	store.Guarded
}

func (companionRow) TableName() string { return "companions" }

// insertCompanion adds somebody; false when they are invited already. Who invites
// for one patient waits for the others, so that they can be counted.
func insertCompanion(tx *store.Tx, r companionRow) (bool, error) {
	var patient []patientRow
	if err := tx.Locked().Where("id = ?", r.PatientID).Find(&patient).Error; err != nil {
		return false, err
	}
	res := tx.G().Clauses(clause.OnConflict{DoNothing: true}).Create(&r)
	return res.RowsAffected == 1, res.Error
}

// companionsOf gives those invited to an appointment and not revoked.
func companionsOf(tx *store.Tx, id care.AppointmentID) (rows []companionRow, err error) {
	err = tx.G().Where("appointment_id = ? AND revoked_at = 0", string(id)).Order("at, id").Find(&rows).Error
	return rows, err
}

func companionByID(tx *store.Tx, id string) (companionRow, error) {
	var r companionRow
	err := tx.G().Where("id = ?", id).Take(&r).Error
	return r, missing(err)
}

// revokeCompanion ends an invitation, its links and its sessions.
func revokeCompanion(tx *store.Tx, id care.CompanionID, at int64) error {
	revoked := map[string]any{"revoked_at": at}
	if err := tx.G().Model(&companionRow{}).Where("id = ? AND revoked_at = 0", string(id)).Updates(revoked).Error; err != nil {
		return err
	}
	if err := tx.G().Model(&linkRow{}).Where("companion_id = ? AND revoked_at = 0", string(id)).Updates(revoked).Error; err != nil {
		return err
	}
	return endSessionsOf(tx, "companion_id", string(id), at)
}

func insertSession(tx *store.Tx, r sessionRow) error { return tx.G().Create(&r).Error }

func sessionByHash(tx *store.Tx, hash []byte) (sessionRow, error) {
	var r sessionRow
	err := tx.G().Where("hash = ? AND ended_at = 0", hash).Take(&r).Error
	return r, missing(err)
}

// formerSession gives a session that stands or has ended.
func formerSession(tx *store.Tx, hash []byte) (sessionRow, error) {
	var r sessionRow
	err := tx.G().Where("hash = ?", hash).Take(&r).Error
	return r, missing(err)
}

func sessionByID(tx *store.Tx, id care.SessionID) (sessionRow, error) {
	var r sessionRow
	err := tx.G().Where("id = ? AND ended_at = 0", string(id)).Take(&r).Error
	return r, missing(err)
}

// lockSession is sessionByID for who changes what belongs to a session: of two at once
// the second sees what the first did.
func lockSession(tx *store.Tx, id care.SessionID) (sessionRow, error) {
	var r sessionRow
	err := tx.Locked().Where("id = ? AND ended_at = 0", string(id)).Take(&r).Error
	return r, missing(err)
}

// standingSessions gives those of ids that were not ended, by anybody still here.
func standingSessions(tx *store.Tx, ids []care.SessionID) (standing []sessionRow, err error) {
	err = tx.G().Where("id IN ? AND ended_at = 0", ids).
		Where("staff_id = '' OR staff_id IN (SELECT id FROM staff WHERE active <> 0)").Find(&standing).Error
	return standing, err
}

// touchSockets notes that sessions have a socket open, which is a use of them.
func touchSockets(tx *store.Tx, ids []care.SessionID, at int64) error {
	return tx.G().Model(&sessionRow{}).Where("id IN ? AND ended_at = 0", ids).Updates(map[string]any{"seen_at": at, "socket_at": at}).Error
}

func touchSession(tx *store.Tx, id string, at int64) error {
	return tx.G().Model(&sessionRow{}).Where("id = ?", id).Updates(map[string]any{"seen_at": at}).Error
}

// rotateSession gives a session another secret and level, and the representative
// who proved it, if any. Another secret means that a copy of the old cookie opens
// nothing.
func rotateSession(tx *store.Tx, id care.SessionID, hash []byte, level authz.Level, proof, representative string, at int64) error {
	changes := map[string]any{"hash": hash, "level": int(level), "proof": proof, "seen_at": at}
	if representative != "" {
		changes["representative"] = representative
	}
	return tx.G().Model(&sessionRow{}).Where("id = ? AND ended_at = 0", string(id)).Updates(changes).Error
}

func endSession(tx *store.Tx, id care.SessionID, at int64) error {
	return tx.G().Model(&sessionRow{}).Where("id = ? AND ended_at = 0", string(id)).Updates(map[string]any{"ended_at": at, "id_token": []byte{}}).Error
}

func endSessionsOf(tx *store.Tx, column, value string, at int64) error {
	q := tx.G().Model(&sessionRow{}).Where("ended_at = 0")
	switch column {
	case "appointment_id":
		q = q.Where("appointment_id = ?", value)
	case "staff_id":
		q = q.Where("staff_id = ?", value)
	case "companion_id":
		q = q.Where("companion_id = ?", value)
	}
	return q.Updates(map[string]any{"ended_at": at}).Error
}

func insertCode(tx *store.Tx, r codeRow) error { return tx.G().Create(&r).Error }

// lastCode is the newest code of a session: asking for another ends the one
// before.
func lastCode(tx *store.Tx, id care.SessionID) (codeRow, error) {
	var r codeRow
	err := tx.G().Where("session_id = ?", string(id)).Order("at DESC, id DESC").Take(&r).Error
	return r, missing(err)
}

func codeByID(tx *store.Tx, id string) (codeRow, error) {
	var r codeRow
	err := tx.G().Where("id = ?", id).Take(&r).Error
	return r, missing(err)
}

// tryCode counts one try, and tells whether there was one left: the row stays
// locked from the bound to the count, so that no number of concurrent guesses gets more.
func tryCode(tx *store.Tx, id string, bound int) (bool, error) {
	var r codeRow
	err := tx.Locked().Where("id = ? AND tries < ? AND used_at = 0", id, bound).Take(&r).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	err = tx.G().Model(&codeRow{}).Where("id = ?", id).Updates(map[string]any{"tries": r.Tries + 1}).Error
	return err == nil, err
}

func useCode(tx *store.Tx, id string, at int64) (bool, error) {
	res := tx.G().Model(&codeRow{}).Where("id = ? AND used_at = 0", id).Updates(map[string]any{"used_at": at, "sealed": []byte{}})
	return res.RowsAffected == 1, res.Error
}

// choiceRow is a sign-in that waits for its person to say where they work today.
type choiceRow struct {
	Hash     []byte
	Staff    string // ids, with a blank between
	Proof    string
	IDToken  []byte // sealed
	ReturnTo string
	At       int64
	store.Guarded
}

func (choiceRow) TableName() string { return "signin_choices" }

func insertChoice(tx *store.Tx, r choiceRow) error { return tx.G().Create(&r).Error }

func choiceByHash(tx *store.Tx, hash []byte) (choiceRow, error) {
	var r choiceRow
	err := tx.G().Where("hash = ?", hash).Take(&r).Error
	return r, missing(err)
}

// takeChoice forgets a choice; false when somebody else just took it.
func takeChoice(tx *store.Tx, hash []byte) (bool, error) {
	res := tx.G().Where("hash = ?", hash).Delete(&choiceRow{})
	return res.RowsAffected == 1, res.Error
}

// markSignin keeps a return; false when it came before. Those that began before
// expired are forgotten, and the oldest where there are more than most.
func markSignin(tx *store.Tx, r signinRow, expired int64, most int) (bool, error) {
	if err := tx.G().Where("at < ?", expired).Delete(&signinRow{}).Error; err != nil {
		return false, err
	}
	res := tx.G().Clauses(clause.OnConflict{DoNothing: true}).Create(&r)
	if res.Error != nil || res.RowsAffected == 0 {
		return false, res.Error
	}
	var n int64
	if err := tx.G().Model(&signinRow{}).Count(&n).Error; err != nil || n <= int64(most) {
		return true, err
	}
	oldest := tx.G().Model(&signinRow{}).Select("hash").Order("at").Limit(int(n) - most)
	return true, tx.G().Where("hash IN (?)", oldest).Delete(&signinRow{}).Error
}

// sweepAccess forgets what can no longer be used.
func sweepAccess(tx *store.Tx, signinsBefore, codesBefore, sessionsBefore int64) error {
	for _, row := range []any{&signinRow{}, &choiceRow{}} {
		if err := tx.G().Where("at < ?", signinsBefore).Delete(row).Error; err != nil {
			return err
		}
	}
	if err := tx.G().Where("at < ?", codesBefore).Delete(&codeRow{}).Error; err != nil {
		return err
	}
	return tx.G().Where("seen_at < ?", sessionsBefore).Delete(&sessionRow{}).Error
}
