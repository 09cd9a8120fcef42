package prescriptions_test

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"visavis/internal/lang"
	"visavis/internal/medicines"
	"visavis/internal/testkit"
	"visavis/prescriptions"
	"visavis/prescriptions/prescriber"
)

// who signs, as an author code and a sector of activity.
type who struct{ code, sector string }

var (
	gp          = who{"G15_10/SM54", "SA08"}
	hospitalGP  = who{"G15_10/SM54", "SA01"}
	neurologist = who{"G15_10/SM32", "SA07"}
	hospNeuro   = who{"G15_10/SM32", "SA01"}
	oncologist  = who{"G15_10/SM36", "SA01"}
	eyes        = who{"G15_10/SM38", "SA07"}
	skin        = who{"G15_10/SM15", "SA07"}
	dentist     = who{"G15_40", "SA07"}
	midwife     = who{"G15_50", "SA07"}
	nurse       = who{"G15_60", "SA07"}
)

// each kind of condition: a prescription that is refused or warned, and one that passes.
type kindCase struct {
	kind     medicines.Kind
	with     []medicines.Kind // that the medicine has too
	without  []medicines.Kind // that it has not
	sentence string           // a part of the sentence, when the kind has several
	wrong    who
	spoil    func(*prescriptions.Line)
	want     string // the code of the refusal, or of the warning
	right    who
	mend     func(*prescriptions.Line, medicines.Medicine)
}

func ticked(k ...medicines.Kind) func(*prescriptions.Line, medicines.Medicine) {
	return func(l *prescriptions.Line, m medicines.Medicine) {
		for _, c := range m.Terms {
			if slices.Contains(k, c.Kind) {
				l.Confirmed = append(l.Confirmed, c.Sentence)
			}
		}
	}
}

func startedBy(l *prescriptions.Line, _ medicines.Medicine) {
	l.Initial = &prescriber.Initial{By: "Pr Anne Roux, neurologie, CHU", On: "2026-01-12"}
}

