package prescriptions

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"visavis/internal/fault"
	"visavis/internal/medicines"
	"visavis/prescriptions/restricted"
)

// Measures are the weight and the height of the patient, when the prescription needs them.
type Measures struct {
	WeightKg float64 `json:"weightKg,omitempty" minimum:"0" maximum:"500"`
	HeightCm int     `json:"heightCm,omitempty" minimum:"0" maximum:"260"`
}

// mentions refuses what the law wants on the sheet besides the lines themselves, and what may not be
// prescribed on it. birth is YYYY-MM-DD.
func mentions(p *Prescription, lines []Line, birth string, issued time.Time, rules Rules, table *restricted.Table) []fault.Field {
	var out []fault.Field
	refuse := func(name, code string, args ...string) {
		f := fault.Field{Name: name, Code: code, Args: map[string]string{}}
		for i := 0; i+1 < len(args); i += 2 {
			f.Args[args[i]] = args[i+1]
		}
		out = append(out, f)
	}
	age, known := years(birth, issued)
	if !(p.WeightKg >= 0 && p.WeightKg <= 500) {
		refuse("weightKg", "measure-not-plausible")
	}
	if p.HeightCm < 0 || p.HeightCm > 260 {
		refuse("heightCm", "measure-not-plausible")
	}
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
		if l.ALD && l.NotReimbursable {
			refuse(at(i, "notReimbursable"), "ald-not-reimbursable")
		}
		if p.Category != Medicines {
			continue
		}
		if l.NonSubstitutable == "EFG" && known && age >= rules.EFGBelow {
			refuse(at(i, "nonSubstitutable"), "efg-not-a-child", "years", strconv.Itoa(rules.EFGBelow))
		}
		if l.NonSubstitutable == "MTE" && !table.NarrowMargin(l.INN+" "+l.Name, issued) {
			refuse(at(i, "nonSubstitutable"), "mte-not-listed")
		}
	}
	return out
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

// issue is something to look at again in a line: refused at the signature, or only shown.
type issue struct {
	fault.Field
	refuses bool
	options []medicines.Medicine // specialities to choose instead of the words
	lines   []restricted.Line    // regulated medicines to choose, where the base has no speciality
	names   []string             // that the prescriber may confirm not to prescribe
}

// maxOptions bounds what is offered for one line.
const maxOptions = 6

// examiner looks for the medicines that the words of lines name.
type examiner struct {
	table  *restricted.Table
	base   *restricted.Base
	index  *medicines.Index
	issued time.Time
	said   Declared
	out    []issue
}

// examine gives what the law says of the medicines that lines name, however they were written. Words are compared with the
// substances of the law and with the medicines base; those of another category too, so that nothing is prescribed under it.
func (s *Service) examine(c Category, lines []Line, index *medicines.Index, issued time.Time, said Declared) []issue {
	e := &examiner{table: s.table, base: s.base(index), index: index, issued: issued, said: said}
	for i, l := range lines {
		switch {
		case c != Medicines:
			e.cited(i, "text", l, c == Other)
		case l.CIS != "":
			e.structured(i, l)
			e.cited(i, "dose", l, false)
			e.cited(i, "frequency", l, false)
		case l.Regulated != "":
			e.regulated(i, l)
			e.cited(i, "form", l, false)
			e.cited(i, "dose", l, false)
			e.cited(i, "frequency", l, false)
		default:
			e.written(i, l)
			e.cited(i, "dose", l, false)
			e.cited(i, "frequency", l, false)
		}
		e.cited(i, "pharmacist", l, false)
		e.declared(i, l, c)
	}
	return e.out
}

// declared shows a substance of the line that the patient declared an allergy to, or takes already. It is a warning: the
// acknowledgement lets the line be signed and is kept with it.
func (e *examiner) declared(i int, l Line, c Category) {
	m, _ := e.index.Lookup(l.CIS)
	field, words := "name", l.Name+"\n"+strings.ReplaceAll(l.INN, " + ", "\n")
	if c != Medicines {
		field, words = "text", l.Text
	}
	for _, said := range []struct{ code, text string }{{"declared-allergy", e.said.Allergies}, {"declared-treatment", e.said.Treatments}} {
		if said.text == "" {
			continue
		}
		for _, name := range e.base.Shared(e.table, said.text, m, words) {
			q := issue{Field: fault.Field{Name: at(i, field), Code: "declared-allergy", Args: map[string]string{"name": name}}, names: []string{name}}
			if said.code == "declared-treatment" {
				q.Field = fault.Field{Name: at(i, field), Code: "declared-treatment", Args: map[string]string{"name": name}}
			}
			mark := restricted.Key(said.code + name)
			q.refuses = !slices.ContainsFunc(l.Acknowledged, func(a string) bool { return restricted.Key(a) == mark })
			e.out = append(e.out, q)
		}
	}
}

func (e *examiner) add(name, code string, refuses bool, args ...string) *issue {
	f := fault.Field{Name: name, Code: code, Args: map[string]string{}}
	for i := 0; i+1 < len(args); i += 2 {
		f.Args[args[i]] = args[i+1]
	}
	e.out = append(e.out, issue{Field: f, refuses: refuses})
	return &e.out[len(e.out)-1]
}

