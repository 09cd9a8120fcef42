package signaling_test

import (
	"context"
	"encoding/base32"
	"strings"
	"testing"
	"time"

	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
	"visavis/signaling/local"
)

// secretOf names the secret that made the credential of a grant.
func secretOf(t *testing.T, c *clinic) string {
	t.Helper()
	name := c.media.Grant(c.enc, "somebody").Servers[0].Username
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw[strings.LastIndexByte(string(raw), '|')+1:])
}

// The secret of TURN credentials is replaced while people are in a call: what was
// given before is good for its five minutes, and who is relayed stays so (trust
// B4).
func TestTheSecretOfTURNIsReplacedInACall(t *testing.T) {
	c := openWith(t, testkit.NewHouse(t, testkit.OpenSQLite(t)), func(cfg *local.Config) {
		cfg.TURN.Keys, cfg.Rotate = nil, 50*time.Millisecond
	})
	doctor, w := c.enter("doctor", "d")
	patient, wp := c.enter("patient", "p")
	c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
	c.wait(patient, "media", func(m rtcclient.Msg) bool { return m["allowed"] == true })
	replaced := func(times int) {
		for range times {
			now := secretOf(t, c)
			testkit.Eventually(t, 10*time.Second, "another secret", func() bool { return secretOf(t, c) != now })
		}
	}
	replaced(3)
	var media []*rtcclient.Media
	for _, x := range []struct {
		cl  *rtcclient.Client
		ice rtcclient.Msg
	}{{doctor, w.Obj("ice")}, {patient, wp.Obj("ice")}} {
		m, err := rtcclient.NewMedia(rtcclient.Options{Voice: true, Slots: 1, Loopback: true, RelayOnly: true, ICE: rtcclient.Servers(x.ice)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(c.ctx)
		t.Cleanup(func() { cancel(); _ = m.Close() })
		c.send(x.cl, "mute", map[string]any{"mic": true})
		if err := x.cl.Join(c.ctx, m, 1, false); err != nil {
			t.Fatal(err)
		}
		m.Pump(ctx, 20)
		media = append(media, m)
	}
	for _, m := range media {
		c.flows(m, 20)
	}
	replaced(12) // more than are kept
	for _, m := range media {
		c.flows(m, 50)
	}
	if _, s := c.media.Stats(); s.Allocations == 0 {
		t.Errorf("nobody is relayed: %+v", s)
	}
	// A node that stops relays nobody anew and waits for who is there.
	over := make(chan error, 1)
	go func() { over <- c.media.Drain(c.ctx) }()
	c.flows(media[0], 20)
	for _, m := range media {
		if err := m.PC.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := testkit.Receive(t, 20*time.Second, "the end of the relay", over); err != nil {
		t.Error(err)
	}
}
