package signaling

import (
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/signaling/chat"
	"visavis/signaling/queue"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

type seatRow struct {
	ID          string
	EncounterID string
	PatientID   string
	PersonID    string
	Role        string
	Host        bool
	State       string
	Held        bool
	Queue       string
	Kind        string
	Planned     int64
	ArrivedAt   int64
	AdmittedAt  int64
	SeenAt      int64
	EndedAt     int64

	RecallAskedAt int64
	RecalledAt    int64

	JoinedAt int64 // into the call; 0 when not in it. Written by the scribe alone

	SessionID       string // the sign-in that sat down last
	AdmittedSession string // the one that a host admitted
	store.Guarded
}

func (seatRow) TableName() string { return "seats" }

type ticketRow struct {
	Hash      []byte
	SessionID string
	SeatID    string
	Origin    string
	ExpiresAt int64
	UsedAt    int64
	store.Guarded
}

func (ticketRow) TableName() string { return "seat_tickets" }

type flowRow struct {
	EncounterID string
	FromSeat    string
	ToSeat      string
	Seconds     int64
}

func (flowRow) TableName() string { return "seat_flows" }

func toRow(s Seat) seatRow {
	return seatRow{
		ID: s.ID, EncounterID: string(s.EncounterID), PatientID: string(s.PatientID), PersonID: s.PersonID, Role: string(s.Role),
		Host: s.Host, State: string(s.State), Held: s.Held, Queue: string(s.Queue), Kind: string(s.Kind), Planned: store.Micros(s.Planned),
		ArrivedAt: store.Micros(s.ArrivedAt), AdmittedAt: store.Micros(s.AdmittedAt), SeenAt: store.Micros(s.SeenAt), EndedAt: store.Micros(s.EndedAt),
		RecallAskedAt: store.Micros(s.RecallAsked), RecalledAt: store.Micros(s.Recalled),
		SessionID: string(s.SessionID), AdmittedSession: string(s.AdmittedSession),
	}
}

func (r seatRow) seat() Seat {
	return Seat{
		ID: r.ID, EncounterID: care.EncounterID(r.EncounterID), PatientID: care.PatientID(r.PatientID), PersonID: r.PersonID,
		Role: care.Role(r.Role), Host: r.Host, State: State(r.State), Held: r.Held, Queue: care.StaffID(r.Queue), Kind: care.ActKind(r.Kind), Planned: store.Time(r.Planned),
		ArrivedAt: store.Time(r.ArrivedAt), AdmittedAt: store.Time(r.AdmittedAt), SeenAt: store.Time(r.SeenAt), EndedAt: store.Time(r.EndedAt),
		JoinedAt: store.Time(r.JoinedAt), RecallAsked: store.Time(r.RecallAskedAt), Recalled: store.Time(r.RecalledAt),
		SessionID: care.SessionID(r.SessionID), AdmittedSession: care.SessionID(r.AdmittedSession),
	}
}

// insertSeat makes a seat unless the person has one in the encounter.
func insertSeat(tx *store.Tx, s Seat) error {
	r := toRow(s)
	return tx.G().Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "encounter_id"}, {Name: "person_id"}}, DoNothing: true}).Create(&r).Error
}

func oneSeat(q *gorm.DB) (Seat, error) {
	var r seatRow
	err := store.Missing(q.Take(&r).Error)
	return r.seat(), err
}

// lockSeatOf is lockSeat for a person's seat in an encounter.
func lockSeatOf(tx *store.Tx, id care.EncounterID, person string) (Seat, error) {
	return oneSeat(tx.Locked().Where("encounter_id = ? AND person_id = ?", string(id), person))
}

// lockSeat loads a seat that no other transaction may change before this one ends. Every transaction that
// decides by a seat and then writes it starts with this: updateSeat writes what was read.
func lockSeat(tx *store.Tx, id string) (Seat, error) {
	return oneSeat(tx.Locked().Where("id = ?", id))
}

// lockSeatsOf is lockSeat for all seats of an encounter, in one order so that two transactions do not wait
// for each other.
func lockSeatsOf(tx *store.Tx, id care.EncounterID) ([]Seat, error) {
	var rows []seatRow
	err := tx.Locked().Where("encounter_id = ?", string(id)).Order("id").Find(&rows).Error
	return seats(rows), err
}

