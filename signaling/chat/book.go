package chat

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"visavis/internal/care"
	"visavis/internal/seal"
	"visavis/internal/store"
)

// Book writes and reads the messages of acts, sealed under the patient's key.
type Book struct {
	Keeper *seal.Keeper
	Log    *slog.Logger
}

// Line is a message in clear, with those who may read it.
type Line struct {
	ID, Seat, To, Text string
	At                 time.Time
	Readers            []string // persons
	Kept               bool     // by Write: this id was kept before, and everybody was told then
}

// Draft is a message to write.
type Draft struct {
	Act          care.EncounterID
	Patient      care.PatientID // of the act
	Practitioner care.StaffID   // who hosts it
	Seat         string         // of the author
	ID           string         // chosen by the author's client
	To           string         // a seat; empty: no one in particular
	Text         string
}

// Limit is the limit of a seat that a message would break.
type Limit struct {
	Code    string // empty: none
	Seconds int    // to wait; 0: waiting does not help
}

// Write keeps a message with those who may read it now, members being the seats
// of the act as this transaction has them. The same id of the same seat is kept
// once: the first one is given back, with its text and its readers. It fails as
// Audience does; nothing is kept when a limit is given.
func (b Book) Write(ctx context.Context, tx *store.Tx, now time.Time, d Draft, members []Member) (Line, Limit, error) {
	old, ok, err := Find(tx, d.Seat, d.ID)
	if err != nil || ok {
		if err == nil {
			l, err := b.open(ctx, tx, d.Patient, old)
			l.Kept = true
			return l, Limit{}, err
		}
		return Line{}, Limit{}, err
	}
	used, err := UsageOf(tx, d.Seat, now)
	if err != nil {
		return Line{}, Limit{}, err
	}
	if code, wait := used.Refusal(now, len(d.Text)); code != "" {
		return Line{}, Limit{code, wait}, nil
	}
	readers, err := Audience(members, d.Seat, string(d.Practitioner), d.To)
	if err != nil {
		return Line{}, Limit{}, err
	}
	m := Message{
		ID: care.NewID(now), Act: string(d.Act), Seat: d.Seat, ClientID: d.ID, To: d.To, At: store.Time(store.Micros(now)), Audience: readers,
	}
	if m.Body, err = b.Keeper.Seal(ctx, tx, d.Patient, place(m), []byte(d.Text)); err != nil {
		return Line{}, Limit{}, err
	}
	fresh, err := Insert(tx, m)
	if err == nil && !fresh {
		err = errors.New("chat: the same message was written at the same moment")
	}
	return Line{ID: d.ID, Seat: d.Seat, To: d.To, Text: d.Text, At: m.At, Readers: readers}, Limit{}, err
}

// History opens the last messages of an act that a person may read, oldest first,
// at most History. A message that does not open, since its row was altered, is
// left out and logged.
func (b Book) History(ctx context.Context, tx *store.Tx, act care.EncounterID, patient care.PatientID, person, seat string, host bool) ([]Line, error) {
	rows, err := ReadableBy(tx, act, person, seat, host)
	if err != nil {
		return nil, err
	}
	list := make([]Line, 0, len(rows))
	for _, m := range rows {
		l, err := b.open(ctx, tx, patient, m)
		if err != nil {
			b.Log.Error("signaling: a message does not open", "message", m.ID, "err", err)
			continue
		}
		list = append(list, l)
	}
	return list, nil
}

func place(m Message) seal.Place {
	return seal.Place{Table: "seat_chat", Column: "body", Row: m.Place()}
}

func (b Book) open(ctx context.Context, tx *store.Tx, patient care.PatientID, m Message) (Line, error) {
	text, err := b.Keeper.Open(ctx, tx, patient, place(m), m.Body)
	return Line{ID: m.ClientID, Seat: m.Seat, To: m.To, Text: string(text), At: m.At, Readers: m.Audience}, err
}
