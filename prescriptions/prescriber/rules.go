package prescriber

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"visavis/internal/medicines"
)

// Category says whether the profession prescribes sheets of a category at all; ok is false when the law gives it
// no such right. warned is true where the right has limits that visavis does not check.
func (l *Law) Category(p Person, category string) (citation string, warned, ok bool) {
	r, ok := l.professions[p.Profession+"/"+category]
	return r.citation, r.effect == warn, ok
}

// Examine says how each condition of a medicine stands for a person on a day. Every sentence of the line gives
// exactly one finding, in the order of the line.
func (l *Law) Examine(p Person, line Line, day time.Time) []Finding {
	e := examination{Law: l, person: p, line: line, day: day, starts: true}
	e.gather()
	out := make([]Finding, 0, len(line.Terms)+1)
	for _, c := range line.Terms {
		out = append(out, e.condition(c))
	}
	return append(out, e.ownList()...)
}

// examination is one line under examination.
type examination struct {
	*Law
	person Person
	line   Line
	day    time.Time

	restricted bool // some rule says who prescribes, or where
	initials   bool // the conditions are on who starts the treatment
	hospital   bool // a hospital is one of the places
	atPlace    bool // this person practises in one of the places
	months     int  // how long an initial prescription holds, 0 for ever
	renewals   bool // renewal is reserved
	starts     bool // this person may start the treatment
	qualified  bool // this person has one of the specialties, or confirmed what stands for one
	named      bool // some specialty, competence or place is named
	unnamed    bool // « certains spécialistes », named by other sentences or by none
	asks       bool // named by none
	unsure     bool // a name that no table knows
	renews     bool // this person has one of the specialties of the renewal
}

func (e *examination) inHospital() bool { return e.hospitals[e.person.Sector] }

func (e *examination) has(codes []string) bool {
	return e.person.Profession == "10" && e.person.Specialty != "" && slices.Contains(codes, e.person.Specialty)
}

func (e *examination) confirmed(sentence string) bool {
	return slices.Contains(e.line.Confirmed, sentence)
}

// effect of a condition; one of no kind, or of a kind that the table has not, is shown with a warning.
func (e *examination) effect(c medicines.Condition) effect {
	if r, ok := e.kinds[c.Kind]; ok {
		return r.effect
	}
	return warn
}

// gather looks at all the conditions together: the specialties are alternatives, and an initial prescription
// leaves the next ones to any doctor.
func (e *examination) gather() {
	place := false // a hospital, or what stands for one, is needed to start
	e.atPlace = e.inHospital()
	e.hospital = slices.ContainsFunc(e.line.Terms, func(c medicines.Condition) bool {
		return c.Kind == medicines.HospitalPrescribed || c.Kind == medicines.InitialHospital
	})
	for _, c := range e.line.Terms {
		switch e.effect(c) {
		case initial:
			e.restricted, e.initials = true, true
			if c.Months > 0 && (e.months == 0 || c.Months < e.months) {
				e.months = c.Months
			}
			switch c.Kind {
			case medicines.InitialSpecialists:
				e.name(c)
			default:
				place = true
				e.atPlace = e.atPlace || (c.Kind == medicines.InitialPlace && e.confirmed(c.Sentence))
			}
		case specialist:
			e.restricted = true
			if e.instead(c) {
				e.atPlace = e.atPlace || e.confirmed(c.Sentence)
			} else {
				e.name(c)
			}
		case renewal:
			e.restricted, e.renewals = true, true
			e.renews = e.renews || e.has(c.Specialties) || e.confirmed(c.Sentence)
		case hospital, hospitalUse, dental, ophthalmic:
			e.restricted = true
		}
	}
	switch {
	case e.unnamed && !e.named && e.renewals: // « certains spécialistes »: those of the renewal
		e.named, e.qualified = true, e.qualified || e.renews
	case e.unnamed && !e.named: // nobody says which: the prescriber does
		e.named, e.asks = true, true
	case !e.initials && e.renews:
		e.qualified = true
	}
	e.starts = (!place || e.atPlace) && (!e.named || e.qualified)
}

// instead tells whether a place of practice stands for the hospital that another sentence asks for.
func (e *examination) instead(c medicines.Condition) bool {
	return e.hospital && c.Kind == medicines.PracticePlace
}