func loadSeat(tx *store.Tx, id string) (Seat, error) {
	return oneSeat(tx.G().Where("id = ?", id))
}

func seatsOf(tx *store.Tx, id care.EncounterID) ([]Seat, error) {
	var rows []seatRow
	err := tx.G().Where("encounter_id = ?", string(id)).Order("arrived_at, id").Find(&rows).Error
	return seats(rows), err
}

// membersOf gives the seats of an act that take part in its conversation.
func membersOf(tx *store.Tx, id care.EncounterID) ([]chat.Member, error) {
	all, err := seatsOf(tx, id)
	list := make([]chat.Member, 0, len(all))
	for _, s := range all {
		if !s.over() {
			list = append(list, chat.Member{
				Seat: s.ID, Person: s.PersonID, Host: s.Host, Device: s.Role == RoleDevice,
				Waiting: s.State == Waiting, Admitted: s.State == Admitted, Held: s.Held,
			})
		}
	}
	return list, err
}

// patientAdmitted says whether a patient was ever let into an act.
func patientAdmitted(tx *store.Tx, id care.EncounterID) (bool, error) {
	var rows []seatRow
	err := tx.G().Where("encounter_id = ? AND role = ? AND admitted_at > 0", string(id), string(care.Patient)).Limit(2).Find(&rows).Error
	return len(rows) > 0, err
}

// LoadSeat gives a seat to the packages of devices, in their transaction.
func LoadSeat(tx *store.Tx, id string) (Seat, error) { return loadSeat(tx, id) }

// SeatsOf gives the seats of an act to the packages of devices, in their
// transaction.
func SeatsOf(tx *store.Tx, id care.EncounterID) ([]Seat, error) { return seatsOf(tx, id) }

func seats(rows []seatRow) []Seat {
	list := make([]Seat, 0, len(rows))
	for _, r := range rows {
		list = append(list, r.seat())
	}
	return list
}

// updateSeat writes a seat that lockSeat loaded.
func updateSeat(tx *store.Tx, s Seat) error {
	r := toRow(s)
	return tx.G().Model(&seatRow{}).Where("id = ?", s.ID).Updates(map[string]any{
		"state": r.State, "planned": r.Planned, "arrived_at": r.ArrivedAt, "admitted_at": r.AdmittedAt, "seen_at": r.SeenAt, "ended_at": r.EndedAt, "recall_asked_at": r.RecallAskedAt, "recalled_at": r.RecalledAt,
		"session_id": r.SessionID, "admitted_session": r.AdmittedSession,
	}).Error
}

// holdSeat holds a seat or lets it go.
func holdSeat(tx *store.Tx, id string, held bool) error {
	return tx.G().Model(&seatRow{}).Where("id = ?", id).Updates(map[string]any{"held": held}).Error
}

// touchSeats moves the last sign of life of seats.
func touchSeats(tx *store.Tx, ids []string, at int64) error {
	return tx.G().Model(&seatRow{}).Where("id IN ?", ids).Updates(map[string]any{"seen_at": at}).Error
}

// joinSeat notes that a seat is in the call since at, or not any more (0).
// A seat whose act ended stays out.
func joinSeat(tx *store.Tx, id string, at int64) error {
	q := tx.G().Model(&seatRow{}).Where("id = ?", id)
	if at != 0 {
		q = q.Where("state <> ?", string(Ended))
	}
	return q.Updates(map[string]any{"joined_at": at}).Error
}

// lostSeats takes out of the call those not seen since before, and gives them.
// The seats of an act that ended are not lost, because its end ended their stay,
// nor are those that this process holds: it tells of them what it knows.
func lostSeats(tx *store.Tx, before int64, held func(seat string) bool) ([]Seat, error) {
	var rows []seatRow
	if err := tx.G().Where("joined_at > 0 AND joined_at < ? AND seen_at < ? AND state <> ?", before, before, string(Ended)).Order("id").Find(&rows).Error; err != nil {
		return nil, err
	}
	lost := rows[:0]
	for _, r := range rows { // one by one: somebody may come back meanwhile
		if held(r.ID) {
			continue
		}
		res := tx.G().Model(&seatRow{}).Where("id = ? AND joined_at = ? AND seen_at < ?", r.ID, r.JoinedAt, before).Updates(map[string]any{"joined_at": 0})
		if res.Error != nil {
			return nil, res.Error
		}
		if res.RowsAffected == 1 {
			lost = append(lost, r)
		}
	}
	return seats(lost), nil
}

