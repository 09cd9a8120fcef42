package scheduling

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// facts notes the facts of a house, as "name start".
func facts(h *testkit.House) *[]string {
	told, mu := &[]string{}, &sync.Mutex{}
	for _, name := range []string{events.AppointmentBooked, events.AppointmentMoved, events.AppointmentCancelled} {
		h.Bus.On(name, "test."+name, func(_ context.Context, _ *store.Tx, e events.Event) error {
			var a events.Appointment
			if err := e.Decode(&a); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			*told = append(*told, name+" "+store.Time(a.Start).Format("02T15:04")+" "+string(a.By)+" "+a.Zone)
			return nil
		})
	}
	return told
}

func TestBookMoveCancel(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		told := facts(h)
		s, _ := newService(t, h)
		r, err := s.Book(anybody(), booking(paris(11, 9, 0), "Dû-Mazerolles"))
		if err != nil {
			t.Fatal(err)
		}
		if r.Status != Booked || r.Version != 1 || r.End.Sub(r.Start) != 20*time.Minute || r.BookedBy != care.Anonymous || r.OrganizationID != lilas {
			t.Errorf("%+v", r.Appointment)
		}
		if back, err := s.Find(anybody(), r.ID); err != nil || back != r.Appointment {
			t.Errorf("read back %+v %v", back, err)
		}
		me := testkit.As(patientOf(r.Appointment))
		moved, err := s.Move(me, r.ID, paris(12, 10, 20), 1)
		if err != nil || moved.Version != 2 || !moved.Start.Equal(paris(12, 10, 20)) {
			t.Fatalf("%+v %v", moved, err)
		}
		if _, err := s.Book(anybody(), booking(paris(11, 9, 0), "Autre")); err != nil {
			t.Error("the slot left is not free:", err)
		}
		_, err = s.Move(me, r.ID, paris(13, 9, 0), 1)
		wantFault(t, err, fault.Conflict, "changed-meanwhile")
		_, err = s.Move(me, r.ID, paris(11, 9, 0), 2)
		wantFault(t, err, fault.Conflict, "slot-taken")
		if _, err := s.Move(me, r.ID, paris(12, 10, 20), 2); err != nil {
			t.Error("moving where one is:", err)
		}
		gone, err := s.Cancel(me, r.ID, "je vais mieux")
		if err != nil || gone.Status != Cancelled {
			t.Fatalf("%+v %v", gone, err)
		}
		if again, err := s.Cancel(me, r.ID, ""); err != nil || again.Version != gone.Version {
			t.Errorf("cancelled twice: %+v %v", again, err)
		}
		_, err = s.Move(me, r.ID, paris(13, 9, 0), gone.Version)
		wantFault(t, err, fault.Conflict, "appointment-closed")
		if _, err := s.Book(anybody(), booking(paris(12, 10, 20), "Autre")); err != nil {
			t.Error("the cancelled slot is not free:", err)
		}
		h.Deliver(t)
		slices.Sort(*told) // facts of different names may overtake each other
		want := []string{
			"AppointmentBooked 11T08:00 anonymous Indian/Reunion", "AppointmentBooked 11T08:00 anonymous Indian/Reunion", "AppointmentBooked 12T09:20 anonymous Indian/Reunion",
			"AppointmentCancelled 12T09:20 patient Indian/Reunion", "AppointmentMoved 12T09:20 patient Indian/Reunion", "AppointmentMoved 12T09:20 patient Indian/Reunion",
		}
		if !slices.Equal(*told, want) {
			t.Errorf("facts %q", *told)
		}
	})
}

func TestThePriceShownIsKept(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		b := booking(paris(11, 9, 0), "Martin")
		b.Shown.Reimbursed = 1650
		_, err := s.Book(anybody(), b)
		wantFault(t, err, fault.Conflict, "price-changed")
		r, err := s.Book(anybody(), booking(paris(11, 9, 0), "Martin"))
		if err != nil {
			t.Fatal(err)
		}
		var lines []audit.Line
		err = h.DB.Read(context.Background(), func(ctx context.Context, tx *store.Tx) (err error) {
			lines, err = h.Audit.About(ctx, tx, "appointment/"+string(r.ID))
			return err
		})
		if err != nil || len(lines) != 1 || lines[0].Detail["priceCents"] != "2500" || lines[0].Detail["reimbursedCents"] != "1550" || !strings.Contains(lines[0].Detail["priceSource"], "20 juin 2024") {
			t.Errorf("%+v %v", lines, err)
		}
	})
}

