package entitlement

import (
	_ "embed" // the dated situations are data
	"fmt"
	"slices"
	"strings"
	"time"
)

//go:embed emergency.tsv
var emergencyTSV string

// Situation is one in which care may begin without an agreement.
type Situation struct {
	Code      string
	MinorOnly bool
	After     []string // states of the consent that it may follow
	From      time.Time
	Source    string
}

// LoadSituations reads the situations. It fails on a line that it cannot read.
func LoadSituations() ([]Situation, error) { return parseSituations(emergencyTSV) }

func parseSituations(text string) (all []Situation, err error) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(line, "\t")
		if len(cells) != 5 || slices.Contains(cells, "") || cells[1] != "any" && cells[1] != "minor" {
			return nil, fmt.Errorf("entitlement: emergency.tsv: %q", line)
		}
		from, err := time.Parse(time.DateOnly, cells[3])
		if err != nil {
			return nil, fmt.Errorf("entitlement: emergency.tsv: %q: %w", line, err)
		}
		all = append(all, Situation{cells[0], cells[1] == "minor", strings.Split(cells[2], ","), from, cells[4]})
	}
	return all, nil
}
