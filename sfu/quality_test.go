package sfu

import (
	"testing"

	"pgregory.net/rapid"
)

func pictureOf(rates ...int) picture {
	x := picture{slot: &slot{}, step: -1}
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
