package encounters_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"visavis/encounters"
	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

const (
	clinic  = care.OrganizationID("0199aaaa-0000-7000-8000-000000000001")
	claire  = care.StaffID("0199aaaa-0000-7000-8000-000000000011")
	hugo    = care.StaffID("0199aaaa-0000-7000-8000-000000000012")
	ines    = care.StaffID("0199aaaa-0000-7000-8000-000000000013")
	foreign = care.StaffID("0199aaaa-0000-7000-8000-000000000014")
	sophie  = care.StaffID("0199aaaa-0000-7000-8000-000000000015")
	lea     = care.PatientID("0199aaaa-0000-7000-8000-000000000021")
	booking = care.AppointmentID("0199aaaa-0000-7000-8000-000000000031")
)

// clinicPeople answers who is who, as identity does.
type clinicPeople struct{}

func (clinicPeople) Patient(_ context.Context, id care.PatientID) (encounters.Person, error) {
	return encounters.Person{ID: string(id), DisplayName: "Léa Moreau", Role: care.Patient, BirthDate: "2014-05-02", Minor: true, IdentityStatus: care.Qualified}, nil
}

func (clinicPeople) Companion(_ context.Context, id care.CompanionID) (encounters.Person, error) {
	return encounters.Person{ID: string(id), DisplayName: "Rose ATTAL", Role: care.Companion}, nil
}

func (clinicPeople) Staff(_ context.Context, id care.StaffID) (encounters.Person, error) {
	p := encounters.Person{ID: string(id), OrganizationID: clinic}
	switch id {
	case claire:
		p.DisplayName, p.Role = "Dr Claire Martin", care.Doctor
	case hugo:
		p.DisplayName, p.Role = "Dr Hugo Dupré", care.Doctor
	case ines:
		p.DisplayName, p.Role = "Inès Benali", care.Nurse
	case foreign:
		p.DisplayName, p.Role, p.OrganizationID = "Autre Clinique", care.Nurse, "0199aaaa-0000-7000-8000-000000000002"
	default:
		return p, fault.Missing()
	}
	return p, nil
}

type consentGiven struct{}

func (consentGiven) State(context.Context, care.AppointmentID) (care.ConsentState, error) {
	return care.ConsentGranted, nil
}

type nobodyOnline struct{}

func (nobodyOnline) Online(context.Context, care.EncounterID) (bool, error) { return false, nil }

// checks are the acts whose patient's connection test failed.
type checks map[care.EncounterID]bool

func (c checks) Failed(_ context.Context, ids []care.EncounterID) (map[care.EncounterID]bool, error) {
	out := map[care.EncounterID]bool{}
	for _, id := range ids {
		if c[id] {
			out[id] = true
		}
	}
	return out, nil
}

func doctor(id care.StaffID) authz.Actor {
	return authz.Actor{Role: care.Doctor, StaffID: id, OrganizationID: clinic, Level: authz.LevelPSC}
}

func nurse(id care.StaffID) authz.Actor {
	return authz.Actor{Role: care.Nurse, StaffID: id, OrganizationID: clinic, Level: authz.LevelPSC}
}

func newService(h *testkit.House) *encounters.Service {
	svc := encounters.New(encounters.Deps{
		DB: h.DB, Bus: h.Bus, Audit: h.Audit, Table: h.Table, Clock: h.Clock,
		People: clinicPeople{}, Consents: consentGiven{}, Live: nobodyOnline{}, Checks: checks{},
	})
	svc.Subscribe(h.Bus)
	return svc
}

func publish(t *testing.T, h *testkit.House, name, subject string, payload any) {
	t.Helper()
	err := h.DB.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		return h.Bus.Publish(ctx, tx, name, subject, payload)
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Deliver(t)
}

