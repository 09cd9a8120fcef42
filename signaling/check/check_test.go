package check_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/fault"
	"visavis/internal/testkit"
	"visavis/signaling/check"
)

const (
	act    = care.EncounterID("0199aaaa-0000-7000-8000-000000000041")
	clinic = care.OrganizationID("0199aaaa-0000-7000-8000-000000000001")
	claire = care.StaffID("0199aaaa-0000-7000-8000-000000000011")
	sophie = care.StaffID("0199aaaa-0000-7000-8000-000000000015")
	lea    = care.PatientID("0199aaaa-0000-7000-8000-000000000021")
)

// around answers for encounters and the media.
type around struct {
	rooms   []string
	dropped chan string
	refuse  error
}

func (*around) Relation(_ context.Context, a authz.Actor, id care.EncounterID) (authz.Relation, error) {
	if id != act {
		return authz.Other, fault.Missing()
	}
	return a.To(authz.Subject{PatientID: lea, AppointmentID: "a", StaffID: claire, OrganizationID: clinic}, false), nil
}

func (*around) PatientOf(context.Context, care.EncounterID) (care.PatientID, error) { return lea, nil }

func (w *around) Offer(_ context.Context, room, sdp string) (string, error) {
	if w.refuse != nil {
		return "", w.refuse
	}
	w.rooms = append(w.rooms, room)
	return "answer to " + sdp, nil
}

func (w *around) Drop(room string) { w.dropped <- room }

func (*around) Grant(room string) check.ICE {
	return check.ICE{Servers: []check.Server{{URLs: []string{"turns:x:443"}, Username: room, Credential: "c"}}, ExpiresAt: time.Unix(1, 0).UTC()}
}

func serve(t *testing.T, h *testkit.House) (*around, *testkit.Client) {
	t.Helper()
	w := &around{dropped: make(chan string, 9)}
	words, err := check.Texts()
	if err != nil {
		t.Fatal(err)
	}
	svc := check.New(check.Deps{DB: h.DB, Audit: h.Audit, Table: h.Table, Clock: h.Clock, Acts: w, Media: w})
	srv := h.Server(t, testkit.Actors{
		"lea":      {Role: care.Patient, PatientID: lea, AppointmentID: "a", SessionID: "s1", Level: authz.LevelLink},
		"other":    {Role: care.Patient, PatientID: "0199aaaa-0000-7000-8000-000000000022", AppointmentID: "b", SessionID: "s2", Level: authz.LevelLink},
		"sophie":   {Role: care.Secretary, StaffID: sophie, OrganizationID: clinic, SessionID: "s3", Level: authz.LevelPSC},
		"claire":   {Role: care.Doctor, StaffID: claire, OrganizationID: clinic, SessionID: "s4", Level: authz.LevelPSC},
		"stranger": {Role: care.Secretary, StaffID: "0199aaaa-0000-7000-8000-000000000019", OrganizationID: "0199aaaa-0000-7000-8000-000000000002", SessionID: "s5", Level: authz.LevelPSC},
	}, words)
	if err := check.Routes(srv, svc); err != nil {
		t.Fatal(err)
	}
	return w, testkit.HTTP(t, srv.Handler()).Held(srv)
}

func result() check.Result {
	return check.Result{Camera: "ok", Microphone: "ok", Speaker: "ok", UDP: "ok", TCP: "ok", TLS: "ok", Up: 900, Down: 4000, RTT: 40, Browser: "chrome"}
}

func TestACheckIsMadeByThePatientAndReadByTheSecretary(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w, web := serve(t, h)
		path := "/api/encounters/" + string(act) + "/check"
		patient := web.With("lea")
		var ice struct {
			Servers []struct{ URLs []string }
			Bytes   int
		}
		patient.Post(path, nil).Want(201).JSON(&ice)
		if len(ice.Servers) != 1 || ice.Bytes != check.Bytes {
			t.Errorf("%+v", ice)
		}
		var answer struct{ SDP string }
		for _, way := range []string{"udp", "tcp", "tls"} {
			patient.Post(path+"/offer", map[string]string{"way": way, "sdp": "v=0"}).Want(200).JSON(&answer)
			if answer.SDP != "answer to v=0" {
				t.Errorf("%s: %q", way, answer.SDP)
			}
		}
		for i, r := range w.rooms {
			if !strings.HasPrefix(r, "check-") || strings.Contains(r, "s1") || i > 0 && r == w.rooms[i-1] {
				t.Errorf("room %q: one each, and no session in its name", r)
			}
		}
		if b := patient.Get(path + "/bytes").Want(200).Body; len(b) != check.Bytes {
			t.Errorf("%d bytes", len(b))
		}
		bad := result()
		bad.UDP, bad.TCP, bad.Camera, bad.Up = "failed", "failed", "denied", 200
		var kept struct {
			Word     string
			Findings []string
		}
		patient.Put(path, bad).Want(200).JSON(&kept)
		if kept.Word != "bad" || len(kept.Findings) != 3 || !strings.Contains(kept.Findings[0], "La caméra est bloquée") {
			t.Errorf("%+v", kept)
		}
		for range 6 {
			h.Clock.Advance(time.Second)
			patient.Put(path, result()).Want(200)
		}
		var list struct {
			Items []struct {
				Word, Role string
				Findings   []string
			}
		}
		web.With("sophie").Get(path + "s").Want(200).JSON(&list)
		if len(list.Items) != 5 || list.Items[0].Word != "good" || list.Items[0].Role != "patient" || len(list.Items[0].Findings) != 0 {
			t.Errorf("the last five: %+v", list)
		}
		web.With("claire").Get(path + "s").Want(200)
		// Nobody else makes or reads one; a patient does not read them.
		for _, who := range []string{"other", "stranger"} {
			web.With(who).Post(path, nil).Problem(404, "not-found")
			web.With(who).Get(path+"s").Problem(404, "not-found")
		}
		patient.Get(path + "s").Want(404)
		web.With("sophie").Put(path, result()).Want(404)
		wrong := result()
		wrong.Camera = "a picture of Mme Moreau"
		patient.Put(path, wrong).Problem(422, "fields")
	})
}

