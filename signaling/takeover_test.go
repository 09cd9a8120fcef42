package signaling_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
	"visavis/signaling"
)

func (c *clinic) stateOf(seat string) (state string) {
	c.t.Helper()
	err := c.h.DB.Read(c.ctx, func(_ context.Context, tx *store.Tx) error {
		return tx.G().Raw("SELECT state FROM seats WHERE id = ?", seat).Scan(&state).Error
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return state
}

// With actors beside those of start: the same people in other sign-ins.
func (c *clinic) signIns(more testkit.Actors) {
	c.t.Helper()
	words, err := signaling.Texts()
	if err != nil {
		c.t.Fatal(err)
	}
	all := testkit.Actors{"patient": c.patient, "doctor": c.doctor, "nurse": c.nurse()}
	for name, a := range more {
		all[name] = a
	}
	srv := c.h.Server(c.t, all, words)
	signaling.Routes(srv, c.svc)
	c.web = testkit.HTTP(c.t, srv.Handler()).Held(srv)
}

func (c *clinic) signOut(id care.SessionID) {
	c.world.mu.Lock()
	defer c.world.mu.Unlock()
	c.world.out = map[care.SessionID]bool{id: true}
}

// A takeover is decided on what is true when it comes, up to a minute after "busy".
func TestTakeover_RefusedAfterTheSeatIsGone(t *testing.T) {
	for name, x := range map[string]struct {
		happens func(c *clinic, doctor, patient *rtcclient.Client)
		first   int // what closes the first tab
		code    string
		close   int
		state   string
	}{
		"removed": {func(c *clinic, doctor, patient *rtcclient.Client) {
			c.send(doctor, "remove", map[string]any{"seat": patient.Seat, "reason": "wrong_person"})
		}, 4011, "removed", 4011, "removed"},
		"act ended":  {func(c *clinic, doctor, _ *rtcclient.Client) { c.send(doctor, "end", nil) }, 4010, "ended", 4010, "ended"},
		"signed out": {func(c *clinic, _, _ *rtcclient.Client) { c.signOut(c.patient.SessionID) }, 4001, "ticket_invalid", 4001, "admitted"},
	} {
		t.Run(name, func(t *testing.T) {
			testkit.Houses(t, func(t *testing.T, h *testkit.House) {
				c := open(t, h)
				doctor, _ := c.enter("doctor", "d")
				patient, _ := c.enter("patient", "tab-1")
				c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
				c.wait(patient, "admitted", nil)
				c.send(doctor, "chat", map[string]any{"id": "1", "text": "of this act"})
				c.wait(patient, "chat", nil)
				second := c.connect("patient")
				_ = second.Hello(c.ticket("patient"), "tab-2")
				c.wait(second, "busy", nil)
				x.happens(c, doctor, patient)
				c.closes(patient, x.first)
				_ = second.Raw(map[string]any{"t": "takeover"})
				if e := c.wait(second, "error", nil); e.Str("code") != x.code {
					t.Errorf("takeover: %v, want %s", e, x.code)
				}
				c.closes(second, x.close)
				if len(second.All("welcome"))+len(second.All("history"))+len(second.All("room")) > 0 {
					t.Error("a takeover without right was told of the act")
				}
				if x.state == "ended" {
					c.fact(events.EncounterFinished)
				}
				if got := c.stateOf(patient.Seat); got != x.state {
					t.Errorf("the seat is %s, want %s", got, x.state)
				}
			})
		})
	}
}

// Whatever a person does at the moment of their removal, they stay removed: in the database and in the room.
func TestRemove_StandsAgainstWhatThePersonDoesAtOnce(t *testing.T) {
	const rounds = 6 // with the socket's limit of messages; a third were undone before, on PostgreSQL
	does := map[string]func(c *clinic, who string, cl *rtcclient.Client) func(){
		"reload": func(c *clinic, who string, _ *rtcclient.Client) func() {
			cl, ticket := c.connect(who), c.ticket(who)
			return func() { _ = cl.Hello(ticket, "t") }
		},
		"takeover": func(c *clinic, who string, _ *rtcclient.Client) func() {
			cl := c.connect(who)
			_ = cl.Hello(c.ticket(who), "other")
			c.wait(cl, "busy", nil)
			return func() { _ = cl.Raw(map[string]any{"t": "takeover"}) }
		},
		"leave":  func(_ *clinic, _ string, cl *rtcclient.Client) func() { return func() { _, _ = cl.Send("leave", nil) } },
		"ticket": func(c *clinic, who string, _ *rtcclient.Client) func() { return func() { c.admission(who) } },
	}
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		c := open(t, h)
		people := testkit.Actors{}
		for name := range does {
			for i := range rounds {
				a := c.companion()
				a.CompanionID, a.SessionID = care.CompanionID(id()), care.SessionID(fmt.Sprintf("s-%s-%d", name, i))
				people[fmt.Sprintf("%s-%d", name, i)] = a
			}
		}
		c.signIns(people)
		for name, do := range does {
			doctor, _ := c.enter("doctor", "d") // each socket has its limit of messages
			for i := range rounds {
				c.removedAtOnce(doctor, fmt.Sprintf("%s-%d", name, i), i%2 == 0, do)
			}
		}
	})
}

