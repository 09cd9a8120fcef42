package signaling_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"visavis/internal/authz"
	"visavis/internal/events"
	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
	"visavis/signaling"
)

// Issue 3 §2: a device is where its owner is: held when they are, out when they
// are, and its media stands at the same gate.
func TestADeviceFollowsItsOwner(t *testing.T) {
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	c.world.mu.Lock()
	c.world.team[c.nurse().StaffID] = true
	c.world.mu.Unlock()
	seatDevice := func() (seat signaling.Seat, err error) {
		err = c.h.DB.Tx(authz.With(c.ctx, c.nurse()), func(ctx context.Context, tx *store.Tx) error {
			seat, err = c.svc.SeatDevice(ctx, tx, c.enc, "Otoscope")
			return err
		})
		return seat, err
	}
	away := fault.New(fault.Forbidden, "device-owner-away")
	doctor, _ := c.enter("doctor", "d")
	nurse, _ := c.enter("nurse", "n")
	if _, err := seatDevice(); !errors.Is(err, away) {
		t.Errorf("who waits brought a device: %v", err)
	}
	c.send(doctor, "admit", map[string]any{"seat": nurse.Seat})
	c.wait(nurse, "media", func(m rtcclient.Msg) bool { return m["allowed"] == true })
	seat, err := seatDevice()
	if err != nil {
		t.Fatal(err)
	}
	c.wait(doctor, "room", func(m rtcclient.Msg) bool {
		s := seatIn(m, seat.ID)
		return s.Str("name") == "Otoscope" && s.Str("role") == "device" && s["online"] == false
	})
	dm, nm := c.join(doctor, 1), c.join(nurse, 1)
	in := signaling.Device{Seat: seat.ID, Encounter: c.enc, Owner: c.nurse().ID(), Session: c.nurse().SessionID}
	plug := func() (*rtcclient.Media, *signaling.Plug, error) {
		m, err := rtcclient.NewMedia(rtcclient.Options{Camera: true, Loopback: true})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(c.ctx)
		t.Cleanup(func() { cancel(); _ = m.Close() })
		text, err := m.Offer(c.ctx, false)
		if err != nil {
			t.Fatal(err)
		}
		p, answer, err := c.svc.Plug(c.ctx, in, text, signaling.Sources{Camera: true})
		if err != nil {
			return m, nil, err
		}
		if err := m.Answer(answer); err != nil {
			t.Fatal(err)
		}
		m.Pump(ctx, 0)
		return m, p, nil
	}
	m, p, err := plug()
	if err != nil || !p.Alive() {
		t.Fatal(err)
	}
	reaches := func() {
		t.Helper()
		if err := dm.Until(c.ctx, func(m *rtcclient.Media) bool { return len(m.Summary()) == 3 }); err != nil {
			t.Fatal(err)
		}
		c.flows(nm, 100)
	}
	reaches()
	// A10: the act is told of the thing as of those who are there.
	told := func(name string, n int) {
		t.Helper()
		testkit.Eventually(t, 30*time.Second, name, func() bool { return c.facts.count(name) >= n })
	}
	told(events.ParticipantJoined, 3)

	c.send(doctor, "hold", map[string]any{"seats": []string{nurse.Seat}})
	c.wait(doctor, "room", func(m rtcclient.Msg) bool { return seatIn(m, nurse.Seat)["held"] == true })
	c.wait(doctor, "slots", func(m rtcclient.Msg) bool { return len(m.List("slots")) == 0 })
	c.send(doctor, "hold", map[string]any{"seats": []string{}})
	c.wait(doctor, "slots", func(m rtcclient.Msg) bool { return len(m.List("slots")) == 3 })

	c.send(doctor, "remove", map[string]any{"seat": nurse.Seat, "reason": "other"})
	if err := m.Until(c.ctx, func(m *rtcclient.Media) bool { return !m.Connected() }); err != nil {
		t.Fatal(err)
	}
	c.wait(doctor, "room", func(m rtcclient.Msg) bool { return seatIn(m, seat.ID)["online"] == false })
	told(events.ParticipantLeft, 2)
	if p.Alive() {
		t.Error("the connection is said to be there")
	}
	if _, _, err := plug(); !errors.Is(err, away) {
		t.Errorf("a device without its owner: %v", err)
	}
	if s, _ := c.media.Stats(); s.Peers != 1 {
		t.Errorf("%d connections, want the doctor's", s.Peers)
	}
}