func TestWhatABookingIsRefusedFor(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		change := func(f func(*Booking)) Booking {
			b := booking(paris(11, 9, 0), "Martin")
			f(&b)
			return b
		}
		at := func(t time.Time) Booking { return change(func(b *Booking) { b.Start = t }) }
		for _, c := range []struct {
			want string
			b    Booking
		}{
			{"start:in-past", at(paris(10, 8, 0))},
			{"start:too-soon", at(paris(10, 9, 40))},
			{"start:too-far", at(paris(10, 9, 0).AddDate(0, 0, 65))},
			{"start:not-a-slot", at(paris(11, 9, 10))},
			{"start:not-a-slot", at(paris(14, 9, 0))},                                   // a Saturday
			{"start:not-a-slot", at(time.Date(2026, 4, 6, 7, 0, 0, 0, time.UTC))},       // Easter Monday
			{"start:not-a-slot", change(func(b *Booking) { b.PractitionerID = dupre })}, // no schedule
			{"practitionerId:practitioner-unknown", change(func(b *Booking) { b.PractitionerID = "nobody" })},
			{"zone:zone-unknown", change(func(b *Booking) { b.Zone = "Europe/Lilas" })},
			{"start:in-past zone:zone-unknown patient.familyName:required patient.phone:required", change(func(b *Booking) {
				b.Start, b.Zone, b.Person = paris(9, 9, 0), "Local", Person{ID: "ignored"}
			})},
		} {
			_, err := s.Book(anybody(), c.b)
			if err == nil || err.Error() != "fields "+c.want || fault.KindOf(err) != fault.Invalid {
				t.Errorf("got %v, want %s", err, c.want)
			}
		}
		_, err := s.Book(anybody(), change(func(b *Booking) { b.Person = Person{} }))
		if err == nil || err.Error() != "fields patient.familyName:required patient.phone:required" {
			t.Error(err)
		}
		if free, _, err := s.Slots(anybody(), martin, day(t, "2026-03-11"), 1); err != nil || len(free) != 9 {
			t.Errorf("%d free, %v: a refused booking took a slot", len(free), err)
		}
	})
}

func TestSecretaryBooks(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		// No notice for staff: the slot in twenty minutes is theirs to give.
		r, err := s.BookFor(secretary(), booking(paris(10, 9, 20), "O'Brien"))
		if err != nil || r.BookedBy != care.Secretary {
			t.Fatal(r, err)
		}
		known := booking(paris(10, 9, 40), "")
		known.Person = Person{ID: r.PatientID, Language: care.French}
		if again, err := s.BookFor(secretary(), known); err != nil || again.PatientID != r.PatientID {
			t.Error(again, err)
		}
		known.Start, known.Person.ID = paris(11, 9, 40), "0190bbbb-0000-7000-8000-999999999999"
		if _, err := s.BookFor(secretary(), known); err == nil || err.Error() != "fields patientId:not-a-choice" {
			t.Error(err)
		}
		elsewhere := testkit.As(staff(care.Secretary, leroy, roses))
		_, err = s.BookFor(elsewhere, booking(paris(11, 9, 0), "O'Brien"))
		wantFault(t, err, fault.NotFound, "not-found")
		_, err = s.BookFor(anybody(), booking(paris(11, 9, 0), "O'Brien"))
		wantFault(t, err, fault.Unauthenticated, "sign-in")
		if _, err := s.BookFor(testkit.As(staff(care.Doctor, martin, lilas)), booking(paris(11, 9, 0), "O'Brien")); err != nil {
			t.Error("a doctor cannot give a next appointment:", err)
		}
	})
}

