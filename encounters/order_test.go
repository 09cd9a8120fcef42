package encounters_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"visavis/encounters"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// fact is one of the live side or of the agenda.
type fact struct {
	name    string
	payload any
}

// tell publishes facts in one transaction: the bus delivers them in any order,
// several at once.
func tell(t *testing.T, h *testkit.House, list []fact) {
	t.Helper()
	err := h.DB.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		for _, f := range list {
			if err := h.Bus.Publish(ctx, tx, f.name, "x", f.payload); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Deliver(t)
}

func facts(t *testing.T, svc *encounters.Service, id care.EncounterID) *encounters.Encounter {
	t.Helper()
	e, err := svc.Facts(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestTheLastMoveWins whatever the order in which moves are told (trust D11),
// and a cancellation is not undone by a move that came before it.
func TestTheLastMoveWins(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc := newService(h)
		random := rand.New(rand.NewPCG(12, 12))
		t0 := h.Clock.Now().Add(time.Hour)
		for round := range 6 {
			id := care.AppointmentID(fmt.Sprintf("0199aaaa-0000-7000-8000-0000000004%02d", round))
			moved := func(version int) events.Appointment {
				start := t0.Add(time.Duration(version) * time.Hour)
				return events.Appointment{AppointmentID: id, PatientID: lea, PractitionerID: claire, OrganizationID: clinic, Version: version,
					Start: store.Micros(start), End: store.Micros(start.Add(15 * time.Minute))}
			}
			list := []fact{{events.AppointmentBooked, moved(1)}}
			last := 2 + random.IntN(6)
			for v := 2; v <= last; v++ {
				list = append(list, fact{events.AppointmentMoved, moved(v)})
			}
			if round%2 == 1 {
				list = append(list, fact{events.AppointmentCancelled, moved(last + 1)})
			}
			random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			tell(t, h, list)
			e, err := svc.OfAppointment(context.Background(), id)
			if err != nil {
				t.Fatal(err)
			}
			want := encounters.Planned
			if round%2 == 1 {
				want = encounters.Cancelled
			}
			if e.Status != want || round%2 == 0 && !e.PlannedStart.Equal(t0.Add(time.Duration(last)*time.Hour)) {
				t.Errorf("round %d: %s at %v, want %s at %v", round, e.Status, e.PlannedStart, want, t0.Add(time.Duration(last)*time.Hour))
			}
		}
	})
}

// TestAnActIsTheSameInAnyOrder: the facts of a whole call, told in any order
// and after the end that the host asked for, give the same act (B34).
func TestAnActIsTheSameInAnyOrder(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc := newService(h)
		random := rand.New(rand.NewPCG(34, 34))
		for round := range 4 {
			id := care.AppointmentID(fmt.Sprintf("0199aaaa-0000-7000-8000-0000000005%02d", round))
			t0 := h.Clock.Now()
			publish(t, h, events.AppointmentBooked, string(id), events.Appointment{AppointmentID: id, PatientID: lea, PractitionerID: claire,
				OrganizationID: clinic, Start: store.Micros(t0), End: store.Micros(t0.Add(time.Hour)), Version: 1})
			e, err := svc.OfAppointment(context.Background(), id)
			if err != nil {
				t.Fatal(err)
			}
			at := func(minute int) int64 { return store.Micros(t0.Add(time.Duration(minute) * time.Minute)) }
			p := func(seat string, who string, minute int) events.Presence {
				return events.Presence{EncounterID: e.ID, SeatID: seat, PersonID: who, Role: care.Nurse, At: at(minute)}
			}
			unseen := p("s3", string(ines), 7)
			unseen.Assumed = true
			list := []fact{
				{events.PatientArrived, p("s1", string(lea), 1)}, {events.EncounterStarted, p("s1", string(lea), 2)},
				{events.ParticipantJoined, p("s2", string(claire), 2)}, {events.ParticipantJoined, p("s1", string(lea), 2)},
				{events.ParticipantLeft, p("s1", string(lea), 4)}, {events.ParticipantJoined, p("s1", string(lea), 5)},
				{events.ParticipantJoined, p("s3", string(ines), 6)}, {events.ParticipantLeft, unseen},
				{events.MediaIncident, events.Media{EncounterID: e.ID, SeatID: "s1", Code: "media_lost", At: at(4)}},
				{events.MediaFlowed, events.Media{EncounterID: e.ID, Seconds: 300, At: at(8)}},
				{events.MediaFlowed, events.Media{EncounterID: e.ID, Seconds: 120, At: at(5)}},
			}
			random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			h.Clock.Advance(10 * time.Minute)
			cut := random.IntN(len(list) + 1)
			// A guess that is made before the end may shorten a stay, one that is made
			// after it may not.
			gone := "7 true"
			if i := slices.IndexFunc(list, func(f fact) bool { p, ok := f.payload.(events.Presence); return ok && p.Assumed }); i >= cut {
				gone = "10 false"
			}
			tell(t, h, list[:cut])
			if err := svc.End(testkit.As(doctor(claire)), e.ID, t0.Add(10*time.Minute)); err != nil {
				t.Fatal(err)
			}
			h.Clock.Advance(time.Minute)
			tell(t, h, list[cut:])
			got := facts(t, svc, e.ID)
			if got.Status != encounters.Finished || store.Micros(got.StartedAt) != at(2) || store.Micros(got.FinishedAt) != at(10) ||
				store.Micros(got.ArrivedAt) != at(1) || got.VideoSeconds != 300 || len(got.Incidents) != 1 {
				t.Errorf("round %d, %d of %d told before the end: %+v", round, cut, len(list), got)
			}
			text := ""
			for _, s := range got.Presence {
				text += fmt.Sprintf("%s %d-%d %v; ", s.SeatID, s.JoinedAt.Sub(t0)/time.Minute, s.LeftAt.Sub(t0)/time.Minute, s.Assumed)
			}
			want1, want2 := "s1 2-4 false; s2 2-10 false; s1 5-10 false; s3 6-"+gone+"; ", "s2 2-10 false; s1 2-4 false; s1 5-10 false; s3 6-"+gone+"; "
			if text != want1 && text != want2 {
				t.Errorf("round %d, %d of %d told before the end: %s", round, cut, len(list), text)
			}
			h.Clock.Advance(2 * time.Hour)
		}
	})
}

