package sfu

import (
	"testing"

	"pgregory.net/rapid"
)

func pictureOf(rates ...int) picture {
	x := picture{slot: &slot{}, now: -1, step: -1}
	for _, r := range rates {
		x.living = append(x.living, &layer{rate: r})
	}
	x.most = len(rates) - 1
	return x
}

func TestPlan(t *testing.T) {
	for name, tc := range map[string]struct {
		budget int
		want   [2]int
		wish   int
	}{
		"nothing":                 {0, [2]int{-1, -1}, 100},
		"one picture":             {150, [2]int{0, -1}, 50},
		"the smallest of both":    {250, [2]int{0, 0}, 150},
		"one step for the first":  {400, [2]int{1, 0}, 200},
		"one step for each":       {700, [2]int{1, 1}, 600},
		"the largest of one":      {1400, [2]int{2, 1}, 600},
		"more than there is":      {9000, [2]int{2, 2}, 0},
		"less than nothing":       {-50, [2]int{-1, -1}, 150},
		"exactly the largest two": {2000, [2]int{2, 2}, 0},
	} {
		list := []picture{pictureOf(100, 300, 1000), pictureOf(100, 300, 1000)}
		wish := plan(list, tc.budget)
		if got := [2]int{list[0].step, list[1].step}; got != tc.want || wish != tc.wish {
			t.Errorf("%s: %v, wish %d, want %v, %d", name, got, wish, tc.want, tc.wish)
		}
	}
}

func TestAPictureKeepsALayerThatIsTooLargeByALittle(t *testing.T) {
	for _, tc := range []struct{ now, budget, want int }{
		{2, 1000, 2}, {2, 900, 2}, {2, 860, 1}, // an eighth of what there is
		{1, 1000, 2}, {1, 900, 1}, {1, 270, 1}, {1, 260, 0},
		{0, 90, 0}, {0, 80, -1}, {-1, 90, -1},
	} {
		x := pictureOf(100, 300, 1000)
		x.now = tc.now
		list := []picture{x}
		if plan(list, tc.budget); list[0].step != tc.want {
			t.Errorf("with layer %d and %d to share: layer %d, want %d", tc.now, tc.budget, list[0].step, tc.want)
		}
	}
}

func TestAPlanKeepsTheBudget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var list []picture
		for range rapid.IntRange(1, 5).Draw(t, "pictures") {
			rates := rapid.SliceOfN(rapid.IntRange(1, 1000), 1, 3).Draw(t, "rates")
			for i := 1; i < len(rates); i++ {
				rates[i] += rates[i-1]
			}
			list = append(list, pictureOf(rates...))
		}
		budget := rapid.IntRange(0, 6000).Draw(t, "budget")
		wish := plan(list, budget)
		used, all := 0, true
		for _, x := range list {
			if x.step >= 0 {
				used += x.living[x.step].rate
			}
			all = all && x.step == len(x.living)-1
		}
		if used > budget || all != (wish == 0) {
			t.Fatalf("used %d of %d, all %v, wish %d", used, budget, all, wish)
		}
	})
}

// An encoder answers one request with a key frame of every layer and passes over
// the next one for 300 ms: that one waits, and is not lost.
func TestKeyFramesOfOneEncoderAreAskedApart(t *testing.T) {
	tr := &track{peer: &peer{room: &room{node: &Node{}}}, on: true}
	low, high := &layer{track: tr, ssrc: 1}, &layer{track: tr, ssrc: 2}
	w := &worker{ns: 5e9}
	asked := func(l *layer) bool { l.askKeyFrame(w); return l.keyAsked == w.ns }
	low.keyWanted, high.keyWanted = true, true
	if !asked(low) {
		t.Error("the first request waits")
	}
	for ; w.ns < 5e9+int64(keyFrameApart); w.ns += int64(beat) {
		if asked(high) {
			t.Errorf("the second request goes out after %d ms, where it is passed over", (w.ns-5e9)/1e6)
		}
	}
	if !high.keyWanted || !asked(high) {
		t.Error("the second request was forgotten")
	}
}