// booked makes the act of a booked appointment and returns it.
func booked(t *testing.T, h *testkit.House, svc *encounters.Service) *encounters.Encounter {
	t.Helper()
	start := h.Clock.Now().Add(10 * time.Minute)
	publish(t, h, events.AppointmentBooked, string(booking), events.Appointment{
		AppointmentID: booking, PatientID: lea, PractitionerID: claire, OrganizationID: clinic,
		Start: store.Micros(start), End: store.Micros(start.Add(15 * time.Minute)),
	})
	e, err := svc.OfAppointment(context.Background(), booking)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// R6316-4: the report needs who took part, when, and what went wrong.
func TestAnActIsToldAsItHappens(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc := newService(h)
		e := booked(t, h, svc)
		if e.Status != encounters.Planned {
			t.Fatalf("status = %s", e.Status)
		}
		t0 := h.Clock.Now()
		at := func(min int) int64 { return store.Micros(t0.Add(time.Duration(min) * time.Minute)) }
		publish(t, h, events.PatientArrived, string(e.ID), events.Presence{EncounterID: e.ID, At: at(1)})
		publish(t, h, events.EncounterStarted, string(e.ID), events.Presence{EncounterID: e.ID, At: at(3)})
		publish(t, h, events.ParticipantJoined, string(e.ID), events.Presence{EncounterID: e.ID, SeatID: "s1", PersonID: string(lea), Role: care.Patient, At: at(3)})
		publish(t, h, events.ParticipantJoined, string(e.ID), events.Presence{EncounterID: e.ID, SeatID: "s2", PersonID: string(claire), Role: care.Doctor, At: at(3)})
		publish(t, h, events.ParticipantLeft, string(e.ID), events.Presence{EncounterID: e.ID, SeatID: "s1", At: at(5)})
		publish(t, h, events.ParticipantJoined, string(e.ID), events.Presence{EncounterID: e.ID, SeatID: "s1", PersonID: string(lea), Role: care.Patient, At: at(6)})
		publish(t, h, events.MediaIncident, string(e.ID), events.Media{EncounterID: e.ID, SeatID: "s1", Code: "media_lost", At: at(5)})
		publish(t, h, events.MediaFlowed, string(e.ID), events.Media{EncounterID: e.ID, Seconds: 61, At: at(8)})
		publish(t, h, events.MediaFlowed, string(e.ID), events.Media{EncounterID: e.ID, Seconds: 42, At: at(8)})
		h.Clock.Advance(12 * time.Minute)
		if _, err := svc.Finish(testkit.As(doctor(claire)), e.ID); err != nil {
			t.Fatal(err)
		}
		got, err := svc.Facts(context.Background(), e.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got.Status != encounters.Finished || !got.ArrivedAt.Equal(store.Time(at(1))) || !got.StartedAt.Equal(store.Time(at(3))) || !got.FinishedAt.Equal(t0.Add(12*time.Minute)) {
			t.Errorf("times: %+v", got)
		}
		if got.VideoSeconds != 61 {
			t.Errorf("video proof = %d s, want the longest told, 61", got.VideoSeconds)
		}
		if len(got.Presence) != 3 || !got.Presence[0].LeftAt.Equal(store.Time(at(5))) && !got.Presence[1].LeftAt.Equal(store.Time(at(5))) {
			t.Errorf("stays: %+v", got.Presence)
		}
		for _, p := range got.Presence {
			if p.LeftAt.IsZero() {
				t.Errorf("stay of %s is still open after the end", p.PersonID)
			}
		}
		if len(got.Incidents) != 1 || got.Incidents[0].Code != "media_lost" {
			t.Errorf("incidents: %+v", got.Incidents)
		}
	})
}

