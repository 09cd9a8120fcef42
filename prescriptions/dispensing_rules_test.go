package prescriptions

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var sheetOf = []Line{{Name: "a", Quantity: 2, Renewals: 2}, {Name: "b"}}

func entry(renewal int, lines ...Given) Dispensing {
	return Dispensing{Status: Recorded, Handed: Handed{Renewal: renewal, Lines: lines}}
}

func TestProgress(t *testing.T) {
	full := func(line int) Given { return Given{Line: line, Extent: Fully, Quantity: 2} }
	for _, c := range []struct {
		name    string
		entries []Dispensing
		want    Progress
		turn    int
	}{
		{"nothing yet", nil, NotDispensed, 0},
		{"one box of two", []Dispensing{entry(0, Given{0, Partly, 1})}, PartDispensed, 0},
		{"one line of two", []Dispensing{entry(0, full(0))}, PartDispensed, 0},
		{"the first time, whole", []Dispensing{entry(0, full(0), full(1))}, Dispensed, 1},
		{"a renewal begun", []Dispensing{entry(0, full(0), full(1)), entry(1, Given{0, Partly, 1})}, PartDispensed, 1},
		{"nothing left", []Dispensing{entry(0, full(0), full(1)), entry(1, full(0)), entry(2, full(0))}, Exhausted, 2},
		{"a mistake does not count", []Dispensing{{Status: Withdrawn, Handed: Handed{Lines: []Given{full(0)}}}}, NotDispensed, 0},
	} {
		g := sum(c.entries)
		if got := g.progress(sheetOf); got != c.want || g.turn(sheetOf) != c.turn {
			t.Errorf("%s: %s, turn %d; want %s, turn %d", c.name, got, g.turn(sheetOf), c.want, c.turn)
		}
	}
}

func TestAdmit(t *testing.T) {
	done := []Dispensing{entry(0, Given{0, Fully, 2}, Given{1, Fully, 1})}
	half := []Dispensing{entry(0, Given{0, Partly, 1})}
	for _, c := range []struct {
		want    string
		entries []Dispensing
		renewal int
		give    []Given
	}{
		{"", nil, 0, []Given{{0, Fully, 2}, {1, Fully, 0}}},
		{"", half, 0, []Given{{0, Partly, 1}}},
		{"", done, 1, []Given{{0, Partly, 1}}},
		{"lines required", nil, 0, nil},
		{"lines[0].line not-a-choice", nil, 0, []Given{{2, Fully, 1}}},
		{"lines[1].line not-a-choice", nil, 0, []Given{{0, Fully, 1}, {0, Fully, 1}}},
		{"lines[0].extent not-a-choice", nil, 0, []Given{{0, "none", 1}}},
		{"lines[0].quantity required", nil, 0, []Given{{1, Partly, 0}}},
		{"lines[0].quantity quantity-too-many", half, 0, []Given{{0, Fully, 2}}},
		{"lines[0].renewal renewal-too-early", half, 2, []Given{{0, Fully, 2}}},
		{"lines[0].renewal renewal-too-many", done, 1, []Given{{1, Fully, 1}}},
		{"lines[0].renewal renewal-closed", []Dispensing{entry(0, Given{0, Partly, 1}), entry(1, Given{0, Partly, 1})}, 0, []Given{{0, Partly, 1}}},
	} {
		_, err := sum(c.entries).admit(sheetOf, c.renewal, c.give)
		if got := faults(err); got != c.want {
			t.Errorf("%v at %d: %q (%v), want %q", c.give, c.renewal, got, err, c.want)
		}
	}
	if _, err := sum(done).admit(sheetOf, 0, []Given{{0, Partly, 1}}); err == nil || !strings.Contains(err.Error(), "already-dispensed") {
		t.Errorf("given in full, given again: %v", err)
	}
	out, err := sum(half).admit(sheetOf, 0, []Given{{0, Partly, 1}})
	if err != nil || out[0].Extent != Fully {
		t.Errorf("the last box completes the line: %v %v", out, err)
	}
}

// TestNeverMoreThanPrescribed: whatever pharmacists try, in whatever order, no line gives more at one renewal
// than the doctor wrote, and what was given in full takes nothing more.
func TestNeverMoreThanPrescribed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var entries []Dispensing
		for range rapid.IntRange(1, 12).Draw(t, "tries") {
			renewal := rapid.IntRange(0, 3).Draw(t, "renewal")
			give := []Given{{rapid.IntRange(0, 2).Draw(t, "line"), rapid.SampledFrom([]Extent{Partly, Fully}).Draw(t, "extent"), rapid.IntRange(0, 3).Draw(t, "quantity")}}
			before := sum(entries).extent(give[0].Line, renewal)
			out, err := sum(entries).admit(sheetOf, renewal, give)
			if err != nil {
				continue
			}
			if before == Fully {
				t.Fatal("given twice")
			}
			entries = append(entries, entry(renewal, out...))
		}
		for k, v := range sum(entries) {
			if k[0] == 0 && v.Quantity > 2 || k[1] > sheetOf[k[0]].Renewals {
				t.Fatalf("line %d at renewal %d gave %d", k[0], k[1], v.Quantity)
			}
		}
	})
}