func TestWhoMaySeeAndChange(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, w := newService(t, h)
		r, err := s.Book(anybody(), booking(paris(11, 9, 0), "Martin"))
		if err != nil {
			t.Fatal(err)
		}
		other, err := s.Book(anybody(), booking(paris(11, 9, 20), "Martin"))
		if err != nil {
			t.Fatal(err)
		}
		if other.PatientID != r.PatientID {
			t.Fatal("two patients")
		}
		w.team[r.ID] = benali
		for name, c := range map[string]struct {
			actor        authz.Actor
			read, change bool
		}{
			"the patient":                   {patientOf(r.Appointment), true, true},
			"the patient by another link":   {patientOf(other.Appointment), false, false},
			"the doctor":                    {staff(care.Doctor, martin, lilas), true, true},
			"a colleague":                   {staff(care.Doctor, dupre, lilas), true, true},
			"the invited nurse":             {staff(care.Nurse, benali, lilas), true, false},
			"a nurse not invited":           {staff(care.Nurse, leroy, lilas), false, false},
			"the secretary":                 {staff(care.Secretary, leroy, lilas), true, true},
			"a secretary elsewhere":         {staff(care.Secretary, leroy, roses), false, false},
			"a doctor elsewhere":            {staff(care.Doctor, autre, roses), false, false},
			"the administrator":             {staff(care.Admin, leroy, lilas), false, false},
			"nobody":                        {authz.Actor{}, false, false},
			"a patient with the same agent": {authz.Actor{Role: care.Patient, PatientID: "p", AppointmentID: r.ID, Level: authz.LevelLink}, false, false},
		} {
			ctx := testkit.As(c.actor)
			v, err := s.Read(ctx, r.ID)
			if (err == nil) != c.read || err == nil && v.PatientName != "Zoé Martin" {
				t.Errorf("%s reads: %q %v", name, v.PatientName, err)
			}
			_, err = s.Move(ctx, r.ID, paris(20, 9, 0), 99)
			if want := map[bool]string{true: "changed-meanwhile"}[c.change]; (err.Error() == want) != c.change {
				t.Errorf("%s moves: %v", name, err)
			}
		}
	})
}

func TestAgenda(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, w := newService(t, h)
		r, err := s.BookFor(secretary(), booking(paris(10, 9, 40), "Martin"))
		if err != nil {
			t.Fatal(err)
		}
		gone, err := s.BookFor(secretary(), booking(paris(10, 10, 0), "Parti"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Cancel(secretary(), gone.ID, ""); err != nil {
			t.Fatal(err)
		}
		w.progress[r.ID] = Progress{EncounterID: "0190eeee-0000-7000-8000-000000000001", WaitingSince: paris(10, 9, 35), Troubled: true}
		w.states[r.ID] = care.ConsentGranted
		columns, zone, err := s.Agenda(secretary(), 0, 1)
		if err != nil || zone != "Europe/Paris" || len(columns) != 2 {
			t.Fatal(zone, len(columns), err)
		}
		mine := columns[0]
		if mine.Card.ID != martin || len(mine.Appointments) != 2 || mine.Appointments[0].PatientName != "Zoé Martin" || mine.Appointments[0].Consent != care.ConsentGranted ||
			mine.Appointments[0].Progress.WaitingSince.IsZero() || !mine.Appointments[0].Progress.Troubled || mine.Appointments[1].Status != Cancelled {
			t.Errorf("%+v", mine.Appointments)
		}
		// 09:20 and 10:00 to 11:40: nine slots less the one that starts now and the one taken.
		if len(mine.Free) != 7 || !mine.Free[1].Start.Equal(paris(10, 10, 0)) {
			t.Errorf("%d free: %v", len(mine.Free), mine.Free)
		}
		if len(columns[1].Appointments) != 0 || len(columns[1].Free) != 0 {
			t.Error("a doctor without schedule has", columns[1])
		}
		week, _, err := s.Agenda(secretary(), day(t, "2026-03-09"), 7)
		if err != nil || len(week[0].Free) != 7+27 {
			t.Errorf("%d free in the week, %v", len(week[0].Free), err)
		}
		_, _, err = s.Agenda(testkit.As(patientOf(r.Appointment)), 0, 1)
		wantFault(t, err, fault.NotFound, "not-found")
		_, _, err = s.Agenda(testkit.As(staff(care.Nurse, benali, lilas)), 0, 1)
		wantFault(t, err, fault.NotFound, "not-found")
		if theirs, _, err := s.Agenda(testkit.As(staff(care.Secretary, leroy, roses)), 0, 1); err != nil || len(theirs) != 1 || len(theirs[0].Appointments) != 0 {
			t.Errorf("another organisation sees %+v, %v", theirs, err)
		}
	})
}

