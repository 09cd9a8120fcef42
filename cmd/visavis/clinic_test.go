package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"visavis/cmd/visavis/clinic"
	"visavis/internal/testkit"
	smssim "visavis/simulators/sms"
)

// hush is a secret that nothing may print.
const hush = "hush-hush"

// serving is the real program in a process of its own, as a self-hoster runs
// it: no demo, no simulators, an empty store.
func serving(t *testing.T, database string) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), database: database}
	gateway, err := smssim.Start(t.Context(), smssim.Options{Secret: demoSecret}) // a code proves the telephone of who books
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := gateway.Close(); err != nil {
			t.Error(err)
		}
	})
	port := func() string { return strconv.Itoa(testkit.FreePort(t)) }
	web, media, turn := port(), port(), port()
	r.url, r.args = "http://127.0.0.1:"+web, []string{"serve"}
	r.env = []string{
		gatewayAt + gateway.URL(), "VISAVIS_SMS_SECRET=" + demoSecret, asMain + "=1", "VISAVIS_DATA=" + r.dir, "VISAVIS_LISTEN=127.0.0.1:" + web, "VISAVIS_PUBLIC_URL=" + r.url, "LANG=C", "LC_ALL=", "LC_MESSAGES=",
		"VISAVIS_MEDIA_UDP=" + media, "VISAVIS_MEDIA_TCP=" + media, "VISAVIS_TURN_UDP=" + turn, "VISAVIS_TURN_TCP=" + turn,
		"DATABASE_URL=" + database, "REDIS_URL=", "VISAVIS_PSC_SECRET=" + hush, "VISAVIS_PSC_DISCOVERY=http://127.0.0.1:1/.well-known/wallet-openid-configuration",
	}
	t.Cleanup(r.kill)
	return r
}

// serve starts the program and waits until it answers.
func (r *rig) serve() {
	r.t.Helper()
	r.cmd = r.command(r.args...)
	var out bytes.Buffer
	r.cmd.Stdout, r.cmd.Stderr = &out, &out
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	cmd := r.cmd
	go func() { _ = cmd.Wait() }()
	testkit.Eventually(r.t, 60*time.Second, "the server answers", func() bool {
		resp, err := http.Get(r.url + "/api/health")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusNoContent
	})
}

// say runs a command of the program and gives what it printed.
func (r *rig) say(args ...string) (string, error) {
	out, err := r.command(args...).CombinedOutput()
	return string(out), err
}

