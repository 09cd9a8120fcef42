package consent

import (
	"strings"
	"testing"

	"visavis/internal/care"
	"visavis/internal/testkit"
)

func TestOverHTTP(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, w := newService(t, h)
		texts, err := Texts()
		if err != nil {
			t.Fatal(err)
		}
		server := h.Server(t, testkit.Actors{
			"zoe": patient(zoe, anAct), "lea": patient(child, minorAct), "martin": staff(care.Doctor, martin), "dupre": staff(care.Doctor, dupre),
		}, texts)
		Routes(server, s)
		anyone := testkit.HTTP(t, server.Handler()).Held(server)
		me, doctor := anyone.With("zoe"), anyone.With("martin")

		var text textBody
		anyone.Get("/api/consent-texts?purpose=teleconsultation&lang=en").Want(200).JSON(&text)
		if text.Language != "en" || text.SHA256 != hash([]byte(text.HTML)) {
			t.Errorf("text %+v", text)
		}
		anyone.Get("/api/consent-texts?purpose=teleconsultation").Want(200).JSON(&text)
		if text.ID != "teleconsultation.v2.fr" {
			t.Errorf("the French reader got %s", text.ID)
		}
		anyone.Get("/api/consent-texts?purpose=surgery").Fields("query.purpose not-a-choice")

		path := "/api/appointments/" + string(anAct) + "/consent"
		body := map[string]any{"textId": text.ID, "sha256": text.SHA256, "decision": "granted", "channel": "web"}
		anyone.Get(path).Problem(401, "sign-in")
		anyone.Post(path, body).Problem(401, "sign-in")
		foreign := string(anyone.With("lea").Get(path).Want(404).Body)
		absent := string(me.Get("/api/appointments/0190ffff-0000-7000-8000-000000000009/consent").Want(404).Body)
		if foreign != absent {
			t.Errorf("what one may not see differs from what is absent:\n%s\n%s", foreign, absent)
		}
		anyone.With("dupre").Get(path).Problem(404, "not-found")

		var state stateBody
		me.Get(path).Want(200).JSON(&state)
		if state.Status != "none" || state.Record != nil {
			t.Errorf("state %+v", state)
		}
		var record recordBody
		key := testkit.Key("0190ffff-0000-7000-8000-000000000001")
		first := me.Post(path, body, key).Want(201).JSON(&record)
		if again := me.Post(path, body, key).Want(201); string(again.Body) != string(first.Body) {
			t.Error("the same key gave another answer")
		}
		if record.Status != "granted" || record.By != "patient" || record.Channel != "web" {
			t.Errorf("record %+v", record)
		}
		doctor.Get(path).Want(200).JSON(&state)
		if state.Status != "granted" || state.Record.ID != record.ID {
			t.Errorf("state %+v", state)
		}
		me.Post(path+"/withdraw", "{}").Want(200).JSON(&state)
		if state.Status != "withdrawn" || state.Record == nil {
			t.Errorf("state %+v", state)
		}
		delete(body, "channel")
		me.Post(path+"/oral", body).Problem(404, "not-found")
		doctor.Post(path+"/oral", body).Want(201).JSON(&record)
		if record.Channel != "oral" || record.By != "doctor" {
			t.Errorf("record %+v", record)
		}
		minor := "/api/appointments/" + string(minorAct) + "/consent"
		body["channel"] = "web"
		lea := anyone.With("lea")
		lea.Post(minor, body).Fields("representative representative-needed")
		body["channel"] = "representative"
		w.on = OnFile{Count: 2}
		lea.Post(minor, body).Fields("representative representative-code-needed")
		w.on = OnFile{}
		lea.Post(minor, body).Fields("representative representative-not-on-file")
		w.on = OnFile{"Rose Marqueur", Mother, 2}
		lea.Post(minor, body).Want(201)
		body["sha256"], body["textId"] = "0", "teleconsultation.v2.fr"
		lea.Post(minor, body, testkit.English()).Fields("sha256 text-differs")

		pool, err := h.DB.SQL()
		if err != nil {
			t.Fatal(err)
		}
		var n int
		if err := pool.QueryRow("SELECT count(*) FROM consents").Scan(&n); err != nil || n != 4 {
			t.Errorf("%d records, want 4 (%v)", n, err)
		}
		if strings.Contains(h.Logged.String(), "Marqueur") {
			t.Error("a name is in the log")
		}
	})
}

