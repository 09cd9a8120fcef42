package messaging

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"visavis/internal/events"
	"visavis/internal/testkit"
	mailsim "visavis/simulators/mail"
)

type seen struct {
	Items []struct {
		ID          string
		Kind, State string
		To          struct{ Label, AddressHint, Recipient string }
		Documents   []struct{ ID string }
		Reason      string
		ReasonCode  string
		Attempts    int
		History     []struct{ State, Reason string }
	}
}

func decode[T any](t *testing.T, a *testkit.Answer) (v T) {
	t.Helper()
	if err := json.Unmarshal(a.Body, &v); err != nil {
		t.Fatalf("%v: %s", err, a.Body)
	}
	return v
}

// refusedLetter leaves one letter in the paper queue and gives its id.
func refusedLetter(w *world) string {
	w.t.Helper()
	w.town.set(func(a *Addressee) { a.Doctor = nil })
	if err := w.mail.SetRule("@patient.mssante.test", mailsim.Refuse); err != nil {
		w.t.Fatal(err)
	}
	w.sign(events.ReportSigned, report, "")
	w.pass(time.Minute)
	return string(w.one(Documents, MSSante, ToPatient).ID)
}

func TestWhoSeesWhat(t *testing.T) {
	t.Parallel()
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		w := newWorld(t, h)
		id := refusedLetter(w)
		const unknown = "0199aaaa-0000-7000-8000-0000000000ff"
		missing := w.http.With("stranger").Get("/api/encounters/" + unknown + "/deliveries").Want(404)
		for _, c := range []struct {
			who, method, path string
			want              int
		}{
			{"claire", "GET", "/api/encounters/" + string(act) + "/deliveries", 200},
			{"sophie", "GET", "/api/encounters/" + string(act) + "/deliveries", 200},
			{"hugo", "GET", "/api/encounters/" + string(act) + "/deliveries", 404},
			{"stranger", "GET", "/api/encounters/" + string(act) + "/deliveries", 404},
			{"lea", "GET", "/api/encounters/" + string(act) + "/deliveries", 404},
			{"", "GET", "/api/encounters/" + string(act) + "/deliveries", 401},
			{"claire", "GET", "/api/encounters/not-an-id/deliveries", 404},
			{"claire", "GET", "/api/encounters/" + unknown + "/deliveries", 404},
			{"sophie", "GET", "/api/deliveries?state=to-post", 200},
			{"claire", "GET", "/api/deliveries?state=to-post", 404},
			{"sophie", "GET", "/api/deliveries?state=everything", 422},
			{"sophie", "GET", "/api/deliveries/" + id + "/sheet", 200},
			{"claire", "GET", "/api/deliveries/" + id + "/sheet", 404},
			{"stranger", "GET", "/api/deliveries/" + id + "/sheet", 404},
			{"stranger", "POST", "/api/deliveries/" + id + "/posted", 404},
			{"lea", "POST", "/api/deliveries/" + id + "/posted", 404},
			{"hugo", "POST", "/api/deliveries/" + id + "/retry", 404},
			{"stranger", "POST", "/api/deliveries/" + id + "/retry", 404},
			{"", "POST", "/api/deliveries/" + id + "/retry", 401},
			{"sophie", "POST", "/api/deliveries/" + unknown + "/posted", 404},
			{"sophie", "POST", "/api/deliveries/x/posted", 404},
		} {
			a := w.http.With(c.who).Do(c.method, c.path, nil)
			if a.Status != c.want {
				t.Errorf("%s %s by %q: %d, want %d: %s", c.method, c.path, c.who, a.Status, c.want, a.Body)
			}
			if c.want == 404 && scrub(a.Body) != scrub(missing.Body) {
				t.Errorf("%s by %q says more than what does not exist:\n%s\n%s", c.path, c.who, a.Body, missing.Body)
			}
		}
		if got := decode[seen](t, w.http.With("stranger").Get("/api/deliveries?state=to-post").Want(200)); len(got.Items) != 0 {
			t.Errorf("another clinic's queue: %+v", got)
		}
	})
}

// scrub drops the reference of the request, which differs each time.
func scrub(body []byte) string {
	var m map[string]any
	if json.Unmarshal(body, &m) != nil {
		return string(body)
	}
	delete(m, "ref")
	delete(m, "instance")
	out, _ := json.Marshal(m)
	return string(out)
}

func TestThePaperQueueFromTheDesk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	id := refusedLetter(w)
	desk := w.http.With("sophie")
	queue := decode[seen](t, desk.Get("/api/deliveries?state=to-post", testkit.English()).Want(200))
	if len(queue.Items) != 1 || queue.Items[0].To.Label != "Léa Moreau" || queue.Items[0].Reason != "This mailbox does not exist or was closed." ||
		queue.Items[0].ReasonCode != "mailbox-closed" || len(queue.Items[0].Documents) != 1 || len(queue.Items[0].History) != 4 {
		t.Fatalf("queue %+v", queue)
	}
	letter := desk.Get("/api/deliveries/" + id + "/sheet").Want(200)
	if !strings.HasPrefix(string(letter.Body), "%PDF-") || letter.Header.Get("Content-Type") != "application/pdf" || letter.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("sheet: %v", letter.Header)
	}
	desk.Post("/api/deliveries/"+id+"/posted", nil).Want(200)
	desk.Post("/api/deliveries/"+id+"/retry", nil).Want(http.StatusConflict)
	if queue = decode[seen](t, desk.Get("/api/deliveries?state=to-post").Want(200)); len(queue.Items) != 0 {
		t.Fatalf("queue after posting %+v", queue)
	}
}

func TestTheDoctorSendsAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	id := refusedLetter(w)
	if err := w.mail.SetRule("@patient.mssante.test", mailsim.Deliver); err != nil {
		t.Fatal(err)
	}
	doctor := w.http.With("claire")
	doctor.Post("/api/deliveries/"+id+"/retry", nil).Want(200)
	w.Deliver(t)
	got := decode[seen](t, doctor.Get("/api/encounters/"+string(act)+"/deliveries").Want(200))
	if len(got.Items) != 1 || got.Items[0].State != "sent" || got.Items[0].Kind != "mssante" || got.Items[0].To.AddressHint == "" {
		t.Fatalf("%+v", got)
	}
	doctor.Post("/api/deliveries/"+id+"/retry", nil).Want(http.StatusConflict)
	if n := len(w.letters(leaBox)); n != 1 {
		t.Fatalf("%d letters", n)
	}
}
