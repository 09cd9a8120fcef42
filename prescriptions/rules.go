package prescriptions

import (
	_ "embed" // the dated rules are data
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"visavis/internal/cda"
	"visavis/internal/fault"
	"visavis/internal/lang"
	"visavis/internal/medicines"
	"visavis/internal/sheet"
	"visavis/internal/typography"
)

//go:embed rules.tsv
var rulesTSV string

// Rules are the durations of the law on a day.
type Rules struct {
	LongestMonths         int // of a treatment, renewals included
	FirstDispensingMonths int
	LongestDeviceMonths   int // of a device, renewals included
	WeightBelow           int // years of age under which the weight is written
	EFGBelow              int // years of age under which EFG excludes a substitution
}

// rulesOn reads the rules in force on a day.
func rulesOn(day time.Time) (Rules, error) {
	values := map[string]int{}
	for line := range strings.Lines(rulesTSV) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if strings.HasPrefix(line, "#") || len(f) != 5 {
			continue
		}
		if f[1] > day.Format(time.DateOnly) {
			continue // not yet in force; later lines of a rule replace earlier ones
		}
		n, err := strconv.Atoi(f[2])
		if err != nil {
			return Rules{}, fmt.Errorf("prescriptions: rules.tsv: %s: %w", f[0], err)
		}
		values[f[0]] = n
	}
	r := Rules{values["longest-treatment"], values["first-dispensing"], values["longest-device"], values["weight-below-age"], values["efg-below-age"]}
	if r.LongestMonths == 0 || r.FirstDispensingMonths == 0 || r.LongestDeviceMonths == 0 {
		return r, fmt.Errorf("prescriptions: rules.tsv: no rule on %s", day.Format(time.DateOnly))
	}
	return r, nil
}

// maxRenewals is one a month during the longest treatment.
const maxRenewals = 12

// at names a field of a line as the page knows it.
func at(i int, field string) string { return fmt.Sprintf("lines[%d].%s", i, field) }

// complete takes what the index knows of each medicine, so that nobody signs a name that is not the
// code's, and refuses a code that the index does not know.
func complete(lines []Line, index *medicines.Index, words *lang.Catalogue) ([]Line, []fault.Field) {
	out := make([]Line, len(lines))
	var wrong []fault.Field
	for i, l := range lines {
		if l.CIS != "" {
			m, ok := index.Lookup(l.CIS)
			if !ok {
				wrong = append(wrong, fault.Field{Name: at(i, "cis"), Code: "medicine-unknown"})
			} else {
				l.Name, l.Form = m.Name, m.Form
				if len(m.INN) > 0 {
					l.INN = strings.Join(m.INN, " + ")
				}
			}
		}
		if l.Dosage != nil {
			bad := l.Dosage.check(func(field string) string { return at(i, field) })
			if wrong = append(wrong, bad...); len(bad) == 0 {
				l.Dose, l.Frequency = l.Dosage.words(words)
			}
		}
		out[i] = l
	}
	return out, wrong
}

// unprintable writes the words of the lines as documents carry them, in place, and refuses the signs that
// cannot be printed.
func unprintable(lines []Line) []fault.Field {
	return typography.Check(&struct {
		Lines []Line `json:"lines"`
	}{lines})
}

// check refuses lines that may not be signed, field by field.
func check(c Category, lines []Line, rules Rules) []fault.Field {
	var out []fault.Field
	need := func(i int, field, value string) {
		if strings.TrimSpace(value) == "" {
			out = append(out, fault.Field{Name: at(i, field), Code: "required"})
		}
	}
	if len(lines) == 0 {
		out = append(out, fault.Field{Name: "lines", Code: "required"})
	}
	for i, l := range lines {
		out = append(out, l.checkNumbers(i)...)
		out = append(out, l.checkCharacters(i)...)
		if c == Device {
			out = append(out, l.checkDevice(i, rules)...)
		}
		if c != Medicines {
			need(i, "text", l.Text)
			continue
		}
		need(i, "name", l.Name)
		if l.Dosage == nil {
			need(i, "dose", l.Dose)
			need(i, "frequency", l.Frequency)
			out = append(out, checkWords(at(i, "dose"), at(i, "frequency"), l)...)
		}
		if l.CIS != "" {
			need(i, "inn", l.INN)
		} else if strings.TrimSpace(l.INN) == "" && strings.TrimSpace(l.Name) != "" {
			out = append(out, fault.Field{Name: at(i, "inn"), Code: "inn-needed"})
		}
		if l.DurationDays < 1 {
			out = append(out, fault.Field{Name: at(i, "durationDays"), Code: "required"})
		} else if days := l.DurationDays * (l.Renewals + 1); l.DurationDays > maxDays || days > rules.LongestMonths*365/12+1 || l.Renewals > maxRenewals {
			out = append(out, fault.Field{Name: at(i, "renewals"), Code: "treatment-too-long", Args: map[string]string{"months": strconv.Itoa(rules.LongestMonths)}})
		}
	}
	return out
}

