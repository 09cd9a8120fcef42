package medicines

import (
	_ "embed" // the rule is dated data
	"fmt"
	"strconv"
	"strings"
	"time"
)

//go:embed age.tsv
var ageTSV string

// State is how the age of the base in service is judged.
type State string

// The states of a base.
const (
	Fresh   State = "ok"
	Old     State = "old"    // or of a day that nobody knows
	Sampled State = "sample" // the sample of the program, not the base
)

// OldAfter gives the days after which a base counts as old, by the rule of age.tsv in force on a day. It fails when there is
// no rule on that day, or a row cannot be read.
func OldAfter(on time.Time) (int, error) { return oldAfter(ageTSV, on) }

func oldAfter(table string, on time.Time) (days int, err error) {
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(f) != 4 {
			return 0, fmt.Errorf("medicines: age.tsv: %q", line)
		}
		from, err := time.Parse(time.DateOnly, f[0])
		if err != nil {
			return 0, fmt.Errorf("medicines: age.tsv: %w", err)
		}
		n, err := strconv.Atoi(f[1])
		if err != nil || n < 1 || f[3] == "" {
			return 0, fmt.Errorf("medicines: age.tsv: %q", line)
		}
		if from.Format(time.DateOnly) <= on.Format(time.DateOnly) {
			days = n // a later row replaces it
		}
	}
	if days == 0 {
		return 0, fmt.Errorf("medicines: age.tsv: no rule on %s", on.Format(time.DateOnly))
	}
	return days, nil
}

// State judges the age of a base on the local day of now; limit is after how many days it is old. Days is 0 for the sample,
// for a base of an unknown day, which is old, and for one of a day to come.
func (e Edition) State(now time.Time, limit int) (s State, days int) {
	if e.Sample {
		return Sampled, 0
	}
	if e.On.IsZero() {
		return Old, 0
	}
	y, m, d := now.Date()
	days = max(0, int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Sub(e.On).Hours()/24))
	if days > limit {
		return Old, days
	}
	return Fresh, days
}