// removedAtOnce has somebody do something at the moment of their removal by the host's socket, or by another
// process.
func (c *clinic) removedAtOnce(doctor *rtcclient.Client, who string, here bool, do func(*clinic, string, *rtcclient.Client) func()) {
	c.t.Helper()
	cl, _ := c.enter(who, "t")
	c.send(doctor, "admit", map[string]any{"seat": cl.Seat})
	c.wait(cl, "admitted", nil)
	act := do(c, who, cl)
	var both sync.WaitGroup
	late := time.Duration(rand.IntN(3000)) * time.Microsecond
	both.Go(func() { <-time.After(late); act() })
	<-time.After(time.Duration(rand.IntN(3000)) * time.Microsecond)
	if here {
		c.send(doctor, "remove", map[string]any{"seat": cl.Seat, "reason": "disturbance"})
	} else if err := c.svc.RemoveElsewhere(c.ctx, cl.Seat); err != nil {
		c.t.Fatal(err)
	}
	both.Wait()
	c.settle(doctor) // the removal was carried out
	c.svc.Review(c.ctx)
	c.settle(doctor)
	if rooms := doctor.All("room"); has(rooms[len(rooms)-1], cl.Seat) {
		c.t.Errorf("%s: in the room after the removal", who)
	}
	if c.admission(who) != "" {
		c.t.Errorf("%s: a ticket after the removal", who)
	}
	if state := c.stateOf(cl.Seat); state != "removed" {
		c.t.Errorf("%s: %s after the removal", who, state)
	}
}

func has(room rtcclient.Msg, seat string) bool {
	for _, s := range room.List("seats") {
		if s.Str("seat") == seat {
			return true
		}
	}
	return false
}

