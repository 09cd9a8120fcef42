package congestion

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestLossFollowsTheLink(t *testing.T) {
	var l Loss
	now := time.Unix(1000, 0)
	say := func(n int, lost float64) {
		for range n {
			now = now.Add(time.Second)
			l.Report(lost, now)
		}
	}
	if l.Rate() != start || l.Limited() {
		t.Fatalf("starts at %d", l.Rate())
	}
	say(5, 0.05)
	if l.Rate() != start {
		t.Errorf("5 %% of loss moved it to %d", l.Rate())
	}
	say(2, 0.30)
	if r := l.Rate(); r > start*3/4 || !l.Limited() {
		t.Errorf("30 %% of loss for 2 s leaves %d", r)
	}
	say(30, 0.5)
	if l.Rate() != Least {
		t.Errorf("a dead link is at %d, want the floor", l.Rate())
	}
	say(60, 0)
	if l.Rate() != Most || l.Limited() {
		t.Errorf("a minute without loss gives %d, want the most", l.Rate())
	}
}

func TestLossStaysInItsBoundsAndItsPace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l Loss
		now := time.Unix(1000, 0)
		for range rapid.IntRange(1, 200).Draw(t, "reports") {
			before, step := l.Rate(), time.Duration(rapid.IntRange(1, 2000).Draw(t, "ms"))*time.Millisecond
			now = now.Add(step)
			last := l.last
			l.Report(rapid.Float64Range(0, 1).Draw(t, "lost"), now)
			if r := l.Rate(); r < Least || r > Most {
				t.Fatalf("%d", r)
			}
			if now.Sub(last) < stepEvery && l.Rate() != before {
				t.Fatal("moved too soon")
			}
		}
	})
}