// Facts are delivered at least once; a second delivery must change nothing.
func TestTheSameFactTwiceIsOnce(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc := newService(h)
		e := booked(t, h, svc)
		again := booked(t, h, svc)
		if again.ID != e.ID {
			t.Fatalf("a second act %s for one appointment", again.ID)
		}
		join := events.Presence{EncounterID: e.ID, SeatID: "s1", PersonID: string(lea), Role: care.Patient, At: store.Micros(h.Clock.Now())}
		publish(t, h, events.ParticipantJoined, string(e.ID), join)
		publish(t, h, events.ParticipantJoined, string(e.ID), join)
		got, err := svc.Facts(context.Background(), e.ID)
		if err != nil || len(got.Presence) != 1 {
			t.Fatalf("%d stays, %v", len(got.Presence), err)
		}
	})
}

// S1: what one may not see answers as what does not exist.
func TestOnlyThePeopleOfTheActSeeIt(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc := newService(h)
		e := booked(t, h, svc)
		_, unknown := svc.Read(testkit.As(doctor(claire)), "0199aaaa-0000-7000-8000-0000000000ff")
		for name, actor := range map[string]authz.Actor{
			"a doctor of the same clinic": doctor(hugo),
			"a nurse not invited":         nurse(ines),
			"the secretary":               {Role: care.Secretary, StaffID: sophie, OrganizationID: clinic, Level: authz.LevelPSC},
			"the patient":                 {Role: care.Patient, PatientID: lea, AppointmentID: booking, Level: authz.LevelCode},
		} {
			_, err := svc.Read(testkit.As(actor), e.ID)
			if err == nil || err.Error() != unknown.Error() {
				t.Errorf("%s: %v, want %v", name, err, unknown)
			}
		}
		if _, err := svc.Read(testkit.As(doctor(claire)), e.ID); err != nil {
			t.Errorf("the doctor of the act: %v", err)
		}
		if _, err := svc.Invite(testkit.As(doctor(claire)), e.ID, ines); err != nil {
			t.Fatal(err)
		}
		if _, err := svc.Read(testkit.As(nurse(ines)), e.ID); err != nil {
			t.Errorf("the invited nurse: %v", err)
		}
		list, err := svc.Day(testkit.As(nurse(ines)), h.Clock.Now(), h.Clock.Now().Add(time.Hour))
		if err != nil || len(list) != 1 {
			t.Errorf("the nurse's day: %d acts, %v", len(list), err)
		}
	})
}

// B2, A8: a third seat is for a colleague, once, while the act is open.
func TestInvite(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc := newService(h)
		e := booked(t, h, svc)
		ctx := testkit.As(doctor(claire))
		for _, id := range []care.StaffID{foreign, claire, "nobody"} {
			if _, err := svc.Invite(ctx, e.ID, id); fault.KindOf(err) != fault.Invalid {
				t.Errorf("inviting %s: %v", id, err)
			}
		}
		for range 2 {
			got, err := svc.Invite(ctx, e.ID, ines)
			if err != nil || len(got.Team) != 1 || got.Team[0].Role != care.Nurse {
				t.Fatalf("team %+v, %v", got, err)
			}
		}
		if _, err := svc.Invite(testkit.As(nurse(ines)), e.ID, hugo); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a nurse invites: %v", err)
		}
		if _, err := svc.Finish(ctx, e.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := svc.Invite(ctx, e.ID, hugo); fault.KindOf(err) != fault.Conflict {
			t.Errorf("inviting into a finished act: %v", err)
		}
	})
}

// A9: the doctor confirms who the patient is. A check that is answered as done is the one the act and the audit keep;
// one that would be lost is refused (issue 9, what bad input gets).
func TestIdentify(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc := newService(h)
		e := booked(t, h, svc)
		ctx := testkit.As(doctor(claire))
		if _, err := svc.Identify(ctx, e.ID, "by-guess"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("unknown way: %v", err)
		}
		for i, c := range []struct {
			how, kept encounters.How
			later     bool // the check on file is the one just made
			refused   bool
		}{
			{encounters.FaceAndName, encounters.FaceAndName, true, false},
			{encounters.FaceAndName, encounters.FaceAndName, false, false},
			{encounters.Document, encounters.Document, true, false},
			{encounters.Document, encounters.Document, false, false},
			{encounters.FaceAndName, encounters.Document, false, true},
		} {
			h.Clock.Advance(time.Minute)
			_, err := svc.Identify(ctx, e.ID, c.how)
			if refused := errors.Is(err, fault.New(fault.Conflict, "identity-checked")); refused != c.refused || err != nil && !refused {
				t.Errorf("%d %s: %v", i, c.how, err)
			}
			got, err := svc.Facts(ctx, e.ID)
			if err != nil || got.IdentifiedHow != c.kept || got.IdentifiedBy != claire || got.IdentifiedAt.Equal(h.Clock.Now()) != c.later {
				t.Errorf("%d %s: %s by %s at %v, %v", i, c.how, got.IdentifiedHow, got.IdentifiedBy, got.IdentifiedAt, err)
			}
		}
	})
}

