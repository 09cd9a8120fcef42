package events

import (
	"encoding/json"

	"visavis/internal/store"

	"gorm.io/gorm/clause"
)

type eventRow struct {
	ID      string
	Name    string
	Subject string
	At      int64
	Payload string
	store.Guarded
}

func (eventRow) TableName() string { return "events" }

type inboxRow struct {
	EventID  string
	Consumer string
	At       int64
}

func (inboxRow) TableName() string { return "event_inbox" }

func insertEvent(tx *store.Tx, e eventRow) error { return tx.G().Create(&e).Error }

func loadEvent(tx *store.Tx, id string) (Event, error) {
	var r eventRow
	if err := tx.G().Where("id = ?", id).Take(&r).Error; err != nil {
		return Event{}, store.Missing(err)
	}
	return Event{ID: r.ID, Name: r.Name, Subject: r.Subject, At: store.Time(r.At), Payload: json.RawMessage(r.Payload)}, nil
}

// markConsumed returns false when the consumer has had this fact already.
func markConsumed(tx *store.Tx, event, consumer string, at int64) (bool, error) {
	res := tx.G().Clauses(clause.OnConflict{DoNothing: true}).Create(&inboxRow{EventID: event, Consumer: consumer, At: at})
	return res.RowsAffected == 1, res.Error
}

// about gives the names of the facts about a subject since an id, which begins
// with the time: the ids bound what is read. They are not verified: they only say
// whether to wait.
func about(tx *store.Tx, subject, since string) ([]eventRow, error) {
	var rows []eventRow
	err := store.Unverified(tx.G()).Select("id", "name").Where("id >= ? AND subject = ?", since, subject).Find(&rows).Error
	return rows, err
}

func consumed(tx *store.Tx, event, consumer string) (bool, error) {
	var n int64
	err := store.Unverified(tx.G()).Model(&inboxRow{}).Where("event_id = ? AND consumer = ?", event, consumer).Count(&n).Error
	return n > 0, err
}
