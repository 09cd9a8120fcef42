package prescriptions

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"visavis/internal/cda"

	"pgregory.net/rapid"
)

// TestDoses_EveryUnit: each row of doses.tsv can be read, said and coded, and its bounds are inside, what is beyond outside.
func TestDoses_EveryUnit(t *testing.T) {
	words, same := catalogue(t), func(s string) string { return s }
	if len(units()) < 14 {
		t.Fatalf("%d units", len(units()))
	}
	for code, u := range units() {
		if !(u.least > 0 && u.least <= u.most && u.most <= u.day) {
			t.Errorf("%s: %+v", code, u)
		}
		if _, ok := cda.Lookup(cda.SetDose, code); !ok {
			t.Errorf("%s has no code in CDA", code)
		}
		if said := counted(words, 1, code); said == "" || strings.HasPrefix(said, "unit.") {
			t.Errorf("%s is said %q", code, said)
		}
		for v, want := range map[float64]string{u.least: "", u.most: "", u.most + 1: "dosage.doseQuantity dose-out-of-range", -1: "dosage.doseQuantity number-negative", 0: "dosage.doseQuantity required"} {
			d := Dosage{DoseQuantity: Dose{v, code}, Timing: Timing{Frequency: 1, Period: 1, PeriodUnit: "d"}}
			if got := names(d.check(same)); got != want {
				t.Errorf("%g %s: got %q, want %q", v, code, got, want)
			}
		}
	}
	d := Dosage{DoseQuantity: Dose{100, "g"}, Timing: Timing{Frequency: 24, Period: 1, PeriodUnit: "d"}}
	if got := names(d.check(same)); got != "dosage.timing day-out-of-range" {
		t.Errorf("2,400 g a day: %q", got)
	}
}

// TestDoses_NeverOutside: no structured dose outside its range is accepted, whatever the numbers; nothing panics.
func TestDoses_NeverOutside(t *testing.T) {
	all := units()
	rapid.Check(t, func(r *rapid.T) {
		number := rapid.OneOf(rapid.SampledFrom([]float64{0, -1, math.NaN(), math.Inf(1), math.Inf(-1), 1e308, 100000, 0.25}), rapid.Float64Range(-1e6, 1e7), rapid.Map(rapid.IntRange(0, 4000), func(n int) float64 { return float64(n) / 4 }))
		d := Dosage{DoseQuantity: Dose{number.Draw(r, "dose"), rapid.SampledFrom([]string{"{tablet}", "ug", "mg", "g", "mL", "[drp]", "[iU]", "x", ""}).Draw(r, "unit")},
			Timing:          Timing{Frequency: rapid.IntRange(-2, 2000).Draw(r, "n"), Period: rapid.IntRange(-2, 200).Draw(r, "period"), PeriodUnit: rapid.SampledFrom([]string{"", "h", "d", "wk"}).Draw(r, "of")},
			AsNeededBoolean: rapid.Bool().Draw(r, "needed"), MaxDosePerDay: number.Draw(r, "most")}
		problems := d.check(func(s string) string { return s })
		for _, f := range problems {
			if !strings.HasPrefix(f.Name, "dosage.") {
				r.Fatalf("the error names no field: %+v", f)
			}
		}
		if len(problems) > 0 {
			return
		}
		u, known := all[d.DoseQuantity.Code]
		v, day := d.DoseQuantity.Value, d.DoseQuantity.Value*d.Timing.aDay()
		if !known || !(v >= u.least && v <= u.most) || !(day > 0 && day <= u.day) || !(d.MaxDosePerDay >= 0 && d.MaxDosePerDay <= u.day) {
			r.Fatalf("%+v is accepted", d)
		}
	})
}