// name notes who is named by a condition, and whether this person is.
func (e *examination) name(c medicines.Condition) {
	if c.Kind == medicines.InitialSpecialists && len(c.Specialties) == 0 && !strings.Contains(medicines.Fold(c.Sentence), " aux ") {
		e.unnamed, e.qualified = true, e.qualified || e.confirmed(c.Sentence)
		return
	}
	e.named = true
	e.unsure = e.unsure || c.Confidence == medicines.ToCheck || c.Kind == medicines.Competence || c.Kind == medicines.PracticePlace
	e.qualified = e.qualified || e.has(c.Specialties) || e.confirmed(c.Sentence)
}

// condition says how one condition stands. A rule to check asks where a sure one refuses.
func (e *examination) condition(c medicines.Condition) Finding {
	f := e.decide(c)
	if f.State == Refused && f.Field == "name" && (c.Confidence == medicines.ToCheck || e.kinds[c.Kind].confidence == medicines.ToCheck) {
		return e.toConfirm(f)
	}
	return f
}

func (e *examination) decide(c medicines.Condition) Finding {
	f := Finding{Sentence: c.Sentence, Kind: c.Kind, State: Shown, Field: "name", Args: map[string]string{"sentence": c.Sentence}}
	refuse := func(code Code) Finding {
		f.State, f.Code = Refused, code
		return f
	}
	met := func(yes bool, otherwise func() Finding) Finding {
		if yes {
			f.State = Met
			return f
		}
		return otherwise()
	}
	switch e.effect(c) {
	case warn:
		return e.warned(f)
	case confirm:
		if c.Kind == medicines.PlaceOfUse && e.restricted {
			return f // one place among those that other sentences name
		}
		return e.toConfirm(f)
	case hospitalUse:
		if e.inHospital() {
			f.State, f.Advice = Warned, GivenThere
			return f
		}
		return refuse(HospitalOnly)
	case hospital:
		return met(e.atPlace, func() Finding { return refuse(NotHospital) })
	case dental:
		return met(e.person.Profession == "40" || e.has([]string{"SM50", "SM56"}), func() Finding { return refuse(NotDentist) })
	case ophthalmic:
		return met(e.has([]string{"SM38", "SM85"}), func() Finding { return refuse(NotOphthalmologist) })
	case specialist:
		return e.specialist(c, f)
	case initial:
		return e.start(c, f)
	case renewal:
		return e.renewal(c, f)
	}
	return f
}

// warned is a condition to look at, or done.
func (e *examination) warned(f Finding) Finding {
	f.Answers = []string{"confirmed"}
	f.State, f.Advice = Warned, ToVerify
	if e.confirmed(f.Sentence) {
		f.State, f.Advice = Met, ""
	}
	return f
}

// toConfirm is a condition that only the prescriber knows of.
func (e *examination) toConfirm(f Finding) Finding {
	f.Answers, f.Field = []string{"confirmed"}, "confirmed"
	f.State, f.Code = ToConfirm, Unconfirmed
	if e.confirmed(f.Sentence) {
		f.State, f.Code = Met, ""
	}
	return f
}

// specialist: one of the specialties named is enough. What no table can tell (a competence, a place, a specialty
// that TRE_R38 has not) is asked of the prescriber, and never refuses alone.
func (e *examination) specialist(c medicines.Condition, f Finding) Finding {
	asked := len(c.Specialties) == 0 || c.Confidence == medicines.ToCheck
	if asked {
		f.Answers = []string{"confirmed"}
	}
	switch {
	case e.has(c.Specialties), e.confirmed(c.Sentence):
		f.State = Met
	case e.qualified && !e.instead(c), e.instead(c) && e.atPlace:
		f.State = Shown // another sentence is met
	case e.initials:
		f.State = Shown // on who starts the treatment: said there
		if e.started() {
			f.Answers = nil
		}
	case asked:
		return e.toConfirm(f)
	case e.unsure:
		f.State = Shown // asked at the sentence that is not sure
	default:
		f.State, f.Code = Refused, NotSpecialist
	}
	return f
}

// started tells whether an initial prescription is stated.
func (e *examination) started() bool { return e.line.Initial != nil }