// lapseSeats gives up the places that are kept no longer (Seat.keptUntil): not
// seen and not told to come back since before, nor waiting to be told since
// asked. It gives them.
func lapseSeats(tx *store.Tx, before, asked int64) ([]Seat, error) {
	const gone = "state = ? AND seen_at < ? AND recalled_at < ? AND (recalled_at > 0 OR recall_asked_at < ?)"
	is := []any{string(Waiting), before, before, asked}
	var rows []seatRow
	if err := tx.G().Where(gone, is...).Order("id").Find(&rows).Error; err != nil {
		return nil, err
	}
	lapsed := rows[:0]
	for _, r := range rows { // one by one: somebody may come back meanwhile
		res := tx.G().Model(&seatRow{}).Where("id = ?", r.ID).Where(gone, is...).Updates(map[string]any{"state": string(Lapsed)})
		if res.Error != nil {
			return nil, res.Error
		}
		if res.RowsAffected == 1 {
			lapsed = append(lapsed, r)
		}
	}
	return seats(lapsed), nil
}

// markRecalled notes that the patient of a waiting seat is told to come back;
// false when that was done for this turn.
func markRecalled(tx *store.Tx, id string, at int64) (bool, error) {
	res := tx.G().Model(&seatRow{}).Where("id = ? AND state = ? AND recalled_at = 0", id, string(Waiting)).Updates(map[string]any{"recalled_at": at})
	return res.RowsAffected == 1, res.Error
}

type delayRow struct {
	EncounterID string
	Planned     int64
	Level       int64
	At          int64
}

func (delayRow) TableName() string { return "delays" }

// markDelayed notes the delay that somebody awaited is told of; false when they
// were told of as much.
func markDelayed(tx *store.Tx, d queue.Delay, at int64) (bool, error) {
	r := delayRow{EncounterID: string(d.Act), Planned: store.Micros(d.Planned), Level: int64(d.Level), At: at}
	res := tx.G().Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "encounter_id"}, {Name: "planned"}},
		DoUpdates: clause.AssignmentColumns([]string{"level", "at"}),
		Where:     clause.Where{Exprs: []clause.Expression{clause.Lt{Column: clause.Column{Table: "delays", Name: "level"}, Value: r.Level}}},
	}).Create(&r)
	return res.RowsAffected == 1, res.Error
}

// inCalls lists the seats that are in a call, of acts that are not over.
func inCalls(tx *store.Tx) ([]Seat, error) {
	var rows []seatRow
	err := tx.G().Where("joined_at > 0 AND state = ?", string(Admitted)).Order("encounter_id, id").Find(&rows).Error
	return seats(rows), err
}

// endSeats ends every seat of an encounter that is not over, and takes all of
// them out of the call: nobody is lost from an act that ended.
func endSeats(tx *store.Tx, id care.EncounterID, at int64) error {
	if err := tx.G().Model(&seatRow{}).Where("encounter_id = ? AND joined_at > 0", string(id)).Updates(map[string]any{"joined_at": 0}).Error; err != nil {
		return err
	}
	return tx.G().Model(&seatRow{}).Where("encounter_id = ? AND state NOT IN ?", string(id), []string{string(Removed), string(Ended)}).
		Updates(map[string]any{"state": string(Ended), "ended_at": at}).Error
}

// moveSeats follows an appointment that was moved.
func moveSeats(tx *store.Tx, id care.EncounterID, planned int64) error {
	return tx.G().Model(&seatRow{}).Where("encounter_id = ?", string(id)).Updates(map[string]any{"planned": planned}).Error
}