// TestNobodyIsInACallForEver: who was taken to have left is not in the call,
// and the act says that nobody saw them leave.
func TestNobodyIsInACallForEver(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc := newService(h)
		e := booked(t, h, svc)
		p := events.Presence{EncounterID: e.ID, SeatID: "s2", PersonID: string(claire), Role: care.Doctor, At: store.Micros(h.Clock.Now())}
		tell(t, h, []fact{{events.EncounterStarted, p}, {events.ParticipantJoined, p}})
		if in, err := svc.InCall(context.Background(), doctor(claire)); err != nil || !in {
			t.Fatalf("in the call: %v %v", in, err)
		}
		p.At, p.Assumed = store.Micros(h.Clock.Now().Add(time.Minute)), true
		tell(t, h, []fact{{events.ParticipantLeft, p}})
		if in, err := svc.InCall(context.Background(), doctor(claire)); err != nil || in {
			t.Fatalf("still in the call: %v %v", in, err)
		}
		if got := facts(t, svc, e.ID); len(got.Presence) != 1 || !got.Presence[0].Assumed {
			t.Errorf("stays: %+v", got.Presence)
		}
	})
}

// TestCancellingAnActThatIsHeldDoesNotUndoIt, and the fact is consumed all the
// same.
func TestCancellingAnActThatIsHeldDoesNotUndoIt(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc := newService(h)
		e := booked(t, h, svc)
		publish(t, h, events.EncounterStarted, string(e.ID), events.Presence{EncounterID: e.ID, At: store.Micros(h.Clock.Now())})
		publish(t, h, events.AppointmentCancelled, string(booking), events.Appointment{AppointmentID: booking, Version: 2})
		if got := facts(t, svc, e.ID); got.Status != encounters.InProgress {
			t.Errorf("status %s", got.Status)
		}
	})
}

// TestFinish_RecordIsImmutable: once an act ended, no guess, no incident of
// clients that hang up and no second telling changes what it says of presence,
// incidents and times, on both databases; a fact that proves something does.
func TestFinish_RecordIsImmutable(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc := newService(h)
		e := booked(t, h, svc)
		t0 := h.Clock.Now()
		at := func(s int) int64 { return store.Micros(t0.Add(time.Duration(s) * time.Second)) }
		p := func(seat, who string, s int) events.Presence {
			return events.Presence{EncounterID: e.ID, SeatID: seat, PersonID: who, Role: care.Doctor, At: at(s)}
		}
		guess := p("s2", string(claire), 0)
		guess.Assumed, guess.How = true, events.LeftAppRestarted
		tell(t, h, []fact{
			{events.EncounterStarted, p("s1", string(lea), 0)}, {events.ParticipantJoined, p("s1", string(lea), 0)},
			{events.ParticipantJoined, p("s2", string(claire), 0)}, {events.MediaFlowed, events.Media{EncounterID: e.ID, Seconds: 16, At: at(16)}},
		})
		h.Clock.Advance(26 * time.Second)
		if _, err := svc.Finish(testkit.As(doctor(claire)), e.ID); err != nil {
			t.Fatal(err)
		}
		ended := facts(t, svc, e.ID)
		line := func(e *encounters.Encounter) (text string) {
			for _, s := range e.Presence {
				text += fmt.Sprintf("%s %v %v %q; ", s.SeatID, s.LeftAt.Sub(s.JoinedAt), s.Assumed, s.How)
			}
			return fmt.Sprintf("%s%v %v %v %v", text, e.Incidents, e.StartedAt, e.FinishedAt, e.PlannedStart)
		}
		want := line(ended)
		for round := range 3 { // minutes after: janitors, restarts, clients that hung up, a booking that is moved late
			h.Clock.Advance(4 * time.Minute)
			moved := events.Appointment{AppointmentID: booking, Version: 10 + round, Start: at(7200), End: at(8000)}
			list := []fact{
				{events.ParticipantLeft, guess}, {events.ParticipantLeft, guess}, {events.MediaIncident, events.Media{EncounterID: e.ID, SeatID: "s2", Code: "media_lost", At: at(27)}},
				{events.MediaIncident, events.Media{EncounterID: e.ID, Code: "app_restarted", At: at(200)}}, {events.ParticipantJoined, p("s3", string(ines), 90)},
				{events.AppointmentMoved, moved}, {events.AppointmentCancelled, moved},
			}
			tell(t, h, list)
			if got := line(facts(t, svc, e.ID)); got != want {
				t.Fatalf("round %d: the record became\n%s\nit was\n%s", round, got, want)
			}
		}
		left := p("s1", string(lea), 20) // proven, and told late
		left.How = events.LeftPageClosed
		tell(t, h, []fact{{events.ParticipantLeft, left}, {events.MediaFlowed, events.Media{EncounterID: e.ID, Seconds: 19, At: at(25)}}})
		got := facts(t, svc, e.ID)
		if got.VideoSeconds != 19 || got.Presence[0].LeftAt.Sub(t0) != 20*time.Second && got.Presence[1].LeftAt.Sub(t0) != 20*time.Second {
			t.Errorf("a fact told late is not in the record: %+v", got)
		}
	})
}
