package signaling_test

import (
	"testing"

	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
)

func seatIn(m rtcclient.Msg, id string) rtcclient.Msg {
	for _, s := range m.List("seats") {
		if s.Str("seat") == id {
			return s
		}
	}
	return rtcclient.Msg{}
}

// withNurse gives a call of three: the doctor, the patient and a nurse of the care team, both admitted.
func (c *clinic) withNurse() (doctor, patient, nurse *rtcclient.Client) {
	c.t.Helper()
	c.world.mu.Lock()
	c.world.team[c.nurse().StaffID] = true
	c.world.mu.Unlock()
	doctor, _ = c.enter("doctor", "d")
	patient, _ = c.enter("patient", "p")
	nurse, _ = c.enter("nurse", "n")
	for _, g := range []*rtcclient.Client{patient, nurse} {
		c.send(doctor, "admit", map[string]any{"seat": g.Seat})
		c.wait(g, "media", func(m rtcclient.Msg) bool { return m["allowed"] == true })
	}
	return doctor, patient, nurse
}

// Issue 3 §5: the doctor speaks with some seats, the others wait and neither hear
// nor see; no reload and no restart lets them listen.
func TestAPrivateHold(t *testing.T) {
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	doctor, patient, nurse := c.withNurse()
	dm, pm, nm := c.join(doctor, 1), c.join(patient, 1), c.join(nurse, 1)
	for _, m := range []*rtcclient.Media{dm, pm, nm} {
		if err := m.Until(c.ctx, func(m *rtcclient.Media) bool { return len(m.Summary()) == 4 }); err != nil {
			t.Fatal(err)
		}
	}
	for _, wrong := range []struct {
		by    *rtcclient.Client
		seats []string
		code  string
	}{
		{nurse, []string{patient.Seat}, "forbidden"}, {doctor, []string{doctor.Seat}, "not_found"}, {doctor, []string{"nobody"}, "not_found"},
	} {
		c.send(wrong.by, "hold", map[string]any{"seats": wrong.seats})
		c.wait(wrong.by, "error", func(m rtcclient.Msg) bool { return m.Str("code") == wrong.code })
	}

	c.send(doctor, "hold", map[string]any{"seats": []string{patient.Seat}})
	c.wait(patient, "room", func(m rtcclient.Msg) bool { return seatIn(m, patient.Seat)["held"] == true })
	c.wait(doctor, "slots", func(m rtcclient.Msg) bool { return len(m.List("slots")) == 2 })
	hears := func(m *rtcclient.Media, nothing bool, who string) {
		t.Helper()
		for had := -1; nothing && had != sum(m); c.flows(nm, 20) { // what was on its way before
			had = sum(m)
		}
		had := sum(m)
		c.flows(nm, 150) // a second of the doctor, and of who is not held
		if got := sum(m) - had; nothing && got > 5 {
			t.Errorf("%d packets reached %s", got, who)
		}
	}
	hears(pm, true, "who is held")

	// A reload, with a new connection: still held.
	again, w := c.enter("patient", "p")
	if w.Str("state") != "admitted" {
		t.Fatalf("welcome %v", w)
	}
	c.wait(again, "room", func(m rtcclient.Msg) bool { return seatIn(m, patient.Seat)["held"] == true })
	pm = c.join(again, 1)
	c.wait(again, "room", func(m rtcclient.Msg) bool { return seatIn(m, patient.Seat).Str("link") == "up" })
	hears(pm, true, "who is held, after a reload")

	c.send(doctor, "hold", map[string]any{"seats": []string{}})
	c.wait(again, "room", func(m rtcclient.Msg) bool { return seatIn(m, patient.Seat)["held"] == nil })
	if err := pm.Until(c.ctx, func(m *rtcclient.Media) bool { return len(m.Summary()) == 4 }); err != nil {
		t.Fatalf("let go: %v", err)
	}
}