func TestSearchPutsTheFirstFreeFirst(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		offers, err := s.Search(anybody(), "", "")
		if err != nil || len(offers) != 3 || offers[0].Card.ID != martin || offers[0].Next == nil || !offers[0].Next.Start.Equal(paris(10, 10, 20)) || offers[1].Next != nil {
			t.Fatalf("%+v %v", offers, err)
		}
		early := weekdays()
		early.Notice = 0
		if _, err := s.SetPlan(system(), autre, early); err != nil {
			t.Fatal(err)
		}
		if offers, err = s.Search(anybody(), "", ""); err != nil || offers[0].Card.ID != autre || !offers[0].Next.Start.Equal(paris(10, 9, 20)) {
			t.Errorf("%+v %v", offers, err)
		}
		// Dr Martin is SM26; a patient looks for general practice, SM54.
		if offers, err = s.Search(anybody(), "SM54", "claire"); err != nil || len(offers) != 1 || offers[0].Card.ID != martin {
			t.Errorf("%+v %v", offers, err)
		}
		_, err = s.Search(anybody(), "SM00", "")
		wantFault(t, err, fault.Invalid, "specialty-unknown")
		list, err := s.Specialties(anybody())
		if err != nil || len(list) != 3 || list[0].Code != "SM54" {
			t.Errorf("%+v %v", list, err)
		}
		_, _, err = s.Slots(anybody(), "nobody", 0, 1)
		wantFault(t, err, fault.NotFound, "not-found")
		if free, zone, err := s.Slots(anybody(), dupre, 0, 14); err != nil || len(free) != 0 || zone != home {
			t.Errorf("%v %s %v", free, zone, err)
		}
		if free, _, err := s.Slots(anybody(), martin, day(t, "2026-01-01"), 3); err != nil || len(free) != 5+9+9 {
			t.Errorf("%d slots from the past on, %v", len(free), err)
		}
		if free, _, err := s.Slots(anybody(), martin, day(t, "2026-05-08"), 31); err != nil || len(free) != 0 {
			t.Errorf("%d slots on a holiday at the horizon, %v", len(free), err)
		}
	})
}

func TestAppointmentsFollowTheirAct(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, w := newService(t, h)
		s.Subscribe(h.Bus)
		came, err := s.BookFor(secretary(), booking(paris(10, 9, 20), "Venue"))
		if err != nil {
			t.Fatal(err)
		}
		missed, err := s.BookFor(secretary(), booking(paris(10, 9, 40), "Absente"))
		if err != nil {
			t.Fatal(err)
		}
		const act = care.EncounterID("0190eeee-0000-7000-8000-000000000001")
		w.progress[came.ID] = Progress{EncounterID: act}
		status := func(id care.AppointmentID) Status {
			a, err := s.Find(anybody(), id)
			if err != nil {
				t.Fatal(err)
			}
			return a.Status
		}
		for _, step := range []struct {
			fact string
			want Status
		}{
			{events.PatientArrived, Arrived}, {events.EncounterStarted, Arrived}, {events.EncounterFinished, Fulfilled}, {events.PatientArrived, Fulfilled},
		} {
			err := h.DB.Tx(system(), func(ctx context.Context, tx *store.Tx) error {
				return h.Bus.Publish(ctx, tx, step.fact, string(act), events.Presence{EncounterID: act})
			})
			if err != nil {
				t.Fatal(err)
			}
			h.Deliver(t)
			if got := status(came.ID); got != step.want {
				t.Errorf("after %s: %s, want %s", step.fact, got, step.want)
			}
		}
		if err := s.noShows(anybody(), nil); err != nil || status(missed.ID) != Booked {
			t.Fatal("missed before the end:", status(missed.ID), err)
		}
		h.Clock.Set(paris(10, 11, 0))
		if err := s.noShows(anybody(), nil); err != nil || status(missed.ID) != NoShow || status(came.ID) != Fulfilled {
			t.Fatal(status(missed.ID), status(came.ID), err)
		}
		_, err = s.Cancel(secretary(), missed.ID, "")
		wantFault(t, err, fault.Conflict, "appointment-closed")
	})
}

