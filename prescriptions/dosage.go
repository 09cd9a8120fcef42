package prescriptions

import (
	_ "embed" // the plausible doses are data
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"visavis/internal/cda"
	"visavis/internal/fault"
	"visavis/internal/lang"
	"visavis/internal/medicines"
)

// Dosage is a dose that a program can read, in the words of FHIR R4 (Dosage, Timing.repeat). The words of
// the line are made from it, so that the two never disagree.
type Dosage struct {
	DoseQuantity    Dose    `json:"doseQuantity"`
	Timing          Timing  `json:"timing"`
	AsNeededBoolean bool    `json:"asNeededBoolean,omitempty" doc:"the patient decides; maxDosePerDay is then needed"`
	MaxDosePerDay   float64 `json:"maxDosePerDay,omitempty" minimum:"0" maximum:"100000" doc:"in the unit of the dose"`
}

// Dose is an amount of a unit.
type Dose struct {
	Value float64 `json:"value" minimum:"0" maximum:"100000"`
	Code  string  `json:"code" maxLength:"20" doc:"UCUM unit: {tablet}, {capsule}, mL…"`
}

// Timing is when the dose is taken: When names moments of each day; without it, Frequency times every
// Period of PeriodUnit.
type Timing struct {
	Frequency  int      `json:"frequency,omitempty" minimum:"0" maximum:"24"`
	Period     int      `json:"period,omitempty" minimum:"0" maximum:"168"`
	PeriodUnit string   `json:"periodUnit,omitempty" enum:"h,d,wk"`
	When       []Moment `json:"when,omitempty" maxItems:"4" enum:"MORN,NOON,EVE,HS"`
}

// Moment is a time of the day, by its code of FHIR EventTiming.
type Moment string

// The moments, in the order of the day.
const (
	Morning Moment = "MORN"
	Noon    Moment = "NOON"
	Evening Moment = "EVE"
	Bedtime Moment = "HS"
)

var moments = [...]Moment{Morning, Noon, Evening, Bedtime}

//go:embed doses.tsv
var dosesTSV string

// unit is one unit of doses.tsv.
type unit struct {
	name             string // in the catalogue
	least, most, day float64
	forms            []string // words, folded; none for any form
}

// units reads the units of a dose, by UCUM code.
func units() map[string]unit {
	out := map[string]unit{}
	for line := range strings.Lines(dosesTSV) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if strings.HasPrefix(line, "#") || len(f) != 6 {
			continue
		}
		u := unit{name: f[1]}
		if f[5] != "-" {
			u.forms = strings.Fields(f[5])
		}
		for i, to := range []*float64{&u.least, &u.most, &u.day} {
			*to, _ = strconv.ParseFloat(f[2+i], 64) // a test reads every row
		}
		out[f[0]] = u
	}
	return out
}

// of says whether a form, in words, is counted in this unit; a form that nobody gave is.
func (u unit) of(form string) bool {
	words := medicines.Words(form)
	return len(words) == 0 || len(u.forms) == 0 || slices.ContainsFunc(words, func(w string) bool { return slices.Contains(u.forms, w) })
}

// check refuses a dosage that cannot be said or is not plausible; at names its fields.
func (d Dosage) check(at func(string) string) []fault.Field {
	var out []fault.Field
	bad := func(field, code string, args map[string]string) {
		out = append(out, fault.Field{Name: at("dosage." + field), Code: code, Args: args})
	}
	u, known := units()[d.DoseQuantity.Code]
	dose, thousandths := d.DoseQuantity.Value, func(v float64) bool { return v == math.Round(v*1000)/1000 }
	switch {
	case dose < 0:
		bad("doseQuantity", "number-negative", nil)
	case !(dose > 0):
		bad("doseQuantity", "required", nil)
	case known && dose > u.most:
		bad("doseQuantity", "dose-out-of-range", u.bounds())
	case !thousandths(dose):
		bad("doseQuantity", "three-decimals", nil)
	case known && dose < u.least:
		bad("doseQuantity", "dose-out-of-range", u.bounds())
	}
	if !known {
		bad("unit", "not-a-choice", nil)
	}
	if !d.Timing.sound() {
		bad("timing", "required", nil)
	} else if known && len(out) == 0 && dose*d.Timing.aDay() > u.day {
		bad("timing", "day-out-of-range", u.bounds())
	}
	switch most := d.MaxDosePerDay; {
	case most < 0:
		bad("maxDosePerDay", "number-negative", nil)
	case math.IsNaN(most), d.AsNeededBoolean && most == 0:
		bad("maxDosePerDay", "required", nil)
	case known && most > u.day:
		bad("maxDosePerDay", "day-out-of-range", u.bounds())
	case !thousandths(most):
		bad("maxDosePerDay", "three-decimals", nil)
	case most > 0 && most < dose:
		bad("maxDosePerDay", "less-than-a-dose", nil)
	}
	return out
}

