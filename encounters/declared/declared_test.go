package declared_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"visavis/encounters/declared"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

const (
	visit  = care.AppointmentID("0199aaaa-0000-7000-8000-000000000031")
	clinic = care.OrganizationID("0199aaaa-0000-7000-8000-000000000001")
	claire = care.StaffID("0199aaaa-0000-7000-8000-000000000011")
	sophie = care.StaffID("0199aaaa-0000-7000-8000-000000000012")
	hugo   = care.StaffID("0199aaaa-0000-7000-8000-000000000013")
	lea    = care.PatientID("0199aaaa-0000-7000-8000-000000000021")
	tom    = care.PatientID("0199aaaa-0000-7000-8000-000000000022")
	canary = "CANARI-ALLERGIE-77"
)

// acts answers for encounters; Sophie is in the team.
type acts struct{ begun, over, secret bool }

func (w *acts) Act(ctx context.Context, id care.AppointmentID) (declared.Act, error) {
	if id != visit {
		return declared.Act{}, fault.Missing()
	}
	a := authz.From(ctx)
	return declared.Act{PatientID: lea, Begun: w.begun, Over: w.over, Secret: w.secret, Relation: a.To(authz.Subject{PatientID: lea, AppointmentID: visit, StaffID: claire, OrganizationID: clinic}, a.StaffID == sophie)}, nil
}

func open(h *testkit.House) (*declared.Service, *acts) {
	w := &acts{}
	return declared.New(declared.Deps{DB: h.DB, Audit: h.Audit, Keeper: h.Keeper, Table: h.Table, Clock: h.Clock, Acts: w}), w
}

var (
	patient = authz.Actor{Role: care.Patient, PatientID: lea, AppointmentID: visit, Level: authz.LevelCode, SessionID: "s1"}
	doctor  = authz.Actor{Role: care.Doctor, StaffID: claire, OrganizationID: clinic, Level: authz.LevelPSC, SessionID: "s2"}
	nurse   = authz.Actor{Role: care.Nurse, StaffID: sophie, OrganizationID: clinic, Level: authz.LevelPSC, SessionID: "s3"}
)

func penicillin() declared.Given {
	return declared.Given{Allergies: declared.Subject{State: declared.Listed, Text: "pénicilline " + canary}}
}

// TestWrite_WhoSaidWhat: each subject keeps who said it last, and when; not given is not none.
func TestWrite_WhoSaidWhat(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, _ := open(h)
		if d, err := svc.Read(testkit.As(doctor), visit); err != nil || d.Allergies.State != declared.NotGiven || d.Version != 0 {
			t.Fatalf("%+v %v", d, err)
		}
		if err := svc.Declare(testkit.As(authz.Actor{}), visit, lea, penicillin()); err != nil {
			t.Fatal(err)
		}
		booked := h.Clock.Now()
		h.Clock.Advance(1e9)
		g := penicillin()
		g.Treatments.State = declared.None
		d, err := svc.Write(testkit.As(nurse), visit, g, 1)
		if err != nil || d.Version != 2 || d.Allergies.By != care.Patient || !d.Allergies.At.Equal(booked) || d.Treatments.By != care.Nurse || d.Treatments.Person != string(sophie) || d.Treatments.State != declared.None {
			t.Errorf("%+v %v", d, err)
		}
		_, err = svc.Write(testkit.As(patient), visit, declared.Given{}, 1)
		if fault.KindOf(err) != fault.Conflict {
			t.Errorf("an older version is written over: %v", err)
		}
		if d, err = svc.Write(testkit.As(patient), visit, declared.Given{}, 2); err != nil || d.Allergies.State != declared.NotGiven || d.Allergies.By != care.Patient {
			t.Errorf("taken back: %+v %v", d, err)
		}
		if err := svc.Declare(testkit.As(authz.Actor{}), "0199aaaa-0000-7000-8000-000000000032", lea, declared.Given{}); err != nil {
			t.Error(err)
		}
		if d, err := svc.Of(context.Background(), "0199aaaa-0000-7000-8000-000000000032"); err != nil || d.Version != 0 {
			t.Errorf("nothing given is nothing kept: %+v %v", d, err)
		}
	})
}