// start: who may not start the treatment states who did.
func (e *examination) start(c medicines.Condition, f Finding) Finding {
	own := c.Kind == medicines.InitialPlace || (c.Kind == medicines.InitialSpecialists && (e.asks || c.Confidence == medicines.ToCheck))
	if own {
		f.Answers = []string{"confirmed"} // only the prescriber knows
	}
	switch {
	case e.starts && !e.started(), e.confirmed(c.Sentence) && own && e.starts:
		f.State = Met
	case e.started():
		f.Answers = append(f.Answers, "initial")
		return e.stated(f)
	case c.Kind == medicines.InitialPlace:
		f.State = Shown // said at the hospital that it stands for
	default:
		f.Answers = append(f.Answers, "initial")
		f.State, f.Field, f.Code = ToState, "initial.by", NotInitial
	}
	return f
}

// stated checks the initial prescription that the prescriber states.
func (e *examination) stated(f Finding) Finding {
	on, err := time.ParseInLocation(time.DateOnly, e.line.Initial.On, e.day.Location())
	today := time.Date(e.day.Year(), e.day.Month(), e.day.Day(), 0, 0, 0, 0, e.day.Location())
	switch {
	case strings.TrimSpace(e.line.Initial.By) == "":
		f.State, f.Field, f.Code = Refused, "initial.by", Required
	case strings.ContainsFunc(e.line.Initial.By, unicode.IsControl):
		f.State, f.Field, f.Code = Refused, "initial.by", FormWrong
	case e.line.Initial.On == "":
		f.State, f.Field, f.Code = Refused, "initial.on", Required
	case err != nil:
		f.State, f.Field, f.Code = Refused, "initial.on", FormWrong
	case on.After(today):
		f.State, f.Field, f.Code = Refused, "initial.on", InFuture
	case e.months > 0 && !today.Before(on.AddDate(0, e.months, 0)):
		f.State, f.Field, f.Code = Refused, "initial.on", InitialOver
	case e.months > 0 && e.line.Until.After(on.AddDate(0, e.months, 0)):
		f.State, f.Field, f.Advice = Warned, "initial.on", InitialEnds
	default:
		f.State = Met
	}
	f.Args["until"] = ""
	if e.months > 0 && err == nil {
		f.Args["until"] = on.AddDate(0, e.months, 0).Format("02/01/2006")
	}
	return f
}

// renewal: who renews has one of the specialties. It says nothing of who starts the treatment.
func (e *examination) renewal(c medicines.Condition, f Finding) Finding {
	asked := len(c.Specialties) == 0 || c.Confidence == medicines.ToCheck
	if asked {
		f.Answers = []string{"confirmed"}
	}
	switch {
	case e.has(c.Specialties), e.confirmed(c.Sentence):
		f.State = Met
	case e.renews, e.starts && !e.started():
	case asked:
		return e.toConfirm(f)
	case e.started():
		f.State, f.Code = Refused, NotRenewal
	}
	return f
}

// ownList holds a profession to its list.
func (e *examination) ownList() []Finding {
	r, ok := e.professions[e.person.Profession+"/medicines"]
	if !ok || r.effect != list {
		return nil
	}
	f := Finding{State: Met, Field: "listed", Answers: []string{"listed"}, Args: map[string]string{"citation": r.citation}}
	all, sure := e.listed()
	switch {
	case all && sure:
		return nil
	case e.line.Listed:
		f.State = Met
	case all, r.confidence == medicines.ToCheck:
		f.State, f.Advice = Warned, Advice("list-"+e.person.Profession)
	default:
		f.State, f.Code = ToConfirm, Code("list-"+e.person.Profession)
	}
	return []Finding{f}
}

// listed tells whether every substance has a row of the list of the profession, and whether those rows are sure enough
// to say nothing.
func (e *examination) listed() (all, sure bool) {
	all, sure = len(e.line.Names) > 0, true
	for _, name := range e.line.Names {
		words := medicines.Words(name)
		found, best := false, false
		for _, row := range e.lists[e.person.Profession] {
			if !slices.ContainsFunc(row.words, func(w string) bool { return !slices.Contains(words, w) }) {
				found = true
				best = best || row.confidence != medicines.ToCheck || e.professions[e.person.Profession+"/medicines"].confidence == medicines.ToCheck
			}
		}
		all, sure = all && found, sure && best
	}
	return all, sure
}
