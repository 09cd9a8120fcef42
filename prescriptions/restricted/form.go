package restricted

import (
	"regexp"
	"strconv"
	"strings"
)

// forms are the words by which a form is told, the deciding ones first.
var forms = [...]struct {
	form  Form
	words string
}{
	{Patch, "transdermique patch timbre"},
	{Mucosal, "sublinguale sublingual gingival gingivale buccal buccale nasal nasale nasales pulverisation"},
	{Oral, "buvable buvables"},
	{Injection, "injectable injectables injection inj perfusion ampoule ampoules seringue stylo intraveineuse intramusculaire iv im sc"},
	{Syrup, "sirop"},
	{Capsule, "gelule gelules capsule capsules"},
	{Oral, "comprime comprimes cp cpr orale oral orodispersible goutte gouttes sachet"},
}

// FormOf reads the form in the words of a speciality or of a line; empty when they do not tell it.
func FormOf(text string) Form {
	words := cut(text)
	for _, f := range forms {
		for _, w := range words {
			for _, is := range strings.Fields(f.words) {
				if w.text == is {
					return f.form
				}
			}
		}
	}
	return ""
}

var strength = regexp.MustCompile(`(?i)(\d+(?:[.,]\d+)?)\s*(mg|microgrammes?|µg|μg|mcg|g)(?:[^\pL]|$)`)

// StrengthOf reads the first strength of a name, in mg; 0 when there is none.
func StrengthOf(name string) float64 {
	m := strength.FindStringSubmatch(name)
	if m == nil {
		return 0
	}
	v, err := strconv.ParseFloat(strings.Replace(m[1], ",", ".", 1), 64)
	if err != nil {
		return 0
	}
	switch strings.ToLower(m[2]) {
	case "mg":
		return v
	case "g":
		return v * 1000
	}
	return v / 1000
}
