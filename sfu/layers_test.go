package sfu_test

import (
	"slices"
	"testing"
	"time"

	"visavis/internal/testkit/rtcclient"
	"visavis/sfu"
)

// rate waits until a section has got between least and most bits per second over
// a second, and gives how long that took.
func (f *fixture) rate(m *rtcclient.Media, mid, what string, least, most int, within time.Duration) time.Duration {
	f.t.Helper()
	start := time.Now()
	type point struct {
		at    time.Time
		bytes int
	}
	var past []point
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	got := 0
	for time.Since(start) < within+time.Second {
		<-tick.C
		now := point{time.Now(), m.Got(mid).Bytes}
		past = append(past, now)
		i := slices.IndexFunc(past, func(p point) bool { return now.at.Sub(p.at) <= time.Second })
		if past = past[i:]; now.at.Sub(past[0].at) < 800*time.Millisecond {
			continue
		}
		got = int(float64(now.bytes-past[0].bytes) * 8 / now.at.Sub(past[0].at).Seconds())
		if got >= least && got <= most {
			return max(0, time.Since(start)-time.Second) // it has been so for a second
		}
	}
	f.t.Errorf("%s: %d bit/s after %s, want %d to %d", what, got, within, least, most)
	return within
}

// trust.md M4: a link that falls from plenty to little and comes back.
func TestTheLinkDecidesTheLayer(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: not in -short")
	}
	f := open(t, nil)
	chaos := &rtcclient.Chaos{}
	a := f.join("room", "a", rtcclient.Options{Voice: true, Camera: true, Simulcast: true, Slots: 1})
	b := f.join("room", "b", rtcclient.Options{Voice: true, Slots: 1, Chaos: chaos, Trace: true, VoiceNACK: true})
	// b sends one section: its slots are 1 (sound) and 2 (picture).
	up := f.rate(b, "2", "free link", 800_000, 1_200_000, 15*time.Second)
	chaos.Narrow(150_000)
	down := f.rate(b, "2", "150 kbit/s", 0, 150_000, 3*time.Second)
	had := b.Got("1").Packets
	f.until(b, func(m *rtcclient.Media) bool { return m.Got("1").Packets > had+100 })
	chaos.Narrow(0)
	back := f.rate(b, "2", "free again", 800_000, 1_200_000, 12*time.Second)
	chaos.Narrow(90_000)
	f.rec.until(t, "paused", func(e sfu.Event) bool {
		return e.Peer == "b" && slices.ContainsFunc(e.Slots, func(x sfu.Binding) bool { return x.Paused })
	})
	chaos.Narrow(0)
	again := f.rate(b, "2", "after the pause", 80_000, 1_200_000, 15*time.Second)
	voice := b.Quality("1", 25)
	t.Logf("up %s, down %s, up again %s, out of the pause %s; sound %+v", up, down, back, again, voice)
	if down > 2*time.Second || back > 10*time.Second {
		t.Errorf("down after %s, want 2 s; up after %s, want 10 s", down, back)
	}
	if voice.Missing > voice.Received/100 {
		t.Errorf("sound suffered: %+v", voice)
	}
	if g := b.Got("2"); len(g.SSRCs) != 1 {
		t.Errorf("the picture came under %d SSRCs", len(g.SSRCs))
	}
	if a.Ceiling() != 0 {
		t.Errorf("who sends layers was limited to %d by the link of one receiver", a.Ceiling())
	}
}
