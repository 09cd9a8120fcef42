package main

import (
	"visavis/internal/store"
)

// sending is a delivery as the database tells it.
type sending struct{ recipient, channel, state, reason, messageID, id string }

func (w *witness) sendings(db *store.DB, where string) (list []sending) {
	pool, err := db.SQL()
	if err != nil {
		w.t.Fatal(err)
	}
	rows, err := pool.Query("SELECT recipient, channel, state, reason, message_id, id FROM deliveries WHERE " + where)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s sending
		if err := rows.Scan(&s.recipient, &s.channel, &s.state, &s.reason, &s.messageID, &s.id); err != nil {
			w.t.Fatal(err)
		}
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return list
}

// received compares what was acknowledged with what really arrived: one letter
// per signature and recipient, one SMS per booking, at most one e-mail.
func (w *witness) received() {
	db := w.rig.open()
	boxes := map[string]map[string]int{}
	letters := 0
	for _, address := range []string{secureBox, secureBox2, doctorBox, ordinaryBox} {
		boxes[address] = w.office.counted(w.t, address)
		for id, n := range boxes[address] {
			letters += n
			if n != 1 {
				w.t.Errorf("DOUBLED: %s received %s %d times", address, id, n)
			}
		}
	}
	texts := map[string]int{}
	for _, m := range w.office.sms.Messages() {
		texts[m.Reference]++
	}
	for reference, n := range texts {
		if n != 1 {
			w.t.Errorf("DOUBLED: the gateway sent %s %d times", reference, n)
		}
	}
	for document, appointment := range w.signed {
		w.letters(db, document, w.guests[appointment], boxes)
	}
	doubts := 0
	for appointment := range w.booked {
		doubts += w.told(db, appointment, boxes[ordinaryBox], texts)
	}
	w.strangers(db, boxes)
	w.t.Logf("received: %d letters and e-mails, %d SMS; %d e-mails in doubt, shown to people", letters, len(texts), doubts)
}

// letters checks the letters of one signature.
func (w *witness) letters(db *store.DB, document string, g guest, boxes map[string]map[string]int) {
	got := map[string]int{}
	for _, s := range w.sendings(db, "id IN (SELECT delivery_id FROM delivery_documents WHERE document_id = '"+document+"')") {
		got[s.recipient]++
		box := secureBox
		switch {
		case g["familyName"] == "DURAND":
			if s.state != "waiting-identity" {
				w.t.Errorf("document %s of somebody unknown: %s %s", document, s.state, s.reason)
			}
			continue
		case s.recipient == "doctor":
			box = doctorBox
		case g["familyName"] == "DIALLO":
			box = secureBox2
		}
		if boxes[box]["<"+s.messageID+">"] != 1 {
			w.t.Errorf("MISSING: document %s for %s was acknowledged; %s received it %d times (%s %s)", document, s.recipient, box,
				boxes[box]["<"+s.messageID+">"], s.state, s.reason)
		}
		if s.state != "sent" && s.state != "accepted" {
			w.t.Errorf("document %s for %s arrived and is shown as %s %s", document, s.recipient, s.state, s.reason)
		}
	}
	want := 0
	if g["familyName"] == "O'BRIEN" {
		want = 1
	}
	if got["patient"] != 1 || got["doctor"] != want {
		w.t.Errorf("document %s of %s: letters asked for %v", document, g["familyName"], got)
	}
}

// told checks the messages of one booking: one SMS each; the e-mail once, or
// in doubt and visible as such (an ordinary mail server has no witness).
func (w *witness) told(db *store.DB, appointment string, box, texts map[string]int) (doubts int) {
	asked := 0
	for _, s := range w.sendings(db, "about = 'booked' AND appointment_id = '"+appointment+"'") {
		asked++
		switch {
		case s.channel == "sms" && texts[s.id] != 1:
			w.t.Errorf("MISSING: the SMS of booking %s: %d sent, %s %s", appointment, texts[s.id], s.state, s.reason)
		case s.channel == "email" && s.state == "sending" && s.reason == "in-doubt":
			doubts++
		case s.channel == "email" && box["<"+s.messageID+">"] != 1:
			w.t.Errorf("MISSING: the e-mail of booking %s: %s %s", appointment, s.state, s.reason)
		}
	}
	want := 1
	if w.guests[appointment]["email"] != "" {
		want = 2
	}
	if asked != want {
		w.t.Errorf("booking %s: %d messages asked, want %d", appointment, asked, want)
	}
	return doubts
}

// strangers looks for letters nobody asked for.
func (w *witness) strangers(db *store.DB, boxes map[string]map[string]int) {
	known := map[string]bool{}
	for _, s := range w.sendings(db, "message_id <> ''") {
		known["<"+s.messageID+">"] = true
	}
	for address, box := range boxes {
		for id := range box {
			if !known[id] {
				w.t.Errorf("%s received %s, which no delivery knows", address, id)
			}
		}
	}
}
