package signaling_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
)

// S12, ASVS 8.3.1: the media of a session that was ended stop with its socket,
// and nobody else's; while nobody can be asked, the call goes on.
func TestMediaEndWithTheirSession(t *testing.T) {
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	doctor, _ := c.enter("doctor", "d")
	patient, _ := c.enter("patient", "p")
	c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
	c.wait(patient, "media", func(m rtcclient.Msg) bool { return m["allowed"] == true })
	pm, dm := c.join(patient, 1), c.join(doctor, 1)
	c.flows(pm, 50)
	c.flows(dm, 50)

	c.world.set(care.ConsentGranted, errors.New("database away"))
	c.world.mu.Lock()
	c.world.out = map[care.SessionID]bool{"s-patient": true}
	c.world.mu.Unlock()
	c.flows(pm, 300) // two seconds of sound and pictures: longer than one look at the sessions
	c.flows(dm, 50)

	c.world.set(care.ConsentGranted, nil)
	begin := time.Now()
	c.closes(patient, 4001)
	if s, _ := c.media.Stats(); s.Peers != 1 {
		t.Errorf("%d connections after the socket of one of two was closed", s.Peers)
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("socket and media lived for %v after the end of the session", took)
	}
	ctx, cancel := context.WithTimeout(c.ctx, 15*time.Second)
	defer cancel()
	if err := pm.Until(ctx, func(m *rtcclient.Media) bool { return !m.Connected() }); err != nil {
		t.Errorf("the patient's connection was not closed: %v", err)
	}
	c.send(doctor, "chat", map[string]any{"id": "alone", "text": "Vous m'entendez ?"})
	c.wait(doctor, "chat", func(m rtcclient.Msg) bool { return m.Str("id") == "alone" })
	if !dm.Connected() {
		t.Error("the doctor's connection was closed too")
	}

	// Every minute, and when it is opened, a socket is a use of its session: of
	// who is here, not of who was.
	touched := func(id care.SessionID) int {
		c.world.mu.Lock()
		defer c.world.mu.Unlock()
		return c.world.touched[id]
	}
	if touched("s-patient") == 0 || touched("s-doctor") == 0 {
		t.Error("opening a socket was no use of its session")
	}
	gone, here := touched("s-patient"), touched("s-doctor")
	c.svc.SignsOfLife(c.ctx)
	if touched("s-patient") != gone || touched("s-doctor") <= here {
		t.Errorf("signs of life: patient %d → %d, doctor %d → %d", gone, touched("s-patient"), here, touched("s-doctor"))
	}

	// What was ended cannot be resumed.
	back := c.connect("patient")
	back.Over(patient)
	if err := back.Resume(); err != nil {
		t.Fatal(err)
	}
	if e := c.wait(back, "error", nil); e.Str("code") != "resume_expired" {
		t.Errorf("resume of an ended session: %v", e)
	}
	c.closes(back, 4003)
}
