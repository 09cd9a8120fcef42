package refusals

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
)

//go:embed rules.tsv
var rulesTable string

// Rule says when the refusals of one person are an alarm.
type Rule struct {
	Kind      string
	From      time.Time
	Who       string // staff, guest or any
	Reasons   []string
	Objects   bool // different objects count, not refusals
	Window    time.Duration
	Threshold int
}

// maxThreshold bounds what is remembered of one person for one rule.
const maxThreshold = 600

// LoadRules reads rules.tsv; an error names its line.
func LoadRules() ([]Rule, error) { return parseRules(rulesTable) }

func parseRules(text string) ([]Rule, error) {
	var list []Rule
	for n, line := range strings.Split(text, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		r, err := parseRule(strings.Split(line, "\t"))
		if err != nil {
			return nil, fmt.Errorf("refusals: rules.tsv:%d: %w", n+1, err)
		}
		list = append(list, r)
	}
	if len(list) == 0 || len(list) > maxRules {
		return nil, fmt.Errorf("refusals: rules.tsv: %d lines, want 1 to %d", len(list), maxRules)
	}
	return list, nil
}

func parseRule(c []string) (Rule, error) {
	if len(c) != 8 || c[0] == "" || c[7] == "" {
		return Rule{}, fmt.Errorf("want kind, from, who, reasons, count, window, threshold, why")
	}
	r := Rule{Kind: c[0], Who: c[2], Reasons: strings.Split(c[3], ","), Objects: c[4] == "objects"}
	var err error
	if r.From, err = time.Parse(time.DateOnly, c[1]); err != nil {
		return r, err
	}
	if !slices.Contains([]string{"staff", "guest", "any"}, r.Who) || !r.Objects && c[4] != "refusals" {
		return r, fmt.Errorf("who or count is no such word")
	}
	minutes, err := strconv.Atoi(c[5])
	if err == nil {
		r.Threshold, err = strconv.Atoi(c[6])
	}
	if err == nil && (minutes < 1 || minutes > 1440 || r.Threshold < 2 || r.Threshold > maxThreshold) {
		err = fmt.Errorf("window 1 to 1440 minutes, threshold 2 to %d", maxThreshold)
	}
	r.Window = time.Duration(minutes) * time.Minute
	return r, err
}

// matching gives the rules that count a refusal at an instant, as a set of their
// places: of each kind and persons the last line that has begun.
func matching(rules []Rule, a authz.Actor, reason string, now time.Time) (set uint32) {
	for i, r := range rules {
		if r.From.After(now) || !r.counts(a, reason) {
			continue
		}
		later := slices.ContainsFunc(rules[i+1:], func(o Rule) bool { return o.Kind == r.Kind && o.Who == r.Who && !o.From.After(now) })
		if !later {
			set |= 1 << i
		}
	}
	return set
}

func (r Rule) counts(a authz.Actor, reason string) bool {
	guest := a.Role == care.Patient || a.Role == care.Companion
	every := r.Reasons[0] == "*" && reason != listIncomplete
	return (r.Who == "any" || guest == (r.Who == "guest")) && (every || slices.Contains(r.Reasons, reason))
}
