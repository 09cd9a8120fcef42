package speech

import (
	"slices"
	"testing"
	"time"
)

func TestSpeechNeedsLastingSound(t *testing.T) {
	base := time.Unix(100, 0)
	run := func(levels ...uint8) bool { // one per 20 ms
		r := New()
		for i, l := range levels {
			r.Heard("a", l, base.Add(time.Duration(i)*20*time.Millisecond))
		}
		return slices.Equal(r.Speaking(), []string{"a"})
	}
	loud := func(n int) []uint8 { return slices.Repeat([]uint8{20}, n) }
	calm := func(n int) []uint8 { return slices.Repeat([]uint8{90}, n) }
	if run(loud(5)...) {
		t.Error("a knock of 100 ms is not speech")
	}
	if !run(loud(12)...) {
		t.Error("240 ms of sound is speech")
	}
	if !run(append(loud(12), calm(20)...)...) {
		t.Error("a pause of 400 ms does not end speech")
	}
	if run(append(loud(12), calm(40)...)...) {
		t.Error("800 ms of silence ends speech")
	}
}

func TestChangesAreToldOnce(t *testing.T) {
	r, now := New(), time.Unix(100, 0)
	changes := 0
	for range 50 {
		now = now.Add(20 * time.Millisecond)
		if r.Heard("b", 10, now) {
			changes++
		}
	}
	if changes != 1 || r.Tick(now) {
		t.Errorf("%d changes", changes)
	}
	if now = now.Add(time.Second); !r.Tick(now) || len(r.Speaking()) != 0 {
		t.Error("still speaks a second after the last packet")
	}
	for range 20 {
		now = now.Add(20 * time.Millisecond)
		r.Heard("b", 10, now)
	}
	if !r.Quiet("b") || r.Quiet("b") || r.Speaking() == nil {
		t.Error("leaving ends speech, once")
	}
}
