package main

import (
	"net/http"
	"testing"
	"time"

	"visavis/internal/care"
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

	for _, want := range []struct{ person, area, reason string }{
		{"nurse", "encounter", "not-found"}, {"nurse", "patient", "not-found"}, {"nurse", "ticket", "ticket-invalid"}, {"nurse", "patient", "sign-in"},
		{"patient", "encounter", "live-forbidden"}, {"patient", "document", "sign-in"},
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
	if !care.ValidID(who["nurse"]) || !care.ValidID(who["patient"]) {
		t.Errorf("nobody was looked for: %v", who)
	}
}
