package signaling_test

import (
	"errors"
	"testing"

	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
)

func TestAConsultationFromWaitingToEnd(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		c := open(t, h)
		patient, w := c.enter("patient", "tab-1")
		if w.Str("state") != "waiting" || w.Obj("media").Str("reason") != "not_admitted" || w.Str("role") != "patient" {
			t.Errorf("welcome %v", w)
		}
		q := c.wait(patient, "queue", nil)
		if q.Num("position") != 1 || q["hostOnline"] != false {
			t.Errorf("queue %v", q)
		}
		doctor, w := c.enter("doctor", "tab-1")
		if w.Str("state") != "admitted" || w["host"] != true || w.Obj("media")["allowed"] != true {
			t.Errorf("doctor's welcome %v", w)
		}
		room := c.wait(doctor, "room", func(m rtcclient.Msg) bool { return len(m.List("seats")) == 2 })
		if p := room.List("seats")[0]; p.Str("identity") != "QUAL" || p.Str("state") != "waiting" || p["online"] != true {
			t.Errorf("the doctor sees %v", p)
		}
		// Media before admission: refused.
		n := c.send(patient, "offer", map[string]any{"pc": 1, "sdp": "v=0"})
		e := c.wait(patient, "error", nil)
		if e.Str("code") != "media_refused" || e.Str("reason") != "not_admitted" || uint64(e.Num("re")) != n {
			t.Errorf("offer while waiting: %v", e)
		}
		c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
		c.wait(patient, "admitted", nil)
		c.wait(patient, "media", func(m rtcclient.Msg) bool { return m["allowed"] == true })
		pm, dm := c.join(patient, 1), c.join(doctor, 1)
		c.flows(pm, 150)
		c.flows(dm, 150)
		s := c.wait(patient, "slots", func(m rtcclient.Msg) bool { return len(m.List("slots")) == 2 })
		for _, x := range s.List("slots") {
			if x.Str("seat") != doctor.Seat || pm.Got(x.Str("mid")).Packets == 0 {
				t.Errorf("slot %v: %v", x, pm.Summary())
			}
		}
		c.wait(patient, "speaking", func(m rtcclient.Msg) bool { l, _ := m["seats"].([]any); return len(l) == 2 })
		c.send(patient, "chat", map[string]any{"id": "m1", "text": "MARK-chat J'ai la photo"})
		if m := c.wait(doctor, "chat", nil); m.Str("text") != "MARK-chat J'ai la photo" || m.Str("from") != patient.Seat {
			t.Errorf("chat %v", m)
		}
		c.send(patient, "end", nil)
		if e := c.wait(patient, "error", nil); e.Str("code") != "forbidden" {
			t.Errorf("a patient may not end: %v", e)
		}
		c.send(doctor, "end", nil)
		if m := c.wait(patient, "ended", nil); m.Str("reason") != "host" {
			t.Errorf("ended %v", m)
		}
		c.closes(patient, 4010)
		c.closes(doctor, 4010)
		for _, f := range []string{events.PatientArrived, events.EncounterStarted, events.ParticipantJoined, events.MediaFlowed, events.EncounterFinished} {
			c.fact(f)
		}
		c.web.With("patient").Post("/api/encounters/"+string(c.enc)+"/admission", nil).Problem(410, "encounter-over")
		if n := len(pm.Summary()); n != 2 {
			t.Errorf("the patient had %d sections with media, want the doctor's two", n)
		}
	})
}

func TestNoMediaWithoutConsent(t *testing.T) {
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	c.world.set(care.ConsentNone, nil)
	doctor, w := c.enter("doctor", "d")
	if w.Obj("media").Str("reason") != "consent_missing" {
		t.Errorf("welcome %v", w)
	}
	patient, _ := c.enter("patient", "p")
	c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
	c.wait(patient, "admitted", nil)
	try := func(cl *rtcclient.Client, pc int, reason string) {
		t.Helper()
		m, err := rtcclient.NewMedia(rtcclient.Options{Voice: true, Slots: 1, Loopback: true})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		text, err := m.Offer(c.ctx, false)
		if err != nil {
			t.Fatal(err)
		}
		c.send(cl, "offer", map[string]any{"pc": pc, "sdp": text})
		if e := c.wait(cl, "error", nil); e.Str("code") != "media_refused" || e.Str("reason") != reason {
			t.Errorf("offer: %v, want %s", e, reason)
		}
		if s, _ := c.media.Stats(); s.Peers != 0 {
			t.Errorf("%d connections exist without consent", s.Peers)
		}
	}
	try(patient, 1, "consent_missing")
	try(doctor, 1, "consent_missing")
	c.world.set(care.ConsentRefused, nil)
	try(patient, 1, "consent_refused")
	c.world.set(care.ConsentGranted, errors.New("database away"))
	try(patient, 1, "unavailable")
	// Consent comes: told without asking, and media begins.
	c.world.set(care.ConsentGranted, nil)
	c.wait(patient, "media", func(m rtcclient.Msg) bool { return m["allowed"] == true })
	pm, dm := c.join(patient, 2), c.join(doctor, 2)
	c.flows(pm, 50)
	c.flows(dm, 50)
	// Nobody can be asked for a while: the call goes on.
	c.world.set(care.ConsentGranted, errors.New("database away"))
	c.flows(pm, 1200) // longer than one review of the act
	// Withdrawn: cut for everybody.
	c.world.set(care.ConsentWithdrawn, nil)
	for _, cl := range []*rtcclient.Client{patient, doctor} {
		c.wait(cl, "media", func(m rtcclient.Msg) bool { return m.Str("reason") == "consent_withdrawn" })
	}
	if s, _ := c.media.Stats(); s.Peers != 0 {
		t.Errorf("%d connections after withdrawal", s.Peers)
	}
	try(patient, 3, "consent_withdrawn")
}