// TestWrite_KeepsEarlier: a change adds to what was said, by whom and when; a subject that did not change adds nothing.
func TestWrite_KeepsEarlier(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, _ := open(h)
		if err := svc.Declare(testkit.As(authz.Actor{}), visit, lea, penicillin()); err != nil {
			t.Fatal(err)
		}
		booked := h.Clock.Now()
		none := declared.Given{Allergies: declared.Subject{State: declared.None}}
		for i, g := range []declared.Given{none, none, {}} {
			h.Clock.Advance(1e9)
			if _, err := svc.Write(testkit.As(patient), visit, g, int64(i+1)); err != nil {
				t.Fatal(err)
			}
		}
		d, err := svc.Read(testkit.As(doctor), visit)
		e := d.Allergies.Earlier
		if err != nil || d.Allergies.State != declared.NotGiven || len(e) != 2 || e[0].State != declared.None || e[0].Person != string(lea) ||
			e[1].Text != penicillin().Allergies.Text || e[1].By != care.Patient || !e[1].At.Equal(booked) || len(d.Treatments.Earlier) != 0 {
			t.Errorf("%+v %v", d, err)
		}
	})
}

// TestWrite_Begun: the patient changes nothing once the act has begun, and is told so when reading; the doctor still does.
func TestWrite_Begun(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(h)
		for _, c := range []struct {
			begun, over bool
			actor       authz.Actor
			closed      string
		}{
			{false, false, patient, ""}, {true, false, patient, "declaration-begun"}, {true, true, patient, "declaration-closed"}, {false, true, patient, "declaration-closed"},
			{true, false, doctor, ""}, {true, false, nurse, ""}, {true, true, doctor, "declaration-closed"},
		} {
			w.begun, w.over = c.begun, c.over
			d, err := svc.Read(testkit.As(c.actor), visit)
			if err != nil || d.Closed != c.closed {
				t.Errorf("%+v: reads closed %q, %v", c, d.Closed, err)
			}
			_, err = svc.Write(testkit.As(c.actor), visit, penicillin(), d.Version)
			if (err == nil) != (c.closed == "") || (err != nil && !strings.Contains(err.Error(), c.closed)) {
				t.Errorf("%+v: %v", c, err)
			}
		}
	})
}

// TestWrite_PatientBounded: a patient cannot grow the file without end; the doctor can still write.
func TestWrite_PatientBounded(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, _ := open(h)
		refused := int64(0)
		for v := int64(0); v < 40 && refused == 0; v++ {
			g := penicillin()
			g.Allergies.Text += strings.Repeat("i", int(v))
			if _, err := svc.Write(testkit.As(patient), visit, g, v); err != nil {
				if !strings.Contains(err.Error(), "declaration-changes") {
					t.Fatal(err)
				}
				refused = v
			}
		}
		if refused < 30 {
			t.Errorf("refused at %d", refused)
		}
		if _, err := svc.Write(testkit.As(doctor), visit, penicillin(), refused); err != nil {
			t.Error(err)
		}
	})
}

func TestWrite_Refused(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(h)
		for want, g := range map[string]declared.Given{
			"allergies.text:required":            {Allergies: declared.Subject{State: declared.Listed, Text: " \n"}},
			"treatments.text:required":           {Treatments: declared.Subject{State: declared.Listed, Text: "\u200b …"}},
			"treatments.state:text-without-list": {Treatments: declared.Subject{State: declared.None, Text: "aspirine"}},
			"allergies.state:text-without-list":  {Allergies: declared.Subject{Text: "aspirine"}},
			"allergies.state:not-a-choice":       {Allergies: declared.Subject{State: "perhaps"}},
			"treatments.text:too-long":           {Treatments: declared.Subject{State: declared.Listed, Text: strings.Repeat("é", 2001)}},
		} {
			_, err := svc.Write(testkit.As(doctor), visit, g, 0)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
			if err := svc.Declare(testkit.As(authz.Actor{}), visit, lea, g); err == nil || !strings.Contains(err.Error(), "declared."+want) {
				t.Errorf("at a booking: %v", err)
			}
		}
		w.over = true
		_, err := svc.Write(testkit.As(doctor), visit, penicillin(), 0)
		if err == nil || !strings.Contains(err.Error(), "declaration-closed") {
			t.Errorf("after the act: %v", err)
		}
		if d, err := svc.Read(testkit.As(doctor), visit); err != nil || d.Version != 0 {
			t.Errorf("something was kept: %+v %v", d, err)
		}
	})
}

