package prescriptions

import (
	_ "embed" // the dated rules are data
	"fmt"
	"strconv"
	"strings"
	"time"

	"visavis/internal/cda"
	"visavis/internal/fault"
	"visavis/internal/medicines"
	"visavis/internal/sheet"
)

//go:embed rules.tsv
var rulesTSV string

// Rules are the durations of the law on a day.
type Rules struct {
	LongestMonths         int // of a treatment, renewals included
	FirstDispensingMonths int
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
	r := Rules{values["longest-treatment"], values["first-dispensing"]}
	if r.LongestMonths == 0 || r.FirstDispensingMonths == 0 {
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
func complete(lines []Line, index *medicines.Index) ([]Line, []fault.Field) {
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
		out[i] = l
	}
	return out, wrong
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
		if c != Medicines {
			need(i, "text", l.Text)
			continue
		}
		need(i, "name", l.Name)
		need(i, "dose", l.Dose)
		need(i, "frequency", l.Frequency)
		if l.CIS != "" {
			need(i, "inn", l.INN)
		}
		if l.DurationDays < 1 {
			out = append(out, fault.Field{Name: at(i, "durationDays"), Code: "required"})
		} else if days := l.DurationDays * (l.Renewals + 1); days > rules.LongestMonths*365/12+1 || l.Renewals > maxRenewals {
			out = append(out, fault.Field{Name: at(i, "renewals"), Code: "treatment-too-long", Args: map[string]string{"months": strconv.Itoa(rules.LongestMonths)}})
		}
	}
	return out
}

// window gives the days on which a prescription may be dispensed: first is the last day of the first
// dispensing, last the last day of all. Both are zero where the law says nothing.
func window(c Category, lines []Line, issued time.Time, rules Rules) (first, last time.Time) {
	if c != Medicines {
		return time.Time{}, time.Time{}
	}
	day := time.Date(issued.Year(), issued.Month(), issued.Day(), 0, 0, 0, 0, issued.Location())
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
func coded(lines []Line, index *medicines.Index, issued time.Time, ids []string) []cda.MedicationLine {
	out := make([]cda.MedicationLine, len(lines))
	for i, l := range lines {
		m := cda.MedicationLine{
			ID: ids[i], CIS: l.CIS, Name: l.Name, Compounded: l.CIS == "", Directions: l.directions(), Pharmacist: l.Pharmacist,
			From: issued.Format(time.DateOnly), To: issued.AddDate(0, 0, l.DurationDays-1).Format(time.DateOnly), Repeats: l.Renewals,
			Substitution: cda.Substitution{Excluded: l.NonSubstitutable != "", Reason: l.NonSubstitutable},
			ALD:          l.ALD, WorkAccident: l.WorkAccident, NonReimbursable: l.NotReimbursable, OffLabel: l.OffLabel,
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

func (l Line) directions() string {
	return strings.TrimSuffix(strings.TrimSpace(l.Dose), ",") + ", " + strings.TrimSpace(l.Frequency)
}

// printed makes the lines of the sheet; days and boxes say counts in words.
func printed(c Category, lines []Line, days, boxes func(int) string) []sheet.Line {
	out := make([]sheet.Line, len(lines))
	for i, l := range lines {
		if c != Medicines {
			out[i] = sheet.Line{Name: l.Text, ALD: l.ALD, NonReimbursable: l.NotReimbursable, WorkAccident: l.WorkAccident}
			continue
		}
		out[i] = sheet.Line{Name: l.Name, Directions: l.directions(), Duration: days(l.DurationDays), Renewals: l.Renewals, Excluded: l.NonSubstitutable,
			Pharmacist: l.Pharmacist, ALD: l.ALD, WorkAccident: l.WorkAccident, NonReimbursable: l.NotReimbursable, OffLabel: l.OffLabel}
		if l.INN != "" {
			out[i].INN = []string{l.INN}
		}
		if l.Quantity > 0 {
			out[i].Quantity = boxes(l.Quantity)
		}
	}
	return out
}
