package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"visavis/internal/testkit"
)

// generous lets the bookings of a test pass the budgets of strangers; the tests of
// the budgets themselves come after it with their own.
var generous = []string{
	"VISAVIS_SMS_HOURLY=1000000", "VISAVIS_SMS_DAILY=1000000", "VISAVIS_BOOKINGS_HOURLY=1000000", "VISAVIS_BOOKINGS_DAILY=1000000",
	"VISAVIS_BOOKINGS_PER_CONTACT=1000000",
}

var digits8 = regexp.MustCompile(`\b\d{8}\b`)

// gatewayAt is the setting of another SMS gateway than the demo's.
const gatewayAt = "VISAVIS_SMS_URL="

// proofs keeps the attempts that a test has proven, by telephone or else e-mail.
type proofs struct {
	mu        sync.Mutex
	byContact map[string]string
}

// contact is where the code of somebody goes.
func (g guest) contact() string {
	if g["phone"] != "" {
		return g["phone"]
	}
	return g["email"]
}

// booking is the body with which the n-th person, whose telephone is proven, books.
func (r *rig) booking(s slot, n int) map[string]any {
	g, _ := s.booking(n)["patient"].(guest)
	return r.bookingOf(s, g)
}

// bookingOf is booking for somebody.
func (r *rig) bookingOf(s slot, g guest) map[string]any {
	r.t.Helper()
	r.prove(s, g)
	r.proofs.mu.Lock()
	defer r.proofs.mu.Unlock()
	body := s.bookingOf(g)
	body["attempt"] = r.proofs.byContact[g.contact()]
	return body
}

// prove proves the telephones of people who want a free slot, with the codes that
// the simulated gateway got. Each comes from a network of their own.
func (r *rig) prove(free slot, people ...guest) {
	r.t.Helper()
	r.proofs.mu.Lock()
	defer r.proofs.mu.Unlock()
	if r.proofs.byContact == nil {
		r.proofs.byContact = map[string]string{}
	}
	waiting := map[string]string{} // contact → attempt
	for _, g := range people {
		to := g.contact()
		if r.proofs.byContact[to] != "" || waiting[to] != "" {
			continue
		}
		waiting[to] = r.askCode(r.home(), free.bookingOf(g))
	}
	for to, code := range r.codes(waiting) {
		r.home().Post("/api/booking-attempts/verify", map[string]string{"attempt": waiting[to], "code": code}).Want(204)
		r.proofs.byContact[to] = waiting[to]
	}
}

// home is a client in a network that nobody else is in.
func (r *rig) home() *testkit.Client {
	r.opened++
	return r.client().From(1<<20 + r.opened<<8)
}

// askCode has a code sent for a booking and gives the attempt.
func (r *rig) askCode(c *testkit.Client, body map[string]any) string {
	r.t.Helper()
	var a struct{ Attempt string }
	c.Post("/api/booking-attempts", body).Want(201).JSON(&a)
	return a.Attempt
}

// codes waits for the code of each telephone or mailbox.
func (r *rig) codes(contacts map[string]string) map[string]string {
	r.t.Helper()
	found := map[string]string{}
	testkit.Eventually(r.t, 60*time.Second, "the codes came", func() bool {
		for _, m := range r.smses() {
			if code := digits8.FindString(m.Text); code != "" && !strings.Contains(m.Text, "http") && contacts[m.To] != "" {
				found[m.To] = code
			}
		}
		for to := range contacts {
			if strings.Contains(to, "@") {
				if code := digits8.Find(r.read(r.sim("mail-web") + "/box?address=" + url.QueryEscape(to))); code != nil {
					found[to] = string(code)
				}
			}
		}
		return len(found) == len(contacts)
	})
	return found
}

// codeNow is the newest code that a telephone or a mailbox has; empty without one.
func (r *rig) codeNow(to string) (code string) {
	if strings.Contains(to, "@") {
		return string(digits8.Find(r.read(r.sim("mail-web") + "/box?address=" + url.QueryEscape(to))))
	}
	for _, m := range r.smses() {
		if found := digits8.FindString(m.Text); m.To == to && found != "" && !strings.Contains(m.Text, "http") {
			code = found
		}
	}
	return code
}

// smses are the messages the gateway took, the oldest first.
func (r *rig) smses() (list []struct{ To, Text string }) {
	r.t.Helper()
	at := r.sim("sms") + "/messages"
	for _, e := range r.env {
		if other, ok := strings.CutPrefix(e, gatewayAt); ok {
			at = strings.TrimSuffix(other, "/messages") + "/messages"
		}
	}
	if err := json.Unmarshal(r.read(at), &list); err != nil {
		r.t.Fatal(err)
	}
	return list
}

// read gets a page of a simulator.
func (r *rig) read(address string) []byte {
	r.t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return raw
}