// maxDays bounds the days of one dispensing period, and maxPacks the packages, against slips.
const (
	maxDays  = 400
	maxPacks = 999
)

// checkNumbers refuses counts that cannot be.
func (l Line) checkNumbers(i int) []fault.Field {
	var out []fault.Field
	for _, n := range []struct {
		field      string
		value, max int
	}{{"durationDays", l.DurationDays, maxDays}, {"quantity", l.Quantity, maxPacks}, {"renewals", l.Renewals, 99}} {
		if n.value < 0 {
			out = append(out, fault.Field{Name: at(i, n.field), Code: "number-negative"})
		} else if n.value > n.max {
			out = append(out, fault.Field{Name: at(i, n.field), Code: "too-large"})
		}
	}
	return out
}

// checkCharacters refuses control characters: what is signed is what is read.
func (l Line) checkCharacters(i int) []fault.Field {
	var out []fault.Field
	for _, f := range []struct{ field, value string }{{"text", l.Text}, {"name", l.Name}, {"inn", l.INN}, {"form", l.Form}, {"dose", l.Dose}, {"frequency", l.Frequency}, {"pharmacist", l.Pharmacist}} {
		if strings.ContainsFunc(f.value, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' }) || !utf8.ValidString(f.value) {
			out = append(out, fault.Field{Name: at(i, f.field), Code: "control-character"})
		}
	}
	return out
}

// checkDevice wants what a pharmacy must know of a device (CSS R165-36, R165-38).
func (l Line) checkDevice(i int, rules Rules) []fault.Field {
	var out []fault.Field
	if l.Quantity < 1 {
		out = append(out, fault.Field{Name: at(i, "quantity"), Code: "required"})
	}
	if days := l.DurationDays * (l.Renewals + 1); days > rules.LongestDeviceMonths*365/12+1 || l.Renewals > maxRenewals {
		out = append(out, fault.Field{Name: at(i, "renewals"), Code: "treatment-too-long", Args: map[string]string{"months": strconv.Itoa(rules.LongestDeviceMonths)}})
	}
	return out
}

// window gives the days on which a prescription may be dispensed: first is the last day of the first
// dispensing, last the last day of all. Both are zero where the law says nothing.
func window(c Category, lines []Line, issued time.Time, rules Rules) (first, last time.Time) {
	day := time.Date(issued.Year(), issued.Month(), issued.Day(), 0, 0, 0, 0, issued.Location())
	if c == Device {
		return time.Time{}, day.AddDate(0, rules.LongestDeviceMonths, 0)
	}
	if c != Medicines {
		return time.Time{}, time.Time{}
	}
	first = day.AddDate(0, rules.FirstDispensingMonths, 0)
	last = first
	for _, l := range lines {
		if end := day.AddDate(0, 0, l.DurationDays*(l.Renewals+1)); end.After(last) {
			last = end
		}
	}
	if limit := day.AddDate(0, rules.LongestMonths, 0); last.After(limit) {
		last = limit
	}
	return first, last
}

