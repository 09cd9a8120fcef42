package prescriptions

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"visavis/internal/cda"
	"visavis/internal/fault"
	"visavis/internal/lang"
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

// units gives the name of each unit in the catalogue.
var units = map[string]string{
	"{tablet}": "tablet", "{capsule}": "capsule", "{sachet}": "sachet", "{suppository}": "suppository", "{puff}": "puff", "{application}": "application",
	"{patch}": "patch", "{injection}": "injection", "[drp]": "drop", "[iU]": "unit", "mL": "ml", "mg": "mg", "g": "g",
}

// check refuses a dosage that cannot be said; at names its fields.
func (d Dosage) check(at func(string) string) []fault.Field {
	var out []fault.Field
	bad := func(field, code string) { out = append(out, fault.Field{Name: at("dosage." + field), Code: code}) }
	if !(d.DoseQuantity.Value > 0) || d.DoseQuantity.Value != math.Round(d.DoseQuantity.Value*1000)/1000 {
		bad("doseQuantity", "required")
	}
	if units[d.DoseQuantity.Code] == "" {
		bad("unit", "not-a-choice")
	}
	if !d.Timing.sound() {
		bad("timing", "required")
	}
	switch {
	case d.AsNeededBoolean && d.MaxDosePerDay == 0:
		bad("maxDosePerDay", "required")
	case d.MaxDosePerDay > 0 && d.MaxDosePerDay < d.DoseQuantity.Value:
		bad("maxDosePerDay", "less-than-a-dose")
	}
	return out
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
		return t.Period >= 1 && t.Period <= 60 && t.Frequency >= 1 && (t.Frequency == 1 || t.Period == 1)
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
	case sign == "" || code == "mL" || code == "mg" || code == "g":
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
	return words.N("fr", "unit."+units[code], n, lang.Args{"amount": amount(v, code)})
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
