package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"visavis/internal/testkit"
)

// write is a change over HTTP that depends on a row.
type write struct {
	who    *testkit.Client
	method string
	path   string
	body   any
	honest int // its status once the row is genuine again; 0: not asked
}

// dependent is rows of one table, and what changes something because of them.
type dependent struct {
	table  string
	where  string
	arg    any
	writes []write
}

// dependents names, for the tables that decide, writers of each.
func (h *hostile) dependents() []dependent {
	post := func(who *testkit.Client, path string, body any, honest int) write {
		return write{who, http.MethodPost, path, body, honest}
	}
	put := func(who *testkit.Client, path string, body any) write {
		return write{who, http.MethodPut, path, body, 0}
	}
	appointment, act, live := "/api/appointments/"+h.theirs, "/api/encounters/"+h.act, "/api/encounters/"+h.encounter
	report := map[string]string{"motive": "Toux", "text": "Examen normal.", "conclusion": "Rhume.", "followUp": "Revoir si fièvre."}
	identity := map[string]string{"how": "document"}

	var companion, draft struct{ ID string }
	beside := "/api/appointments/" + h.session(h.own).value("appointment_id").(string)
	h.own.Post(beside+"/companions", map[string]string{"displayName": "Paul", "phone": "+33639982099"}).Want(201).JSON(&companion)
	h.do("POST", act+"/prescriptions", map[string]string{"category": "medicines"}, &draft)
	alarm, officer := h.raised()
	colleague := h.session(h.other).value("staff_id").(string)
	h.do("POST", live+"/participants", map[string]string{"staffId": colleague}, nil)
	doctor := h.session(h.doctor).value("staff_id").(string)
	patient := h.session(h.victim).value("patient_id").(string)
	organization := h.text("SELECT organization_id FROM staff WHERE id = ?", doctor)
	consents := []write{
		post(h.victim, appointment+"/consent/withdraw", nil, 0), post(h.victim, appointment+"/consent", h.decides("granted"), 0),
		post(h.doctor, appointment+"/consent/oral", h.decides("refused"), 0),
		post(h.doctor, appointment+"/consent/emergency", map[string]string{"situation": "unable", "reason": "Inconscient depuis dix minutes."}, 0),
	}
	return []dependent{
		{"consent_heads", "appointment_id = ?", h.theirs, consents},
		{"companions", "id = ?", companion.ID, []write{post(h.own, "/api/companions/"+companion.ID+"/revoke", nil, 204)}},
		{"refusal_alarms", "id = ?", alarm, []write{post(officer, "/api/refusal-alarms/"+alarm+"/settle", map[string]string{"reason": "Vu."}, 200)}},
		{"encounter_team", "encounter_id = '" + h.encounter + "' AND staff_id = ?", colleague, []write{
			post(h.other, live+"/identity", identity, 0), post(h.other, live+"/participants", map[string]string{"staffId": doctor}, 0), post(h.other, live+"/admission", nil, 201),
		}},
		{"prescriptions", "id = ?", draft.ID, []write{
			put(h.doctor, "/api/prescriptions/"+draft.ID, map[string]any{"lines": []any{}}), {h.doctor, http.MethodDelete, "/api/prescriptions/" + draft.ID, nil, 0},
			post(h.doctor, "/api/prescriptions/"+draft.ID+"/sign", map[string]string{}, 0),
		}},
		{"encounters", "id = ?", h.act, []write{
			put(h.doctor, act+"/report", report), post(h.doctor, act+"/finish", nil, 0), post(h.doctor, act+"/identity", identity, 0),
			post(h.doctor, act+"/prescriptions", map[string]string{"category": "medicines"}, 201), post(h.doctor, act+"/participants", map[string]string{"staffId": colleague}, 0),
		}},
		{"encounters", "id = ?", h.encounter, []write{post(h.doctor, live+"/admission", nil, 201), post(h.patients[0], live+"/admission", nil, 0)}},
		{"appointments", "id = ?", h.theirs, []write{
			post(h.victim, appointment+"/consent", h.decides("granted"), 0), post(h.doctor, appointment+"/link", nil, 0), post(h.doctor, appointment+"/link/revoke", nil, 0),
			post(h.doctor, appointment+"/cancel", map[string]string{"reason": "empêchée"}, 0),
			post(h.victim, appointment+"/companions", map[string]string{"displayName": "Paul", "phone": "+33639982098"}, 0),
		}},
		{"documents", "id = ?", h.document, []write{post(h.doctor, "/api/documents/"+h.document+"/replace", map[string]string{"reason": "Erreur."}, 0)}},
		{"patients", "id = ?", patient, []write{
			post(h.doctor, "/api/patients/"+patient+"/identity", map[string]string{"status": "qualified"}, 0), post(h.victim, appointment+"/consent", h.decides("refused"), 0),
		}},
		{"staff", "id = ?", doctor, []write{put(h.doctor, act+"/report", report), post(h.doctor, appointment+"/link/revoke", nil, 0)}},
		{"organizations", "id = ?", organization, []write{put(h.doctor, act+"/report", report)}},
		{"sessions", "hash = ?", hashed(h.victim.Session()), []write{post(h.victim, appointment+"/consent", h.decides("granted"), 0)}},
		{"sessions", "hash = ?", hashed(h.doctor.Session()), []write{post(h.doctor, appointment+"/link/revoke", nil, 0)}},
		// The last: it takes the link and the session of the victim away.
		{"links", "appointment_id = ?", h.theirs, []write{post(h.doctor, appointment+"/link/revoke", nil, 204)}},
	}
}