// coded makes the structured lines of the CDA document; ids are UUIDs, one a line.
func coded(lines []Line, index *medicines.Index, words *lang.Catalogue, issued time.Time, ids []string) []cda.MedicationLine {
	out := make([]cda.MedicationLine, len(lines))
	for i, l := range lines {
		m := cda.MedicationLine{
			ID: ids[i], CIS: l.CIS, Name: l.Name, Directions: l.directions(words), Pharmacist: l.toPharmacist(words),
			From: issued.Format(time.DateOnly), To: issued.AddDate(0, 0, l.DurationDays-1).Format(time.DateOnly), Repeats: l.Renewals,
			Substitution: cda.Substitution{Excluded: l.NonSubstitutable != "", Reason: l.NonSubstitutable},
			ALD:          l.ALD, WorkAccident: l.WorkAccident, NonReimbursable: l.NotReimbursable, OffLabel: l.OffLabel,
		}
		if l.Dosage != nil {
			m.Dosage = l.Dosage.coded(words)
		}
		if l.INN != "" {
			m.INN = strings.Split(l.INN, " + ")
		}
		if l.Quantity > 0 {
			m.Quantity = &cda.Quantity{Value: l.Quantity, Pack: "30009000"}
		}
		if known, ok := index.Lookup(l.CIS); ok {
			m.CIP13, m.Route = known.CIP13, known.Route()
		}
		out[i] = m
	}
	return out
}

// devices makes the coded lines of devices.
func devices(lines []Line, issued, last time.Time, ids []string) []cda.DeviceLine {
	out := make([]cda.DeviceLine, len(lines))
	for i, l := range lines {
		to := last
		if l.DurationDays > 0 {
			to = issued.AddDate(0, 0, l.DurationDays*(l.Renewals+1)-1)
		}
		out[i] = cda.DeviceLine{ID: ids[i], Name: l.Text, LPP: l.LPP, From: issued.Format(time.DateOnly), To: to.Format(time.DateOnly), Days: l.DurationDays,
			Quantity: l.Quantity, Repeats: l.Renewals, ALD: l.ALD, WorkAccident: l.WorkAccident, NonReimbursable: l.NotReimbursable}
	}
	return out
}

// directions is the sentence of the sheet. From a structured dosage it says the duration too.
func (l Line) directions(words *lang.Catalogue) string {
	dose, frequency := strings.TrimSuffix(strings.TrimSpace(l.Dose), ","), strings.TrimSpace(l.Frequency)
	if l.Dosage == nil {
		return dose + ", " + frequency
	}
	key := "dosage.for"
	if l.Dosage.MaxDosePerDay > 0 {
		key = "dosage.forMost"
	}
	days := words.N("fr", "days", l.DurationDays, lang.Args{"n": strconv.Itoa(l.DurationDays)})
	return words.T("fr", key, lang.Args{"directions": dose + " " + frequency, "days": days})
}

// toPharmacist joins the words for the pharmacist, the date of the accident at work and what the prescriber states of
// the conditions of the medicine.
func (l Line) toPharmacist(words *lang.Catalogue) string {
	var parts []string
	if l.Pharmacist != "" {
		parts = append(parts, l.Pharmacist)
	}
	if l.WorkAccidentDate != "" {
		day := strings.Split(l.WorkAccidentDate, "-")
		parts = append(parts, words.T("fr", "accident", lang.Args{"date": day[2] + "/" + day[1] + "/" + day[0]}))
	}
	return strings.Join(append(parts, l.statements(words)...), ". ")
}

// printed makes the lines of the sheet.
func printed(c Category, lines []Line, words *lang.Catalogue) []sheet.Line {
	count := func(key string, n int) string { return words.N("fr", key, n, lang.Args{"n": strconv.Itoa(n)}) }
	out := make([]sheet.Line, len(lines))
	for i, l := range lines {
		out[i] = sheet.Line{Name: l.Text, Renewals: l.Renewals, Pharmacist: l.toPharmacist(words), ALD: l.ALD, NonReimbursable: l.NotReimbursable, WorkAccident: l.WorkAccident}
		switch c {
		case Device:
			if l.LPP != "" {
				out[i].Directions = words.T("fr", "lpp", lang.Args{"code": l.LPP})
			}
			out[i].Quantity = strconv.Itoa(l.Quantity)
			if l.DurationDays > 0 {
				out[i].Duration = count("days", l.DurationDays)
			}
		case Medicines:
			out[i].Name, out[i].Directions, out[i].Excluded, out[i].OffLabel = l.Name, l.directions(words), l.NonSubstitutable, l.OffLabel
			if l.Dosage == nil {
				out[i].Duration = count("days", l.DurationDays)
			}
			if l.INN != "" {
				out[i].INN = []string{l.INN}
			}
			if l.Quantity > 0 {
				out[i].Quantity = count("boxes", l.Quantity)
			}
		}
	}
	return out
}