// TestAccess_Table: who may read and write, and each reading is in the audit log.
func TestAccess_Table(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := open(h)
		link := patient
		link.Level = authz.LevelLink
		for name, c := range map[string]struct {
			actor authz.Actor
			may   bool
		}{
			"patient with a code": {patient, true}, "doctor": {doctor, true}, "nurse of the team": {nurse, true}, "patient with a link alone": {link, false}, "nobody": {authz.Actor{}, false},
			"another patient": {authz.Actor{Role: care.Patient, PatientID: tom, Level: authz.LevelCode}, false},
			"doctor outside":  {authz.Actor{Role: care.Doctor, StaffID: hugo, OrganizationID: clinic, Level: authz.LevelPSC}, false},
			"nurse outside":   {authz.Actor{Role: care.Nurse, StaffID: hugo, OrganizationID: clinic, Level: authz.LevelPSC}, false},
			"secretary":       {authz.Actor{Role: care.Secretary, StaffID: hugo, OrganizationID: clinic, Level: authz.LevelPSC}, false},
			"administrator":   {authz.Actor{Role: care.Admin, StaffID: hugo, OrganizationID: clinic, Level: authz.LevelPSC}, false},
			"companion":       {authz.Actor{Role: care.Companion, PatientID: lea, AppointmentID: visit, CompanionID: "c", Level: authz.LevelCode}, false},
		} {
			_, read := svc.Read(testkit.As(c.actor), visit)
			d, _ := svc.Of(context.Background(), visit)
			_, write := svc.Write(testkit.As(c.actor), visit, penicillin(), d.Version)
			if (read == nil) != c.may || (write == nil) != c.may {
				t.Errorf("%s: read %v, write %v", name, read, write)
			}
		}
		w.secret = true // issue 9, C6: the links of a minor are in their parents' hands
		_, read := svc.Read(testkit.As(patient), visit)
		_, write := svc.Write(testkit.As(patient), visit, penicillin(), 3)
		if fault.KindOf(read) != fault.NotFound || fault.KindOf(write) != fault.NotFound {
			t.Errorf("of a confidential act: read %v, write %v", read, write)
		}
		w.secret = false
		if err := h.DB.Read(context.Background(), func(ctx context.Context, tx *store.Tx) error {
			lines, err := h.Audit.About(ctx, tx, "appointment/"+string(visit))
			count := map[authz.Action]int{}
			for _, l := range lines {
				count[authz.Action(l.Action)]++
			}
			if count["declaration.read"] != 3 || count["declaration.write"] != 3 {
				t.Errorf("audit: %v", count)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

// TestSealed: the words are in no column, line of the audit or log in the open; HTTP says who and when.
func TestSealed(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, _ := open(h)
		texts, err := declared.Texts()
		if err != nil {
			t.Fatal(err)
		}
		s := h.Server(t, testkit.Actors{"lea": patient, "claire": doctor}, texts)
		declared.Routes(s, svc)
		c := testkit.HTTP(t, s.Handler()).Held(s)
		path := "/api/appointments/" + string(visit) + "/declaration"
		body := map[string]any{"allergies": map[string]any{"state": "listed", "text": canary}, "treatments": map[string]any{"state": ""}}
		c.With("lea").Put(path, body).Problem(400, "match-needed")
		c.With("lea").Put(path, body, testkit.Match("0")).Want(200)
		var got struct {
			Allergies  struct{ State, Text, By, At string }
			Treatments struct{ State, By string }
			ETag       string
		}
		c.With("claire").Get(path).Want(200).JSON(&got)
		if got.Allergies.Text != canary || got.Allergies.By != "patient" || got.Allergies.At == "" || got.Treatments.State != "" || got.Treatments.By != "" || got.ETag != "1" {
			t.Errorf("%+v", got)
		}
		c.With("claire").Put(path, map[string]any{"allergies": map[string]any{"state": "listed"}, "treatments": map[string]any{"state": "none"}}, testkit.Match("1")).Fields("allergies.text required")
		pool, err := h.DB.SQL()
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range []string{"SELECT content FROM declarations", "SELECT detail FROM audit"} {
			rows, err := pool.Query(q)
			if err != nil {
				t.Fatal(err)
			}
			for rows.Next() {
				var b []byte
				if err := rows.Scan(&b); err != nil || bytes.Contains(b, []byte(canary)) {
					t.Errorf("%s: %v", q, err)
				}
			}
			rows.Close()
		}
		if strings.Contains(h.Logged.String(), canary) {
			t.Error("the log holds an allergy")
		}
	})
}
