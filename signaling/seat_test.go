package signaling_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/httpx"
	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
	"visavis/signaling"
)

func TestATicketOpensOnceAndOnlyForWhomItWasMade(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		c := open(t, h)
		used := c.ticket("patient")
		first := c.connect("patient")
		_ = first.Hello(used, "a")
		c.wait(first, "welcome", nil)
		for name, try := range map[string]struct{ who, ticket string }{
			"used":              {"patient", used},
			"another's session": {"doctor", c.ticket("patient")},
			"made up":           {"patient", strings.Repeat("A", 43)},
			"empty":             {"patient", ""},
		} {
			cl := c.connect(try.who)
			_ = cl.Hello(try.ticket, "b")
			if e := c.wait(cl, "error", nil); e.Str("code") != "ticket_invalid" {
				t.Errorf("%s: %v", name, e)
			}
			c.closes(cl, 4001)
		}
		// Of another origin: the POST said another page's.
		var out struct{ Ticket string }
		c.web.With("patient").Post("/api/encounters/"+string(c.enc)+"/admission", nil, testkit.Header("Origin", "https://evil.test")).JSON(&out)
		cl := c.connect("patient")
		_ = cl.Hello(out.Ticket, "b")
		c.closes(cl, 4001)
		// Expired: the row is aged as a minute would.
		old := c.ticket("patient")
		err := h.DB.Tx(c.ctx, func(_ context.Context, tx *store.Tx) error {
			return tx.G().Exec("UPDATE seat_tickets SET expires_at = ? WHERE used_at = 0", store.Micros(time.Now().Add(-time.Second))).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		testkit.SignRows(t, h.DB, "seat_tickets")
		cl = c.connect("patient")
		_ = cl.Hello(old, "b")
		c.closes(cl, 4001)
	})
}

func TestWhoMayNotSitDown(t *testing.T) {
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	path := "/api/encounters/" + string(c.enc) + "/admission"
	c.web.Post(path, nil).Problem(401, "sign-in")
	strange := c.web.With("stranger").Post(path, nil).Want(404)
	absent := c.web.With("stranger").Post("/api/encounters/"+id()+"/admission", nil).Want(404)
	if a, b := noID(string(strange.Body)), noID(string(absent.Body)); a != b {
		t.Errorf("another's act and no act answer differently:\n%s\n%s", a, b)
	}
	for _, o := range []string{"", "https://evil.test", "https://visavis.test.evil", "http://visavis.test", "null"} {
		if _, err := rtcclient.Connect(c.ctx, c.web.URL("/api/live"), o, &http.Cookie{Name: httpx.CookieName, Value: "patient"}); err == nil || !strings.Contains(err.Error(), "403") {
			t.Errorf("origin %q: %v, want 403", o, err)
		}
	}
}

// noID drops what names the request in a problem.
func noID(body string) string {
	var keep []string
	for _, part := range strings.Split(body, ",") {
		if !strings.Contains(part, "instance") && !strings.Contains(part, "\"request") {
			keep = append(keep, part)
		}
	}
	return strings.Join(keep, ",")
}

func TestADeadSocketLosesNothing(t *testing.T) {
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	doctor, _ := c.enter("doctor", "d")
	patient, _ := c.enter("patient", "p")
	c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
	c.wait(patient, "media", func(m rtcclient.Msg) bool { return m["allowed"] == true })
	pm, dm := c.join(patient, 1), c.join(doctor, 1)
	c.flows(pm, 50)
	c.flows(dm, 50)
	patient.Cut()
	c.wait(doctor, "room", func(m rtcclient.Msg) bool { return online(m, patient.Seat) == false })
	for _, text := range []string{"un", "deux", "trois"} {
		c.send(doctor, "chat", map[string]any{"id": text, "text": text})
	}
	c.flows(pm, 100) // media does not care
	back := c.connect("patient")
	back.Over(patient)
	if err := back.Resume(); err != nil {
		t.Fatal(err)
	}
	c.wait(back, "resumed", nil)
	for _, text := range []string{"un", "deux", "trois"} {
		if m := c.wait(back, "chat", nil); m.Str("text") != text {
			t.Errorf("got %v, want %s", m, text)
		}
	}
	if len(back.All("test-hole")) > 0 || len(back.All("welcome")) > 0 {
		t.Errorf("resume lost or doubled something: %v", back.All("test-hole"))
	}
	c.flows(pm, 50)
	c.flows(dm, 50)
	// The same message again is taken once.
	before := len(doctor.All("chat"))
	n := c.send(back, "chat", map[string]any{"id": "x", "text": "une fois"})
	_ = back.Raw(map[string]any{"t": "chat", "seq": n, "id": "x", "text": "une fois"})
	c.send(back, "chat", map[string]any{"id": "x", "text": "une fois"}) // a retry under a new number
	c.send(back, "chat", map[string]any{"id": "y", "text": "fin"})
	c.wait(doctor, "chat", func(m rtcclient.Msg) bool { return m.Str("id") == "y" })
	if got := len(doctor.All("chat")) - before; got > 3 {
		t.Errorf("%d chat messages for two", got)
	}
	// A resume of nobody, of another session's owner, and of a killed session.
	for name, who := range map[string]string{"unknown": "patient", "another's": "doctor"} {
		cl := c.connect(who)
		if name == "another's" {
			cl.Over(back)
		}
		_ = cl.Resume()
		if e := c.wait(cl, "error", nil); e.Str("code") != "resume_expired" {
			t.Errorf("%s: %v", name, e)
		}
		c.closes(cl, 4003)
	}
}