func TestANurseIsTheThirdSeat(t *testing.T) {
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	c.web.With("nurse").Post("/api/encounters/"+string(c.enc)+"/admission", nil).Problem(404, "not-found")
	c.world.mu.Lock()
	c.world.team[c.nurse().StaffID] = true
	c.world.mu.Unlock()
	doctor, _ := c.enter("doctor", "d")
	patient, _ := c.enter("patient", "p")
	nurse, w := c.enter("nurse", "n")
	if w.Str("state") != "waiting" || w.Str("role") != "nurse" || w["host"] != false {
		t.Errorf("nurse's welcome %v", w)
	}
	c.send(nurse, "admit", map[string]any{"seat": patient.Seat})
	if e := c.wait(nurse, "error", nil); e.Str("code") != "forbidden" {
		t.Errorf("a nurse may not admit: %v", e)
	}
	// Who waits sees the hosts and itself only.
	if r := c.wait(patient, "room", func(m rtcclient.Msg) bool { return len(m.List("seats")) >= 2 }); len(r.List("seats")) != 2 {
		t.Errorf("the waiting patient sees %v", r)
	}
	c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
	c.send(doctor, "admit", map[string]any{"seat": nurse.Seat})
	c.wait(nurse, "media", func(m rtcclient.Msg) bool { return m["allowed"] == true })
	c.wait(patient, "room", func(m rtcclient.Msg) bool { return len(m.List("seats")) == 3 })
	pm, dm, nm := c.join(patient, 1), c.join(doctor, 1), c.join(nurse, 1)
	for name, m := range map[string]*rtcclient.Media{"patient": pm, "doctor": dm, "nurse": nm} {
		if err := m.Until(c.ctx, func(m *rtcclient.Media) bool { return len(m.Summary()) == 4 }); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	c.send(doctor, "remove", map[string]any{"seat": nurse.Seat, "reason": "other"})
	c.closes(nurse, 4011)
	c.web.With("nurse").Post("/api/encounters/"+string(c.enc)+"/admission", nil).Problem(410, "encounter-over")
	c.flows(pm, 50)
}

func TestAPictureSaidToBeOffIsOff(t *testing.T) {
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	doctor, _ := c.enter("doctor", "d")
	patient, _ := c.enter("patient", "p")
	c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
	c.wait(patient, "media", func(m rtcclient.Msg) bool { return m["allowed"] == true })
	c.join(patient, 1)
	dm := c.join(doctor, 1)
	c.flows(dm, 100)
	s := c.wait(doctor, "slots", func(m rtcclient.Msg) bool { return len(m.List("slots")) == 2 })
	mid := map[string]string{}
	for _, x := range s.List("slots") {
		mid[x.Str("kind")] = x.Str("mid")
	}
	c.send(patient, "mute", map[string]any{"mic": true, "camera": false})
	c.wait(doctor, "room", func(m rtcclient.Msg) bool {
		for _, s := range m.List("seats") {
			if s.Str("seat") == patient.Seat {
				return s["mic"] == true && s["camera"] == false && s.Str("link") == "up"
			}
		}
		return false
	})
	before, sound := dm.Got(mid["video"]).Packets, dm.Got(mid["audio"]).Packets
	if err := dm.Until(c.ctx, func(m *rtcclient.Media) bool { return m.Got(mid["audio"]).Packets > sound+50 }); err != nil {
		t.Fatal(err)
	}
	if after := dm.Got(mid["video"]).Packets; after > before+10 {
		t.Errorf("%d packets of a camera that is off", after-before)
	}
}
