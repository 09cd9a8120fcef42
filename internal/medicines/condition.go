package medicines

import (
	_ "embed" // the kinds of conditions are data
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

//go:embed conditions.tsv
var conditionsTSV string

//go:embed specialties.tsv
var specialtiesTSV string

// Kind is what a condition of prescribing or dispensing is about.
type Kind string

// The kinds of conditions; conditions.tsv says which sentences are of which kind. A sentence of no kind has
// KindNone and is shown as it stands.
const (
	KindNone           Kind = ""
	ListOne            Kind = "list-1"
	ListTwo            Kind = "list-2"
	Narcotic           Kind = "narcotic"
	SecureForm         Kind = "secure"   // ordonnance sécurisée
	LimitedDuration    Kind = "duration" // Days
	Fraction           Kind = "fraction" // Days of each dispensing
	Overlap            Kind = "overlap"
	Exception          Kind = "exception" // médicament d'exception
	PrescriptionOnly   Kind = "prescription-only"
	HospitalUse        Kind = "hospital-use"
	HospitalPrescribed Kind = "hospital-prescription"
	InitialHospital    Kind = "initial-hospital"    // Months
	InitialPlace       Kind = "initial-place"       // instead of a hospital: home dialysis
	InitialSpecialists Kind = "initial-specialists" // Months, Specialties
	Renewal            Kind = "renewal"             // Specialties
	Specialists        Kind = "specialists"         // Specialties
	Competence         Kind = "competence"          // instead of a specialty: a competence that TRE_R38 has not
	PracticePlace      Kind = "practice-place"      // only who practises in such a place
	Dental             Kind = "dental"
	Ophthalmic         Kind = "ophthalmic"
	ProfessionalUse    Kind = "professional-use"
	Emergency          Kind = "emergency"
	PlaceOfUse         Kind = "place-of-use"
	Surveillance       Kind = "surveillance"
	Examination        Kind = "examination"
	Agreement          Kind = "agreement"
	Booklet            Kind = "booklet"
	Wording            Kind = "wording"
	Pregnancy          Kind = "pregnancy"
	Administration     Kind = "administration"
	Dispensing         Kind = "dispensing" // what the pharmacy does
	Heading            Kind = "heading"    // « pour tous les patients : »
)

// Confidence says how sure a row of data is (rules.md): a row to check warns, it never blocks alone.
type Confidence string

// The confidences of a row.
const (
	Sure    Confidence = "sure"
	Likely  Confidence = "likely"
	ToCheck Confidence = "to check"
)

// Condition is one condition of prescribing or dispensing of a speciality.
type Condition struct {
	Kind     Kind
	Sentence string // in the words of the BDPM, always
	// Days is the longest prescription (LimitedDuration) or the length of each dispensing (Fraction); a month
	// counts 31 days.
	Days int
	// Months is how long an initial prescription holds; 0 when the sentence sets no limit.
	Months int
	// Specialties are TRE_R38 codes, SM32; none when the sentence names a specialty that specialties.tsv has not.
	Specialties []string
	Citation    string
	Confidence  Confidence
}

type conditionRow struct {
	kind       Kind
	pattern    *regexp.Regexp
	citation   string
	confidence Confidence
}

type specialtyRow struct {
	codes      []string
	confidence Confidence
}

// reader reads sentences; the same sentence is read once.
type reader struct {
	rows        []conditionRow
	specialties map[string]specialtyRow
	known       map[string]Condition
}

// newReader parses the two tables.
func newReader() (*reader, error) {
	r := &reader{specialties: map[string]specialtyRow{}, known: map[string]Condition{}}
	for line := range strings.Lines(conditionsTSV) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") {
			continue
		}
		if len(f) != 4 {
			return nil, fmt.Errorf("medicines: conditions.tsv: %d columns: %q", len(f), line)
		}
		p, err := regexp.Compile("^(?:" + f[1] + ")$")
		if err != nil {
			return nil, fmt.Errorf("medicines: conditions.tsv: %w", err)
		}
		r.rows = append(r.rows, conditionRow{Kind(f[0]), p, f[2], Confidence(f[3])})
	}
	for line := range strings.Lines(specialtiesTSV) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") {
			continue
		}
		if len(f) != 3 {
			return nil, fmt.Errorf("medicines: specialties.tsv: %d columns: %q", len(f), line)
		}
		r.specialties[f[0]] = specialtyRow{strings.Fields(f[1]), Confidence(f[2])}
	}
	return r, nil
}

// Fold writes a sentence without capitals or accents, with straight apostrophes, single spaces and no full
// stop at its end.
func Fold(s string) string {
	s = strings.NewReplacer("’", "'", "‘", "'", "\u00a0", " ").Replace(s)
	return strings.TrimRight(strings.Join(strings.Fields(strings.ToLower(plain(s))), " "), " .")
}

// read gives the condition that a sentence states.
func (r *reader) read(sentence string) Condition {
	c, ok := r.known[sentence]
	if !ok {
		c = r.parse(sentence)
		r.known[sentence] = c
	}
	return c
}

func (r *reader) parse(sentence string) Condition {
	folded := Fold(sentence)
	for _, row := range r.rows {
		m := row.pattern.FindStringSubmatch(folded)
		if m == nil {
			continue
		}
		c := Condition{Kind: row.kind, Sentence: sentence, Citation: row.citation, Confidence: row.confidence}
		group := func(name string) string {
			if i := row.pattern.SubexpIndex(name); i >= 0 {
				return m[i]
			}
			return ""
		}
		n, _ := strconv.Atoi(group("n"))
		switch unit := group("unit"); {
		case strings.HasPrefix(unit, "jour"):
			c.Days = n
		case strings.HasPrefix(unit, "semaine"):
			c.Days = 7 * n
		case unit == "mois":
			c.Days = 31 * n
		}
		switch group("every") {
		case "annuelle":
			c.Months = 12
		case "semestrielle":
			c.Months = 6
		case "trimestrielle":
			c.Months = 3
		}
		if who := group("who"); who != "" {
			s := r.specialties[who]
			c.Specialties = s.codes
			if len(s.codes) == 0 || s.confidence == ToCheck {
				c.Confidence = ToCheck
			}
		}
		return c
	}
	return Condition{Sentence: sentence, Confidence: ToCheck}
}