// TestProofOverHTTP: the files are named by their date alone, the key is
// public, and a code tells no name.
func TestProofOverHTTP(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		_, roots := withAuthority(t, h, s)
		texts, err := Texts()
		if err != nil {
			t.Fatal(err)
		}
		server := h.Server(t, testkit.Actors{"zoe": patient(zoe, anAct), "lea": patient(child, minorAct)}, texts)
		Routes(server, s)
		anyone := testkit.HTTP(t, server.Handler()).Held(server)
		me := anyone.With("zoe")
		text, err := s.Text(care.Teleconsultation, care.French)
		if err != nil {
			t.Fatal(err)
		}
		path := "/api/appointments/" + string(anAct) + "/consent"
		body := map[string]any{"textId": text.ID, "sha256": text.SHA256, "decision": "granted", "channel": "web",
			"screen": map[string]any{"page": "consent", "control": "agree", "seconds": 12}}
		var record recordBody
		me.Post(path, body).Want(201).JSON(&record)
		body["screen"] = map[string]any{"page": "<b>", "control": "agree", "seconds": -1}
		me.Post(path, body).Want(422)
		var state stateBody
		me.Get(path).Want(200).JSON(&state)
		if state.Record == nil || state.Record.Stamp == nil || state.Record.Stamp.State != "pending" {
			t.Errorf("%+v", state.Record)
		}
		h.Deliver(t)
		me.Get(path).Want(200).JSON(&state)
		if st := state.Record.Stamp; st.State != "stamped" || st.At == nil || st.Authority == "" {
			t.Errorf("%+v", st)
		}
		mine := "/api/consents/" + record.ID
		receipt := me.Get(mine + "/receipt?lang=en").Want(200)
		if d := receipt.Header.Get("Content-Disposition"); d != `attachment; filename="document-2026-03-10.pdf"` || receipt.Header.Get("Content-Type") != "application/pdf" {
			t.Errorf("%s %s", d, receipt.Header.Get("Content-Type"))
		}
		wantPrinted(t, receipt.Body, "Consent receipt", "visavis simulated TSA")
		wantPrinted(t, me.Get(mine+"/receipt").Want(200).Body, "Reçu de consentement")
		me.Get(mine + "/receipt?lang=de").Fields("query.lang not-a-choice")
		proof := me.Get(mine + "/proof").Want(200)
		if d := proof.Header.Get("Content-Disposition"); d != `attachment; filename="document-2026-03-10.json"` {
			t.Error(d)
		}
		var key Key
		anyone.Get("/api/consent-key").Want(200).JSON(&key)
		if v, err := VerifyEvidence(proof.Body, key, roots); err != nil || v.Stamp == nil || v.Bundle.Screen.Seconds != 12 {
			t.Errorf("%+v, %v", v, err)
		}
		missing := string(me.Get("/api/consents/0190ffff-0000-7000-8000-000000000009/proof").Want(404).Body)
		for _, p := range []string{mine + "/proof", mine + "/receipt"} {
			anyone.Get(p).Problem(401, "sign-in")
			if got := string(anyone.With("lea").Get(p).Want(404).Body); got != missing {
				t.Errorf("%s: what one may not see differs from what is absent:\n%s", p, got)
			}
		}
		me.Get("/api/consents/x/proof").Problem(404, "not-found")
		me.Get("/api/consents/x/receipt").Problem(404, "not-found")
		var found checkBody
		answer := anyone.Post("/api/consent-checks", map[string]string{"code": codeOf(hashOf(t, s))}).Want(200).JSON(&found)
		if found.Decision != "granted" || found.Last != "granted" || found.Stamp.State != "stamped" || found.SHA256 != text.SHA256 {
			t.Errorf("%+v", found)
		}
		if strings.Contains(string(answer.Body), "Mazerolles") || strings.Contains(string(answer.Body), string(zoe)) {
			t.Errorf("a name: %s", answer.Body)
		}
		anyone.Post("/api/consent-checks", map[string]string{"code": "nothing"}).Problem(404, "not-found")
	})
}

// hashOf reads the hash of the last record of an act.
func hashOf(t *testing.T, s *Service) string {
	t.Helper()
	r, err := s.Current(testkit.As(patient(zoe, anAct)), anAct)
	if err != nil {
		t.Fatal(err)
	}
	return r.Hash
}
