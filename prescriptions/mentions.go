package prescriptions

import (
	_ "embed" // the rules of substances are dated data
	"fmt"
	"strconv"
	"strings"
	"time"

	"visavis/internal/fault"
	"visavis/internal/medicines"
)

//go:embed substances.tsv
var substancesTSV string

// Measures are the weight and the height of the patient, when the prescription needs them.
type Measures struct {
	WeightKg float64 `json:"weightKg,omitempty" minimum:"0" maximum:"500"`
	HeightCm int     `json:"heightCm,omitempty" minimum:"0" maximum:"260"`
}

// regulation is what the law asks of one medicine besides the rules of all.
type regulation struct {
	secure   bool // ordonnance sécurisée
	hospital bool // never outside a hospital
	days     int  // longest prescription, renewals included; 0 for the general rule
	source   string
}

// regulations reads the rules of substances in force on a day.
func regulations(day time.Time) (map[string]regulation, error) {
	out := map[string]regulation{}
	for line := range strings.Lines(substancesTSV) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if strings.HasPrefix(line, "#") || len(f) != 5 || f[2] > day.Format(time.DateOnly) {
			continue
		}
		n, err := strconv.Atoi(f[3])
		if err != nil {
			return nil, fmt.Errorf("prescriptions: substances.tsv: %s: %w", f[0], err)
		}
		r := out[f[0]]
		switch f[1] {
		case "secure":
			r.secure = n == 1
		case "days":
			r.days, r.source = n, f[4]
		default:
			return nil, fmt.Errorf("prescriptions: substances.tsv: %s: rule %q", f[0], f[1])
		}
		out[f[0]] = r
	}
	return out, nil
}

// regulated joins what the law says of the substances of a line and what the BDPM says of its speciality.
func regulated(l Line, index *medicines.Index, rules map[string]regulation) regulation {
	var out regulation
	for _, w := range medicines.Words(l.INN + " " + l.Name) {
		r := rules[w]
		out.secure = out.secure || r.secure
		out.shorten(r.days, r.source)
	}
	m, _ := index.Lookup(l.CIS)
	for _, c := range m.Terms {
		switch c.Kind {
		case medicines.SecureForm, medicines.Narcotic:
			out.secure = true
		case medicines.HospitalUse:
			out.hospital = true
		case medicines.LimitedDuration:
			out.shorten(c.Days, "BDPM")
		}
	}
	return out
}

func (r *regulation) shorten(days int, source string) {
	if days > 0 && (r.days == 0 || days < r.days) {
		r.days, r.source = days, source
	}
}

// mentions refuses what the law wants on the sheet besides the lines themselves, and what may not be
// prescribed on it. birth is YYYY-MM-DD.
func mentions(p *Prescription, lines []Line, birth string, issued time.Time, rules Rules, index *medicines.Index) ([]fault.Field, error) {
	var out []fault.Field
	refuse := func(name, code string, args ...string) {
		f := fault.Field{Name: name, Code: code, Args: map[string]string{}}
		for i := 0; i+1 < len(args); i += 2 {
			f.Args[args[i]] = args[i+1]
		}
		out = append(out, f)
	}
	law, err := regulations(issued)
	if err != nil {
		return nil, err
	}
	age, known := years(birth, issued)
	if p.Category == Medicines && known && age < rules.WeightBelow && p.WeightKg == 0 {
		refuse("weightKg", "weight-needed", "years", strconv.Itoa(rules.WeightBelow))
	}
	for i, l := range lines {
		if d := l.WorkAccidentDate; d != "" {
			switch day, err := time.Parse(time.DateOnly, d); {
			case err != nil:
				refuse(at(i, "workAccidentDate"), "form-wrong")
			case day.Format(time.DateOnly) > issued.Format(time.DateOnly):
				refuse(at(i, "workAccidentDate"), "date-in-future")
			}
		}
		if p.Category != Medicines {
			continue
		}
		if l.NonSubstitutable == "EFG" && known && age >= rules.EFGBelow {
			refuse(at(i, "nonSubstitutable"), "efg-not-a-child", "years", strconv.Itoa(rules.EFGBelow))
		}
		switch r := regulated(l, index, law); {
		case r.secure:
			refuse(at(i, "name"), "secure-prescription")
		case r.hospital:
			refuse(at(i, "name"), "hospital-only")
		case r.days > 0 && l.DurationDays*(l.Renewals+1) > r.days:
			refuse(at(i, "durationDays"), "duration-limited", "days", strconv.Itoa(r.days), "source", r.source)
		}
	}
	return out, nil
}

// years gives the age on a day of who was born on birth.
func years(birth string, on time.Time) (age int, ok bool) {
	b, err := time.Parse(time.DateOnly, birth)
	if err != nil {
		return 0, false
	}
	age = on.Year() - b.Year()
	if on.Month() < b.Month() || (on.Month() == b.Month() && on.Day() < b.Day()) {
		age--
	}
	return age, true
}

// warning is something to look at again; it never prevents a signature.
type warning struct {
	field string
	code  string
	args  map[string]string
}

// warnings compares dose, frequency and duration with the quantity of each medicine, where the content of
// the pack is known and the doses are counted in the same unit.
func (s *Service) warnings(p *Prescription) []warning {
	var out []warning
	for i, l := range p.Lines {
		m, ok := s.Medicines.Lookup(l.CIS)
		if p.Category != Medicines || !ok || l.Dosage == nil || l.Quantity == 0 || l.DurationDays == 0 || m.Pack.Units == 0 || m.Pack.Unit != l.Dosage.DoseQuantity.Code {
			continue
		}
		need, have := l.Dosage.perDay()*float64(l.DurationDays), m.Pack.Units*float64(l.Quantity)
		boxes := max(1, int((need+m.Pack.Units-0.001)/m.Pack.Units))
		code := ""
		switch {
		case have+0.001 < need && !l.Dosage.AsNeededBoolean:
			code = "warn.quantity-short"
		case l.Quantity > boxes:
			code = "warn.quantity-long"
		default:
			continue
		}
		out = append(out, warning{at(i, "quantity"), code, map[string]string{"have": counted(s.words, have, m.Pack.Unit), "need": counted(s.words, need, m.Pack.Unit),
			"boxes": s.words.N("fr", "boxes", boxes, map[string]string{"n": strconv.Itoa(boxes)})}})
	}
	return out
}