// A host admits the person they see. Whoever opens the same link elsewhere waits, hears and reads nothing, until
// a host admits them; the one who was admitted comes back without being asked.
func TestTakeover_AnotherSignInWaits(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		c := open(t, h)
		other := c.patient
		other.SessionID = "s-patient-elsewhere"
		c.signIns(testkit.Actors{"elsewhere": other})
		doctor, _ := c.enter("doctor", "d")
		patient, _ := c.enter("patient", "tab-1")
		c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
		c.wait(patient, "admitted", nil)
		c.send(doctor, "chat", map[string]any{"id": "1", "text": "between us"})
		c.wait(patient, "chat", nil)
		pm := c.join(patient, 1)
		c.flows(c.join(doctor, 1), 50)
		c.flows(pm, 50)

		elsewhere := c.connect("elsewhere")
		_ = elsewhere.Hello(c.ticket("elsewhere"), "tab-2")
		c.wait(elsewhere, "busy", nil)
		if c.stateOf(patient.Seat) != "admitted" {
			t.Error("who only asked has put the patient out")
		}
		_ = elsewhere.Raw(map[string]any{"t": "takeover"})
		if w := c.wait(elsewhere, "welcome", nil); w.Str("state") != "waiting" || w.Obj("media")["allowed"] != false {
			t.Fatalf("another sign-in sat down: %v", w)
		}
		if m := c.wait(elsewhere, "history", nil); len(m.List("messages")) > 0 {
			t.Errorf("read what was said in the call: %v", m)
		}
		c.wait(doctor, "room", func(m rtcclient.Msg) bool {
			seat := seatIn(m, patient.Seat)
			return seat["state"] == "waiting" && seat["again"] == true // the host is told to look who is there
		})
		c.closes(patient, 4009)
		if c.stateOf(patient.Seat) != "waiting" {
			t.Error("the database does not know that they wait")
		}
		// A reload, and a new socket after it, wait as well.
		_ = elsewhere.Raw(map[string]any{"t": "bye"})
		elsewhere.Cut()
		if _, w := c.enter("elsewhere", "tab-2"); w.Str("state") != "waiting" {
			t.Errorf("after a reload %v", w)
		}

		// The one who was admitted: another tab, then a reload.
		back := c.connect("patient")
		_ = back.Hello(c.ticket("patient"), "tab-3")
		c.wait(back, "busy", nil)
		_ = back.Raw(map[string]any{"t": "takeover"})
		if w := c.wait(back, "welcome", nil); w.Str("state") != "admitted" {
			t.Errorf("who was admitted is asked again: %v", w)
		}
		if m := c.wait(back, "history", nil); len(m.List("messages")) != 1 {
			t.Errorf("history of who was admitted: %v", m)
		}
		if _, w := c.enter("patient", "tab-3"); w.Str("state") != "admitted" {
			t.Errorf("after a reload %v", w)
		}

		// Admitted by the host, the other sign-in is the one, with what the patient may read.
		elsewhere = c.connect("elsewhere")
		_ = elsewhere.Hello(c.ticket("elsewhere"), "tab-2")
		c.wait(elsewhere, "busy", nil)
		_ = elsewhere.Raw(map[string]any{"t": "takeover"})
		c.wait(elsewhere, "history", nil)
		c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
		c.wait(elsewhere, "admitted", nil)
		if m := c.wait(elsewhere, "history", nil); len(m.List("messages")) != 1 {
			t.Errorf("history once admitted: %v", m)
		}
		if _, w := c.enter("elsewhere", "tab-2"); w.Str("state") != "admitted" {
			t.Errorf("after a reload %v", w)
		}
		if n := c.facts.count(events.EncounterStarted); n > 1 {
			t.Errorf("the act began %d times", n)
		}
	})
}

// A room learns of a removal that another process carried out.
func TestReview_RemovedElsewhere(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		c := open(t, h)
		doctor, _ := c.enter("doctor", "d")
		patient, _ := c.enter("patient", "p")
		c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
		c.wait(patient, "admitted", nil)
		if err := c.svc.RemoveElsewhere(c.ctx, patient.Seat); err != nil {
			t.Fatal(err)
		}
		c.svc.Review(c.ctx)
		c.closes(patient, 4011)
	})
}

// admission asks for a ticket; none is given to whoever was removed.
func (c *clinic) admission(who string) string {
	c.t.Helper()
	var out struct{ Ticket string }
	a := c.web.With(who).Post("/api/encounters/"+string(c.enc)+"/admission", nil, testkit.Header("Origin", origin), testkit.Header("Sec-Fetch-Site", "same-origin"))
	if a.Status == 201 {
		a.JSON(&out)
	}
	return out.Ticket
}

// A message that is sent again is answered to who sends it, within a limit, and to nobody else.
func TestChat_ReplayIsAnsweredToItsSenderOnly(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		c := open(t, h)
		doctor, _ := c.enter("doctor", "d")
		patient, _ := c.enter("patient", "p")
		c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
		c.wait(patient, "admitted", nil)
		for range 24 { // below what one socket may send at once
			c.send(patient, "chat", map[string]any{"id": "same", "text": "once"})
		}
		if e := c.wait(patient, "error", nil); e.Str("code") != "chat_too_fast" || e.Str("id") != "same" || e.Num("seconds") < 1 {
			t.Errorf("replays have no limit: %v", e)
		}
		c.send(patient, "chat", map[string]any{"id": "next", "text": "another"})
		c.wait(doctor, "chat", func(m rtcclient.Msg) bool { return m.Str("id") == "next" })
		if got := ids(doctor.All("chat")); len(got) != 2 {
			t.Errorf("the doctor got %v", got)
		}
		if n := len(patient.All("chat")); n < 20 {
			t.Errorf("the sender was answered %d times", n)
		}
	})
}
