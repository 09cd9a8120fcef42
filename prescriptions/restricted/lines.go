package restricted

import (
	"cmp"
	_ "embed" // the lines are data
	"fmt"
	"regexp"
	"strings"
	"time"
)

//go:embed lines.tsv
var linesTSV string

// Line is a regulated medicine that can be written as a structured line although the medicines base does not have it.
type Line struct {
	Name string // brand, or common denomination, as printed
	INN  string // common denominations, joined by " + "
	Gone bool   // no such product is marketed: it is not prescribed

	substance string
	form      Form
}

// readLines reads lines.tsv; each name must be one that Find knows, of the same substance.
func (t *Table) readLines() error {
	t.lines = map[string]Line{}
	return rows(linesTSV, 4, func(f []string) error {
		k := key(f[0])
		n, known := t.names[k]
		if !known && k == key(f[2]) {
			n, known = t.names[f[1]] // a denomination of several words, known by the word of the law
		}
		if _, twice := t.lines[k]; twice || !known || n.Substance != f[1] || f[2] == "" || f[3] != "marketed" && f[3] != "gone" {
			return fmt.Errorf("lines.tsv: %q", f)
		}
		l := Line{Name: f[0], INN: f[2], Gone: f[3] == "gone", substance: f[1], form: n.Form}
		t.lines[k] = l
		t.ordered = append(t.ordered, l)
		return nil
	})
}

// Line gives the line of exactly this name, however it is accented or capitalised.
func (t *Table) Line(name string) (Line, bool) {
	l, ok := t.lines[key(name)]
	return l, ok
}

// LineFor gives the line by which a name found in a text is prescribed: its own, or that of its substance.
func (t *Table) LineFor(n Name) (Line, bool) {
	if l, ok := t.lines[n.key]; ok {
		return l, true
	}
	for _, l := range t.ordered {
		if l.substance == n.Substance && strings.HasPrefix(key(l.Name), n.Substance) {
			return l, true
		}
	}
	return Line{}, false
}

// SearchLines gives at most limit lines with a name or a common denomination that begins with the query, those that are gone
// left out. A query of fewer than two letters finds nothing.
func (t *Table) SearchLines(query string, limit int) []Line {
	var out []Line
	k := key(query)
	for _, l := range t.ordered {
		if len(k) > 1 && len(out) < limit && !l.Gone && (strings.HasPrefix(key(l.Name), k) || strings.HasPrefix(key(l.INN), k)) {
			out = append(out, l)
		}
	}
	return out
}

// RulesFor gives the rules in force on a day about a line in a form and a strength, both as typed; see Rules.
func (t *Table) RulesFor(l Line, form, strength string, on time.Time) []Rule {
	return t.Rules(l.substance, cmp.Or(FormOf(form), l.form), StrengthOf(strength), false, on)
}

// typedStrength is a strength as a denomination writes it: "0,25 mg", "10 mg/ml", "15 mg/2,5 ml", "1 %".
var typedStrength = regexp.MustCompile(`^[0-9]{1,4}([.,][0-9]{1,3})? ?(mg|g|µg|μg|microgrammes?|%)( ?/ ?([0-9]{1,3}([.,][0-9]{1,2})? ?)?(ml|mL|g|goutte|dose))?$`)

// ValidStrength says whether a text is the strength of one unit or of a volume, and more than nothing.
func ValidStrength(s string) bool {
	number, _, _ := strings.Cut(s, "/")
	return typedStrength.MatchString(s) && strings.ContainsAny(number, "123456789")
}