func TestAMovedOrCancelledAppointmentMovesOrCancelsTheAct(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc := newService(h)
		e := booked(t, h, svc)
		start := h.Clock.Now().Add(48 * time.Hour)
		p := events.Appointment{AppointmentID: booking, Start: store.Micros(start), End: store.Micros(start.Add(time.Hour))}
		publish(t, h, events.AppointmentMoved, string(booking), p)
		got, err := svc.Facts(context.Background(), e.ID)
		if err != nil || !got.PlannedStart.Equal(start) {
			t.Fatalf("planned %v, %v", got.PlannedStart, err)
		}
		publish(t, h, events.AppointmentCancelled, string(booking), p)
		if got, err = svc.Facts(context.Background(), e.ID); err != nil || got.Status != encounters.Cancelled {
			t.Fatalf("status %v, %v", got.Status, err)
		}
		publish(t, h, events.PatientArrived, string(e.ID), events.Presence{EncounterID: e.ID, At: store.Micros(start)})
		if got, err = svc.Facts(context.Background(), e.ID); err != nil || got.Status != encounters.Cancelled {
			t.Fatalf("a cancelled act came back to life: %v, %v", got.Status, err)
		}
		if err := svc.End(testkit.As(doctor(claire)), e.ID, start); fault.KindOf(err) != fault.Conflict {
			t.Errorf("ending a cancelled act: %v", err)
		}
	})
}

// Who leaves the waiting room is waited for again, not kept waiting.
func TestWhoLeavesTheWaitingRoomWaitsNoMore(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc := newService(h)
		e := booked(t, h, svc)
		t0 := h.Clock.Now()
		for _, step := range []struct {
			fact string
			min  int
			want encounters.Status
			at   int // minute of the arrival, 0: nobody waits
		}{
			{events.PatientWentAway, 1, encounters.Planned, 0},
			{events.PatientArrived, 2, encounters.Arrived, 2},
			{events.PatientWentAway, 1, encounters.Arrived, 2}, // late news of before
			{events.PatientWentAway, 3, encounters.Planned, 0},
			{events.PatientArrived, 4, encounters.Arrived, 4},
			{events.EncounterStarted, 5, encounters.InProgress, 4},
			{events.PatientWentAway, 6, encounters.InProgress, 4},
		} {
			at := t0.Add(time.Duration(step.min) * time.Minute)
			publish(t, h, step.fact, string(e.ID), events.Presence{EncounterID: e.ID, At: store.Micros(at)})
			got, err := svc.Facts(context.Background(), e.ID)
			if err != nil || got.Status != step.want || got.ArrivedAt.IsZero() != (step.at == 0) ||
				step.at > 0 && !got.ArrivedAt.Equal(t0.Add(time.Duration(step.at)*time.Minute)) {
				t.Fatalf("%s at %d: %s since %v, %v", step.fact, step.min, got.Status, got.ArrivedAt, err)
			}
		}
	})
}