func online(m rtcclient.Msg, seat string) bool {
	for _, s := range m.List("seats") {
		if s.Str("seat") == seat {
			return s["online"] == true
		}
	}
	return false
}

func TestASecondTabAsksBeforeItTakes(t *testing.T) {
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	first, w1 := c.enter("patient", "tab-1")
	second := c.connect("patient")
	_ = second.Hello(c.ticket("patient"), "tab-2")
	c.wait(second, "busy", nil)
	c.send(first, "chat", map[string]any{"id": "1", "text": "toujours là"})
	c.wait(first, "chat", nil)
	_ = second.Raw(map[string]any{"t": "takeover"})
	w2 := c.wait(second, "welcome", nil)
	if w2.Str("seat") != w1.Str("seat") || w2.Str("session") == w1.Str("session") {
		t.Errorf("takeover: %v after %v", w2, w1)
	}
	c.closes(first, 4009)
	dead := c.connect("patient")
	dead.Over(first)
	_ = dead.Resume()
	c.closes(dead, 4003)
	// A reload of the same tab asks nothing.
	third := c.connect("patient")
	_ = third.Hello(c.ticket("patient"), "tab-2")
	if w := c.wait(third, "welcome", nil); w.Str("seat") != w1.Str("seat") {
		t.Errorf("after reload %v", w)
	}
	if len(third.All("busy")) > 0 {
		t.Error("a reload was asked to take over")
	}
}

func TestTheSeatOutlivesTheServer(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		c := open(t, h)
		doctor, _ := c.enter("doctor", "d")
		patient, w := c.enter("patient", "p")
		c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
		c.wait(patient, "admitted", nil)
		c.send(patient, "chat", map[string]any{"id": "1", "text": "MARK-avant"})
		c.wait(doctor, "chat", nil)
		stop(t, c.svc, c.media)
		c.closes(patient, 1001)
		c.start()
		again, w2 := c.enter("patient", "p")
		if w2.Str("seat") != w.Str("seat") || w2.Str("state") != "admitted" || w2.Obj("media")["allowed"] != true {
			t.Errorf("after the restart %v", w2)
		}
		if m := c.wait(again, "history", nil).List("messages"); len(m) != 1 || m[0].Str("text") != "MARK-avant" {
			t.Errorf("history %v", m)
		}
		doctor, _ = c.enter("doctor", "d")
		pm, dm := c.join(again, 1), c.join(doctor, 1)
		c.flows(pm, 50)
		c.flows(dm, 50)
		// What was said is not to be read in the database.
		var n int64
		err := h.DB.Read(c.ctx, func(_ context.Context, tx *store.Tx) error {
			var rows []struct{ Body []byte }
			err := tx.G().Raw("SELECT body FROM seat_chat").Scan(&rows).Error
			for _, r := range rows {
				if strings.Contains(string(r.Body), "MARK") {
					t.Error("chat lies open in the database")
				}
				n++
			}
			return err
		})
		if err != nil || n != 1 {
			t.Errorf("%d rows, %v", n, err)
		}
		if strings.Contains(h.Logged.String(), "MARK") {
			t.Error("chat in the log")
		}
	})
}

// another opens a second act of the same doctor, shifted, and gives the way in
// for its patient.
func (c *clinic) another(shift time.Duration) (enter func() *rtcclient.Client) {
	c.t.Helper()
	act := c.world.acts[c.enc]
	act.ID, act.AppointmentID, act.PatientID = care.EncounterID(id()), "early", "0190-other"
	act.Planned = act.Planned.Add(shift)
	c.world.mu.Lock()
	c.world.acts[act.ID] = act
	c.world.mu.Unlock()
	other := c.stranger()
	other.AppointmentID = "early"
	return func() *rtcclient.Client {
		srv := c.h.Server(c.t, testkit.Actors{"other": other})
		signaling.Routes(srv, c.svc)
		web, mine := c.web, c.enc
		c.web, c.enc = testkit.HTTP(c.t, srv.Handler()).Held(srv), act.ID
		cl, _ := c.enter("other", "b")
		c.web, c.enc = web, mine
		return cl
	}
}

