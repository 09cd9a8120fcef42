package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/health"
	"visavis/internal/httpx"
	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
)

// TestRefusals_EveryWayIn tries the refusals that TestEveryRouteKeepsItsDoor does not:
// an ended session, the session of a revoked link, another doctor's patient and, on sockets, another
// person's ticket and forbidden orders (issue 9, C4).
func TestRefusals_EveryWayIn(t *testing.T) {
	t.Parallel()
	r := newRig(t, "", "")
	c := &call{spy: &spy{witness: &witness{rig: r, doctor: r.staff(account("MARTIN"))}}}
	c.prepare()
	c.meet()
	officer, nurse, patient := r.staff(account("ROCHER")), r.staff(account("BENALI")), c.patients[0]
	who := map[string]string{"nurse": self(nurse), "patient": self(patient)}

	nurse.Get("/api/encounters/"+c.encounter).Problem(404, "not-found")
	nurse.Get("/api/documents?patientId=" + who["patient"]).Want(404)
	for _, order := range []string{"admit", "hold", "end"} {
		fields := map[string]any{"seat": c.seats[0].Seat, "seats": []string{c.seats[0].Seat}}
		if _, err := c.seats[1].Send(order, fields); err != nil {
			t.Fatal(err)
		}
	}
	var out struct{ Ticket, URL string }
	c.doctor.Post("/api/encounters/"+c.encounter+"/admission", nil, testkit.Header("Origin", r.url)).Want(http.StatusCreated).JSON(&out)
	cl, err := rtcclient.Connect(c.ctx, r.url+out.URL, r.url, &http.Cookie{Name: httpx.CookieName, Value: nurse.Session()})
	if err != nil {
		t.Fatal(err)
	}
	if err := cl.Hello(out.Ticket, "tab"); err != nil {
		t.Fatal(err)
	}
	if code, err := cl.CloseCode(c.ctx); err != nil || code == 1000 {
		t.Fatalf("another's ticket: closed with %d, %v", code, err)
	}
	session := nurse.Session()
	nurse.Post("/api/me/sign-out", nil).Want(200)
	nurse.With(session).Get("/api/patients?q=martin").Problem(401, "sign-in")
	c.doctor.Post("/api/appointments/"+c.appointment+"/link/revoke", nil).Want(204)
	patient.Get("/api/documents").Problem(401, "sign-in")
	_, token, _ := strings.Cut(r.links.Patients[0].URL, "#")
	r.client().Post("/api/links/open", map[string]string{"token": token}).Problem(410, "link-revoked")

	doctor := r.staff(account("MARTIN"))
	for range 3 {
		if landed := r.stepUp(doctor, account("BENALI")); landed != "/pro/encounters/x?step-up=step-up-other" {
			t.Fatalf("somebody else's identity lands on %s", landed)
		}
	}
	who["doctor"] = self(doctor)

	for _, want := range []struct{ person, area, reason string }{
		{"nurse", "encounter", "not-found"}, {"nurse", "patient", "not-found"}, {"nurse", "ticket", "ticket-invalid"}, {"nurse", "patient", "sign-in"},
		{"patient", "encounter", "live-forbidden"}, {"patient", "document", "sign-in"}, {"patient", "link", "link-revoked"}, {"doctor", "auth", "step-up-other"},
	} {
		testkit.Eventually(t, 20*time.Second, want.person+": "+want.reason+" of "+want.area, func() bool {
			for _, l := range r.refusals(officer, "person="+who[want.person]) {
				if l.Area == want.area && l.Reason == want.reason && l.Person.Kind != "" && (l.Person.Kind == "staff") == (l.Person.Name != "") {
					return true
				}
			}
			<-time.After(500 * time.Millisecond)
			return false
		})
	}
	testkit.Eventually(t, 20*time.Second, "an alarm about the identities of somebody else", func() bool {
		for _, a := range r.openAlarms(officer) {
			if a.Kind == "identity" && a.Person.ID == who["doctor"] && a.Refusals == 3 {
				return true
			}
		}
		<-time.After(500 * time.Millisecond)
		return false
	})
	if !care.ValidID(who["nurse"]) || !care.ValidID(who["patient"]) {
		t.Errorf("nobody was looked for: %v", who)
	}
}

