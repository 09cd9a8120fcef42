package medicines

import (
	"cmp"
	_ "embed" // the sample is data
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

//go:embed sample.tsv
var sampleTSV string

// Medicine is one speciality.
type Medicine struct {
	CIS    string   // 8 digits
	Name   string   // denomination
	Form   string   // pharmaceutical form
	Routes []string // routes of administration, in the words of the BDPM
	INN    []string // common denominations of the active substances, may be unknown
	// Substances are the active substances as the BDPM codes them; none when the file of the compositions was
	// not given. INN holds the names that a prescription uses.
	Substances []Substance
	CIP13      string // first pack on the market, may be unknown
	Pack       Pack   // what that pack holds; zero when its label does not say
	// Conditions of prescribing and dispensing, in the words of the BDPM: "liste I", "stupéfiants",
	// "prescription limitée à 12 semaines"; none when the file of the conditions was not given.
	Conditions []string
	// Terms are the same conditions, read; in the same order.
	Terms []Condition
}

// Substance is one active substance of a speciality.
type Substance struct {
	Code string // of the BDPM, 5 characters
	Name string // in lower case
	Dose string // in the words of the BDPM, may be empty
	// Fraction tells the therapeutic fraction (FT) from the substance as it is in the medicine (SA): codéine
	// from phosphate de codéine. Both have the same Link.
	Fraction bool
	Link     string // joins a fraction and its salt inside one speciality
}

// Pack is what one package holds.
type Pack struct {
	Units float64
	Unit  string // UCUM: {tablet}, {capsule}, {sachet}, mL, g…
}

// Route returns the EDQM code of the first route that has one, empty when none has.
func (m Medicine) Route() string {
	for _, r := range m.Routes {
		if code := edqm(r); code != "" {
			return code
		}
	}
	return ""
}

// edqm gives the EDQM Standard Terms code of a route of the BDPM.
func edqm(route string) string {
	switch strings.ToLower(strings.TrimSpace(route)) {
	case "orale":
		return "20053000"
	case "sublinguale":
		return "20067000"
	case "cutanée":
		return "20003000"
	case "transdermique":
		return "20070000"
	case "inhalée":
		return "20020000"
	case "nasale":
		return "20049000"
	case "ophtalmique":
		return "20051000"
	case "auriculaire":
		return "20001000"
	case "rectale":
		return "20061000"
	case "vaginale":
		return "20072000"
	case "sous-cutanée":
		return "20066000"
	case "intramusculaire":
		return "20035000"
	case "intraveineuse":
		return "20045000"
	}
	return ""
}

type entry struct {
	Medicine
	name, inn string // folded, each word after a space
}

// Index answers searches in memory.
type Index struct {
	entries []entry // in alphabetical order
	byCIS   map[string]int
	sample  bool
	report  Report
}

// IsSample tells whether the index is the one built into the program, not the base.
func (x *Index) IsSample() bool { return x.sample }

// Report tells how the files of the index were read; empty for the sample.
func (x *Index) Report() Report { return x.report }

// All calls yield for each speciality, in alphabetical order, until it answers false.
func (x *Index) All(yield func(Medicine) bool) {
	for _, e := range x.entries {
		if !yield(e.Medicine) {
			return
		}
	}
}

func newIndex(list []Medicine) *Index {
	x := &Index{byCIS: make(map[string]int, len(list))}
	for _, m := range list {
		x.entries = append(x.entries, entry{m, " " + strings.Join(SearchWords(m.Name), " "),
			" " + strings.Join(SearchWords(strings.Join(m.INN, " ")), " ")})
	}
	slices.SortStableFunc(x.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.CIS, b.CIS))
	})
	for i, e := range x.entries {
		x.byCIS[e.CIS] = i
	}
	return x
}

// Sample returns the index built into the program.
func Sample() *Index {
	var list []Medicine
	for row := range strings.Lines(sampleTSV) {
		f := strings.Split(strings.TrimRight(row, "\n"), "\t")
		if strings.HasPrefix(row, "#") || len(f) < 6 {
			continue
		}
		m := Medicine{CIS: f[0], Name: f[1], Form: f[2], Routes: split(f[3]), INN: split(f[4]), CIP13: f[5]}
		if len(f) > 6 {
			m.Pack = content(f[6])
		}
		list = append(list, m)
	}
	x := newIndex(list)
	x.sample = true
	return x
}

func split(s string) []string {
	var out []string
	for part := range strings.SplitSeq(s, ";") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// Words cuts a text into words without accents or capitals, as a search does.
func Words(s string) []string { return words(s) }

// words folds case and accents and cuts s at what is neither a letter nor a digit; a comma between two
// digits stays, so that "0,5" is one word.
func words(s string) []string {
	runes := []rune(plain(s))
	var b strings.Builder
	for i, r := range runes {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r):
			b.WriteRune(unicode.ToLower(r))
		case (r == ',' || r == '.') && i > 0 && i+1 < len(runes) && unicode.IsDigit(runes[i-1]) && unicode.IsDigit(runes[i+1]):
			b.WriteByte(',')
		default:
			b.WriteByte(' ')
		}
	}
	return strings.Fields(b.String())
}

// plain takes the accents and the ligatures out of s.
func plain(s string) string {
	s = strings.NewReplacer("œ", "oe", "Œ", "Oe", "æ", "ae", "Æ", "Ae").Replace(s)
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(s))
}

// Len returns the number of specialities.
func (x *Index) Len() int { return len(x.entries) }

// Lookup returns a speciality by its CIS.
func (x *Index) Lookup(cis string) (Medicine, bool) {
	i, ok := x.byCIS[cis]
	if !ok {
		return Medicine{}, false
	}
	return x.entries[i].Medicine, true
}

// Search returns at most limit specialities whose name or common denomination has, for each word of the
// query, a word that starts with it. Names that start with the query come first, then common
// denominations that do, then the others; each group is in alphabetical order. A query without a word
// of two characters finds nothing.
func (x *Index) Search(query string, limit int) []Medicine {
	tokens := SearchWords(query)
	if limit < 1 || !slices.ContainsFunc(tokens, func(t string) bool { return len(t) > 1 }) {
		return nil
	}
	start := " " + strings.Join(tokens, " ")
	var groups [3][]Medicine
	for _, e := range x.entries {
		if !e.matches(tokens) {
			continue
		}
		g := 2
		if strings.HasPrefix(e.name, start) {
			g = 0
		} else if strings.HasPrefix(e.inn, start) {
			g = 1
		}
		if len(groups[g]) < limit {
			groups[g] = append(groups[g], e.Medicine)
		}
	}
	found := slices.Concat(groups[0], groups[1], groups[2])
	return found[:min(limit, len(found))]
}

func (e entry) matches(tokens []string) bool {
	for _, t := range tokens {
		if !strings.Contains(e.name, " "+t) && !strings.Contains(e.inn, " "+t) {
			return false
		}
	}
	return true
}