func TestCurrentOfAPatient(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		if id, err := s.CurrentOf(anybody(), "nobody"); err != nil || id != "" {
			t.Error(id, err)
		}
		first, err := s.BookFor(secretary(), booking(paris(10, 9, 20), "Martin"))
		if err != nil {
			t.Fatal(err)
		}
		second, err := s.BookFor(secretary(), booking(paris(12, 9, 0), "Martin"))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			now  time.Time
			want care.AppointmentID
		}{{paris(10, 9, 0), first.ID}, {paris(10, 10, 39), first.ID}, {paris(10, 10, 40), second.ID}, {paris(30, 9, 0), second.ID}} {
			h.Clock.Set(c.now)
			if id, err := s.CurrentOf(anybody(), first.PatientID); err != nil || id != c.want {
				t.Errorf("at %s: %s %v", c.now, id, err)
			}
		}
	})
}

func TestOnlyThePlatformSetsPlans(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		_, err := s.SetPlan(secretary(), martin, weekdays())
		wantFault(t, err, fault.Forbidden, "forbidden")
		if _, err := s.SetPlan(system(), martin, Plan{}); fault.KindOf(err) != fault.Invalid {
			t.Error(err)
		}
		r, err := s.Book(anybody(), booking(paris(11, 9, 0), "Martin"))
		if err != nil {
			t.Fatal(err)
		}
		afternoons := everyDay("Europe/Paris", 30, At(14, 0), At(15, 0))
		for range 2 { // the plan in force again changes nothing
			again, err := s.SetPlan(system(), martin, afternoons)
			if err != nil || again.Version != 2 || again.ID != r.ScheduleID {
				t.Error(again, err)
			}
		}
		if p, ok, err := s.PlanOf(anybody(), martin); err != nil || !ok || !p.Same(afternoons) || p.Same(weekdays()) {
			t.Error(p, ok, err)
		}
		if _, ok, err := s.PlanOf(anybody(), "nobody"); ok || err != nil {
			t.Error("nobody has a plan:", err)
		}
		if a, err := s.Find(anybody(), r.ID); err != nil || a.Status != Booked {
			t.Error("a taken appointment did not outlive its plan:", a, err)
		}
	})
}

func TestTheReasonIsSealed(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		r, err := s.Book(anybody(), booking(paris(11, 9, 0), "Martin"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Cancel(secretary(), r.ID, "fausse couche"); err != nil {
			t.Fatal(err)
		}
		for reason, code := range map[string]string{"": "", "fausse couche": "", "Elle va mieux": "appointment-cancelled"} {
			_, err := s.Cancel(secretary(), r.ID, reason) // another reason would be lost
			if f := (*fault.Error)(nil); errors.As(err, &f) != (code != "") || f != nil && f.Code != code {
				t.Errorf("cancelled again for %q: %v", reason, err)
			}
		}
		err = h.DB.Read(context.Background(), func(ctx context.Context, tx *store.Tx) error {
			var kept row
			if err := tx.G().Where("id = ?", string(r.ID)).Take(&kept).Error; err != nil {
				return err
			}
			if strings.Contains(string(kept.Reason), "couche") {
				t.Error("the reason is readable at rest")
			}
			plain, err := h.Keeper.Open(ctx, tx, r.PatientID, reasonOf(r.ID), kept.Reason)
			if string(plain) != "fausse couche" {
				t.Errorf("%q %v", plain, err)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}
