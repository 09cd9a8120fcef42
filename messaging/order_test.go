package messaging

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// TestTheLastLetterIsTheTruth: an appointment is moved several times quickly;
// whatever the order in which the facts are told, also with one and the same
// time on them, what is still to be sent says the last time, and nothing says
// anything after it (trust D11).
func TestTheLastLetterIsTheTruth(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h)
		random := rand.New(rand.NewPCG(11, 11))
		for round := range 8 {
			list := w.moves(round, 2+random.IntN(5), round%3 == 2)
			last := list[len(list)-1].payload
			random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			err := h.DB.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error {
				for _, f := range list { // the fake clock stands: all at one instant
					if err := h.Bus.Publish(ctx, tx, f.name, string(last.AppointmentID), f.payload); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			h.Deliver(t)
			w.pass(time.Minute)
			w.sees(round, last)
		}
	})
}

type moveFact struct {
	name    string
	payload events.Appointment
}

// moves books an appointment, moves it n times and may cancel it.
func (w *world) moves(round, n int, cancel bool) (list []moveFact) {
	for v := 1; v <= n; v++ {
		p := w.appointment(events.AppointmentMoved, time.Duration(48+v)*time.Hour)
		p.AppointmentID = care.AppointmentID(fmt.Sprintf("0199cccc-0000-7000-8000-0000000000%02d", round))
		p.Version = v
		name := events.AppointmentMoved
		switch {
		case v == 1:
			name = events.AppointmentBooked
		case v == n && cancel:
			name = events.AppointmentCancelled
		}
		list = append(list, moveFact{name, p})
	}
	return list
}

// sees checks the messages of one appointment.
func (w *world) sees(round int, last events.Appointment) {
	w.t.Helper()
	var list []*Delivery
	err := w.DB.Tx(context.Background(), func(_ context.Context, tx *store.Tx) (err error) {
		list, err = ofAppointment(tx, last.AppointmentID)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	told := 0
	for _, d := range list {
		switch {
		case d.FactVersion == last.Version:
			told++
		case d.State == Queued || d.State == Sending:
			w.t.Errorf("round %d: version %d (%s) is still to be sent after version %d", round, d.FactVersion, d.About, last.Version)
		}
		for _, other := range list {
			if d.About != Reminder && d.writtenAt.After(other.writtenAt) && !other.writtenAt.IsZero() && d.FactVersion < other.FactVersion {
				w.t.Errorf("round %d: version %d was written after version %d", round, d.FactVersion, other.FactVersion)
			}
		}
	}
	if told == 0 {
		w.t.Errorf("round %d: nobody was told of version %d", round, last.Version)
	}
}

// TestWhatWasTakenBackReachesNoDoctorEither: the prescription is cancelled after
// its letters were queued (B16).
func TestWhatWasTakenBackReachesNoDoctorEither(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h)
		w.sign(events.PrescriptionIssued, sheet, "")
		w.town.void(sheet)
		w.pass(time.Hour)
		w.expect(w.one(Documents, MSSante, ToDoctor), "queued refused(withdrawn)")
		w.expect(w.one(Documents, MSSante, ToPatient), "queued refused(withdrawn)")
		w.sign(events.ReportSigned, report, "")
		w.pass(time.Minute)
		for _, box := range []string{drBox, leaBox} {
			if got := w.letters(box); len(got) != 1 || types(got[0]) != "85208-7" {
				t.Errorf("%s got %v: %s", box, got, show(w.all()))
			}
		}
	})
}

// TestWhatIsTakenBackAtTheLastMomentStays: the letter is written, the server is
// being asked, and the author cancels: not one byte of it leaves.
func TestWhatIsTakenBackAtTheLastMomentStays(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h)
		w.sign(events.ReportSigned, report, "")
		w.sign(events.PrescriptionIssued, sheet, "")
		for _, box := range []string{drBox, leaBox} {
			if n := len(w.letters(box)); n != 0 {
				t.Fatalf("%d letters before their time", n)
			}
		}
		w.svc.at = func(point string) {
			if point == "prepared" {
				w.town.void(sheet)
			}
		}
		w.pass(time.Minute)
		for range 3 { // one attempt gives up, the next leaves without it
			w.pass(time.Minute)
		}
		for _, box := range []string{drBox, leaBox} {
			if got := w.letters(box); len(got) != 1 || types(got[0]) != "85208-7" {
				t.Errorf("%s got %v: %s", box, got, show(w.all()))
			}
		}
	})
}