func TestEndTwiceIsOnce(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc := newService(h)
		e := booked(t, h, svc)
		ends := 0
		h.Bus.On(events.EncounterFinished, "test.count", func(context.Context, *store.Tx, events.Event) error { ends++; return nil })
		for range 2 {
			if err := svc.End(testkit.As(doctor(claire)), e.ID, h.Clock.Now()); err != nil {
				t.Fatal(err)
			}
		}
		h.Deliver(t)
		if ends != 1 {
			t.Errorf("EncounterFinished told %d times", ends)
		}
		var lines []audit.Line
		err := h.DB.Read(context.Background(), func(ctx context.Context, tx *store.Tx) (err error) {
			lines, err = h.Audit.About(ctx, tx, "encounter/"+string(e.ID))
			return err
		})
		if err != nil || len(lines) != 1 || lines[0].Action != "encounter.finish" || lines[0].Actor != string(claire) {
			t.Errorf("written of the end: %+v %v", lines, err)
		}
	})
}

func TestHTTP(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc := newService(h)
		e := booked(t, h, svc)
		words, err := encounters.Texts()
		if err != nil {
			t.Fatal(err)
		}
		server := h.Server(t, testkit.Actors{"claire": doctor(claire), "hugo": doctor(hugo)}, words)
		encounters.Routes(server, svc, words)
		c := testkit.HTTP(t, server.Handler()).Held(server)
		path := "/api/encounters/" + string(e.ID)

		c.Get(path).Problem(401, "sign-in")
		c.With("hugo").Get(path).Problem(404, "not-found")
		c = c.With("claire")
		c.Post(path+"/identity", map[string]string{"how": "x"}).Problem(422, "fields")
		c.Post(path+"/participants", map[string]string{"staffId": string(foreign)}).Problem(422, "fields")
		c.Post(path+"/participants", map[string]string{"staffId": string(ines)}).Want(201)
		publish(t, h, events.PatientArrived, string(e.ID), events.Presence{EncounterID: e.ID, At: store.Micros(h.Clock.Now())})
		var day struct {
			Items []struct {
				EncounterID  string
				WaitingSince *time.Time
				FirstTime    bool
				Consent      string
				Patient      struct {
					DisplayName string
					Minor       bool
				}
			}
		}
		c.Get("/api/day").Want(200).JSON(&day)
		if len(day.Items) != 1 || day.Items[0].WaitingSince == nil || !day.Items[0].FirstTime || day.Items[0].Consent != "granted" || !day.Items[0].Patient.Minor {
			t.Errorf("day: %+v", day)
		}
		c.Get("/api/day?date=2026-02-30").Problem(422, "fields")
		publish(t, h, events.MediaIncident, string(e.ID), events.Media{EncounterID: e.ID, Code: "media_lost", At: store.Micros(h.Clock.Now())})
		c.Post(path+"/finish", nil).Want(200)
		var body struct {
			Status    string
			Team      []struct{ DisplayName string }
			Incidents []struct{ Text string }
		}
		c.Get(path, testkit.English()).Want(200).JSON(&body)
		if body.Status != "finished" || len(body.Team) != 1 || len(body.Incidents) != 1 || body.Incidents[0].Text != "Picture and sound cut on a participant's side." {
			t.Errorf("act: %+v", body)
		}
	})
}