// TestBook_CodeFirst is issue 9, C2 and C7: before the contact is proven one code
// leaves and nothing is held; the proof survives a lost slot; nothing tells who is a
// patient.
func TestBook_CodeFirst(t *testing.T) {
	rigs(t, func(t *testing.T, r *rig) {
		free := r.slots("MARTIN")
		stranger := guest{"familyName": "NOUVEAU", "givenName": "Noé", "birthDate": "1990-01-01", "phone": "+33639980001"}
		known := guest{"familyName": "O'BRIEN", "givenName": "MARCEL", "birthDate": "1941-09-30", "phone": "+33611000005"}
		r.home().Post("/api/appointments", free[0].bookingOf(stranger)).Problem(403, "contact-not-proven")
		attempt := r.askCode(r.home(), free[0].bookingOf(stranger))
		code := r.codes(map[string]string{stranger["phone"]: attempt})[stranger["phone"]]
		body := free[0].bookingOf(stranger)
		body["attempt"] = attempt
		r.home().Post("/api/appointments", body).Problem(403, "contact-not-proven")
		if n := r.messagesTo(stranger["phone"]); n != 1 {
			t.Errorf("%d messages left before the proof, want 1", n)
		}
		if got := r.slots("MARTIN"); len(got) != len(free) {
			t.Errorf("%d slots are free before the proof, want %d", len(got), len(free))
		}
		r.home().Post("/api/booking-attempts/verify", map[string]string{"attempt": attempt, "code": other(code)}).Problem(422, "code-wrong")
		r.home().Post("/api/booking-attempts/verify", map[string]string{"attempt": attempt, "code": code[:4] + " " + code[4:]}).Want(204)
		r.home().Post("/api/booking-attempts/verify", map[string]string{"attempt": attempt, "code": code}).Want(204) // the answer was lost

		// Somebody else was faster: three near slots, and the same proof takes one.
		r.home().Post("/api/appointments", r.bookingOf(free[0], known)).Want(201)
		r.home().Post("/api/appointments", body).Problem(409, "slot-taken")
		near := r.near(free[0])
		if len(near) != 3 || !near[0].Equal(free[1].start) {
			t.Errorf("near slots: %v", near)
		}
		body["start"] = near[0]
		wrong := free[0].bookingOf(guest{"familyName": "X", "givenName": "Y", "birthDate": "1990-01-01", "phone": "+33639980002"})
		wrong["attempt"], wrong["start"] = attempt, near[0]
		r.home().Post("/api/appointments", wrong).Problem(403, "contact-not-proven")
		var booked struct{ SentTo map[string]string }
		r.home().Post("/api/appointments", body).Want(201).JSON(&booked)
		r.home().Post("/api/booking-attempts", body2(body)).Problem(409, "slot-taken")
		if len(booked.SentTo) != 1 || booked.SentTo["sms"] == "" {
			t.Errorf("sent to %v", booked.SentTo)
		}
	})
}

// messagesTo counts what was sent to a telephone.
func (r *rig) messagesTo(phone string) (n int) {
	for _, m := range r.smses() {
		if m.To == phone {
			n++
		}
	}
	return n
}

// TestBook_KnownAndUnknownLookTheSame compares the answers to somebody on file and
// to somebody who is not, before and after the proof (issue 9, C7).
func TestBook_KnownAndUnknownLookTheSame(t *testing.T) {
	rigs(t, func(t *testing.T, r *rig) {
		free := r.slots("MARTIN")
		known := guest{"familyName": "DIALLO", "givenName": "FATOU", "birthDate": "1988-07-02", "phone": "+33611000003"} // an e-mail is on file
		unknown := guest{"familyName": "DIALLO", "givenName": "FATOU", "birthDate": "1988-07-03", "phone": "+33639980003"}
		var shapes []string
		for i, g := range []guest{known, unknown} {
			var asked, booked map[string]any
			r.home().Post("/api/booking-attempts", free[i].bookingOf(g)).Want(201).JSON(&asked)
			r.home().Post("/api/appointments", r.bookingOf(free[i], g)).Want(201).JSON(&booked)
			shapes = append(shapes, keys(asked)+keys(booked["sentTo"].(map[string]any)))
		}
		if shapes[0] != shapes[1] {
			t.Errorf("known: %s\nunknown: %s", shapes[0], shapes[1])
		}
	})
}

func keys(m map[string]any) string {
	var b strings.Builder
	for _, k := range []string{"attempt", "proven", "channel", "hint", "expiresAt", "email", "sms"} {
		if _, ok := m[k]; ok {
			b.WriteString(k + " ")
		}
	}
	return b.String()
}

// other is a code that is not the one given.
func other(code string) string {
	if code == "00000000" {
		return "11111111"
	}
	return "00000000"
}

// body2 is the body that asks for a code, of one that books.
func body2(b map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range b {
		if k != "attempt" {
			out[k] = v
		}
	}
	return out
}

func (r *rig) near(s slot) (out []time.Time) {
	var found struct{ Items []struct{ Start time.Time } }
	r.client().Get("/api/practitioners/" + s.practitioner + "/slots/near?start=" + s.start.UTC().Format(time.RFC3339)).Want(200).JSON(&found)
	for _, i := range found.Items {
		out = append(out, i.Start)
	}
	return out
}
