package encounters

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"visavis/internal/care"
)

// One letter per minute: J joins, L leaves, A is assumed to have left.
func TestStaysOfASeat(t *testing.T) {
	t0 := time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC)
	minute := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Minute) }
	for _, c := range []struct {
		told string
		end  int
		want string
	}{
		{"J", 0, "0-?"},
		{"J.L", 0, "0-2"},
		{"J.L.J", 0, "0-2 4-?"},
		{"J.L.J", 9, "0-2 4-9"},
		{"J.J.L", 0, "0-4"},
		{"J.A", 0, "0-2~"},
		{"J.A.J", 0, "0-2~ 4-?"},
		{"J.A.L", 0, "0-4"}, // seen goes before assumed
		{"J.A.J.L", 8, "0-2~ 4-6"},
		{"J.A", 9, "0-2~"},
		{"J.L", 1, "0-1"}, // the end of the act ends the stay
		{"...J", 2, ""},   // after the end is not of the act
		{"L.J", 0, "2-?"},
		{"JL", 9, "0-1"},
		{"", 9, ""},
	} {
		var joined []Presence
		var left []departure
		for i, what := range c.told {
			switch what {
			case 'J':
				joined = append(joined, Presence{ID: fmt.Sprint(i), SeatID: "s", JoinedAt: minute(i)})
			case 'L', 'A':
				left = append(left, departure{seat: "s", at: minute(i), assumed: what == 'A', told: minute(i)})
			}
		}
		var end time.Time
		if c.end > 0 {
			end = minute(c.end)
		}
		got := ""
		for i, p := range stays(joined, left, end) {
			if i > 0 {
				got += " "
			}
			got += fmt.Sprint(int(p.JoinedAt.Sub(t0).Minutes())) + "-"
			if p.LeftAt.IsZero() {
				got += "?"
				continue
			}
			got += fmt.Sprint(int(p.LeftAt.Sub(t0).Minutes()))
			if p.Assumed {
				got += "~"
			}
		}
		if got != c.want {
			t.Errorf("%q until %d: %q, want %q", c.told, c.end, got, c.want)
		}
	}
}

// TestStaysBearAnyOrder: whatever the order of the facts, and told twice or not,
// the stays are the same, never overlap on a seat, and end with the act.
func TestStaysBearAnyOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	t0 := time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC)
	for round := range 2000 {
		var joined []Presence
		var left []departure
		for i := range random.IntN(14) {
			at, seat := t0.Add(time.Duration(random.IntN(600))*time.Second), fmt.Sprint("seat", random.IntN(3))
			if random.IntN(2) == 0 {
				joined = append(joined, Presence{ID: fmt.Sprintf("%02d", i), SeatID: seat, PersonID: seat, Role: care.Nurse, JoinedAt: at})
			} else {
				left = append(left, departure{seat: seat, at: at, assumed: random.IntN(3) == 0, told: at.Add(time.Duration(random.IntN(300)) * time.Second)})
			}
		}
		var end time.Time
		if random.IntN(2) == 0 {
			end = t0.Add(time.Duration(random.IntN(600)) * time.Second)
		}
		want := stays(joined, left, end)
		random.Shuffle(len(joined), func(i, j int) { joined[i], joined[j] = joined[j], joined[i] })
		random.Shuffle(len(left), func(i, j int) { left[i], left[j] = left[j], left[i] })
		again := left
		if len(left) > 0 {
			again = append(again, left[0])
		}
		if got := stays(joined, again, end); !reflect.DeepEqual(got, want) {
			t.Fatalf("round %d: %+v, in another order %+v", round, want, got)
		}
		last := map[string]time.Time{}
		for _, p := range want {
			if before, ok := last[p.SeatID]; ok && (before.IsZero() || p.JoinedAt.Before(before)) {
				t.Fatalf("round %d: stays of %s overlap: %+v", round, p.SeatID, want)
			}
			last[p.SeatID] = p.LeftAt
			if !p.LeftAt.IsZero() && p.LeftAt.Before(p.JoinedAt) || !end.IsZero() && (p.LeftAt.IsZero() || p.LeftAt.After(end)) {
				t.Fatalf("round %d, end %v: %+v", round, end, p)
			}
		}
	}
}

// TestStays_NoGuessAfterTheEnd: the facts of a seat around the end of its act, in
// any order and told several times. What is known at the end stays as it is: a
// departure that is assumed afterwards, however it is told, changes no stay, and
// no assumed departure ever makes the presence before it shorter than what was
// seen.
func TestStays_NoGuessAfterTheEnd(t *testing.T) {
	t0 := time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC)
	second := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Second) }
	rapid.Check(t, func(t *rapid.T) {
		end := rapid.IntRange(20, 600).Draw(t, "end")
		var joined []Presence
		var seen, late []departure
		for i := range rapid.IntRange(1, 6).Draw(t, "joins") {
			at := rapid.IntRange(0, end).Draw(t, "joined")
			joined = append(joined, Presence{ID: fmt.Sprint(i), SeatID: fmt.Sprint("s", i%3), JoinedAt: second(at)})
		}
		for range rapid.IntRange(0, 5).Draw(t, "departures") {
			at := rapid.IntRange(0, end+100).Draw(t, "left")
			seen = append(seen, departure{seat: fmt.Sprint("s", rapid.IntRange(0, 2).Draw(t, "seat")), at: second(at), told: second(at + 1), how: "left"})
		}
		for range rapid.IntRange(1, 8).Draw(t, "guesses") {
			late = append(late, departure{
				seat: fmt.Sprint("s", rapid.IntRange(0, 2).Draw(t, "seat of a guess")), at: second(rapid.IntRange(0, end+600).Draw(t, "last seen")),
				assumed: true, told: second(end + rapid.IntRange(1, 1000).Draw(t, "made")), how: "app-restarted",
			})
		}
		want := stays(joined, seen, second(end))
		all := rapid.Permutation(append(append(slices.Clone(seen), late...), late...)).Draw(t, "told")
		got := stays(rapid.Permutation(append(slices.Clone(joined), joined...)).Draw(t, "arrivals"), all, second(end))
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("with guesses after the end:\n%+v\nwithout:\n%+v", got, want)
		}
		for _, p := range got {
			if p.LeftAt.IsZero() || p.LeftAt.After(second(end)) || p.Assumed {
				t.Fatalf("%+v", p)
			}
			if p.LeftAt.Before(second(end)) && !slices.ContainsFunc(seen, func(d departure) bool { return d.seat == p.SeatID && d.at.Equal(p.LeftAt) && d.how == p.How }) {
				t.Fatalf("nobody saw this departure: %+v", p)
			}
		}
	})
}