// TestDoses_InWords: the same in words, for what people type.
func TestDoses_InWords(t *testing.T) {
	for _, c := range []struct{ dose, frequency, want string }{
		{"1 comprimé", "3 fois par jour", ""}, {"½ comprimé", "le soir", ""}, {"0,125 mg", "1 fois par jour", ""}, {"1 000 mg", "toutes les 6 heures", ""}, {"1-0-1 comprimé", "par jour", ""},
		{"25 µg", "à 8 h", ""}, {"1 à 2 bouffées", "4 fois par jour", ""}, {"1-2 sachets", "si besoin, 3 par jour", ""}, {"100 000 UI", "1 fois par mois", ""},
		{"-1 comprimé", "1 fois", "dose number-negative"}, {"−1 comprimé", "1 fois", "dose number-negative"}, {"0 comprimé", "1 fois", "dose dose-out-of-range"}, {"0", "1 fois", "dose dose-out-of-range"},
		{"2 400 000 g", "par jour", "dose dose-out-of-range"}, {"2400000g", "par jour", "dose dose-out-of-range"}, {"2,400,000 g", "par jour", "dose dose-out-of-range"}, {"2.400.000 g", "par jour", "dose dose-out-of-range"},
		{"1 comprimé", "0 fois par jour", "frequency frequency-out-of-range"}, {"1 comprimé", "0", "frequency frequency-out-of-range"}, {"1 comprimé", "100 fois par jour", "frequency frequency-out-of-range"},
		{"1 comprimé", "-2 fois par jour", "frequency number-negative"}, {"1 comprimé", "sans dépasser 500 g par jour", "frequency day-out-of-range"}, {"1 comprimé", "toutes les 0 h", "frequency frequency-out-of-range"},
	} {
		if got := names(checkWords("dose", "frequency", Line{Dose: c.dose, Frequency: c.frequency})); got != c.want {
			t.Errorf("%q, %q: got %q, want %q", c.dose, c.frequency, got, c.want)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		checkWords("dose", "frequency", Line{Dose: rapid.String().Draw(r, "dose"), Frequency: rapid.String().Draw(r, "frequency")})
		n := rapid.IntRange(101, 1<<40).Draw(r, "n")
		text := fmt.Sprintf("%d%sg", n, rapid.SampledFrom([]string{"", " ", "\u00a0"}).Draw(r, "space"))
		if len(checkWords("dose", "frequency", Line{Dose: text, Frequency: "1 fois"})) == 0 {
			r.Fatalf("%q is accepted", text)
		}
	})
}

// TestDoses_OddNumbers: numbers that are not what they look like are refused, in words and as JSON, and ordinary ones are not.
func TestDoses_OddNumbers(t *testing.T) {
	const dose, day = "dose dose-out-of-range", "frequency frequency-out-of-range"
	const plainDose, plainDay = "dose number-not-plain", "frequency number-not-plain"
	for _, c := range []struct{ dose, frequency, want string }{
		{"1e400 mg", "1 fois", plainDose}, {"1E5 mg", "1 fois", plainDose}, {"1,5e3 mg", "1 fois", plainDose}, {"1e-9 mg", "1 fois", plainDose}, {"10^9 mg", "1 fois", plainDose},
		{"10⁹ g", "1 fois", plainDose}, {"2 x 10 ³ g", "1 fois", plainDose}, {"10⁻³ g", "1 fois", plainDose},
		{"١٠٠٠٠ mg", "1 fois", plainDose}, {"٣ comprimés", "1 fois", plainDose}, {"１０ g", "1 fois", plainDose}, {"۵ mg", "1 fois", plainDose}, {"१ mg", "1 fois", plainDose},
		{"1 comprimé", "٣ fois par jour", plainDay}, {"1 comprimé", "1e9 fois par jour", plainDay},
		{strings.Repeat("9", 250) + " mg", "1 fois", dose}, {"0," + strings.Repeat("0", 200) + "1 mg", "1 fois", dose}, {"-0 mg", "1 fois", "dose number-negative"}, {"0,0 mg", "1 fois", dose},
		{"100/1 comprimé", "1 fois", dose}, {"1/1000 comprimé", "1 fois", dose}, {"1/0 comprimé", "1 fois", dose}, {"1 comprimé", "00 fois", day},
		{"0,5 mg", "1 fois", ""}, {"0.5 mg", "1 fois", ""}, {"1/2 comprimé", "2 fois", ""}, {"3/4 de comprimé", "1 fois", ""}, {"500/62,5 mg", "3 fois", ""}, {"½ comprimé", "1 fois", ""},
		{"2 comprimés le 1er jour puis 1", "le 2e et le 3e jour", ""}, {"1 comprimé", "si leucocytes > 4 × 10⁹/L", ""}, {"1 comprimé et demi", "1 fois", ""}, {"5 à 10 mg", "toutes les 4 à 6 h", ""},
	} {
		if got := names(checkWords("dose", "frequency", Line{Dose: c.dose, Frequency: c.frequency})); got != c.want {
			t.Errorf("%q, %q: got %q, want %q", c.dose, c.frequency, got, c.want)
		}
	}
	for text, want := range map[string]string{
		"1": "", "0.25": "", "1.0": "", "2e0": "", "-0": "required", "0": "required", "0.0000": "required", "-1": "number-negative", "1e308": "dose-out-of-range", "0.3333": "three-decimals", "1e-9": "three-decimals",
		"20.5": "dose-out-of-range", "1e400": "unread", "NaN": "unread", "Infinity": "unread", `"1"`: "unread", `"0,5"`: "unread", "0,5": "unread", "٣": "unread", "01": "unread", "null": "required",
	} {
		var d Dosage
		err := json.Unmarshal([]byte(`{"doseQuantity":{"value":`+text+`,"code":"{tablet}"},"timing":{"when":["MORN"]}}`), &d)
		got := "unread"
		if err == nil {
			got = strings.TrimPrefix(names(d.check(func(s string) string { return s })), "dosage.doseQuantity ")
		}
		if got != want {
			t.Errorf("JSON %s: got %q, want %q", text, got, want)
		}
	}
	for _, c := range []struct {
		days, renewals, quantity int
		want                     string
	}{
		{5, 0, 1, ""}, {0, 0, 1, "lines[0].durationDays required"}, {-1, 0, 1, "lines[0].durationDays number-negative, lines[0].durationDays required"},
		{3650, 0, 1, "lines[0].durationDays too-large, lines[0].renewals treatment-too-long"}, {365, 1, 1, "lines[0].renewals treatment-too-long"}, {1, 99, 1, "lines[0].renewals treatment-too-long"},
		{math.MaxInt, 1, 1, "lines[0].durationDays too-large, lines[0].renewals treatment-too-long"}, {5, math.MinInt, 1, "lines[0].renewals number-negative"}, {5, 0, -1, "lines[0].quantity number-negative"},
		{5, 0, 1000, "lines[0].quantity too-large"}, {5, 0, math.MaxInt, "lines[0].quantity too-large"},
	} {
		l := Line{Name: "x", INN: "y", Dose: "1 mg", Frequency: "1 fois", DurationDays: c.days, Renewals: c.renewals, Quantity: c.quantity}
		if got := names(check(Medicines, []Line{l}, law)); got != c.want {
			t.Errorf("%+v: got %q, want %q", c, got, c.want)
		}
	}
	p := &Prescription{Content: Content{Category: Medicines}}
	for _, kg := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 501} {
		p.WeightKg = kg
		if got := names(mentions(p, nil, "1979-03-28", lawDay, law, examining(t, bdpm(t)).table)); got != "weightKg measure-not-plausible" {
			t.Errorf("%g kg: %q", kg, got)
		}
	}
}

