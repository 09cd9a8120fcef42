package sfu_test

import (
	"slices"
	"testing"
	"time"

	"visavis/internal/testkit/rtcclient"
	"visavis/sfu"
)

// trust.md M6: from Wi-Fi to mobile, twenty times. The client has a new 5-tuple
// and restarts ICE; the streams go on.
func TestAClientThatMovesToAnotherNetwork(t *testing.T) {
	f := open(t, nil)
	chaos := &rtcclient.Chaos{}
	talk := rtcclient.Options{Voice: true, Camera: true, Slots: 1}
	b := f.join("room", "b", talk)
	talk.Chaos = chaos
	a := f.join("room", "a", talk)
	flows := func() {
		for _, m := range []*rtcclient.Media{a, b} {
			voice, camera := m.Got("2").Packets, m.Got("3").Packets
			f.until(m, func(m *rtcclient.Media) bool { return m.Got("2").Packets > voice+3 && m.Got("3").Packets > camera+6 })
		}
	}
	flows()
	var took []time.Duration
	for range 20 {
		if err := chaos.Move(); err != nil {
			t.Fatal(err)
		}
		moved := time.Now()
		f.offer(a, sfu.Offer{Room: "room", Peer: "a", PC: 1, Restart: true})
		flows()
		took = append(took, time.Since(moved))
	}
	slices.Sort(took)
	t.Logf("media both ways after a move: p50 %s, p95 %s, longest %s", took[10], took[18], took[19])
	if took[18] > 2*time.Second || took[19] > 5*time.Second {
		t.Errorf("media is back after %s (p95), %s (longest), want 2 s and 5 s", took[18], took[19])
	}
	for name, m := range map[string]*rtcclient.Media{"a": a, "b": b} {
		for _, mid := range []string{"2", "3"} {
			if g := m.Got(mid); len(g.SSRCs) != 1 {
				t.Errorf("%s: section %s came under %d SSRCs", name, mid, len(g.SSRCs))
			}
		}
	}
}
