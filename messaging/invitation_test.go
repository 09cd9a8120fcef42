package messaging

import (
	"strings"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/testkit"
	"visavis/messaging/sms"
)

const (
	rose      = care.CompanionID("0199aaaa-0000-7000-8000-000000000061")
	paul      = care.CompanionID("0199aaaa-0000-7000-8000-000000000062")
	rosePhone = "+33612345671"
	paulMail  = "paul@example.test"
)

func (w *world) invite(id care.CompanionID, g Guest) {
	w.t.Helper()
	w.town.mu.Lock()
	if w.town.guests == nil {
		w.town.guests = map[care.CompanionID]Guest{}
	}
	w.town.guests[id] = g
	w.town.mu.Unlock()
	w.publish(events.CompanionInvited, string(id), events.Companion{CompanionID: id, AppointmentID: booking, PatientID: lea})
}

// B2, B11, B13: who is invited gets one message with a link of their own, which
// tells no more of the patient than somebody who knows them needs.
func TestACompanionIsWrittenTo(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h)
		w.appointment(events.AppointmentBooked, 3*time.Hour)
		w.wait(leaPhone, 1)
		w.invite(rose, Guest{Name: "Rose Attal", Phone: rosePhone})
		text := w.wait(rosePhone, 1)[0].Text
		if !strings.Contains(text, "Léa M.") || !strings.Contains(text, "https://visavis.test/rdv#companion") || !sms.Fits(text) {
			t.Errorf("SMS: %s", text)
		}
		w.invite(paul, Guest{Name: "Paul", Email: paulMail})
		mails := w.mail.Messages(paulMail)
		if len(mails) != 1 || !strings.Contains(unmimed(mails[0].Raw), "/rdv#companion") {
			t.Fatalf("%d e-mails%s", len(mails), show(w.all()))
		}
		for _, said := range []string{text, unmimed(mails[0].Raw)} {
			if word := healthWord(said); word != "" || strings.Contains(said, "Moreau") || strings.Contains(said, "Martin") {
				t.Errorf("%q in %s", word, said)
			}
		}
		for _, d := range w.all() {
			if d.About == Invited && (d.Recipient != ToCompanion || d.Hint == "" || strings.Contains(d.Hint, "612345671") || strings.Contains(d.Hint, "paul@")) {
				t.Errorf("%+v", d)
			}
		}
		if n := len(w.mail.Messages(leaMail)); n != 1 {
			t.Errorf("%d e-mails to the patient: only the booking's", n)
		}
	})
}

func TestAnInvitationTakenBackIsNotSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	w.appointment(events.AppointmentBooked, 3*time.Hour)
	w.sms.Close() // the gateway is away for a while
	w.invite(rose, Guest{Name: "Rose Attal", Phone: rosePhone})
	w.publish(events.CompanionInvited, string(paul), events.Companion{CompanionID: paul, AppointmentID: booking, PatientID: lea}) // taken back before
	var found []*Delivery
	for _, d := range w.all() {
		if d.About == Invited {
			found = append(found, d)
		}
	}
	if len(found) != 1 || found[0].CompanionID != rose {
		t.Errorf("%s", show(w.all()))
	}
}

func TestAnInvitationOutlivesAMove(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	w.appointment(events.AppointmentBooked, 3*time.Hour)
	w.invite(paul, Guest{Name: "Paul", Email: paulMail})
	w.Clock.Advance(time.Minute)
	w.appointment(events.AppointmentMoved, 5*time.Hour)
	w.wait(leaPhone, 2)
	w.Clock.Advance(time.Minute)
	w.invite(rose, Guest{Name: "Rose", Phone: rosePhone})
	if text := w.wait(rosePhone, 1)[0].Text; !strings.Contains(text, "Léa M.") {
		t.Errorf("%s", text)
	}
	w.Clock.Advance(time.Minute)
	w.appointment(events.AppointmentCancelled, 5*time.Hour)
	w.Clock.Advance(time.Minute)
	w.invite(rose, Guest{Name: "Rose", Phone: rosePhone})
	var n int
	for _, d := range w.all() {
		if d.About == Invited {
			n++
		}
	}
	if n != 2 {
		t.Errorf("invited to what is cancelled: %s", show(w.all()))
	}
}

// 4.8, B13: who is invited is told of the new time with a link of their own, and
// that it is off, each once, and nothing when the invitation was taken back.
func TestACompanionIsToldOfAMoveAndOfACancellation(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h)
		w.appointment(events.AppointmentBooked, 3*time.Hour)
		w.invite(rose, Guest{Name: "Rose Attal", Phone: rosePhone})
		w.invite(paul, Guest{Name: "Paul", Email: paulMail})
		w.wait(rosePhone, 1)
		w.Clock.Advance(time.Minute)
		w.appointment(events.AppointmentMoved, 28*time.Hour)
		text := w.wait(rosePhone, 2)[1].Text
		if !strings.Contains(text, "Léa M. est déplacé") || !strings.Contains(text, "/rdv#companion") || !sms.Fits(text) {
			t.Errorf("SMS: %s", text)
		}
		mails := w.mail.Messages(paulMail)
		if len(mails) != 2 || !strings.Contains(unmimed(mails[1].Raw), "/rdv#companion") {
			t.Fatalf("%d e-mails%s", len(mails), show(w.all()))
		}
		w.town.mu.Lock()
		delete(w.town.guests, paul) // taken back
		w.town.mu.Unlock()
		w.Clock.Advance(time.Minute)
		w.appointment(events.AppointmentCancelled, 28*time.Hour)
		off := w.wait(rosePhone, 3)[2].Text
		if !strings.Contains(off, "annulé") || strings.Contains(off, "/rdv#") {
			t.Errorf("SMS: %s", off)
		}
		if mails := w.mail.Messages(paulMail); len(mails) != 2 {
			t.Errorf("%d e-mails to who is not invited any more", len(mails))
		}
		for _, said := range []string{text, off, unmimed(mails[1].Raw)} {
			if word := healthWord(said); word != "" || strings.Contains(said, "Moreau") || strings.Contains(said, "Martin") {
				t.Errorf("%q in %s", word, said)
			}
		}
	})
}

// What was to be told to somebody whose invitation is taken back meanwhile, and
// of a time that is itself moved, does not leave.
func TestWhatACompanionNeedNotKnowDoesNotLeave(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	w.appointment(events.AppointmentBooked, 3*time.Hour)
	w.invite(rose, Guest{Name: "Rose Attal", Phone: rosePhone})
	w.wait(rosePhone, 1)
	w.sms.Close() // the gateway is away for a while
	w.Clock.Advance(time.Minute)
	w.appointment(events.AppointmentMoved, 28*time.Hour)
	w.Clock.Advance(time.Minute)
	w.appointment(events.AppointmentMoved, 29*time.Hour)
	w.town.mu.Lock()
	delete(w.town.guests, rose)
	w.town.mu.Unlock()
	w.pass(time.Minute)
	reasons := map[string]int{}
	for _, d := range w.all() {
		if d.Recipient == ToCompanion && d.About == Moved {
			reasons[string(d.State)+" "+d.Reason]++
		}
	}
	if len(reasons) != 2 || reasons["refused overtaken"] != 1 || reasons["refused withdrawn"] != 1 {
		t.Errorf("%v%s", reasons, show(w.all()))
	}
}

func TestAShortNameTellsOneLetterOfTheFamily(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"Léa Moreau": "Léa M.", "Jean-Noël N'GUESSAN-LEFÈVRE": "Jean-Noël N.", "Zoé": "Zoé", "Anne ÉTIENNE": "Anne É."} {
		if got := short(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
