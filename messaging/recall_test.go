package messaging

import (
	"strings"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/messaging/sms"
)

func (w *world) recalled(ago time.Duration) {
	w.t.Helper()
	w.publish(events.PatientRecalled, string(act), events.Presence{EncounterID: act, SeatID: "s", PersonID: string(lea), Role: care.Patient, At: store.Micros(w.Clock.Now().Add(-ago))})
}

func (w *world) recalls() (list []*Delivery) {
	w.t.Helper()
	for _, d := range w.all() {
		if d.About == Recall {
			list = append(list, d)
		}
	}
	return list
}

// 4.1 step 5, B11: who waits elsewhere is called back by one SMS with a link and
// no health word.
func TestTheNextPatientIsCalledBack(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h)
		w.appointment(events.AppointmentBooked, 10*time.Minute)
		w.wait(leaPhone, 1)
		w.recalled(0)
		text := w.wait(leaPhone, 2)[1].Text
		if !strings.Contains(text, "presque à vous") || !strings.Contains(text, "https://visavis.test/rdv#") || !sms.Fits(text) {
			t.Errorf("SMS: %s", text)
		}
		if word := healthWord(text); word != "" || strings.Contains(text, "Moreau") {
			t.Errorf("%q in %s", word, text)
		}
		if n := len(w.mail.Messages(leaMail)); n != 1 {
			t.Errorf("%d e-mails: only the booking's", n)
		}
		if d := w.settle(Recall, Accepted); d.EncounterID != act || d.AppointmentID != booking {
			t.Errorf("%+v", d)
		}
	})
}

func TestRecallsCostLittle(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	w.appointment(events.AppointmentBooked, 10*time.Minute)
	for range recallMost + 2 { // comes and goes
		w.recalled(0)
		w.Clock.Advance(time.Second)
	}
	if n := len(w.recalls()); n != recallMost {
		t.Errorf("%d recalls, want %d", n, recallMost)
	}
}

func TestALateRecallIsNotSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	w.appointment(events.AppointmentBooked, 10*time.Minute)
	w.recalled(11 * time.Minute)
	if n := len(w.recalls()); n != 0 {
		t.Errorf("%d recalls of a turn that is over", n)
	}
	w.sms.Close() // the gateway is away for a while
	w.recalled(0)
	w.pass(11 * time.Minute)
	if d := w.recalls(); len(d) != 1 || d[0].State != Refused || d[0].Reason != reasonExpired {
		t.Errorf("%s", show(w.all()))
	}
}

func TestARecallGoesByEmailWithoutATelephone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	w.town.set(func(a *Addressee) { a.Phone = "" })
	w.appointment(events.AppointmentBooked, 10*time.Minute)
	w.recalled(0)
	if m := w.mail.Messages(leaMail); len(m) != 2 || !strings.Contains(unmimed(m[1].Raw), "/rdv#") {
		t.Errorf("%d e-mails%s", len(m), show(w.all()))
	}
}

func TestACancelledAppointmentIsNotCalledBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	w.appointment(events.AppointmentBooked, 3*time.Hour)
	w.Clock.Advance(time.Minute)
	w.appointment(events.AppointmentCancelled, 3*time.Hour)
	w.recalled(0)
	if n := len(w.recalls()); n != 0 {
		t.Errorf("%d recalls", n)
	}
}