// L1110-4: who takes part in an act for the patient is of the care team.
func TestCareTeamAndCalls(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc := newService(h)
		e := booked(t, h, svc)
		ctx := context.Background()
		want := func(what string, got bool, err error, expected bool) {
			t.Helper()
			if err != nil || got != expected {
				t.Errorf("%s: %v, %v, want %v", what, got, err, expected)
			}
		}
		got, err := svc.CaresFor(ctx, claire, lea)
		want("the doctor cares", got, err, true)
		got, err = svc.CaresFor(ctx, ines, lea)
		want("the nurse before the invitation", got, err, false)
		if _, err := svc.Invite(testkit.As(doctor(claire)), e.ID, ines); err != nil {
			t.Fatal(err)
		}
		got, err = svc.CaresFor(ctx, ines, lea)
		want("the nurse after it", got, err, true)
		got, err = svc.InTeam(ctx, booking, ines)
		want("in the team of the appointment", got, err, true)
		got, err = svc.InTeam(ctx, "0199aaaa-0000-7000-8000-0000000000ee", ines)
		want("of an appointment without act", got, err, false)

		publish(t, h, events.EncounterStarted, string(e.ID), events.Presence{EncounterID: e.ID, At: store.Micros(h.Clock.Now())})
		publish(t, h, events.ParticipantJoined, string(e.ID), events.Presence{EncounterID: e.ID, SeatID: "s2", PersonID: string(claire), At: store.Micros(h.Clock.Now())})
		got, err = svc.InCall(ctx, doctor(claire))
		want("in the call", got, err, true)
		publish(t, h, events.ParticipantLeft, string(e.ID), events.Presence{EncounterID: e.ID, SeatID: "s2", At: store.Micros(h.Clock.Now())})
		got, err = svc.InCall(ctx, doctor(claire))
		want("after leaving", got, err, false)
	})
}

// L1110-4: a booked act is a reason to know for a while, a cancelled one never,
// one that took place for who was there.
func TestWhoMayKnowAndWhen(t *testing.T) {
	day := 24 * time.Hour
	start := testkit.Morning().Add(30 * day)
	for _, story := range []struct {
		name         string
		happens      []string      // facts, at the planned start
		after        time.Duration // from the planned start; before it when negative
		claire, ines bool          // the doctor responsible, the nurse invited
	}{
		{"booked for long after", nil, -7*day - time.Minute, false, false},
		{"a week before", nil, -7 * day, true, true},
		{"nobody came, 90 days after its end", nil, 90*day + 15*time.Minute, true, true},
		{"nobody came, later", nil, 90*day + 16*time.Minute, false, false},
		{"cancelled", []string{events.AppointmentCancelled}, time.Hour, false, false},
		{"begun by the doctor alone", []string{events.EncounterStarted}, time.Hour, true, true},
		{"years after it began, the nurse never came", []string{events.EncounterStarted}, 1000 * day, true, false},
		{"years after they were there", []string{events.EncounterStarted, events.ParticipantJoined}, 1000 * day, true, true},
		{"years after a late cancellation of an act that was held", []string{events.EncounterStarted, events.AppointmentCancelled}, 1000 * day, true, false},
	} {
		t.Run(story.name, func(t *testing.T) {
			testkit.Houses(t, func(t *testing.T, h *testkit.House) {
				svc := newService(h)
				about := events.Appointment{AppointmentID: booking, PatientID: lea, PractitionerID: claire, OrganizationID: clinic,
					Start: store.Micros(start), End: store.Micros(start.Add(15 * time.Minute))}
				publish(t, h, events.AppointmentBooked, string(booking), about)
				e, err := svc.OfAppointment(context.Background(), booking)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := svc.Invite(testkit.As(doctor(claire)), e.ID, ines); err != nil {
					t.Fatal(err)
				}
				for _, name := range story.happens {
					if name == events.AppointmentCancelled {
						publish(t, h, name, string(booking), about)
						continue
					}
					publish(t, h, name, string(e.ID), events.Presence{EncounterID: e.ID, SeatID: "s3", PersonID: string(ines), Role: care.Nurse, At: about.Start})
				}
				h.Clock.Set(start.Add(story.after))
				for _, ask := range []struct {
					staff   care.StaffID
					patient care.PatientID
					want    bool
				}{{claire, lea, story.claire}, {ines, lea, story.ines}, {hugo, lea, false}, {claire, "0199aaaa-0000-7000-8000-000000000022", false}} {
					if got, err := svc.CaresFor(context.Background(), ask.staff, ask.patient); err != nil || got != ask.want {
						t.Errorf("%s cares for %s: %v, %v, want %v", ask.staff, ask.patient, got, err, ask.want)
					}
				}
			})
		})
	}
}