func kindCases() []kindCase {
	restricted := []medicines.Kind{medicines.Specialists, medicines.HospitalUse, medicines.HospitalPrescribed, medicines.InitialHospital, medicines.InitialSpecialists,
		medicines.Narcotic, medicines.SecureForm, medicines.Competence, medicines.PracticePlace, medicines.LimitedDuration, medicines.ProfessionalUse, medicines.PlaceOfUse}
	but := func(kinds ...medicines.Kind) []medicines.Kind {
		return slices.DeleteFunc(slices.Clone(restricted), func(k medicines.Kind) bool { return slices.Contains(kinds, k) })
	}
	long := func(l *prescriptions.Line) { l.DurationDays, l.Renewals = 90, 4 }
	warn := func(k medicines.Kind, by who, without ...medicines.Kind) kindCase {
		return kindCase{kind: k, without: append(without, medicines.SecureForm, medicines.Narcotic), wrong: by, want: "warned", right: by, mend: ticked(k)}
	}
	none := func(*prescriptions.Line, medicines.Medicine) {}
	return []kindCase{
		{kind: medicines.ListOne, without: restricted, wrong: gp, spoil: long, want: "lines[0].renewals treatment-too-long", right: gp, mend: none},
		{kind: medicines.ListTwo, without: restricted, wrong: gp, spoil: long, want: "lines[0].renewals treatment-too-long", right: gp, mend: none},
		{kind: medicines.PrescriptionOnly, without: restricted, wrong: nurse, want: "category prescriber-not-allowed", right: gp, mend: none},
		{kind: medicines.LimitedDuration, without: but(medicines.LimitedDuration), wrong: gp, spoil: func(l *prescriptions.Line) { l.DurationDays = 200 }, want: "lines[0].durationDays duration-limited", right: gp, mend: none},
		{kind: medicines.HospitalUse, without: but(medicines.HospitalUse), wrong: gp, want: "lines[0].name hospital-only", right: hospitalGP, mend: none},
		{kind: medicines.HospitalPrescribed, without: but(medicines.HospitalPrescribed), wrong: gp, want: "lines[0].name condition-hospital", right: hospitalGP, mend: none},
		{kind: medicines.InitialHospital, without: append(but(medicines.InitialHospital), medicines.Renewal, medicines.InitialPlace), wrong: gp, want: "lines[0].initial.by condition-initial", right: gp, mend: startedBy},
		{kind: medicines.InitialPlace, without: but(medicines.InitialHospital), wrong: gp, want: "lines[0].initial.by condition-initial", right: gp, mend: ticked(medicines.InitialPlace)},
		{kind: medicines.InitialSpecialists, sentence: "certains", with: []medicines.Kind{medicines.Specialists}, without: append(but(medicines.InitialSpecialists, medicines.Specialists, medicines.Competence), medicines.Renewal), wrong: midwife, want: "lines[0].initial.by condition-initial, lines[0].listed list-50", right: gp, mend: startedBy},
		{kind: medicines.InitialSpecialists, sentence: "DERMATOLOGIE", wrong: gp, without: but(medicines.InitialSpecialists, medicines.LimitedDuration), want: "lines[0].initial.by condition-initial", right: skin, mend: none},
		{kind: medicines.Renewal, sentence: "NEUROLOGIE", with: []medicines.Kind{medicines.InitialHospital}, without: but(medicines.InitialHospital, medicines.InitialSpecialists, medicines.Specialists), wrong: gp,
			spoil: func(l *prescriptions.Line) { startedBy(l, medicines.Medicine{}) }, want: "lines[0].name condition-renewal", right: neurologist, mend: startedBy},
		{kind: medicines.Specialists, sentence: "ONCOLOGIE", with: []medicines.Kind{medicines.HospitalPrescribed}, without: but(medicines.Specialists, medicines.HospitalPrescribed), wrong: hospNeuro, want: "lines[0].name condition-specialist", right: oncologist, mend: none},
		{kind: medicines.Competence, without: but(medicines.Competence, medicines.Specialists, medicines.HospitalPrescribed, medicines.ProfessionalUse), wrong: hospNeuro, want: "lines[0].confirmed condition-confirm", right: hospNeuro, mend: ticked(medicines.Competence, medicines.ProfessionalUse)},
		{kind: medicines.PracticePlace, without: but(medicines.PracticePlace), wrong: gp, want: "lines[0].confirmed condition-confirm", right: gp, mend: ticked(medicines.PracticePlace)},
		{kind: medicines.Dental, without: restricted, wrong: gp, want: "lines[0].name condition-dental", right: dentist, mend: none},
		{kind: medicines.Ophthalmic, without: restricted, wrong: gp, want: "lines[0].name condition-ophthalmic", right: eyes, mend: none},
		{kind: medicines.ProfessionalUse, without: but(medicines.ProfessionalUse), wrong: gp, want: "lines[0].confirmed condition-confirm", right: gp, mend: ticked(medicines.ProfessionalUse)},
		{kind: medicines.PlaceOfUse, without: but(medicines.PlaceOfUse), wrong: gp, want: "lines[0].confirmed condition-confirm", right: gp, mend: ticked(medicines.PlaceOfUse)},
		{kind: medicines.Narcotic, without: nil, wrong: gp, want: "secure-prescription"},
		{kind: medicines.SecureForm, without: nil, wrong: gp, want: "secure-prescription"},
		warn(medicines.Surveillance, gp, restricted...), warn(medicines.Agreement, gp), warn(medicines.Booklet, oncologist, medicines.Renewal), warn(medicines.Examination, oncologist),
		warn(medicines.Pregnancy, skin), warn(medicines.Administration, hospitalGP), warn(medicines.Emergency, hospitalGP), warn(medicines.Wording, gp),
	}
}

func kindsOf(m medicines.Medicine) []medicines.Kind {
	var out []medicines.Kind
	for _, c := range m.Terms {
		out = append(out, c.Kind)
	}
	return out
}

// pick finds the first medicine of the base for a case.
func (c kindCase) pick(x *medicines.Index) (found medicines.Medicine, sentence string) {
	for m := range x.All {
		kinds := kindsOf(m)
		if slices.ContainsFunc(c.without, func(k medicines.Kind) bool { return slices.Contains(kinds, k) }) ||
			slices.ContainsFunc(c.with, func(k medicines.Kind) bool { return !slices.Contains(kinds, k) }) {
			continue
		}
		for _, t := range m.Terms {
			if t.Kind == c.kind && strings.Contains(t.Sentence, c.sentence) {
				return m, t.Sentence
			}
		}
	}
	return found, ""
}