func (u unit) bounds() map[string]string {
	say := func(v float64) string { return strings.Replace(decimal(v), ".", ",", 1) }
	return map[string]string{"least": say(u.least), "most": say(u.most), "day": say(u.day)}
}

func (t Timing) sound() bool {
	seen := map[Moment]bool{}
	for _, m := range t.When {
		if seen[m] || !slices.Contains(moments[:], m) {
			return false
		}
		seen[m] = true
	}
	if len(t.When) > 0 {
		return t.Frequency == 0 || (t.Frequency == len(t.When) && t.Period == 1 && t.PeriodUnit == "d")
	}
	switch t.PeriodUnit {
	case "h":
		return t.Frequency == 1 && t.Period >= 1 && t.Period <= 72
	case "d":
		return t.Period >= 1 && t.Period <= 60 && t.Frequency >= 1 && t.Frequency <= 24 && (t.Frequency == 1 || t.Period == 1)
	case "wk":
		return t.Frequency >= 1 && t.Frequency <= 7 && t.Period == 1
	}
	return false
}

// aDay gives the doses of one day; below one when there is less than a dose a day.
func (t Timing) aDay() float64 {
	switch {
	case len(t.When) > 0:
		return float64(len(t.When))
	case t.Period == 0:
		return 0
	case t.PeriodUnit == "h":
		return 24 / float64(t.Period)
	case t.PeriodUnit == "d":
		return float64(t.Frequency) / float64(t.Period)
	}
	return float64(t.Frequency) / 7
}

// perDay gives what is taken in a day at most, in the unit of the dose.
func (d Dosage) perDay() float64 {
	if d.AsNeededBoolean {
		return d.MaxDosePerDay
	}
	return d.DoseQuantity.Value * d.Timing.aDay()
}