// TestWarnings_UnitOfTheForm: a dose counted in a unit that the form has not is shown; one that fits, or is measured, or of
// a form that nobody gave, is not.
func TestWarnings_UnitOfTheForm(t *testing.T) {
	s := examining(t, bdpm(t))
	for _, c := range []struct {
		form, unit string
		shown      bool
	}{
		{"comprimé sécable", "{tablet}", false}, {"gélule", "{capsule}", false}, {"sirop", "mL", false}, {"poudre pour suspension buvable", "mL", false}, {"solution buvable en gouttes", "[drp]", false},
		{"sirop", "{tablet}", true}, {"comprimé", "mL", true}, {"comprimé", "[drp]", true}, {"gélule", "{tablet}", true}, {"comprimé", "{suppository}", true}, {"comprimé", "{patch}", true},
		{"comprimé", "mg", false}, {"sirop", "g", false}, {"solution injectable", "[iU]", false}, {"", "{tablet}", false}, {"pommade", "{application}", false},
	} {
		p := &Prescription{Content: Content{Category: Medicines, Lines: []Line{{Name: "x", Form: c.form, Dosage: &Dosage{DoseQuantity: Dose{1, c.unit}}}}}}
		if list := s.warnings(p); (len(list) == 1 && list[0].code == "warn.unit-not-of-form") != c.shown || len(list) > 1 {
			t.Errorf("%s of %s: %+v", c.unit, c.form, list)
		}
	}
}

// TestMentions_MarginAndReimbursement: MTE only for the substances of the order, no ALD beside not reimbursed, in any category.
func TestMentions_MarginAndReimbursement(t *testing.T) {
	s := examining(t, bdpm(t))
	for _, c := range []struct {
		category Category
		line     Line
		want     string
	}{
		{Medicines, Line{INN: "lévothyroxine sodique", NonSubstitutable: "MTE"}, ""},
		{Medicines, Line{INN: "paracétamol", NonSubstitutable: "MTE"}, "lines[0].nonSubstitutable mte-not-listed"},
		{Medicines, Line{INN: "paracétamol", ALD: true}, ""},
		{Medicines, Line{INN: "paracétamol", ALD: true, NotReimbursable: true}, "lines[0].notReimbursable ald-not-reimbursable"},
		{Device, Line{Text: "Attelle", ALD: true, NotReimbursable: true}, "lines[0].notReimbursable ald-not-reimbursable"},
	} {
		p := &Prescription{Content: Content{Category: c.category}}
		if got := names(mentions(p, []Line{c.line}, "1979-03-28", lawDay, law, s.table)); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.line, got, c.want)
		}
	}
}

// TestCoded_WithoutCIS: a medicine that the base does not know is named in the document, and is no compounded preparation.
func TestCoded_WithoutCIS(t *testing.T) {
	index, words := bdpm(t), catalogue(t)
	lines := coded([]Line{free("Potion de Todd")}, index, words, lawDay, []string{"0199aaaa-0000-7000-8000-000000000001"})
	if lines[0].Compounded || lines[0].Name != "Potion de Todd" || len(cda.CheckLines(lines)) > 0 {
		t.Errorf("%+v %v", lines[0], cda.CheckLines(lines))
	}
}