// alarmed is an alarm of the page of data protection.
type alarmed struct {
	ID, Kind, State string
	Refusals        int
	Person          struct{ ID, Name string }
}

func (r *rig) openAlarms(officer *testkit.Client) []alarmed {
	r.t.Helper()
	var list struct{ Items []alarmed }
	officer.Get("/api/refusal-alarms?state=open").Want(200).JSON(&list)
	return list.Items
}

// TestRefusals_JunkHidesNothing: somebody asks over HTTP for 400 invented numbers and
// then for three records. The officer's page names the three records, each by the end
// of its number.
func TestRefusals_JunkHidesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, "", "")
	nurse, officer := r.staff(account("BENALI")), r.staff(account("ROCHER"))
	for range 400 {
		nurse.Get("/api/documents/" + newID() + "/pdf").Want(404)
	}
	var records []string
	for n := range 3 {
		id := self(r.patient(n))
		nurse.Get("/api/documents?patientId=" + id).Want(404)
		records = append(records, id)
	}
	testkit.Eventually(t, 30*time.Second, "the three records are on the page", func() bool {
		lines, found := r.refusals(officer, "person="+self(nurse)), 0
		for _, id := range records {
			for _, l := range lines {
				if l.Area == "patient" && (l.Ref == id[30:] || strings.Contains(strings.Join(l.Refs, " "), id[30:])) {
					found++
					break
				}
			}
		}
		<-time.After(time.Second)
		return found == len(records)
	})
	testkit.Eventually(t, 20*time.Second, "the alarm is there", func() bool {
		<-time.After(time.Second)
		return len(r.openAlarms(officer)) > 0
	})
}

