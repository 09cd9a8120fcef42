package restricted

import (
	_ "embed" // the rules are dated data
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed substances.tsv
var substancesTSV string

//go:embed names.tsv
var namesTSV string

//go:embed mte.tsv
var mteTSV string

// Class is why a substance is restricted.
type Class string

// The classes of substances.tsv.
const (
	Narcotic   Class = "stupefiant"
	Assimilate Class = "assimile" // follows rules of narcotics
	Listed     Class = "liste"
	Hypnotic   Class = "hypnotique"
	Anxiolytic Class = "anxiolytique"
)

// Form is a way of giving a substance, as far as the rules tell them apart. Empty is unknown, or any.
type Form string

// The forms of substances.tsv.
const (
	Oral      Form = "oral"
	Syrup     Form = "syrup"
	Capsule   Form = "capsule"
	Injection Form = "injection"
	Patch     Form = "patch"
	Mucosal   Form = "mucosal" // under the tongue, in the cheek, in the nose
)

// Rule is one dated rule about one substance.
type Rule struct {
	ID          string // of the row
	Substance   string // words of the common denomination, folded
	Form        Form
	Class       Class
	From, Until string // YYYY-MM-DD, both included; Until may be empty
	Days        int    // longest prescription, renewals included; 0 for none
	Fraction    int    // days of one delivery; 0 for none
	Secure      bool   // ordonnance sécurisée
	NoOverlap   bool   // no second prescription over the same days
	Pharmacy    bool   // the pharmacy is named on the prescription
	Certain     bool   // false: it warns and never refuses
	Source      string

	compare string  // of the strength of one unit: "<", "<=", ">", ">="
	mg      float64 // with which it is compared
}

// Name is one way of typing a substance.
type Name struct {
	Text      string // as shown
	Substance string
	Form      Form // of the brand; empty when unknown

	key  string // its letters
	near bool   // is it found when one letter is wrong?
}

// Table is the rules and the names. It never changes and is safe for concurrent use.
type Table struct {
	rules map[string][]Rule // by substance
	names map[string]Name   // by key
	near  []Name
	mte   [][3]string // key, from, until

	lines   map[string]Line // by key
	ordered []Line          // as in lines.tsv
}

// Load reads the tables built into the program; it fails on a row that cannot be read.
func Load() (*Table, error) {
	t := &Table{rules: map[string][]Rule{}, names: map[string]Name{}}
	err := rows(substancesTSV, 14, func(f []string) error {
		r, err := rule(f)
		if err != nil {
			return err
		}
		if len(t.rules[r.Substance]) == 0 {
			t.add(Name{Text: r.Substance, Substance: r.Substance, near: true})
		}
		t.rules[r.Substance] = append(t.rules[r.Substance], r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := rows(namesTSV, 4, func(f []string) error {
		if len(t.rules[f[1]]) == 0 {
			return fmt.Errorf("%s: no rule about %q", f[0], f[1])
		}
		text := f[0]
		if f[3] != "name" {
			text = strings.ToUpper(text)
		}
		t.add(Name{Text: text, Substance: f[1], Form: Form(f[2]), near: f[3] != "exact"})
		return nil
	}); err != nil {
		return nil, err
	}
	if err := rows(mteTSV, 5, func(f []string) error {
		t.mte = append(t.mte, [3]string{key(f[0]), f[1], f[2]})
		return nil
	}); err != nil {
		return nil, err
	}
	return t, t.readLines()
}

func (t *Table) add(n Name) {
	n.key = key(n.Text)
	if _, twice := t.names[n.key]; twice {
		return
	}
	t.names[n.key] = n
	if n.near && len(n.key) >= nearLetters {
		t.near = append(t.near, n)
	}
}

// rows calls read with the cells of each row; a cell "-" is given as empty.
func rows(table string, columns int, read func([]string) error) error {
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(f) != columns {
			return fmt.Errorf("restricted: %d columns, want %d: %q", len(f), columns, line)
		}
		for i := range f {
			if f[i] == "-" {
				f[i] = ""
			}
		}
		if err := read(f); err != nil {
			return fmt.Errorf("restricted: %w", err)
		}
	}
	return nil
}

func rule(f []string) (r Rule, err error) {
	r = Rule{ID: f[0], Substance: f[1], Form: Form(f[2]), Class: Class(f[4]), From: f[5], Until: f[6], Secure: f[9] == "yes", NoOverlap: f[10] == "no",
		Pharmacy: f[11] == "yes", Certain: f[12] != "to-check", Source: f[13]}
	for _, d := range []string{r.From, r.Until} {
		if _, err := time.Parse(time.DateOnly, d); err != nil && d != "" {
			return r, fmt.Errorf("%s: %w", r.ID, err)
		}
	}
	if !slices.Contains([]string{"sure", "likely", "to-check"}, f[12]) || r.From == "" || r.Source == "" {
		return r, fmt.Errorf("%s %s: no confidence, day or source", r.ID, r.Substance)
	}
	if s := f[3]; s != "" {
		r.compare = strings.TrimRight(s, "0123456789.")
		if r.mg, err = strconv.ParseFloat(s[len(r.compare):], 64); err != nil || !slices.Contains([]string{"<", "<=", ">", ">="}, r.compare) {
			return r, fmt.Errorf("%s: strength %q", r.ID, s)
		}
	}
	if r.Days, err = strconv.Atoi(f[7]); err != nil {
		return r, err
	}
	r.Fraction, err = strconv.Atoi(f[8])
	return r, err
}

func (r Rule) on(day string) bool { return r.From <= day && (r.Until == "" || day <= r.Until) }

// fits says whether the rule is about a form; what is unknown fits.
func (r Rule) fits(f Form) bool {
	switch {
	case r.Form == "" || f == "" || r.Form == f:
		return true
	case r.Form == Oral:
		return f != Injection && f != Patch
	}
	return f == Oral && (r.Form == Syrup || r.Form == Capsule)
}

func (r Rule) strong(mg float64) bool {
	switch r.compare {
	case "<":
		return mg < r.mg
	case "<=":
		return mg <= r.mg
	case ">":
		return mg > r.mg
	case ">=":
		return mg >= r.mg
	}
	return true
}

// Rules gives the rules in force on a day about a substance in a form; mg is the strength of one unit, 0 when unknown. sure
// says that form comes from the base of medicines: only then does a form without a rule of its own take an assimilated
// substance out of the rules of its other forms. A narcotic always keeps them.
func (t *Table) Rules(substance string, form Form, mg float64, sure bool, on time.Time) []Rule {
	day := on.Format(time.DateOnly)
	var all, fitting []Rule
	for _, r := range t.rules[substance] {
		if !r.on(day) || mg > 0 && !r.strong(mg) {
			continue
		}
		all = append(all, r)
		if r.fits(form) {
			fitting = append(fitting, r)
		}
	}
	if len(fitting) > 0 || len(all) == 0 {
		return fitting
	}
	if all[0].Class == Listed || sure && all[0].Class == Assimilate {
		return nil
	}
	return all
}

// NarrowMargin says whether the substitution of a medicine of these common denominations may be excluded as MTE on a day.
func (t *Table) NarrowMargin(inn string, on time.Time) bool {
	day := on.Format(time.DateOnly)
	for _, w := range cut(inn) {
		for _, m := range t.mte {
			if w.text == m[0] && m[1] <= day && (m[2] == "" || day <= m[2]) {
				return true
			}
		}
	}
	return false
}