// TestAPrivateHold_WhoIsAway: a host holds and lets go with the list of those whom the page shows. Who was held, and is away at
// that moment by a lost socket or by the button, is held when they are back, reads nothing of what was said, and is let go by name.
func TestAPrivateHold_WhoIsAway(t *testing.T) {
	for name, away := range map[string]func(c *clinic, patient *rtcclient.Client){
		"a lost socket": func(c *clinic, patient *rtcclient.Client) { patient.Cut() },
		"the button": func(c *clinic, patient *rtcclient.Client) {
			c.send(patient, "leave", nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			testkit.Houses(t, func(t *testing.T, h *testkit.House) {
				c := open(t, h)
				doctor, patient, nurse := c.withNurse()
				c.send(doctor, "hold", map[string]any{"seats": []string{patient.Seat}})
				c.wait(patient, "room", func(m rtcclient.Msg) bool { return seatIn(m, patient.Seat)["held"] == true })
				away(c, patient)
				c.wait(doctor, "room", func(m rtcclient.Msg) bool {
					seat := seatIn(m, patient.Seat)
					return seat["held"] == true && seat["online"] != true
				})

				c.send(doctor, "hold", map[string]any{"seats": []string{nurse.Seat}})
				c.wait(doctor, "room", func(m rtcclient.Msg) bool { return seatIn(m, nurse.Seat)["held"] == true })
				c.send(doctor, "hold", map[string]any{"seats": []string{}})
				c.wait(doctor, "room", func(m rtcclient.Msg) bool { return seatIn(m, nurse.Seat)["held"] == nil })
				c.send(doctor, "chat", map[string]any{"id": "private", "text": "among us"})
				c.wait(nurse, "chat", func(m rtcclient.Msg) bool { return m.Str("id") == "private" })

				back, _ := c.enter("patient", "p")
				c.wait(back, "room", func(m rtcclient.Msg) bool { return seatIn(m, back.Seat)["held"] == true })
				history := c.wait(back, "history", func(rtcclient.Msg) bool { return true })
				if len(history.List("messages")) != 0 {
					t.Errorf("read: %v", history)
				}
				c.send(doctor, "hold", map[string]any{"seats": []string{}})
				c.wait(back, "room", func(m rtcclient.Msg) bool { return seatIn(m, back.Seat)["held"] == nil })
			})
		})
	}
}

// The page says what it shows, and nothing else is sent (issue 3 §3).
func TestAPictureThatIsNotShownIsNotSent(t *testing.T) {
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	doctor, _ := c.enter("doctor", "d")
	patient, _ := c.enter("patient", "p")
	c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
	c.wait(patient, "media", func(m rtcclient.Msg) bool { return m["allowed"] == true })
	c.join(patient, 1)
	dm := c.join(doctor, 1)
	c.flows(dm, 100)
	mid := map[string]string{}
	for _, x := range c.wait(doctor, "slots", func(m rtcclient.Msg) bool { return len(m.List("slots")) == 2 }).List("slots") {
		mid[x.Str("kind")] = x.Str("mid")
	}
	c.send(doctor, "view", map[string]any{"pc": 1, "slots": []map[string]any{{"mid": mid["video"], "height": 9000}}})
	c.wait(doctor, "error", func(m rtcclient.Msg) bool { return m.Str("code") == "invalid" && m.Str("field") == "slots" })
	more := func(mid string, n int) {
		t.Helper()
		had := dm.Got(mid).Packets
		if err := dm.Until(c.ctx, func(m *rtcclient.Media) bool { return m.Got(mid).Packets > had+n }); err != nil {
			t.Fatal(err)
		}
	}
	c.send(doctor, "view", map[string]any{"pc": 1, "slots": []map[string]any{{"mid": mid["video"], "height": 0}}})
	more(mid["audio"], 10) // the message has been taken
	before := dm.Got(mid["video"]).Packets
	more(mid["audio"], 50)
	if got := dm.Got(mid["video"]).Packets - before; got > 5 {
		t.Errorf("%d packets of a picture that is not shown", got)
	}
	c.send(doctor, "view", map[string]any{"pc": 1, "slots": []map[string]any{}})
	more(mid["video"], 30)
}
