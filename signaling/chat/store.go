package chat

import (
	"strings"
	"time"

	"visavis/internal/care"
	"visavis/internal/store"

	"gorm.io/gorm/clause"
)

type row struct {
	ID          string
	EncounterID string
	SeatID      string
	ClientID    string
	At          int64
	Addressee   string
	Audience    string
	Body        []byte
}

func (row) TableName() string { return "seat_chat" }

func (r row) message() Message {
	return Message{
		ID: r.ID, Act: r.EncounterID, Seat: r.SeatID, ClientID: r.ClientID, To: r.Addressee, At: store.Time(r.At),
		Audience: strings.Fields(r.Audience), Body: r.Body,
	}
}

// Find gives the message that a seat's client wrote under its id; ok is false
// when there is none.
func Find(tx *store.Tx, seat, client string) (m Message, ok bool, err error) {
	var rows []row
	err = tx.G().Where("seat_id = ? AND client_id = ?", seat, client).Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return Message{}, false, err
	}
	return rows[0].message(), true, nil
}

// Insert keeps a message; false when the same one was kept meanwhile.
func Insert(tx *store.Tx, m Message) (bool, error) {
	r := row{
		ID: m.ID, EncounterID: m.Act, SeatID: m.Seat, ClientID: m.ClientID, At: store.Micros(m.At), Addressee: m.To,
		Audience: strings.Join(m.Audience, " "), Body: m.Body,
	}
	res := tx.G().Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "seat_id"}, {Name: "client_id"}}, DoNothing: true}).Create(&r)
	return res.RowsAffected == 1, res.Error
}

// UsageOf counts what a seat has written.
func UsageOf(tx *store.Tx, seat string, now time.Time) (u Usage, err error) {
	since := store.Micros(now.Add(-Window))
	var n struct {
		Recent int
		Oldest int64
		Bytes  int64
	}
	err = tx.G().Model(&row{}).Where("seat_id = ?", seat).
		Select("COALESCE(SUM(CASE WHEN at > ? THEN 1 ELSE 0 END), 0) AS recent, COALESCE(MIN(CASE WHEN at > ? THEN at END), 0) AS oldest, COALESCE(SUM(LENGTH(body)), 0) AS bytes", since, since).
		Scan(&n).Error
	return Usage{Recent: n.Recent, Oldest: store.Time(n.Oldest), Bytes: n.Bytes}, err
}

// ReadableBy lists the last messages of an act that a person may read, oldest
// first, at most History.
func ReadableBy(tx *store.Tx, act care.EncounterID, person, seat string, host bool) ([]Message, error) {
	const page = 500
	var list []Message
	at, id := int64(1)<<62, ""
	for len(list) < History {
		var rows []row
		err := tx.G().Where("encounter_id = ? AND (at < ? OR (at = ? AND id < ?))", string(act), at, at, id).
			Order("at DESC, id DESC").Limit(page).Find(&rows).Error
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if m := r.message(); len(list) < History && m.ReadableBy(person, seat, host) {
				list = append([]Message{m}, list...)
			}
		}
		if len(rows) < page {
			break
		}
		at, id = rows[page-1].At, rows[page-1].ID
	}
	return list, nil
}
