package signaling_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
)

// The database is restarted during a call (acceptance 8): the call goes on,
// chat says that it failed, and what happened meanwhile is told afterwards.
func TestTheDatabaseMayGoAwayDuringACall(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: not in -short")
	}
	pg, err := testkit.StartPostgres()
	if err != nil {
		t.Skip("SKIPPED, NOT TESTED: " + err.Error())
	}
	t.Cleanup(func() { _ = pg.Close() })
	name, err := pg.Create("")
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(context.Background(), store.Options{URL: pg.URL(name), RowKey: testkit.RowKey()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	c := open(t, testkit.NewHouse(t, db))
	doctor, _ := c.enter("doctor", "d")
	patient, _ := c.enter("patient", "p")
	c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
	c.wait(patient, "media", func(m rtcclient.Msg) bool { return m["allowed"] == true })
	pm, dm := c.join(patient, 1), c.join(doctor, 1)
	c.flows(pm, 50)
	c.flows(dm, 50)

	if err := pg.Stop(); err != nil {
		t.Fatal(err)
	}
	c.world.set(care.ConsentGranted, errors.New("the database is away"))
	c.send(patient, "chat", map[string]any{"id": "lost", "text": "perdu ?"})
	if e := c.wait(patient, "error", nil); e.Str("code") != "internal" {
		t.Errorf("chat without a database: %v", e)
	}
	c.send(patient, "mute", map[string]any{"mic": true, "camera": false})
	c.wait(doctor, "room", func(m rtcclient.Msg) bool { return len(m.List("seats")) == 2 })
	c.flows(pm, 900) // longer than a review of the act
	patient.Cut()    // and the socket dies too
	back := c.connect("patient")
	back.Over(patient)
	if err := back.Resume(); err != nil {
		t.Fatal(err)
	}
	c.wait(back, "resumed", nil)
	c.flows(dm, 50)

	if err := pg.Start(); err != nil {
		t.Fatal(err)
	}
	c.world.set(care.ConsentGranted, nil)
	for try := 0; ; try++ { // until the pool has new connections
		c.send(back, "chat", map[string]any{"id": "again", "text": "c'est revenu"})
		ctx, cancel := context.WithTimeout(c.ctx, 2*time.Second)
		_, err := doctor.Wait(ctx, "chat", func(m rtcclient.Msg) bool { return m.Str("id") == "again" })
		cancel()
		if err == nil {
			break
		}
		if try == 10 {
			t.Fatal(err)
		}
	}
	c.fact(events.ParticipantJoined)
	c.flows(pm, 50)
	if s, _ := c.media.Stats(); s.Peers != 2 {
		t.Errorf("%d connections after the outage, want the same two", s.Peers)
	}
}

// A socket that stays away is told to the act, and so is its return.
func TestALostConnectionIsAnIncident(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: not in -short")
	}
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	doctor, _ := c.enter("doctor", "d")
	patient, _ := c.enter("patient", "p")
	c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
	c.wait(patient, "admitted", nil)
	patient.Cut()
	c.fact(events.MediaIncident + ":connection_lost")
	back := c.connect("patient")
	back.Over(patient)
	if err := back.Resume(); err != nil {
		t.Fatal(err)
	}
	c.wait(back, "resumed", nil)
	c.fact(events.MediaIncident + ":connection_restored")
	c.send(back, "leave", nil)
	c.closes(back, 1000)
	c.fact(events.ParticipantLeft)
	again, w := c.enter("patient", "p") // who left by mistake comes back
	if w.Str("state") != "admitted" {
		t.Errorf("after leaving %v", w)
	}
	c.wait(again, "room", nil)
}

// A PeerConnection that dies is an incident; a new one in the same seat ends it.
func TestLostMediaIsAnIncident(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: not in -short")
	}
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	doctor, _ := c.enter("doctor", "d")
	patient, _ := c.enter("patient", "p")
	c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
	c.wait(patient, "media", func(m rtcclient.Msg) bool { return m["allowed"] == true })
	dm := c.join(doctor, 1)
	pm := c.join(patient, 1)
	c.flows(dm, 50)
	_ = pm.PC.Close()
	c.wait(doctor, "room", func(m rtcclient.Msg) bool { return link(m, patient.Seat) == "lost" })
	c.fact(events.MediaIncident + ":media_lost")
	// A restart of what is gone is refused; a new one is not.
	n := c.send(patient, "offer", map[string]any{"pc": 1, "sdp": "v=0"})
	if e := c.wait(patient, "error", nil); e.Str("code") != "pc_unknown" || uint64(e.Num("re")) != n {
		t.Errorf("%v", e)
	}
	c.send(patient, "offer", map[string]any{"pc": 2, "sdp": "v=0"})
	if e := c.wait(patient, "error", nil); e.Str("code") != "offer_refused" {
		t.Errorf("%v", e)
	}
	c.join(patient, 3)
	c.flows(dm, 50)
	c.wait(doctor, "room", func(m rtcclient.Msg) bool { return link(m, patient.Seat) == "up" })
	c.fact(events.MediaIncident + ":media_restored")
}

func link(m rtcclient.Msg, seat string) string {
	for _, s := range m.List("seats") {
		if s.Str("seat") == seat {
			return s.Str("link")
		}
	}
	return ""
}

// S12: who is signed out, or whose link is revoked, is out of the room within
// two seconds; who comes back by right finds the place.
func TestASessionThatEndsElsewhereEndsHere(t *testing.T) {
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	doctor, _ := c.enter("doctor", "d")
	patient, _ := c.enter("patient", "p")
	c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
	c.wait(patient, "admitted", nil)
	c.fact(events.ParticipantJoined)
	c.world.mu.Lock()
	c.world.out = map[care.SessionID]bool{"s-patient": true}
	c.world.mu.Unlock()
	begin := time.Now()
	c.closes(patient, 4001)
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("still in the room %v after the end of the session", took)
	}
	c.fact(events.ParticipantLeft)
	c.wait(doctor, "room", func(m rtcclient.Msg) bool {
		for _, s := range m["seats"].([]any) {
			if seat := s.(map[string]any); seat["seat"] == patient.Seat && seat["online"] == false {
				return true
			}
		}
		return false
	})
	c.world.mu.Lock()
	c.world.out = nil
	c.world.mu.Unlock()
	if _, w := c.enter("patient", "p"); w.Str("state") != "admitted" {
		t.Errorf("after a new link %v", w)
	}
}

// Who leaves the waiting room, or is away for too long, waits no more; who comes
// back waits again.
func TestLeavingTheWaitingRoomIsTold(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		c := open(t, h)
		patient, _ := c.enter("patient", "p")
		c.fact(events.PatientArrived)
		c.send(patient, "leave", nil)
		c.closes(patient, 1000)
		c.fact(events.PatientWentAway)
		back, w := c.enter("patient", "p")
		if w.Str("state") != "waiting" {
			t.Errorf("after leaving the waiting room %v", w)
		}
		c.told(events.PatientArrived, 2)
		back.Cut()
		err := h.DB.Tx(c.ctx, func(_ context.Context, tx *store.Tx) error { // as half an hour would
			return tx.G().Exec("UPDATE seats SET seen_at = ?", store.Micros(time.Now().Add(-31*time.Minute))).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := c.svc.Lapse(c.ctx); err != nil || n != 1 {
			t.Fatalf("%d places given up: %v", n, err)
		}
		c.told(events.PatientWentAway, 2)
		c.enter("patient", "p")
		c.told(events.PatientArrived, 3)
	})
}
