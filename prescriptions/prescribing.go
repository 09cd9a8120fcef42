package prescriptions

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"visavis/internal/fault"
	"visavis/internal/httpx"
	"visavis/internal/lang"
	"visavis/internal/medicines"
	"visavis/internal/paper"
	"visavis/prescriptions/prescriber"
	"visavis/prescriptions/restricted"
)

// prescriberOf is the author of an act as the rules of prescribing know them.
func prescriberOf(act paper.Act) prescriber.Person {
	return prescriber.Of(act.Author.Specialty, act.Author.Organization.Sector)
}

// lineFinding is a condition of one line.
type lineFinding struct {
	line int
	prescriber.Finding
}

func (f lineFinding) args() map[string]string {
	out := maps.Clone(f.Args)
	if out == nil {
		out = map[string]string{}
	}
	return out
}

// examine says how each condition of each medicine stands for a prescriber on a day (CSP R5121-77 and after).
func examine(who prescriber.Person, lines []Line, index *medicines.Index, issued time.Time) ([]lineFinding, error) {
	law, err := prescriber.On(issued)
	if err != nil {
		return nil, err
	}
	var out []lineFinding
	for i, l := range lines {
		m, known := index.Lookup(l.CIS)
		names := m.INN
		if !known || len(names) == 0 {
			names = []string{l.INN + " " + l.Name}
		}
		in := prescriber.Line{Terms: m.Terms, Names: names, Initial: l.Initial, Confirmed: l.Confirmed, Listed: l.Listed,
			Until: issued.AddDate(0, 0, l.DurationDays*(l.Renewals+1))}
		for _, f := range law.Examine(who, in, issued) {
			out = append(out, lineFinding{i, f})
		}
	}
	return out, nil
}

// mayPrescribe refuses what this prescriber may not sign: a whole sheet, or lines whose conditions are not met.
func mayPrescribe(act paper.Act, p *Prescription, lines []Line, index *medicines.Index, issued time.Time) ([]fault.Field, error) {
	who := prescriberOf(act)
	law, err := prescriber.On(issued)
	if err != nil {
		return nil, err
	}
	if _, _, ok := law.Category(who, string(p.Category)); !ok {
		return []fault.Field{{Name: "category", Code: "prescriber-not-allowed"}}, nil
	}
	if p.Category != Medicines {
		return nil, nil
	}
	list, err := examine(who, lines, index, issued)
	var out []fault.Field
	for _, f := range list {
		if f.Blocks() {
			out = append(out, fault.Field{Name: at(f.line, f.Field), Code: string(f.Code), Args: f.args()})
		}
	}
	return merged(out), err
}

// merged says one refusal once for each field: sentences of the same refusal are put together.
func merged(list []fault.Field) []fault.Field {
	var out []fault.Field
	for _, f := range list {
		i := slices.IndexFunc(out, func(o fault.Field) bool { return o.Name == f.Name && o.Code == f.Code })
		if i < 0 {
			out = append(out, f)
			continue
		}
		if s := f.Args["sentence"]; s != "" && !strings.Contains(out[i].Args["sentence"], s) {
			out[i].Args["sentence"] += " » ; « " + s
		}
	}
	return out
}

// stated keeps of what the prescriber confirmed only what the base asks of the medicine today.
func stated(lines []Line, index *medicines.Index) []Line {
	out := slices.Clone(lines)
	for i, l := range out {
		m, _ := index.Lookup(l.CIS)
		out[i].Confirmed = slices.DeleteFunc(slices.Clone(l.Confirmed), func(s string) bool { return !slices.Contains(m.Conditions, s) })
		if len(out[i].Confirmed) == 0 {
			out[i].Confirmed = nil
		}
		if len(m.Terms) == 0 {
			out[i].Initial = nil
		}
	}
	return out
}

// statements are the words of the sheet for what the prescriber states of a line.
func (l Line) statements(words *lang.Catalogue) []string {
	var out []string
	if l.Initial != nil {
		on := l.Initial.On
		if day, err := time.Parse(time.DateOnly, on); err == nil {
			on = day.Format("02/01/2006")
		}
		out = append(out, words.T("fr", "initial", lang.Args{"by": strings.TrimSpace(l.Initial.By), "date": on}))
	}
	if len(l.Confirmed) > 0 {
		out = append(out, words.T("fr", "confirmed", lang.Args{"sentences": "« " + strings.Join(l.Confirmed, " » ; « ") + " »"}))
	}
	return out
}