// TestRefusals_OtherClinic: a clinic has no data protection officer. Its refusals are
// shown to no other clinic, health and check report that nobody reads them, and the log
// has the alarm. An officer who is named later reads the earlier ones too.
func TestRefusals_OtherClinic(t *testing.T) {
	t.Parallel()
	r := newRig(t, "", "")
	r.becomes("", health.OK)
	// The pharmacy has one administrator; her capability is taken away, then given.
	raw := func(capabilities string) string {
		return `{"version": 1, "organizations": [
			{"finess": "930019872", "name": "Pharmacie du Marché", "phone": "+33143600100", "sector": "SA33", "setting": "AMBULATOIRE",
			 "address": {"street": "3 place du Marché", "postalCode": "93260", "city": "Les Lilas", "communeCode": "93045"},
			 "staff": [{"idnat": "3930019872/AD01", "role": "admin", "givenName": "Odile", "familyName": "GARNIER", "capabilities": [` + capabilities + `]}]},
			{"finess": "699999124", "name": "Cabinet des Tilleuls", "sector": "SA08", "setting": "AMBULATOIRE", "phone": "+33465710000",
			 "address": {"street": "4 rue des Tilleuls", "postalCode": "69003", "city": "Lyon", "communeCode": "69383"},
			 "staff": [{"rpps": "10005551238", "role": "nurse", "givenName": "Alice", "familyName": "ROUSSEL", "profession": "60"},
			           {"idnat": "3699999124/AD01", "role": "admin", "givenName": "Line", "familyName": "PERRIN", "capabilities": [` + capabilities + `]}]}]}`
	}
	r.must("clinic", "apply", r.file(raw("")))
	report := r.becomes("no-data-protection", health.Degraded)
	if d := report.Causes[0].Detail; !strings.Contains(d, "Cabinet des Tilleuls (FINESS 699999124)") || !strings.Contains(d, "Pharmacie du Marché (FINESS 930019872)") || strings.Contains(d, "Lilas") {
		t.Errorf("health says %q", d)
	}
	if out, _ := r.say("check"); !strings.Contains(out, "–  data protection: not configured: nobody may read what is refused in ") {
		t.Errorf("check says:\n%s", out)
	}
	pharmacist, officer := r.staff(account("NGUYEN")), r.staff(account("ROCHER"))
	for range 25 {
		pharmacist.Get("/api/documents/" + newID() + "/pdf").Want(404)
	}
	testkit.Eventually(t, 20*time.Second, "the alarm is in the log", func() bool {
		raw, err := os.ReadFile(filepath.Join(r.dir, "visavis.log"))
		<-time.After(200 * time.Millisecond)
		return err == nil && strings.Contains(string(raw), "refusals: alarm")
	})
	if list := r.refusals(officer, "person="+self(pharmacist)); len(list) > 0 {
		t.Errorf("another clinic reads %+v", list)
	}
	if list := r.openAlarms(officer); len(list) > 0 {
		t.Errorf("another clinic has the alarms %+v", list)
	}
	var people struct{ Items []struct{ ID, Name string } }
	officer.Get("/api/refusals/people").Want(200).JSON(&people)
	for _, p := range people.Items {
		if p.ID == self(pharmacist) {
			t.Errorf("another clinic reads the name %s", p.Name)
		}
	}
	r.must("clinic", "apply", r.file(raw(`"data-protection"`)))
	own := r.staff(account("GARNIER"))
	if list := r.refusals(own, "person="+self(pharmacist)); len(list) == 0 {
		t.Error("who is named later does not read what came before")
	}
	if list := r.openAlarms(own); len(list) == 0 || list[0].Person.ID != self(pharmacist) {
		t.Errorf("her alarms: %+v", list)
	}
	testkit.Eventually(t, 20*time.Second, "only the alarm itself waits", func() bool {
		_, report := r.look("/api/health/ready")
		<-time.After(200 * time.Millisecond)
		return len(report.Causes) == 1 && report.Causes[0].Code == "refusal-alarms"
	})
}

// TestRefusals_AtOnce: two people settle one alarm at once, and two browsers return
// from one step-up at once. One request wins, the other is refused by name.
func TestRefusals_AtOnce(t *testing.T) {
	t.Parallel()
	rigs(t, func(t *testing.T, r *rig) {
		clerk, officer := r.staff(account("LEROY")), r.staff(account("ROCHER"))
		second := r.staff(account("ROCHER"))
		for range 5 {
			clerk.Get("/api/refusals").Want(403)
		}
		var list []alarmed
		testkit.Eventually(t, 20*time.Second, "the alarm is there", func() bool {
			list = r.openAlarms(officer)
			<-time.After(500 * time.Millisecond)
			return len(list) > 0
		})
		var wait sync.WaitGroup
		answers := make([]*testkit.Answer, 12)
		for n := range answers {
			who := []*testkit.Client{officer, second}[n%2]
			wait.Go(func() {
				answers[n] = who.Post("/api/refusal-alarms/"+list[0].ID+"/settle", map[string]string{"reason": fmt.Sprint("Vu, ", n)})
			})
		}
		wait.Wait()
		count := map[string]int{}
		for _, a := range answers {
			count[of(a).String()]++
		}
		if count["200"] != 1 || count["409 alarm-settled"] != len(answers)-1 {
			t.Errorf("twelve at once: %v", count)
		}

		doctor := r.staff(account("MARTIN"))
		landed := make([]string, 6)
		for n := range landed {
			wait.Go(func() { landed[n] = r.stepUp(doctor, account("MARTIN")) })
		}
		wait.Wait()
		for _, page := range landed {
			if page != "/pro/encounters/x" {
				t.Errorf("a step-up beside others lands on %s", page)
			}
		}
		if got := doctor.Get("/api/me").Status; got != 200 {
			t.Errorf("the session afterwards: %d", got)
		}
	})
}