// amount says a number as people write it: ½ and 1 ½ of what is counted, 2,5 of what is measured.
func amount(v float64, code string) string {
	whole, part := math.Modf(v)
	sign := map[float64]string{0.25: "¼", 0.5: "½", 0.75: "¾"}[part]
	switch {
	case sign == "" || code == "mL" || code == "mg" || code == "g" || code == "ug":
		return strings.Replace(decimal(v), ".", ",", 1)
	case whole == 0:
		return sign
	}
	return decimal(whole) + " " + sign
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// counted says an amount with its unit. French says « 1 ½ comprimé »: the plural begins at two.
func counted(words *lang.Catalogue, v float64, code string) string {
	n := 1
	if v >= 2 {
		n = 2
	}
	return words.N("fr", "unit."+units()[code].name, n, lang.Args{"amount": amount(v, code)})
}

// words says the dose and when it is taken, in French: the language of the sheet.
func (d Dosage) words(c *lang.Catalogue) (dose, frequency string) {
	dose = counted(c, d.DoseQuantity.Value, d.DoseQuantity.Code)
	frequency = d.Timing.words(c)
	if d.AsNeededBoolean {
		frequency += c.T("fr", "dosage.needed", nil)
	}
	if d.MaxDosePerDay > 0 {
		frequency += c.T("fr", "dosage.most", lang.Args{"dose": counted(c, d.MaxDosePerDay, d.DoseQuantity.Code)})
	}
	return dose, frequency
}

func (t Timing) words(c *lang.Catalogue) string {
	say := func(key string, n int) string { return c.T("fr", key, lang.Args{"n": strconv.Itoa(n)}) }
	if len(t.When) > 0 {
		key := "dosage"
		for _, m := range moments {
			for _, w := range t.When {
				if w == m {
					key += "." + strings.ToLower(string(m))
				}
			}
		}
		return c.T("fr", key, nil)
	}
	switch {
	case t.PeriodUnit == "h":
		return say("dosage.hours", t.Period)
	case t.PeriodUnit == "wk":
		return say("dosage.weekly", t.Frequency)
	case t.Period > 1:
		return say("dosage.days", t.Period)
	}
	return say("dosage.daily", t.Frequency)
}

// coded makes the dosage of the CDA document.
func (d Dosage) coded(c *lang.Catalogue) *cda.Dosage {
	out := &cda.Dosage{Amount: decimal(d.DoseQuantity.Value), Unit: d.DoseQuantity.Code, Frequency: d.Timing.words(c), AsNeeded: d.AsNeededBoolean,
		PeriodUnit: "h", Loose: d.Timing.PeriodUnit != "h"}
	if d.MaxDosePerDay > 0 {
		out.MaxPerDay = decimal(d.MaxDosePerDay)
	}
	t := d.Timing
	switch n := t.aDay(); {
	case len(t.When) == 1 && t.When[0] == Bedtime:
		out.Bedtime = true
	case len(t.When) == 0 && t.PeriodUnit == "h":
		out.Period = strconv.Itoa(t.Period)
	case n == 1:
		out.Period, out.PeriodUnit = "1", "d"
	case n > 1:
		out.Period = decimal(math.Round(24/n*100) / 100)
	case t.PeriodUnit == "wk" && t.Frequency == 1:
		out.Period, out.PeriodUnit = "1", "wk"
	default:
		out.Period, out.PeriodUnit = decimal(math.Round(1/n*100)/100), "d"
	}
	return out
}

// number finds the numbers of a dose in words, with a sign before and the word after.
var number = regexp.MustCompile(`(^|[^\d\pL])([-−–]?)(\d{1,3}(?:[ .,'’\x{a0}\x{202f}]\d{3})+|\d+)(?:[.,](\d+))?[ \x{a0}\x{202f}]*([\pLµ%]*)`)

// wordUnits are the units as people write them.
var wordUnits = map[string]string{
	"comprime": "{tablet}", "comprimes": "{tablet}", "cp": "{tablet}", "cpr": "{tablet}", "cps": "{tablet}", "gelule": "{capsule}", "gelules": "{capsule}", "capsule": "{capsule}",
	"capsules": "{capsule}", "sachet": "{sachet}", "sachets": "{sachet}", "suppositoire": "{suppository}", "suppositoires": "{suppository}", "bouffee": "{puff}", "bouffees": "{puff}",
	"inhalation": "{puff}", "inhalations": "{puff}", "pulverisation": "{puff}", "pulverisations": "{puff}", "application": "{application}", "applications": "{application}",
	"patch": "{patch}", "patchs": "{patch}", "dispositif": "{patch}", "dispositifs": "{patch}", "injection": "{injection}", "injections": "{injection}", "goutte": "[drp]",
	"gouttes": "[drp]", "gtte": "[drp]", "gttes": "[drp]", "ui": "[iU]", "iu": "[iU]", "unite": "[iU]", "unites": "[iU]", "ml": "mL", "millilitre": "mL", "millilitres": "mL",
	"ug": "ug", "mcg": "ug", "microgramme": "ug", "microgrammes": "ug", "gamma": "ug", "gammas": "ug", "mg": "mg", "milligramme": "mg", "milligrammes": "mg",
	"g": "g", "gr": "g", "gramme": "g", "grammes": "g",
}

// checkWords refuses a dose and a frequency in words that hold a number no treatment has.
func checkWords(dose, frequency string, l Line) []fault.Field {
	var out []fault.Field
	known := units()
	refuse := func(name, code string, args map[string]string) {
		if len(out) == 0 || out[len(out)-1].Name != name {
			out = append(out, fault.Field{Name: name, Code: code, Args: args})
		}
	}
	if exponents.MatchString(l.Dose) || powers.MatchString(l.Dose) || figures.MatchString(l.Dose) {
		refuse(dose, "number-not-plain", nil)
	}
	if exponents.MatchString(l.Frequency) || foreign.MatchString(l.Frequency) {
		refuse(frequency, "number-not-plain", nil)
	}
	for _, n := range numbers(l.Dose) {
		u, counted := known[wordUnits[n.after]]
		switch {
		case n.negative:
			refuse(dose, "number-negative", nil)
		case counted && !n.schedule && (n.value < u.least || n.value > u.most):
			refuse(dose, "dose-out-of-range", u.bounds())
		case !counted && (n.value == 0 && !n.schedule || n.value > mostUncounted):
			refuse(dose, "dose-out-of-range", unit{least: 0.001, most: mostUncounted}.bounds())
		}
	}
	for _, n := range numbers(l.Frequency) {
		u, counted := known[wordUnits[n.after]]
		switch {
		case n.negative:
			refuse(frequency, "number-negative", nil)
		case counted && !n.schedule && (n.value < u.least || n.value > u.day):
			refuse(frequency, "day-out-of-range", u.bounds())
		case slices.Contains([]string{"fois", "x", "prise", "prises"}, n.after) && (n.value < 1 || n.value > 24):
			refuse(frequency, "frequency-out-of-range", nil)
		case !counted && (n.value == 0 && !n.schedule && !n.hour || n.value > mostUncounted):
			refuse(frequency, "frequency-out-of-range", nil)
		}
	}
	return out
}

// exponents finds numbers with an exponent, which are not read as they are written; figures finds figures of another script,
// and foreign those that count something.
var (
	exponents = regexp.MustCompile(`(?i:\d[.,]?\d*e[+-]?\d)|\d\s*\^\s*\d`)
	figures   = regexp.MustCompile(`[^\P{Nd}0-9]`)
	foreign   = regexp.MustCompile(`(?i:[^\P{Nd}0-9]\s*(fois|prises?|par|comprim|cp|g[eé]lule|goutte|sachet|bouff|mg|µg|ml|ui|h|heure|jour|semaine|mois)(?:\PL|\pL{0,9}\b|$))`)
)

// powers finds powers, which a count of cells may have and a dose has not.
var powers = regexp.MustCompile(`\d\s*[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+|[x×*]\s*10\s*[\^⁰¹²³⁴⁵⁶⁷⁸⁹]`)

// mostUncounted bounds a number without a unit that we know.
const mostUncounted = 10000

// written is a number of a text.
type written struct {
	value    float64
	negative bool
	schedule bool // one of "1-0-1"
	hour     bool // "à 0 h"
	after    string
}

// numbers reads the numbers of a text: "1 000", "2.400.000" and "2,400,000" are whole, "0,125" is not, and "1/2 comprimé" is a half.
func numbers(text string) []written {
	var out []written
	end := -1 // of the number before
	for _, m := range number.FindAllStringSubmatchIndex(text, -1) {
		whole, part := text[m[6]:m[7]], ""
		if m[8] >= 0 {
			part = text[m[8]:m[9]]
		}
		groups := strings.FieldsFunc(whole, func(r rune) bool { return r < '0' || r > '9' })
		spaced := strings.ContainsAny(whole, " '’\u00a0\u202f")
		if len(groups) == 2 && part == "" && !spaced {
			groups, part = groups[:1], groups[1] // 0,125
		}
		v, err := strconv.ParseFloat(strings.Join(groups, "")+"."+part+"0", 64)
		if err != nil {
			v = math.MaxFloat64
		}
		after := ""
		if words := medicines.Words(strings.NewReplacer("µ", "u", "μ", "u").Replace(text[m[10]:m[11]])); len(words) > 0 {
			after = words[0]
		}
		before := strings.TrimRight(text[:m[4]], " ")
		last, _ := utf8.DecodeLastRuneInString(before)
		n := written{value: v, after: after, negative: m[4] != m[5] && !unicode.IsDigit(last), hour: after == "h" && !strings.HasSuffix(strings.ToLower(before), "les")}
		n.schedule = scheduled(text, m[6], m[7])
		if k := len(out) - 1; k >= 0 && end == m[6]-1 && text[end] == '/' && strings.HasPrefix(wordUnits[after], "{") && v > 0 {
			out[k].after, out[k].value = after, out[k].value/v // "1/2 comprimé" is one number
			continue
		}
		end = m[7]
		if m[9] >= 0 {
			end = m[9]
		}
		out = append(out, n)
	}
	return out
}

// scheduled says whether the number at from..to is one of "1-0-1": a dash and a digit on a side.
func scheduled(text string, from, to int) bool {
	digit := func(s string, i int) bool { return i >= 0 && i < len(s) && s[i] >= '0' && s[i] <= '9' }
	dash := func(s string, i int) bool { return i >= 0 && i < len(s) && s[i] == '-' }
	return dash(text, from-1) && digit(text, from-2) || dash(text, to) && digit(text, to+1)
}