// structured applies the rules to a speciality of the base.
func (e *examiner) structured(i int, l Line) {
	m, _ := e.index.Lookup(l.CIS)
	form, mg := restricted.FormOf(m.Form+" "+strings.Join(m.Routes, " ")+" "+m.Name), restricted.StrengthOf(m.Name)
	secure, days, source := ofBase(m)
	e.hold(i, l, e.rules(e.table.Find(l.INN+" "+l.Name), form, mg, m.CIS != ""), secure, days, source)
}

// hold refuses a line that needs a secure form, or that is longer than the law has it. secure, days and source are what the
// base says already.
func (e *examiner) hold(i int, l Line, rules []restricted.Rule, secure bool, days int, source string) {
	for _, r := range rules {
		if r.Certain {
			secure = secure || r.Secure
			days, source = shorter(days, source, r.Days, r.Source)
		} else {
			e.add(at(i, "name"), "rule-to-check", false, "name", r.Substance)
		}
	}
	switch {
	case secure:
		e.add(at(i, "name"), "secure-prescription", true)
		e.terms(i, rules)
	case days > 0 && l.DurationDays*(l.Renewals+1) > days:
		e.add(at(i, "durationDays"), "duration-limited", true, "days", strconv.Itoa(days), "source", source)
	}
}

// regulated applies the rules to a line of our own list. What the medicines base has is chosen there.
func (e *examiner) regulated(i int, l Line) {
	known, ok := e.table.Line(l.Regulated)
	switch {
	case !ok:
		e.add(at(i, "name"), "regulated-unknown", true, "name", l.Regulated)
		return
	case known.Gone:
		e.add(at(i, "name"), "no-product", true, "name", known.Name)
		return
	}
	if matches, _ := e.base.Find(known.Name + " " + l.Strength + ", " + known.INN); len(matches) > 0 && (!e.index.IsSample() || sameProduct(known, l.Strength, matches)) {
		e.add(at(i, "name"), "choose-restricted", true, "name", known.Name, "source", "BDPM").options = offer(matches)
		return
	}
	e.hold(i, l, e.table.RulesFor(known, l.Form, l.Strength, e.issued), false, 0, "")
}

// sameProduct says whether a speciality of the base has this brand and this strength.
func sameProduct(known restricted.Line, strength string, matches []restricted.Match) bool {
	return slices.ContainsFunc(matches, func(m restricted.Match) bool {
		return restricted.Key(m.Name) == restricted.Key(known.Name) && slices.ContainsFunc(m.Medicines, func(m medicines.Medicine) bool {
			return restricted.StrengthOf(m.Name) == restricted.StrengthOf(strength)
		})
	})
}

// choose refuses a regulated name typed by hand and offers how it may be prescribed.
func (e *examiner) choose(i int, n restricted.Name, source string, matches []restricted.Match) {
	known, ok := e.table.LineFor(n)
	if ok && known.Gone && len(matches) == 0 {
		e.add(at(i, "name"), "no-product", true, "name", n.Text)
		return
	}
	if ok && len(matches) == 0 {
		matches, _ = e.base.Find(known.INN)
	}
	lines := e.open(n.Text, matches)
	q := e.add(at(i, "name"), "choose-restricted", true, "name", n.Text, "source", source)
	q.options, q.lines = offer(matches), lines
}

// open gives the lines of our own list by which a name may be prescribed: none when it is gone, or when a base that is more
// than the sample has specialities for it.
func (e *examiner) open(name string, matches []restricted.Match) []restricted.Line {
	if len(matches) > 0 && !e.index.IsSample() {
		return nil
	}
	var out []restricted.Line
	for _, f := range e.table.Find(name) {
		if l, ok := e.table.LineFor(f.Name); ok && !f.Near && !l.Gone {
			out = append(out, l)
		}
	}
	return out
}

func offer(matches []restricted.Match) []medicines.Medicine {
	var out []medicines.Medicine
	for _, m := range matches {
		out = append(out, m.Medicines...)
	}
	return out[:min(len(out), maxOptions)]
}

// ofBase reads the conditions of a speciality: is it on a secured prescription, and for how many days at most (0: no limit)?
// A condition whose reading is to check decides nothing.
func ofBase(m medicines.Medicine) (secure bool, days int, source string) {
	for _, c := range m.Terms {
		if c.Confidence == medicines.ToCheck {
			continue
		}
		switch c.Kind {
		case medicines.SecureForm, medicines.Narcotic:
			secure = true
		case medicines.LimitedDuration:
			days, source = shorter(days, source, c.Days, "BDPM")
		}
	}
	return secure, days, source
}