func (h *hostile) decides(what string) map[string]any {
	var text struct{ ID, SHA256 string }
	h.do("GET", "/api/consent-texts?purpose=teleconsultation&lang=fr", nil, &text)
	return map[string]any{"textId": text.ID, "sha256": text.SHA256, "decision": what}
}

// raised has a secretary refused until an alarm about her is there.
func (h *hostile) raised() (alarm string, officer *testkit.Client) {
	clerk := h.staff(account("LEROY"))
	for range 5 {
		clerk.Get("/api/refusals").Want(403)
	}
	officer = h.staff(account("ROCHER"))
	testkit.Eventually(h.t, 20*time.Second, "the alarm is there", func() bool {
		<-time.After(500 * time.Millisecond) // the page may be asked once a second
		var list struct {
			Items []struct{ ID, Kind string }
		}
		officer.Get("/api/refusal-alarms?state=open").Want(200).JSON(&list)
		i := slices.IndexFunc(list.Items, func(a struct{ ID, Kind string }) bool { return a.Kind == "reserved" })
		if i >= 0 {
			alarm = list.Items[i].ID
		}
		return i >= 0
	})
	return alarm, officer
}

// writers forges the rows of each table that decides, and asks who writes because
// of them: none goes on as if the rows were not there, and none stores anything.
func (h *hostile) writers() {
	for _, d := range h.dependents() {
		rows := h.save(d.table, d.where, d.arg)
		if len(rows.rows) == 0 {
			h.t.Errorf("no row of %s: the test proves nothing", d.table)
			continue
		}
		for _, forged := range []string{"mac = 'x'", "rev = 77"} {
			h.change("UPDATE "+d.table+" SET "+forged+" WHERE "+d.where, d.arg)
			for _, w := range d.writes {
				got := of(w.do())
				if got.status < 400 || got.status >= 500 {
					h.t.Errorf("%s with a forged row of %s (%s): %v", w, d.table, forged, got)
				}
				h.lines = append(h.lines, line{fmt.Sprintf("%s: %s", d.table, w), fmt.Sprint(w.honest), got.String(), "-"})
			}
			rows.putBack()
		}
		for _, w := range d.writes {
			if w.honest == 0 {
				continue
			}
			if got := w.do(); got.Status != w.honest {
				h.t.Errorf("%s with the honest rows of %s: %d %s, want %d: the test proves nothing", w, d.table, got.Status, got.Body, w.honest)
			}
		}
	}
}

func (w write) do() *testkit.Answer {
	o := []testkit.Option{testkit.Match("1")}
	if strings.HasSuffix(w.path, "/admission") {
		o = append(o, testkit.Header("Origin", w.who.URL("")))
	}
	return w.who.Do(w.method, w.path, w.body, o...)
}

func (w write) String() string {
	parts := strings.Split(w.path, "/")
	for i, p := range parts {
		if len(p) == 36 {
			parts[i] = "{id}"
		}
	}
	return w.method + " " + strings.Join(parts, "/")
}
