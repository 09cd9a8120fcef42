package prescriptions

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"visavis/internal/fault"
	"visavis/internal/httpx"
	"visavis/internal/lang"
	"visavis/internal/medicines"
	"visavis/internal/paper"
	"visavis/prescriptions/prescriber"
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
	e := s.Medicines.Edition()
	out := baseBody{Sample: e.Sample, Count: e.Count}
	if !e.On.IsZero() {
		y, m, d := s.Clock.Now().In(s.Zone).Date()
		out.On, out.Days = e.On.Format(time.DateOnly), max(0, int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Sub(e.On).Hours()/24))
		out.Old = out.Days > cmp.Or(s.OldAfter, 30)
	}
	return out
}
