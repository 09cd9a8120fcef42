package medicines

import (
	"testing"
	"time"
)

// TestOldAfter_Dated: the rule of the day counts, a row that cannot be read is an error, and the table built in has a source.
func TestOldAfter_Dated(t *testing.T) {
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	const two = "# from\n2022-06-01\t30\tsure\tx\n2026-01-01\t10\tsure\tx\n"
	for _, c := range []struct {
		table, on string
		want      int
	}{
		{two, "2022-05-31", 0}, {two, "2022-06-01", 30}, {two, "2025-12-31", 30}, {two, "2026-01-01", 10},
		{"", "2026-01-01", 0}, {"2022-06-01\t0\tsure\tx\n", "2026-01-01", 0}, {"2022-06-01\t-3\tsure\tx\n", "2026-01-01", 0},
		{"2022-06-01\tmany\tsure\tx\n", "2026-01-01", 0}, {"yesterday\t30\tsure\tx\n", "2026-01-01", 0}, {"2022-06-01\t30\n", "2026-01-01", 0}, {"2022-06-01\t30\tsure\t\n", "2026-01-01", 0},
	} {
		if got, err := oldAfter(c.table, day(c.on)); got != c.want || (err != nil) != (c.want == 0) {
			t.Errorf("%q on %s: %d, %v; want %d", c.table, c.on, got, err, c.want)
		}
	}
	if n, err := OldAfter(day("2026-11-29")); err != nil || n != 30 {
		t.Errorf("today: %d %v", n, err)
	}
}

// TestEdition_State: the day after the limit is old, the limit itself is not; what has no day is old, the sample is said.
func TestEdition_State(t *testing.T) {
	paris := time.FixedZone("CET", 3600)
	on := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		e    Edition
		now  time.Time
		want State
		days int
	}{
		"same day":          {Edition{On: on}, time.Date(2026, 11, 1, 9, 0, 0, 0, paris), Fresh, 0},
		"at the limit":      {Edition{On: on}, time.Date(2026, 12, 1, 23, 59, 0, 0, paris), Fresh, 30},
		"a day later":       {Edition{On: on}, time.Date(2026, 12, 2, 0, 1, 0, 0, paris), Old, 31},
		"years later":       {Edition{On: on}, time.Date(2030, 12, 2, 0, 0, 0, 0, paris), Old, 1492},
		"of a day to come":  {Edition{On: on}, time.Date(2026, 10, 1, 0, 0, 0, 0, paris), Fresh, 0},
		"of no known day":   {Edition{Count: 3}, on, Old, 0},
		"sample":            {Edition{Sample: true}, on, Sampled, 0},
		"sample with a day": {Edition{Sample: true, On: on}, on.AddDate(9, 0, 0), Sampled, 0},
	} {
		if s, days := c.e.State(c.now, 30); s != c.want || days != c.days {
			t.Errorf("%s: %s, %d days; want %s, %d", name, s, days, c.want, c.days)
		}
	}
}