func (r *rig) must(args ...string) string {
	r.t.Helper()
	out, err := r.say(args...)
	if err != nil {
		r.t.Fatalf("visavis %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (r *rig) file(text string) string {
	r.t.Helper()
	name := filepath.Join(r.t.TempDir(), "clinic.json")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	return name
}

// TestFirstClinic is the chapter "First clinic in ten minutes" of the runbook:
// an empty store, the example, the server, and a patient who books.
func TestFirstClinic(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the program: not in -short")
	}
	t.Parallel()
	test := func(t *testing.T, r *rig) {
		checked, err := r.say("check")
		for _, want := range []string{"✓  database and keys", "✓  folder of audit heads", "–  trusted proxies", "✓  web port", "✗  Pro Santé Connect", `"HeadsDir": "` + r.dir, `"Proxies"`, `"Secret": "(set)"`} {
			if !strings.Contains(checked, want) || err == nil {
				t.Errorf("check does not say %q (%v):\n%s", want, err, checked)
			}
		}
		if strings.Contains(checked, hush) {
			t.Error("check prints a secret")
		}
		example := r.must("clinic", "example")
		if out := r.must("clinic", "apply", r.file(example)); !strings.Contains(out, "5 created, 0 changed, 0 left as they were, 0 not in the file") {
			t.Fatalf("applied: %s", out)
		}
		r.serve()
		free := r.slots("roussel")
		if len(free) == 0 {
			t.Fatal("the doctor of the file has no slot")
		}
		var found struct {
			Items []struct{ OrganizationName, City string }
		}
		r.client().Get("/api/practitioners?specialty=SM54").Want(200).JSON(&found)
		if len(found.Items) != 1 || found.Items[0].City != "Lyon" {
			t.Fatalf("search: %+v", found)
		}
		r.client().Post("/api/appointments", r.booking(free[0], 1), testkit.Key("0190b5c0-0000-7000-8000-000000000001")).Want(201)

		// While it serves: a rehearsal, a bad file, a change that is seen at once.
		changed := strings.Replace(example, "Médecine générale, enfants et adultes.", "Reçoit aussi le samedi.", 1)
		if out := r.must("clinic", "apply", "--dry-run", r.file(changed)); !strings.Contains(out, "changed  doctor       810005551238 Alice ROUSSEL (bio)") || !strings.Contains(out, "if it were applied") {
			t.Errorf("rehearsal: %s", out)
		}
		bad := strings.Replace(changed, `"10103330022"`, `"10103330023"`, 1)
		if out, err := r.say("clinic", "apply", r.file(bad)); err == nil || !strings.Contains(out, "clinic.json:39: organizations[0].staff[1].rpps: The key of this RPPS number is wrong.") || !strings.Contains(out, "nothing was changed") {
			t.Errorf("bad file: %v %s", err, out)
		}
		if strings.Contains(r.must("clinic", "show"), "samedi") {
			t.Error("a refused file changed something")
		}
		r.must("clinic", "apply", r.file(changed))
		var card struct{ Bio string }
		r.client().Get("/api/practitioners/" + free[0].practitioner).Want(200).JSON(&card)
		if card.Bio != "Reçoit aussi le samedi." {
			t.Errorf("the server shows %q", card.Bio)
		}

		shown := r.must("clinic", "show")
		if out := r.must("clinic", "apply", r.file(shown)); !strings.Contains(out, "0 created, 0 changed, 5 left as they were, 0 not in the file") {
			t.Errorf("round trip: %s", out)
		}
		var file clinic.File
		if err := json.Unmarshal([]byte(shown), &file); err != nil || len(file.Organizations) != 1 {
			t.Errorf("shown: %v %s", err, shown)
		}
		r.bookUntariffed(changed)
		r.kill()
		if out := r.must("verify"); !strings.Contains(out, "every one as it was written") {
			t.Errorf("verify: %s", out)
		}
	}
	t.Run("sqlite", func(t *testing.T) { test(t, serving(t, "")) })
	t.Run("postgres", func(t *testing.T) { test(t, serving(t, testkit.EmptyPostgres(t))) })
}

// bookUntariffed adds to a clinic practitioners of whom no tariff is known, and
// books them and, for a patient of 14, the doctor of the file.
func (r *rig) bookUntariffed(clinic string) {
	r.t.Helper()
	const plan = `"plan": {"actMinutes": 15, "horizonDays": 7, "weeks": [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "00:00", "to": "24:00"}]}`
	added := `"staff": [
		{"rpps": "10007770018", "role": "doctor", "givenName": "Léa", "familyName": "MARIN", "profession": "50", ` + plan + `},
		{"rpps": "10007770026", "role": "doctor", "title": "Dr", "givenName": "Luc", "familyName": "PERRET", "profession": "40", ` + plan + `},
		{"rpps": "10007770034", "role": "doctor", "title": "Dr", "givenName": "Ida", "familyName": "COSTE", "profession": "40", "specialty": "SCD02", ` + plan + `},`
	if out := r.must("clinic", "apply", r.file(strings.Replace(clinic, `"staff": [`, added, 1))); !strings.Contains(out, "6 created") { // with their plans
		r.t.Fatalf("applied: %s", out)
	}
	for i, family := range []string{"marin", "perret", "coste"} {
		free := r.slots(family)
		if len(free) == 0 || free[0].price != nil {
			r.t.Fatalf("%s: %+v", family, free)
		}
		r.client().Post("/api/appointments", r.booking(free[len(free)/2], 40+i)).Want(201)
	}
	free := r.slots("roussel")
	young := guest{"familyName": "DURAND", "givenName": "Lou", "birthDate": free[9].start.AddDate(-14, 0, 0).Format(time.DateOnly), "phone": "+33639980047"}
	body := r.bookingOf(free[9], young)
	of := body["priceShown"]
	body["priceShown"] = free[9].shown("1980-02-29")
	r.client().Post("/api/appointments", body).Problem(409, "price-changed")
	body["priceShown"] = of
	r.client().Post("/api/appointments", body).Want(201)
}