func shorter(days int, source string, other int, otherSource string) (int, string) {
	if other > 0 && (days == 0 || other < days) {
		return other, otherSource
	}
	return days, source
}

// withRegulated writes the denomination of each regulated medicine of our own list as the base writes one, brand, strength
// and form, and refuses a strength or a form that cannot be read. A name that is not of the list is left to examine.
func withRegulated(lines []Line, table *restricted.Table) ([]Line, []fault.Field) {
	out := slices.Clone(lines)
	var wrong []fault.Field
	for i, l := range out {
		if l.CIS != "" || l.Regulated == "" {
			out[i].Regulated, out[i].Strength = "", ""
			continue
		}
		known, ok := table.Line(l.Regulated)
		if !ok {
			continue
		}
		strength, form := strings.TrimSpace(l.Strength), strings.TrimSpace(l.Form)
		switch {
		case strength == "":
			wrong = append(wrong, fault.Field{Name: at(i, "strength"), Code: "required"})
		case !restricted.ValidStrength(strength):
			wrong = append(wrong, fault.Field{Name: at(i, "strength"), Code: "strength-not-read"})
		}
		switch {
		case form == "":
			wrong = append(wrong, fault.Field{Name: at(i, "form"), Code: "required"})
		case restricted.FormOf(form) == "":
			wrong = append(wrong, fault.Field{Name: at(i, "form"), Code: "form-not-read"})
		}
		out[i].Regulated, out[i].Name, out[i].INN, out[i].Strength, out[i].Form = known.Name, known.Name+" "+strength+", "+form, known.INN, strength, form
		out[i].NotRestricted = false
	}
	return out, wrong
}

// PrescribingCondition is one condition of a medicine as it stands for who writes the draft.
type PrescribingCondition struct {
	Line     int      `json:"line" doc:"place in lines, from 0"`
	Sentence string   `json:"sentence,omitempty" doc:"in the words of the base; empty for the list of a profession"`
	Kind     string   `json:"kind,omitempty" doc:"empty when the sentence is of no kind that visavis knows"`
	State    string   `json:"state" enum:"shown,met,warned,confirm,statement,refused" doc:"the last three prevent the signature"`
	Detail   string   `json:"detail,omitempty" doc:"what to do"`
	Answers  []string `json:"answers,omitempty" doc:"what may be stated of it: confirmed, initial, listed"`
}

// Conditions are the conditions of the medicines of a draft, every sentence of the base among them; none for a
// signed prescription or another category.
func (s *Service) Conditions(ctx context.Context, p *Prescription) []PrescribingCondition {
	if p.Category != Medicines || p.Status != Draft {
		return nil
	}
	list, err := examine(p.by, p.Lines, s.Medicines.Current(), s.Clock.Now().In(s.Zone))
	if err != nil {
		return nil // rules.tsv is read by the tests; a signature fails with the error
	}
	language := string(httpx.Language(ctx))
	out := make([]PrescribingCondition, 0, len(list))
	for _, f := range list {
		b := PrescribingCondition{Line: f.line, Sentence: f.Sentence, Kind: string(f.Kind), State: string(f.State), Answers: f.Answers}
		switch {
		case f.Blocks():
			b.Detail = s.words.T(language, "field."+string(f.Code), f.args())
		case f.Advice != "":
			b.Detail = s.words.T(language, "warn."+string(f.Advice), f.args())
		}
		out = append(out, b)
	}
	return out
}

// limited warns of a profession that prescribes a category within limits that visavis does not check.
func (s *Service) limited(p *Prescription) []warning {
	law, err := prescriber.On(s.Clock.Now().In(s.Zone))
	if err != nil {
		return nil
	}
	citation, warned, ok := law.Category(p.by, string(p.Category))
	if !ok || !warned {
		return nil
	}
	citation, _, _ = strings.Cut(citation, " (")
	return []warning{{"category", "warn.category-limited", map[string]string{"citation": citation}}}
}

// edition says which medicines base is in service and how old it is.
func (s *Service) edition() baseBody {
	e, now := s.Medicines.Edition(), s.Clock.Now().In(s.Zone)
	limit := s.OldAfter
	if limit == 0 {
		limit, _ = medicines.OldAfter(now) // a day without a rule makes every base old
	}
	state, days := e.State(now, limit)
	out := baseBody{Sample: e.Sample, Count: e.Count, Days: days, Old: state == medicines.Old}
	if !e.On.IsZero() {
		out.On = e.On.Format(time.DateOnly)
	}
	return out
}
