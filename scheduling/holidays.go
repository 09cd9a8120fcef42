package scheduling

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed holidays.tsv
var holidaysTSV string

// Holidays are the public holidays of France and its territories.
type Holidays struct{ rules []holiday }

type holiday struct {
	month     time.Month // 0: counted from Easter
	day       int
	territory string
}

// LoadHolidays reads the embedded table; an error names its line.
func LoadHolidays() (Holidays, error) {
	var h Holidays
	n := 0
	for line := range strings.Lines(holidaysTSV) {
		n++
		if line[0] == '#' {
			continue
		}
		cols := strings.Split(strings.TrimSpace(line), "\t")
		if len(cols) != 3 {
			return h, fmt.Errorf("scheduling: holidays.tsv:%d: %d columns, want 3", n, len(cols))
		}
		rule := holiday{territory: cols[1]}
		if after, movable := strings.CutPrefix(cols[0], "easter"); movable {
			days, err := strconv.Atoi(after)
			if err != nil {
				return h, fmt.Errorf("scheduling: holidays.tsv:%d: %w", n, err)
			}
			rule.day = days
		} else {
			t, err := time.Parse("01-02", cols[0])
			if err != nil {
				return h, fmt.Errorf("scheduling: holidays.tsv:%d: %w", n, err)
			}
			rule.month, rule.day = t.Month(), t.Day()
		}
		h.rules = append(h.rules, rule)
	}
	return h, nil
}

// Closed tells whether a day is a public holiday in a territory (FR, or FR-974
// and the like, which has those of FR too). No territory has no holiday.
func (h Holidays) Closed(d Day, territory string) bool {
	if territory == "" {
		return false
	}
	y, month, day := d.utc().Date()
	for _, r := range h.rules {
		if r.territory != "FR" && r.territory != territory {
			continue
		}
		if r.month == month && r.day == day || r.month == 0 && easter(y)+Day(r.day) == d {
			return true
		}
	}
	return false
}

// Knows tells whether a territory is in the table.
func (h Holidays) Knows(territory string) bool {
	return slices.ContainsFunc(h.rules, func(r holiday) bool { return r.territory == territory })
}

// easter is Easter Sunday of a Gregorian year (Meeus, Jones and Butcher).
func easter(y int) Day {
	a, b, c := y%19, y/100, y%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 19*l) / 433
	n := (h + l - 7*m + 90) / 25
	return dayOn(y, time.Month(n), (h+l-7*m+33*n+19)%32)
}
