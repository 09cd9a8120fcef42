package prescriber

import (
	_ "embed" // the rules are dated data
	"fmt"
	"slices"
	"strings"
	"time"

	"visavis/internal/medicines"
)

var (
	//go:embed conditions.tsv
	conditionsTSV string
	//go:embed professions.tsv
	professionsTSV string
	//go:embed hospitals.tsv
	hospitalsTSV string
	//go:embed lists.tsv
	listsTSV string
)

// effect is what a rule asks; see conditions.tsv and professions.tsv.
type effect string

const (
	show        effect = "show"
	warn        effect = "warn"
	confirm     effect = "confirm"
	hospitalUse effect = "hospital-use"
	hospital    effect = "hospital"
	initial     effect = "initial"
	renewal     effect = "renewal"
	specialist  effect = "specialist"
	dental      effect = "dental"
	ophthalmic  effect = "ophthalmic"
	elsewhere   effect = "elsewhere"
	free        effect = "free"
	list        effect = "list"
)

func effects() []effect {
	return []effect{show, warn, confirm, hospitalUse, hospital, initial, renewal, specialist, dental, ophthalmic, elsewhere, free, list}
}

// rule is one dated row.
type rule struct {
	effect     effect
	citation   string
	confidence medicines.Confidence
}

// entry is one substance of a list.
type entry struct {
	words      []string
	confidence medicines.Confidence
}

// Law is the rules in force on a day.
type Law struct {
	kinds       map[medicines.Kind]rule
	professions map[string]rule // profession and category, "50/medicines"
	hospitals   map[string]bool // TRE_R02
	lists       map[string][]entry
}

// On reads the rules in force on a day.
func On(day time.Time) (*Law, error) {
	l := &Law{kinds: map[medicines.Kind]rule{}, professions: map[string]rule{}, hospitals: map[string]bool{}, lists: map[string][]entry{}}
	date := day.Format(time.DateOnly)
	read := func(name, text string, columns, from int, take func(f []string) error) error {
		for line := range strings.Lines(text) {
			f := strings.Split(strings.TrimRight(line, "\n"), "\t")
			if strings.HasPrefix(line, "#") {
				continue
			}
			if len(f) != columns {
				return fmt.Errorf("prescriber: %s: %d columns: %q", name, len(f), line)
			}
			if f[from] > date {
				continue // not yet in force; a later row of a rule replaces an earlier one
			}
			if err := take(f); err != nil {
				return fmt.Errorf("prescriber: %s: %w", name, err)
			}
		}
		return nil
	}
	known := func(e string) (effect, error) {
		if !slices.Contains(effects(), effect(e)) {
			return "", fmt.Errorf("effect %q", e)
		}
		return effect(e), nil
	}
	err := read("conditions.tsv", conditionsTSV, 5, 2, func(f []string) error {
		e, err := known(f[1])
		l.kinds[medicines.Kind(f[0])] = rule{e, f[3], medicines.Confidence(f[4])}
		return err
	})
	if err == nil {
		err = read("professions.tsv", professionsTSV, 6, 3, func(f []string) error {
			e, err := known(f[2])
			l.professions[f[0]+"/"+f[1]] = rule{e, f[4], medicines.Confidence(f[5])}
			return err
		})
	}
	if err == nil {
		err = read("hospitals.tsv", hospitalsTSV, 3, 1, func(f []string) error { l.hospitals[f[0]] = true; return nil })
	}
	if err == nil {
		err = read("lists.tsv", listsTSV, 6, 3, func(f []string) error {
			l.lists[f[0]] = append(l.lists[f[0]], entry{strings.Fields(f[1]), medicines.Confidence(f[5])})
			return nil
		})
	}
	return l, err
}

// Person is who prescribes.
type Person struct {
	Profession string // TRE_G15: 10, 40, 50; empty when it is not known
	Specialty  string // TRE_R38: SM32; empty when there is none
	Sector     string // TRE_R02 of the place of practice: SA07
}

// Of reads the author code of a document, G15_10/SM32.
func Of(authorCode, sector string) Person {
	profession, specialty, _ := strings.Cut(strings.TrimPrefix(authorCode, "G15_"), "/")
	return Person{profession, specialty, sector}
}