// waitingIn lists the patients who wait for a professional, in order.
func waitingIn(tx *store.Tx, id care.StaffID) ([]queue.Place, error) {
	var rows []seatRow
	err := tx.G().Where("queue = ? AND state = ? AND role = ?", string(id), string(Waiting), string(care.Patient)).Find(&rows).Error
	list := make([]queue.Place, 0, len(rows))
	for _, r := range rows {
		list = append(list, queue.Place{
			Seat: r.ID, Kind: care.ActKind(r.Kind), Planned: store.Time(r.Planned), Arrived: store.Time(r.ArrivedAt),
			Seen: store.Time(r.SeenAt), Recalled: store.Time(r.RecalledAt),
		})
	}
	queue.Order(list)
	return list, err
}

// heldIn lists the last acts of a queue.
func heldIn(tx *store.Tx, id care.StaffID, most int) ([]queue.Held, error) {
	var rows []seatRow
	err := tx.G().Where("queue = ? AND role = ? AND admitted_at > 0 AND ended_at > admitted_at", string(id), string(care.Patient)).
		Order("ended_at DESC").Limit(most).Find(&rows).Error
	list := make([]queue.Held, len(rows))
	for i, r := range rows {
		list[i] = queue.Held{Kind: care.ActKind(r.Kind), Planned: store.Time(r.Planned), Arrived: store.Time(r.ArrivedAt),
			Admitted: store.Time(r.AdmittedAt), Ended: store.Time(r.EndedAt)}
	}
	return list, err
}

// goesOn tells since when an act of a queue goes on that began after dayStart;
// the zero time: none.
func goesOn(tx *store.Tx, id care.StaffID, dayStart int64) (since time.Time, kind care.ActKind, err error) {
	var rows []seatRow
	err = tx.G().Where("queue = ? AND role = ? AND state = ? AND admitted_at >= ?", string(id), string(care.Patient), string(Admitted), dayStart).
		Order("admitted_at DESC").Limit(1).Find(&rows).Error
	if len(rows) > 0 {
		since, kind = store.Time(rows[0].AdmittedAt), care.ActKind(rows[0].Kind)
	}
	return since, kind, err
}

func insertTicket(tx *store.Tx, r ticketRow) error {
	// Old ones go with new ones: the table stays as small as the last minutes.
	if err := tx.G().Where("expires_at < ?", r.ExpiresAt-10*ticketLife.Microseconds()).Delete(&ticketRow{}).Error; err != nil {
		return err
	}
	return tx.G().Create(&r).Error
}

// useTicket uses a ticket up and gives its seat. Every refusal is the same.
func useTicket(tx *store.Tx, hash []byte, session, origin string, now int64) (string, error) {
	res := tx.G().Model(&ticketRow{}).
		Where("hash = ? AND session_id = ? AND origin = ? AND expires_at > ? AND used_at = 0", hash, session, origin, now).
		Updates(map[string]any{"used_at": now})
	if res.RowsAffected != 1 && (res.Error == nil || store.IsRowRefused(res.Error)) {
		return "", fault.New(fault.Gone, "ticket-invalid")
	}
	if res.Error != nil {
		return "", res.Error
	}
	var r ticketRow
	err := tx.G().Where("hash = ?", hash).Take(&r).Error
	return r.SeatID, err
}

// addFlow adds seconds of video from one seat to another.
func addFlow(tx *store.Tx, r flowRow) error {
	return tx.G().Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "encounter_id"}, {Name: "from_seat"}, {Name: "to_seat"}},
		DoUpdates: clause.Assignments(map[string]any{"seconds": gorm.Expr("seat_flows.seconds + ?", r.Seconds)}),
	}).Create(&r).Error
}

// markRun notes that batch n of a run of a media node is written. False: it was
// before.
func markRun(tx *store.Tx, run string, n uint64, at int64) (bool, error) {
	q := tx.G().Exec("INSERT INTO media_runs (run, taken, at) VALUES (?, ?, ?) ON CONFLICT (run) DO UPDATE SET taken = excluded.taken, at = excluded.at WHERE media_runs.taken < excluded.taken",
		run, int64(n), at)
	if q.Error != nil || q.RowsAffected == 0 {
		return false, q.Error
	}
	const month = 30 * 24 * 3600 * 1_000_000
	return true, tx.G().Exec("DELETE FROM media_runs WHERE at < ?", at-month).Error
}

func flowsOf(tx *store.Tx, id care.EncounterID) ([]flowRow, error) {
	var rows []flowRow
	err := tx.G().Where("encounter_id = ?", string(id)).Find(&rows).Error
	return rows, err
}
