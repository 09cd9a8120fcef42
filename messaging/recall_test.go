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

func (w *world) delayed(ago time.Duration, minutes, from, to int) {
	w.t.Helper()
	at := w.Clock.Now().Add(-ago)
	p := events.Delay{EncounterID: act, Minutes: minutes, From: store.Micros(at.Add(time.Duration(from) * time.Minute)), At: store.Micros(at)}
	if to > 0 {
		p.To = store.Micros(at.Add(time.Duration(to) * time.Minute))
	}
	w.publish(events.ActDelayed, string(act), p)
}

func (w *world) delays() (list []*Delivery) {
	w.t.Helper()
	for _, d := range w.all() {
		if d.About == Late {
			list = append(list, d)
		}
	}
	return list
}

// 4.8 step 4, M8, B11: who is to come to a doctor who runs late gets one SMS, in
// their language, with the new interval, a link and no health word.
func TestTheDelayIsToldBySMS(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h) // 9:30 in Paris
		w.appointment(events.AppointmentBooked, 20*time.Minute)
		w.wait(leaPhone, 1)
		w.delayed(0, 10, 37, 52)
		start := w.Clock.Now().In(w.svc.Zone)
		from, to := start.Add(37*time.Minute).Truncate(turnRound), start.Add(57*time.Minute-1).Truncate(turnRound)
		text := w.wait(leaPhone, 2)[1].Text
		want := strings.ReplaceAll("Claire Martin a du retard. Ce sera entre "+w.svc.words.Clock("fr", from)+" et "+w.svc.words.Clock("fr", to)+".", "\u00a0", " ")
		if !strings.Contains(text, want) || !strings.Contains(text, "https://visavis.test/rdv#") || !sms.Fits(text) {
			t.Errorf("SMS: %s\nwithout %q", text, want)
		}
		if word := healthWord(text); word != "" || strings.Contains(text, "Moreau") || strings.Contains(text, "Dr") {
			t.Errorf("%q in %s", word, text)
		}
		if n := len(w.mail.Messages(leaMail)); n != 1 {
			t.Errorf("%d e-mails: only the booking's", n)
		}
		if d := w.settle(Late, Accepted); d.EncounterID != act || d.AppointmentID != booking || d.Recipient != ToPatient {
			t.Errorf("%+v", d)
		}
	})
}

func TestADelayIsToldInTheLanguageOfThePerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	start := w.Clock.Now().Add(20 * time.Minute)
	w.publish(events.AppointmentBooked, string(booking), events.Appointment{AppointmentID: booking, PatientID: lea, PractitionerID: claire, OrganizationID: clinic,
		Start: store.Micros(start), End: store.Micros(start.Add(15 * time.Minute)), Language: care.English, Zone: "Europe/Paris"})
	w.wait(leaPhone, 1)
	w.delayed(0, 10, 35, 0)
	if text := w.wait(leaPhone, 2)[1].Text; !strings.Contains(text, "is running late") || !strings.Contains(text, "not be before") || !sms.Fits(text) {
		t.Errorf("SMS: %s", text)
	}
	w.town.set(func(a *Addressee) { a.Phone = "" })
	w.delayed(0, 30, 55, 70)
	if m := w.mail.Messages(leaMail); len(m) != 2 || !strings.Contains(unmimed(m[1].Raw), "between") || !strings.Contains(unmimed(m[1].Raw), "/rdv#") {
		t.Errorf("%d e-mails%s", len(m), show(w.all()))
	}
}

// Whatever happened meanwhile: no word of a delay to who is there, of what is
// cancelled, or of an hour that is over.
func TestADelayThatIsOfNoUseIsNotTold(t *testing.T) {
	t.Parallel()
	fresh := func(t *testing.T) *world {
		w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
		w.appointment(events.AppointmentBooked, 20*time.Minute)
		w.wait(leaPhone, 1)
		return w
	}
	here := func(w *world) {
		w.town.mu.Lock()
		defer w.town.mu.Unlock()
		w.town.begun = true
	}
	t.Run("who waits already", func(t *testing.T) {
		w := fresh(t)
		here(w)
		w.delayed(0, 10, 35, 50)
		if d := w.delays(); len(d) != 0 {
			t.Errorf("%s", show(d))
		}
	})
	t.Run("who came before it left, what is too old, what another replaced", func(t *testing.T) {
		w := fresh(t)
		w.delayed(11*time.Minute, 10, 35, 50)
		if d := w.delays(); len(d) != 0 {
			t.Errorf("%s", show(d))
		}
		w.sms.Close() // the gateway is away for a while
		w.delayed(0, 10, 35, 50)
		w.Clock.Advance(time.Second)
		w.delayed(0, 30, 55, 70)
		here(w)
		w.pass(3 * time.Minute)
		d := w.delays()
		if len(d) != 2 || d[0].State != Refused || d[0].Reason != reasonOvertaken || d[1].State != Refused || d[1].Reason != reasonOvertaken {
			t.Errorf("%s", show(d))
		}
	})
	t.Run("what is cancelled", func(t *testing.T) {
		w := fresh(t)
		w.Clock.Advance(time.Second)
		w.appointment(events.AppointmentCancelled, 20*time.Minute)
		w.delayed(0, 10, 35, 50)
		if d := w.delays(); len(d) != 0 {
			t.Errorf("%s", show(d))
		}
	})
}