func TestAMediaThatIsAwayIsSaid(t *testing.T) {
	w, web := serve(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	w.refuse = context.DeadlineExceeded
	path := "/api/encounters/" + string(act) + "/check/offer"
	web.With("lea").Post(path, map[string]string{"way": "udp", "sdp": "v=0"}).Problem(503, "check-not-now")
	w.refuse = check.ErrOffer
	web.With("lea").Post(path, map[string]string{"way": "udp", "sdp": "v=0"}).Problem(422, "fields")
}

// The last test of the patient counts, and of nobody else.
func TestTheLastTestOfThePatientFails(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := &around{dropped: make(chan string, 9)}
		svc := check.New(check.Deps{DB: h.DB, Audit: h.Audit, Table: h.Table, Clock: h.Clock, Acts: w, Media: w})
		patient := testkit.As(authz.Actor{Role: care.Patient, PatientID: lea, AppointmentID: "a", Level: authz.LevelLink, SessionID: "s"})
		doctor := testkit.As(authz.Actor{Role: care.Doctor, StaffID: claire, OrganizationID: clinic, Level: authz.LevelPSC, SessionID: "d"})
		keep := func(ctx context.Context, way string) {
			t.Helper()
			r := result()
			r.UDP, r.TCP, r.TLS = way, way, way
			if _, err := svc.Keep(ctx, act, r); err != nil {
				t.Fatal(err)
			}
			h.Clock.Advance(time.Second)
		}
		failed := func(want bool) {
			t.Helper()
			got, err := svc.Failed(t.Context(), []care.EncounterID{act, "0199aaaa-0000-7000-8000-000000000099"})
			if err != nil || got[act] != want || len(got) > 1 {
				t.Errorf("%v %v, want %t", got, err, want)
			}
		}
		failed(false)
		keep(doctor, "failed")
		failed(false)
		keep(patient, "failed")
		failed(true)
		keep(patient, "ok")
		failed(false)
	})
}

func TestFindings(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*check.Result)
		word   check.Word
		codes  string
	}{
		"all well":             {func(*check.Result) {}, check.Good, ""},
		"nothing was tried":    {func(r *check.Result) { r.UDP, r.TCP, r.TLS, r.Camera = "untested", "untested", "untested", "untested" }, check.Good, ""},
		"TLS is off here":      {func(r *check.Result) { r.TLS = "off" }, check.Good, ""},
		"a hospital firewall":  {func(r *check.Result) { r.UDP, r.TCP = "failed", "failed" }, check.Weak, "only-tls"},
		"UDP is shut":          {func(r *check.Result) { r.UDP = "failed" }, check.Weak, "no-udp"},
		"everything is shut":   {func(r *check.Result) { r.UDP, r.TCP, r.TLS = "failed", "failed", "failed" }, check.Bad, "no-path"},
		"shut, and no relay":   {func(r *check.Result) { r.UDP, r.TCP, r.TLS = "failed", "failed", "off" }, check.Bad, "no-path"},
		"a slow upload":        {func(r *check.Result) { r.Up = 80 }, check.Bad, "no-upload"},
		"a poor upload":        {func(r *check.Result) { r.Up = 200 }, check.Weak, "slow-upload"},
		"a microphone blocked": {func(r *check.Result) { r.Microphone, r.Down = "denied", 300 }, check.Bad, "microphone-denied slow-download"},
		"not heard":            {func(r *check.Result) { r.Speaker, r.InApp = "failed", true }, check.Bad, "speaker-failed in-app"},
	} {
		r := result()
		tc.change(&r)
		if word, codes := r.Findings(); word != tc.word || strings.Join(codes, " ") != tc.codes {
			t.Errorf("%s: %s %v, want %s %s", name, word, codes, tc.word, tc.codes)
		}
	}
}
