package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// senders reads testdata/senders.tsv: kind and name → what bounds it.
func senders(t *testing.T) map[string]string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "senders.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		c := strings.Split(strings.TrimSpace(line), "\t")
		if len(c) != 3 || out[c[0]+" "+c[1]] != "" {
			t.Fatalf("line %q", line)
		}
		out[c[0]+" "+c[1]] = c[2]
	}
	return out
}

var (
	subscribed = regexp.MustCompile(`\.On\(events\.(\w+),`)
	budgeted   = regexp.MustCompile(`\b(?:contact|sms|mail|request|act|practitioner|appointment|link)-[a-z]+(?:-[a-z]+)*-(?:hour|day)\b`)
)

// TestSenders_AreAllBounded: the table names every fact that messaging reacts to and
// every non-GET route open to patients, companions or strangers, with what bounds the
// messages. A budget named there exists, and each budget of messages is named.
func TestSenders_AreAllBounded(t *testing.T) {
	table, used := senders(t), map[string]bool{}
	files, err := filepath.Glob("../../messaging/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range subscribed.FindAllStringSubmatch(string(raw), -1) {
			key := "fact " + m[1]
			if table[key] == "" {
				t.Errorf("messaging reacts to %s, and nothing says what bounds the messages", m[1])
			}
			used[key] = true
		}
	}
	p := wired(t)
	for _, route := range p.server.Routes() {
		if route.Method == "GET" || route.Method == "OPTIONS" || !byPatients(p.table, route.Action) {
			continue
		}
		key := "route " + route.Method + " " + route.Path
		bound := table[key]
		if fact, ok := strings.CutPrefix(bound, "fact "); ok && table["fact "+fact] == "" || bound == "" {
			t.Errorf("%s may be called by who is no professional, and nothing says what it sends", key)
		}
		used[key] = true
	}
	known := map[string]bool{}
	for _, b := range costs(p.cfg.Budgets).Budgets() {
		known[b.Name] = true
	}
	all := ""
	for key, bound := range table {
		if !used[key] {
			t.Errorf("%s is in the table and nowhere else", key)
		}
		all += bound + " "
		for _, name := range budgeted.FindAllString(bound, -1) {
			if !known[name] {
				t.Errorf("%s: there is no budget %s", key, name)
			}
		}
	}
	for name := range known {
		watched := []string{"contact-wrong-codes-hour", "practitioner-unproven-hour"} // they refuse nothing
		if !strings.Contains(all, name) && !slices.Contains(watched, name) {
			t.Errorf("the budget %s bounds nothing in the table", name)
		}
	}
}

// byPatients tells whether an anonymous caller, a patient or a companion may do an action.
func byPatients(table *authz.Table, action authz.Action) bool {
	for _, role := range []care.Role{care.Anonymous, care.Patient, care.Companion} {
		if table.May(authz.Actor{Role: role, SessionID: "s", Level: authz.LevelCode}, action) == nil {
			return true
		}
	}
	return false
}