func TestTheQueueIsByAppointmentAndKept(t *testing.T) {
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	// A second act of the same doctor, planned earlier; its patient comes later.
	enter := c.another(-10 * time.Minute)
	mine := c.enc
	first, _ := c.enter("patient", "a")
	if q := c.wait(first, "queue", nil); q.Num("position") != 1 || q.Num("of") != 1 {
		t.Errorf("alone: %v", q)
	}
	second := enter()
	if q := c.wait(second, "queue", nil); q.Num("position") != 1 || q.Num("of") != 2 {
		t.Errorf("the one with the earlier appointment: %v", q)
	}
	if q := c.wait(first, "queue", func(m rtcclient.Msg) bool { return m.Num("of") == 2 }); q.Num("position") != 2 {
		t.Errorf("the other: %v", q)
	}
	// The appointment is moved an hour forward: the place moves with it.
	moved := c.world.acts[mine]
	moved.Planned = moved.Planned.Add(-time.Hour)
	c.world.mu.Lock()
	c.world.acts[mine] = moved
	c.world.mu.Unlock()
	_ = c.ticket("patient")
	back, _ := c.enter("patient", "a")
	if q := c.wait(back, "queue", nil); q.Num("position") != 1 {
		t.Errorf("an hour earlier now: %v", q)
	}
	moved.Planned = moved.Planned.Add(time.Hour)
	c.world.mu.Lock()
	c.world.acts[mine] = moved
	c.world.mu.Unlock()
	// The phone sleeps; the place is kept for it.
	first.Cut()
	again, _ := c.enter("patient", "a")
	if q := c.wait(again, "queue", nil); q.Num("position") != 2 {
		t.Errorf("after sleep: %v", q)
	}
}

func TestAPlaceIsGivenUpAfterThirtyMinutes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: not in -short")
	}
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		c := open(t, h)
		enter := c.another(10 * time.Minute)
		gone, w := c.enter("patient", "a")
		gone.Cut()
		stop(t, c.svc, c.media)
		err := h.DB.Tx(c.ctx, func(_ context.Context, tx *store.Tx) error {
			return tx.G().Exec("UPDATE seats SET seen_at = ?", store.Micros(time.Now().Add(-31*time.Minute))).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		c.start()
		later := enter()
		c.wait(later, "queue", func(m rtcclient.Msg) bool { return m.Num("position") == 1 && m.Num("of") == 1 })
		again, w2 := c.enter("patient", "a")
		if w2.Str("seat") != w.Str("seat") || w2.Str("state") != "waiting" {
			t.Errorf("back after 31 minutes: %v", w2)
		}
		// The same seat, arrived again; the earlier appointment still comes first.
		c.wait(again, "queue", func(m rtcclient.Msg) bool { return m.Num("position") == 1 && m.Num("of") == 2 })
	})
}

func TestMalformedGappedAndTooMuch(t *testing.T) {
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	bad, _ := c.enter("patient", "1")
	_ = bad.Raw(map[string]any{"t": "nonsense", "seq": 1})
	if e := c.wait(bad, "error", nil); e.Str("code") != "invalid" || e.Str("field") != "t" {
		t.Errorf("%v", e)
	}
	_ = bad.Raw(map[string]any{"t": "chat", "seq": 1, "id": "1", "text": strings.Repeat("é", 2001)})
	if e := c.wait(bad, "error", nil); e.Str("field") != "text" {
		t.Errorf("%v", e)
	}
	_ = bad.Raw(map[string]any{"t": 7})
	c.closes(bad, 1008)

	gap, _ := c.enter("patient", "1")
	_ = gap.Raw(map[string]any{"t": "mute", "seq": 5})
	if e := c.wait(gap, "error", nil); e.Str("code") != "gap" {
		t.Errorf("%v", e)
	}
	c.closes(gap, 1008)

	big, _ := c.enter("patient", "1")
	_ = big.Raw(map[string]any{"t": "offer", "seq": 1, "pc": 1, "sdp": strings.Repeat("a", 70<<10)})
	c.closes(big, 1009)

	flood, _ := c.enter("patient", "1")
	for range 200 {
		_ = flood.Raw(map[string]any{"t": "ping"})
	}
	if e := c.wait(flood, "error", nil); e.Str("code") != "throttled" {
		t.Errorf("%v", e)
	}
	c.closes(flood, 4008)

	mute := c.connect("patient") // says nothing
	c.closes(mute, 4002)
}

func TestAnActThatEndsElsewhereEndsHere(t *testing.T) {
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	patient, _ := c.enter("patient", "1")
	if ok, err := c.svc.Online(c.ctx, c.enc); !ok || err != nil {
		t.Errorf("online %v %v", ok, err)
	}
	if err := c.world.onEnd(c.ctx, c.enc, time.Now()); err != nil { // by HTTP: encounters.Finish
		t.Fatal(err)
	}
	c.wait(patient, "ended", nil)
	c.closes(patient, 4010)
	if ok, _ := c.svc.Online(c.ctx, c.enc); ok {
		t.Error("still online")
	}
	c.fact(events.EncounterFinished)
}
