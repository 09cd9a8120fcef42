package sfu_test

import (
	"slices"
	"testing"
	"time"

	"visavis/internal/testkit/rtcclient"
	"visavis/sfu"
)

// A picture is sent no larger than it is shown, and not at all when it is not;
// sound does not notice (issue 3 §3).
func TestAPictureIsSentAsLargeAsItIsShown(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: not in -short")
	}
	f := open(t, nil)
	f.join("room", "a", rtcclient.Options{Voice: true, Camera: true, Simulcast: true, Slots: 1})
	b := f.join("room", "b", rtcclient.Options{Voice: true, Slots: 1})
	f.rate(b, "2", "shown as large as it is", 800_000, 1_200_000, 15*time.Second)
	f.node.View("room", "b", map[string]int{"2": 160})
	f.rate(b, "2", "shown at 160 pixels", 50_000, 200_000, 3*time.Second)

	f.node.View("room", "b", map[string]int{"2": 0})
	pictures, voice := b.Got("2").Packets, b.Got("1").Packets
	f.until(b, func(m *rtcclient.Media) bool { return m.Got("1").Packets > voice+50 })
	if after := b.Got("2").Packets; after > pictures+5 {
		t.Errorf("%d packets of a picture that is not shown", after-pictures)
	}
	f.node.View("room", "b", nil)
	f.rate(b, "2", "shown again", 800_000, 1_200_000, 12*time.Second)
	if g := b.Got("2"); len(g.SSRCs) != 1 {
		t.Errorf("the picture came under %d SSRCs", len(g.SSRCs))
	}
}

// Who is held neither hears nor is heard, from the moment that Update returns,
// and comes back into the same streams (issue 3 §5).
func TestWhoIsHeldNeitherSendsNorReceives(t *testing.T) {
	f := open(t, nil)
	talk := rtcclient.Options{Voice: true, Camera: true, Slots: 2}
	a, b, c := f.join("room", "a", talk), f.join("room", "b", talk), f.join("room", "c", talk)
	everybody := func() {
		for _, m := range []*rtcclient.Media{a, b, c} {
			had := m.Summary()
			f.until(m, func(m *rtcclient.Media) bool {
				now, n := m.Summary(), 0
				for mid := range now {
					if now[mid] > had[mid]+10 {
						n++
					}
				}
				return n == 4
			})
		}
	}
	everybody()
	f.node.Update("room", "c", sfu.Sources{Mic: true, Camera: true, Held: true})
	f.rec.until(t, "c's table is empty", func(e sfu.Event) bool { return e.Peer == "c" && e.Slots != nil && len(e.Slots) == 0 })
	f.rec.until(t, "a has b alone", func(e sfu.Event) bool {
		return e.Peer == "a" && len(e.Slots) == 2 && !slices.ContainsFunc(e.Slots, func(x sfu.Binding) bool { return x.Peer == "c" })
	})
	more := func(n int) {
		heard := total(a)
		f.until(a, func(m *rtcclient.Media) bool { return total(m) > heard+n })
	}
	more(30) // what was on its way
	had := total(c)
	more(150) // a second of b
	if got := total(c); got != had {
		t.Errorf("%d packets reached who was held", got-had)
	}
	f.node.Update("room", "c", sfu.Sources{Mic: true, Camera: true})
	everybody()
	for mid := range c.Summary() {
		if g := c.Got(mid); len(g.SSRCs) != 1 {
			t.Errorf("section %s has %d SSRCs, want 1 for ever", mid, len(g.SSRCs))
		}
	}
}
