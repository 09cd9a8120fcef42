package signaling_test

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"visavis/internal/httpx"
	"visavis/internal/testkit"
	"visavis/internal/testkit/chaosproxy"
	"visavis/internal/testkit/rtcclient"
	"visavis/signaling/local"
)

// trust.md M1 and M12: from the opening of the socket to the other's first
// packet of sound: near, far, and where UDP does not pass.
func TestHowLongJoiningTakes(t *testing.T) {
	for _, way := range []struct {
		name  string
		rtt   time.Duration
		media rtcclient.Options
		want  time.Duration // M1 says p95; here the longest
	}{
		{"here", 0, rtcclient.Options{}, 1500 * time.Millisecond},
		{"150 ms of round trip", 150 * time.Millisecond, rtcclient.Options{}, 3 * time.Second},
		{"ICE-TCP alone", 0, rtcclient.Options{TCPOnly: true}, 5 * time.Second},
		{"TURN over TCP alone", 0, rtcclient.Options{RelayOnly: true}, 5 * time.Second},
	} {
		t.Run(way.name, func(t *testing.T) {
			c := openWith(t, testkit.NewHouse(t, testkit.OpenSQLite(t)), func(cfg *local.Config) {
				cfg.SFU.TCP = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}
				if way.media.RelayOnly {
					cfg.TURN.UDP = nil
				}
			})
			doctor, _ := c.enter("doctor", "d")
			patient, _ := c.enter("patient", "p")
			c.send(doctor, "admit", map[string]any{"seat": patient.Seat})
			c.wait(patient, "media", func(m rtcclient.Msg) bool { return m["allowed"] == true })
			c.join(doctor, 1)
			line, err := chaosproxy.OpenStream(strings.TrimPrefix(c.web.URL(""), "http://"), way.rtt)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = line.Close() })
			var took []time.Duration
			for range 5 {
				took = append(took, c.joinOver(line.Addr(), way.rtt, way.media))
			}
			slices.Sort(took)
			t.Logf("sound after %v (median), %v (longest of %d)", took[len(took)/2].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond), len(took))
			if most := took[len(took)-1]; most > way.want {
				t.Errorf("sound after %v, want %v", most, way.want)
			}
			if rtts := 6 * way.rtt; took[0] < rtts {
				t.Errorf("sound after %v: sooner than a join's round trips take: nothing was delayed", took[0])
			}
		})
	}
}

// joinOver lets the patient come again over a line, and gives the time from the
// opening of the socket to the first packet of the doctor's voice.
func (c *clinic) joinOver(addr string, rtt time.Duration, o rtcclient.Options) time.Duration {
	c.t.Helper()
	ticket := c.ticket("patient")
	begin := time.Now()
	cl, err := rtcclient.Connect(c.ctx, "http://"+addr+"/api/live", origin, &http.Cookie{Name: httpx.CookieName, Value: "patient"})
	if err != nil {
		c.t.Fatal(err)
	}
	defer cl.Cut()
	if err := cl.Hello(ticket, "p"); err != nil {
		c.t.Fatal(err)
	}
	w := c.wait(cl, "welcome", nil)
	o.Voice, o.Camera, o.Slots, o.Loopback = true, true, 5, true
	if o.RelayOnly {
		o.ICE = rtcclient.Servers(w.Obj("ice"))
	}
	if rtt > 0 {
		o.Chaos = &rtcclient.Chaos{}
		o.Chaos.Delay(rtt)
	}
	m, err := rtcclient.NewMedia(o)
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(c.ctx, 20*time.Second)
	defer func() { cancel(); _ = m.Close() }()
	c.send(cl, "mute", map[string]any{"mic": true, "camera": true})
	if err := cl.Join(ctx, m, 1, false); err != nil {
		c.t.Fatal(err)
	}
	if err := m.Until(ctx, func(m *rtcclient.Media) bool { return !m.First().IsZero() }); err != nil {
		c.t.Fatal(err)
	}
	return m.First().Sub(begin)
}