// TestSenders_StopAtTheirBudgets asks for each kind of message again and again, from
// new addresses and sessions each time. The contact gets no more messages than its
// budget, and the caller gets a refusal, or an answer that says that nothing left. A budget
// that is used up is in the log and the audit log, without the contact. Health does not
// tell of one that stops nobody else.
func TestSenders_StopAtTheirBudgets(t *testing.T) {
	rigs(t, func(t *testing.T, r *rig) {
		// Hourly budgets are reset at minute 0 of the hour.
		testkit.Eventually(t, 2*time.Minute, "what follows fits in this hour", func() bool {
			now := time.Now()
			return now.Truncate(time.Hour).Add(time.Hour).Sub(now) > 90*time.Second
		})
		const marcel, leaMother = 4, 3 // of the demo's links
		phones := map[int]string{marcel: "+33611000005", leaMother: "+33611000004"}
		testkit.Eventually(t, 30*time.Second, "the demo's booking was told", func() bool { return r.messagesTo(phones[marcel]) == 1 })
		refused := map[string]int{}
		note := func(a *testkit.Answer) {
			if a.Status == 429 {
				var p struct{ Code string }
				a.JSON(&p)
				refused[p.Code]++
			} else if a.Status >= 300 {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		}
		for range 8 { // codes of documents, each from a session of its own
			note(r.patient(marcel).Post("/api/me/code", map[string]string{"channel": "sms"}))
		}
		asked := 0
		for range 8 { // lost links
			a := r.home().Post("/api/links/recover", map[string]string{"phone": phones[marcel]})
			note(a)
			var told struct{ Asked bool }
			if a.JSON(&told); a.Status == 202 && told.Asked {
				asked++
			}
		}
		if asked != 1 {
			t.Errorf("of eight lost links at once %d are said to leave, want 1", asked)
		}
		patient := r.patient(leaMother)
		act := r.appointmentOf(patient)
		for i := range 8 { // companions, taken back and invited again
			a := patient.Post("/api/appointments/"+act+"/companions", map[string]string{"displayName": "Paul", "phone": fmt.Sprintf("+3363998%04d", 2000+i)})
			note(a)
			if a.Status == 201 {
				var c struct{ ID string }
				a.JSON(&c)
				patient.Post("/api/companions/"+c.ID+"/revoke", nil).Want(204)
			}
		}
		free := r.slots("MARTIN")
		stranger := guest{"familyName": "NOUVEAU", "givenName": "Noe", "birthDate": "1990-01-01", "phone": "+33639985555"}
		for range 8 { // codes before a booking
			body := free[0].bookingOf(stranger)
			body["again"] = true
			note(r.home().Post("/api/booking-attempts", body))
		}
		r.moves(patient, act, note)
		testkit.Eventually(t, 30*time.Second, "the code came", func() bool { return r.messagesTo(stranger["phone"]) == 1 })
		out, err := r.command("budgets").CombinedOutput()
		if err != nil {
			t.Fatalf("visavis budgets: %v\n%s", err, out)
		}
		for _, name := range []string{"request-contact-hour", "request-contact-day", "request-organization-hour", "request-sms-hour", "request-sms-day", "act-invitations-day",
			"contact-codes-hour", "contact-codes-day", "sms-money-hour", "sms-money-day", "appointment-moves-day", "practitioner-unproven-hour"} {
			if !strings.Contains(string(out), name) {
				t.Errorf("%s counted nothing\n%s", name, out)
			}
		}
		// Lost links and codes of documents are counted apart, so that asking for the ones uses up none of the others.
		codes, links := 0, 0
		for _, m := range r.smses() {
			switch {
			case m.To != phones[marcel]:
			case strings.Contains(m.Text, "/rdv#"):
				links++
			default:
				codes++
			}
		}
		if links-1 > 6 || codes > 6 {
			t.Errorf("%d links and %d codes to one patient, want at most 6 of each: %v", links-1, codes, r.smses())
		}
		if refused["moves-budget"] == 0 || refused["link-spent"] == 0 {
			t.Errorf("refused: %v", refused)
		}
		r.alarmed(t, "appointment-moves-day")
		if strings.Contains(string(out), "+33") {
			t.Errorf("a telephone is shown\n%s", out)
		}
		t.Logf("refused %v\n%s", refused, out)
	}, byDefault...)
}

// appointmentOf is the appointment of the link that a patient opened.
func (r *rig) appointmentOf(c *testkit.Client) string {
	r.t.Helper()
	var me struct{ AppointmentID string }
	c.Get("/api/me").Want(200).JSON(&me)
	return me.AppointmentID
}

// moves moves an appointment to and fro eight times.
func (r *rig) moves(c *testkit.Client, id string, note func(*testkit.Answer)) {
	r.t.Helper()
	for range 8 {
		var a struct {
			Version      int
			Practitioner struct{ ID string }
		}
		c.Get("/api/appointments/" + id).Want(200).JSON(&a)
		var free struct{ Items []struct{ Start time.Time } }
		c.Get("/api/practitioners/" + a.Practitioner.ID + "/slots?days=14").Want(200).JSON(&free)
		note(c.Post("/api/appointments/"+id+"/move", map[string]any{"start": free.Items[len(free.Items)-1].Start}, testkit.Match(fmt.Sprint(a.Version))))
	}
}

// alarmed checks that the log and the audit log report a budget that is used up, and that
// health does not: it bounds one appointment.
func (r *rig) alarmed(t *testing.T, name string) {
	t.Helper()
	var report struct {
		Status string
		Causes []struct{ Code, Detail string }
	}
	r.client().Get("/api/health/ready").Want(200).JSON(&report)
	for _, c := range report.Causes {
		if c.Code == "budget-reached" {
			t.Errorf("health tells of a budget that stops nobody else: %s", c.Detail)
		}
	}
	raw, err := os.ReadFile(filepath.Join(r.dir, "visavis.log"))
	if err != nil || !strings.Contains(string(raw), "budget="+name) || strings.Contains(string(raw), "639985555") {
		t.Errorf("the log: %v", err)
	}
	r.kill()
	db := r.open()
	if err := db.Read(t.Context(), func(_ context.Context, tx *store.Tx) error {
		var n int64
		err := tx.G().Raw("SELECT COUNT(*) FROM audit WHERE object = ?", "budget/"+name).Scan(&n).Error
		if n != 1 {
			t.Errorf("%d lines of the audit log, want 1", n)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}
