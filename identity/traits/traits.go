package traits

import (
	"regexp"
	"strings"

	"visavis/internal/fault"
	"visavis/internal/typography"
)

// Sex is the administrative gender of JDV_J143.
type Sex string

// The values of JDV_J143.
const (
	Female     Sex = "F"
	Male       Sex = "M"
	SexUnknown Sex = "UN"
)

// Traits are who a person is for the law. The strict traits are birth family
// name, list of birth given names, first of them, sex, birth date and the COG
// code of the birth place; the used names are local.
type Traits struct {
	BirthFamilyName string `json:"birthFamilyName" printed:"line"`
	BirthGivenNames string `json:"birthGivenNames" printed:"line"` // the list, blanks between; holds FirstGivenName first
	FirstGivenName  string `json:"firstGivenName" printed:"line"`
	UsedFamilyName  string `json:"usedFamilyName,omitempty" printed:"line"`
	UsedGivenName   string `json:"usedGivenName,omitempty" printed:"line"`
	Sex             Sex    `json:"sex"`
	BirthDate       Date   `json:"birthDate"`
	BirthPlaceCode  string `json:"birthPlaceCode,omitempty"` // COG: commune, or 99 and the country
	BirthPlaceName  string `json:"birthPlaceName,omitempty" printed:"line"`
}

// cog is a commune (2A, 2B in Corsica, 97x and 98x overseas) or 99 and a country.
var cog = regexp.MustCompile(`^([0-9]{2}|2[AB])[0-9]{3}$`)

// Clean returns the traits written one way and what is refused in them, each
// field by its JSON name. Fields a booking does not ask may be empty.
func (t Traits) Clean(today Date) (Traits, []fault.Field) {
	problems := typography.Check(&t)
	name := func(field string, value *string, needed bool) {
		if *value == "" && !needed {
			return
		}
		cleaned, err := CleanName(*value)
		if r, ok := err.(Refusal); ok {
			problems = append(problems, r.Field(field))
			return
		}
		*value = cleaned
	}
	name("birthFamilyName", &t.BirthFamilyName, true)
	name("firstGivenName", &t.FirstGivenName, true)
	if t.BirthGivenNames == "" {
		t.BirthGivenNames = t.FirstGivenName
	}
	name("birthGivenNames", &t.BirthGivenNames, true)
	name("usedFamilyName", &t.UsedFamilyName, false)
	name("usedGivenName", &t.UsedGivenName, false)
	if len(problems) == 0 && !firstOf(t.FirstGivenName, t.BirthGivenNames) {
		problems = append(problems, Refusal("not-first-given-name").Field("firstGivenName"))
	}
	switch t.Sex {
	case "":
		t.Sex = SexUnknown
	case Female, Male, SexUnknown:
	default:
		problems = append(problems, Refusal("sex-code").Field("sex"))
	}
	date, err := ParseDate(string(t.BirthDate))
	if err == nil {
		err = date.CheckBirth(today)
	}
	if r, ok := err.(Refusal); ok {
		problems = append(problems, r.Field("birthDate"))
	}
	t.BirthPlaceCode = strings.ToUpper(strings.TrimSpace(t.BirthPlaceCode))
	if t.BirthPlaceCode != "" && !cog.MatchString(t.BirthPlaceCode) {
		problems = append(problems, Refusal("cog-shape").Field("birthPlaceCode"))
	}
	return t, problems
}

// Complete tells what is missing before a matricule INS may be carried: the
// whole strict set (Structuration minimale of the CI-SIS).
func (t Traits) Complete() []fault.Field {
	var missing []fault.Field
	if t.Sex != Female && t.Sex != Male {
		missing = append(missing, Refusal("required").Field("sex"))
	}
	if t.BirthPlaceCode == "" {
		missing = append(missing, Refusal("required").Field("birthPlaceCode"))
	}
	return missing
}

// DisplayName is how people call the person: used names when there are any.
func (t Traits) DisplayName() string {
	family, given := t.UsedFamilyName, t.UsedGivenName
	if family == "" {
		family = t.BirthFamilyName
	}
	if given == "" {
		given = t.FirstGivenName
	}
	return given + " " + family
}

// firstOf tells whether the list of given names begins with the first one,
// whose own hyphens or blanks do not matter (« ANNE LAURE » in « ANNE-LAURE MARIE »).
func firstOf(first, list string) bool {
	f, l := words(first), words(list)
	if len(f) > len(l) {
		return false
	}
	for i := range f {
		if f[i] != l[i] {
			return false
		}
	}
	return true
}

func words(s string) []string {
	return strings.FieldsFunc(Strict(s), func(r rune) bool { return r == ' ' || r == '-' })
}