// TestSign_ConditionsOfTheRealBase: for each kind of condition of the real database, one prescription that is refused
// or warned with the sentence, and one that passes.
func TestSign_ConditionsOfTheRealBase(t *testing.T) {
	x, err := medicines.Load(os.DirFS(testkit.BDPM(t)))
	if err != nil {
		t.Fatal(err)
	}
	count := map[medicines.Kind]int{}
	for m := range x.All {
		kinds := kindsOf(m)
		slices.Sort(kinds)
		for _, k := range slices.Compact(kinds) {
			count[k]++
		}
	}
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		svc, w := openWith(t, h, x)
		tried := map[medicines.Kind]bool{medicines.Fraction: true, medicines.Overlap: true, medicines.Dispensing: true, medicines.Heading: true, medicines.KindNone: true} // only shown
		for _, c := range kindCases() {
			tried[c.kind] = true
			m, sentence := c.pick(x)
			if sentence == "" {
				t.Errorf("%s %s: no medicine of the base", c.kind, c.sentence)
				continue
			}
			line := prescriptions.Line{CIS: m.CIS, Dose: "1 dose", Frequency: "le matin", DurationDays: 7}
			bad := line
			if c.spoil != nil {
				c.spoil(&bad)
			}
			got := try(t, svc, w, c.wrong, bad, sentence)
			if !strings.HasSuffix(got, c.want) && !strings.Contains(got, c.want+",") {
				t.Errorf("%s: %s by %v: %q, want %q", c.kind, m.Name, c.wrong, got, c.want)
			}
			passes := "never: visavis makes no secure form"
			if c.mend != nil {
				good := line
				c.mend(&good, m)
				passes = try(t, svc, w, c.right, good, sentence)
				if !strings.HasPrefix(passes, "signed") {
					t.Errorf("%s: %s by %v: %q, want a signature", c.kind, m.Name, c.right, passes)
				}
			}
			t.Logf("%-22s %5d | %s | %s | %v: %s | %v: %s", c.kind, count[c.kind], m.Name, sentence, c.wrong, got, c.right, passes)
		}
		for k := range count {
			if !tried[k] {
				t.Errorf("no case for the kind %q", k)
			}
		}
	})
}

// try signs one line and says what became of it, the state of the sentence when it was signed all the same.
func try(t *testing.T, svc *prescriptions.Service, w *town, by who, line prescriptions.Line, sentence string) string {
	t.Helper()
	w.act.Author.Specialty, w.act.Author.Organization.Sector = by.code, by.sector
	p := draft(t, svc, prescriptions.Medicines, []prescriptions.Line{line})
	seen := svc.Conditions(doctor(), p)
	i := slices.IndexFunc(seen, func(c prescriptions.PrescribingCondition) bool { return c.Sentence == sentence })
	if i < 0 {
		t.Errorf("%q is not shown", sentence)
		return "not shown"
	}
	blocked := slices.ContainsFunc(seen, func(c prescriptions.PrescribingCondition) bool {
		return slices.Contains([]string{"refused", "confirm", "statement"}, c.State)
	})
	_, err := svc.Sign(doctor(), p.ID, p.Edit)
	if got := fields(err); err != nil {
		if got == "" {
			return err.Error()
		}
		return got
	}
	if blocked {
		t.Errorf("%q: the page says that it cannot be signed, and it was: %+v", sentence, seen)
	}
	return fmt.Sprintf("signed, %s", seen[i].State)
}

// TestSign_WordsOfConditions: each code of package prescriber has its words, and the refusal carries the sentence.
func TestSign_WordsOfConditions(t *testing.T) {
	words, err := prescriptions.Texts()
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"field.hospital-only", "field.condition-hospital", "field.condition-initial", "field.condition-initial-over", "field.condition-renewal",
		"field.condition-specialist", "field.condition-dental", "field.condition-ophthalmic", "field.condition-confirm", "field.list-50", "warn.list-50", "warn.list-40",
		"warn.condition", "warn.condition-hospital-use", "warn.condition-initial-ends", "warn.category-limited", "field.required", "field.form-wrong", "field.date-in-future", "field.prescriber-not-allowed"} {
		for _, language := range []string{"fr", "en"} {
			text := words.T(language, code, lang.Args{"sentence": "SENTENCE", "until": "DAY", "citation": "LAW"})
			if text == code || strings.Contains(text, "{") {
				t.Errorf("%s %s: %q", language, code, text)
			}
			if strings.HasPrefix(code, "field.condition-") && !strings.Contains(text, "SENTENCE") {
				t.Errorf("%s %s does not say the sentence: %q", language, code, cmp.Or(text, "-"))
			}
		}
	}
}