// written applies the rules to a name typed by hand: what the law restricts is refused, what the base knows is offered,
// what resembles is asked, and what is unknown wants its common denomination and a confirmation.
func (e *examiner) written(i int, l Line) {
	text := l.Name + " " + l.INN + " " + l.Form
	matches, near := e.base.Find(l.Name + " " + l.INN)
	known, stopped := len(matches) > 0, false
	for _, f := range e.table.Find(text) {
		if f.Near {
			e.ask(i, "name", "near-medicine", l, f.Text)
			continue
		}
		form := f.Form
		if form == "" {
			form = restricted.FormOf(text)
		}
		rules := e.rules([]restricted.Found{f}, form, restricted.StrengthOf(l.Name), false)
		for _, r := range rules {
			switch {
			case !r.Certain:
				e.add(at(i, "name"), "rule-to-check", false, "name", f.Text)
			case !stopped && r.Secure:
				e.add(at(i, "name"), "secure-prescription", true).options = offer(matches)
				e.terms(i, rules)
				stopped = true
			case !stopped:
				e.choose(i, f.Name, r.Source, matches)
				stopped = true
			}
		}
	}
	for _, m := range matches {
		if stopped {
			return
		}
		stopped = !slices.ContainsFunc(m.Medicines, func(m medicines.Medicine) bool { return !restricted.Restricted(m) })
		if stopped {
			e.add(at(i, "name"), "choose-restricted", true, "name", m.Name, "source", "BDPM").options = offer([]restricted.Match{m})
		}
	}
	if stopped {
		return
	}
	if known {
		e.add(at(i, "name"), "choose-listed", false, "name", matches[0].Name).options = offer(matches)
		return
	}
	for _, n := range near {
		e.ask(i, "name", "near-medicine", l, n)
	}
	if strings.TrimSpace(l.Name) == "" {
		return // already wanted
	}
	if !l.NotRestricted {
		e.add(at(i, "notRestricted"), "confirm-not-restricted", true)
	}
}

// withINN gives the lines with the common denomination of each medicine written by hand that the base knows under one only.
func withINN(lines []Line, base *restricted.Base) []Line {
	for i, l := range lines {
		if l.CIS != "" || strings.TrimSpace(l.INN) != "" {
			continue
		}
		matches, _ := base.Find(l.Name)
		inns := map[string]bool{}
		for _, m := range matches {
			for _, x := range m.Medicines {
				inns[strings.Join(x.INN, " + ")] = true
			}
		}
		for inn := range inns {
			if len(inns) == 1 {
				lines[i].INN = inn
			}
		}
	}
	return lines
}

// cited asks about a restricted medicine in words that are not there to prescribe one; refuses says that they could be.
func (e *examiner) cited(i int, field string, l Line, refuses bool) {
	text := map[string]string{"text": l.Text, "dose": l.Dose, "frequency": l.Frequency, "form": l.Form, "pharmacist": l.Pharmacist}[field]
	if l.Dosage != nil && (field == "dose" || field == "frequency") {
		return // made by us
	}
	for _, f := range e.table.Find(text) {
		rules := e.rules([]restricted.Found{f}, f.Form, 0, false)
		switch {
		case !slices.ContainsFunc(rules, func(r restricted.Rule) bool { return r.Certain }):
		case refuses && !f.Near && field == "text":
			e.add(at(i, field), "prescribe-as-medicine", true, "name", f.Text)
		default:
			e.ask(i, field, "cited-medicine", l, f.Text)
		}
	}
}

// ask wants a confirmation of a name, unless the line has it.
func (e *examiner) ask(i int, field, code string, l Line, name string) {
	same := func(s string) bool { return restricted.Key(s) == restricted.Key(name) }
	asked := func(q issue) bool { return q.Name == at(i, field) && len(q.names) == 1 && same(q.names[0]) }
	if slices.ContainsFunc(l.NotPrescribed, same) || slices.ContainsFunc(e.out, asked) {
		return
	}
	q := issue{Field: fault.Field{Name: at(i, field), Code: code, Args: map[string]string{"name": name}}, refuses: true, names: []string{name}}
	if matches, _ := e.base.Find(name); code == "near-medicine" {
		q.options = offer(matches)
		q.lines = e.open(name, matches)
	}
	e.out = append(e.out, q)
}

// terms says what the secured prescription must hold, for who writes it elsewhere.
func (e *examiner) terms(i int, rules []restricted.Rule) {
	for _, r := range rules {
		if !r.Certain || !r.Secure {
			continue
		}
		if r.Days > 0 {
			e.add(at(i, "name"), "secure-days", false, "days", strconv.Itoa(r.Days), "source", r.Source)
		}
		if r.Fraction > 0 {
			e.add(at(i, "name"), "secure-fraction", false, "days", strconv.Itoa(r.Fraction))
		}
		if r.NoOverlap {
			e.add(at(i, "name"), "secure-overlap", false)
		}
		if r.Pharmacy {
			e.add(at(i, "name"), "secure-pharmacy", false)
		}
		return
	}
}

// rules gives the rules in force about what was found exactly or nearly.
func (e *examiner) rules(found []restricted.Found, form restricted.Form, mg float64, sure bool) []restricted.Rule {
	var out []restricted.Rule
	for _, f := range found {
		if f.Near && sure {
			continue
		}
		out = append(out, e.table.Rules(f.Substance, form, mg, sure, e.issued)...)
	}
	return out
}

// warning is something to look at again; it never prevents a signature.
type warning struct {
	field string
	code  string
	args  map[string]string
}

// warnings compares dose, frequency and duration with the quantity of each medicine, where the content of
// the pack is known and the doses are counted in the same unit; and the unit of the dose with the form.
func (s *Service) warnings(p *Prescription) []warning {
	var out []warning
	for i, l := range p.Lines {
		m, ok := s.Medicines.Lookup(l.CIS)
		if p.Category == Medicines && l.Dosage != nil && !units()[l.Dosage.DoseQuantity.Code].of(cmp.Or(m.Form, l.Form)) {
			out = append(out, warning{at(i, "dosage.unit"), "warn.unit-not-of-form", map[string]string{"unit": counted(s.words, 1, l.Dosage.DoseQuantity.Code), "form": cmp.Or(m.Form, l.Form)}})
		}
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
