package consent

import (
	"strings"
	"testing"

	"visavis/internal/care"
	"visavis/internal/testkit"
)

func TestOverHTTP(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		s, _ := newService(t, h)
		texts, err := Texts()
		if err != nil {
			t.Fatal(err)
		}
		server := h.Server(t, testkit.Actors{
			"zoe": patient(zoe, anAct), "lea": patient(child, minorAct), "martin": staff(care.Doctor, martin), "dupre": staff(care.Doctor, dupre),
		}, texts)
		Routes(server, s)
		anyone := testkit.HTTP(t, server.Handler())
		me, doctor := anyone.With("zoe"), anyone.With("martin")

		var text textBody
		anyone.Get("/api/consent-texts?purpose=teleconsultation&lang=en").Want(200).JSON(&text)
		if text.Language != "en" || text.SHA256 != hash([]byte(text.HTML)) {
			t.Errorf("text %+v", text)
		}
		anyone.Get("/api/consent-texts?purpose=teleconsultation").Want(200).JSON(&text)
		if text.ID != "teleconsultation.v1.fr" {
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
		body["channel"], body["representative"] = "representative", map[string]string{"name": "Rose MARK3R", "relation": "mother"}
		lea.Post(minor, body).Fields("representative.name name-characters")
		body["representative"] = map[string]string{"name": "Rose Marqueur", "relation": "mother"}
		lea.Post(minor, body).Want(201)
		body["sha256"], body["textId"] = "0", "teleconsultation.v1.fr"
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
