package sfu_test

import (
	"os"
	"testing"
	"time"

	"visavis/internal/testkit/rtcclient"
	"visavis/sfu"
)

// trust.md M2 and M3: a fifth of all datagrams is lost, both ways, on the link
// of one of two people, who sends and receives.
func TestAFifthIsLost(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: not in -short")
	}
	f := open(t, nil)
	chaos := &rtcclient.Chaos{}
	o := rtcclient.Options{Voice: true, Camera: true, Slots: 1, Trace: true, VoiceNACK: true}
	b := f.join("room", "b", o)
	o.Chaos = chaos
	a := f.join("room", "a", o)
	for _, m := range []*rtcclient.Media{a, b} {
		f.until(m, func(m *rtcclient.Media) bool { return m.Got("2").Packets > 20 && m.Got("3").Packets > 20 })
	}
	chaos.Lose(0.2)
	had, more := b.Got("2").Packets, 480 // 10 s
	if os.Getenv("VISAVIS_SOAK") != "" {
		more = 1450 // the 30 s of the acceptance
	}
	f.until(b, func(m *rtcclient.Media) bool { return m.Got("2").Packets > had+more })
	chaos.Lose(0)
	had = a.Got("2").Packets
	f.until(a, func(m *rtcclient.Media) bool { return m.Got("2").Packets > had+60 })
	for name, m := range map[string]*rtcclient.Media{"from the bad link": b, "to the bad link": a} {
		voice, camera := m.Quality("2", 25), m.Quality("3", 50)
		lost := 100 * float64(voice.Missing) / float64(voice.Received+voice.Missing)
		t.Logf("%s: sound %+v (%.2f %% unrecovered), picture %+v", name, voice, lost, camera)
		if lost > 3 {
			t.Errorf("%s: %.1f %% of the sound is not recovered, want 3 at most", name, lost)
		}
		if camera.Freeze > 2*time.Second || camera.Missing > camera.Received/200 {
			t.Errorf("%s: picture %+v, want no freeze above 2 s", name, camera)
		}
	}
}

// trust.md M3: five seconds of nothing, both ways.
func TestABlackholeOfFiveSeconds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: not in -short")
	}
	f := open(t, func(c *sfu.Config) { c.Lost = 5 * time.Second }) // the hole ends when it is told
	chaos := &rtcclient.Chaos{}
	o := rtcclient.Options{Voice: true, Camera: true, Slots: 1}
	b := f.join("room", "b", o)
	o.Chaos = chaos
	a := f.join("room", "a", o)
	for _, m := range []*rtcclient.Media{a, b} {
		f.until(m, func(m *rtcclient.Media) bool { return m.Got("3").Packets > 20 })
	}
	chaos.Lose(1)
	var silent time.Duration
	f.rec.until(t, "a lost", func(e sfu.Event) bool {
		silent = e.Silent
		return e.Peer == "a" && e.Link == sfu.LinkLost
	})
	chaos.Lose(0)
	if silent < 5*time.Second || silent > 6*time.Second {
		t.Errorf("lost after a silence of %s, want 5 s and what it takes to notice", silent)
	}
	back := time.Now()
	hadA, hadB, plis := a.Got("3").Packets, b.Got("3").Packets, b.PLIs()
	f.until(b, func(m *rtcclient.Media) bool { return m.Got("3").Packets > hadB+10 })
	f.until(a, func(m *rtcclient.Media) bool { return m.Got("3").Packets > hadA+10 })
	took := time.Since(back)
	t.Logf("pictures both ways %s after the return", took)
	if took > 2*time.Second {
		t.Errorf("pictures are back after %s, want 2 s", took)
	}
	f.until(b, func(m *rtcclient.Media) bool { return m.PLIs() > plis })
}
