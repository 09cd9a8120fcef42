package prescriptions

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"visavis/internal/fault"
	"visavis/internal/medicines"
	"visavis/internal/testkit"
	"visavis/prescriptions/restricted"

	"pgregory.net/rapid"
)

var lawDay = time.Date(2026, 11, 28, 12, 0, 0, 0, paris)

// realBase is the public base of June 2022; the test is skipped where it is not beside the checkout.
func realBase(t testing.TB) *medicines.Index {
	t.Helper()
	x, err := medicines.Load(os.DirFS(testkit.BDPM(t)))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func refusals(list []issue) string {
	var out []fault.Field
	for _, q := range list {
		if q.refuses {
			out = append(out, q.Field)
		}
	}
	return names(out)
}

func free(name string) Line {
	return Line{Name: name, INN: "nouveauline", Dose: "1", Frequency: "le soir", DurationDays: 7, NotRestricted: true}
}

// TestExamine_FreeText: what is typed, and what becomes of it, with the base of samples and with the public one.
func TestExamine_FreeText(t *testing.T) {
	const secure, choose, ask = "lines[0].name secure-prescription", "lines[0].name choose-restricted", "lines[0].name near-medicine"
	cases := []struct{ typed, want string }{
		{"Skenan LP 30 mg", secure}, {"Durogesic 25 µg/h", secure}, {"Subutex 8 mg", secure}, {"Ritaline LP 20", secure}, {"Lyrica 75", secure}, {"Rivotril 2 mg", secure},
		{"Stilnox 10 mg", secure}, {"zolpidem biogaran", secure}, {"Contramal", secure}, {"CODOLIPRANE", secure}, {"Dafalgan codéine", secure}, {"morphine", secure}, {"Tranxène 20", secure},
		{"Topalgic LP 100", secure}, {"méthadone sirop", secure}, {"Effentora", secure}, {"Stablon 12,5", secure}, {"Xyrem", secure}, {"teinture d'opium", secure},
		{"Xanax 0,25 mg", choose}, {"Imovane 7,5", choose}, {"Tranxène 10 mg", choose}, {"Atarax 25", choose}, {"Lexomil", choose}, {"Séresta", choose}, {"Noctamide", choose},
		{"skennan", ask}, {"Imovanne", ask}, {"Stillnox", ask}, {"Rivotrl", ask},
		{"Potion de Todd", ""}, {"Neurontin 300", ""},
		{"Amoxicilline et Skenan 10", secure}, {"Xanax puis Skenan", choose},
	}
	for name, base := range map[string]func(testing.TB) *medicines.Index{"sample": func(testing.TB) *medicines.Index { return medicines.Sample() }, "public": realBase} {
		t.Run(name, func(t *testing.T) {
			s := examining(t, base(t))
			for _, c := range cases {
				if got := refusals(s.examine(Medicines, []Line{free(c.typed)}, s.Medicines.Current(), lawDay, Declared{})); got != c.want {
					t.Errorf("%q: got %q, want %q", c.typed, got, c.want)
				}
			}
		})
	}
}

// TestExamine_TickAndINN: what nothing knows is signed with its common denomination and the confirmation, not without.
func TestExamine_TickAndINN(t *testing.T) {
	s := examining(t, medicines.Sample())
	l := free("Potion de Todd")
	l.NotRestricted = false
	if got := refusals(s.examine(Medicines, []Line{l}, s.Medicines.Current(), lawDay, Declared{})); got != "lines[0].notRestricted confirm-not-restricted" {
		t.Errorf("without the tick: %q", got)
	}
	l = free("Potion de Todd")
	l.INN = ""
	if got := names(check(Medicines, withINN([]Line{l}, s.base(s.Medicines.Current())), law)); got != "lines[0].inn inn-needed" {
		t.Errorf("without the common denomination: %q", got)
	}
	l = free("Machin")
	l.INN = "chlorhydrate de morphine"
	if got := refusals(s.examine(Medicines, []Line{l}, s.Medicines.Current(), lawDay, Declared{})); got != "lines[0].name secure-prescription" {
		t.Errorf("a narcotic by its common denomination: %q", got)
	}
	// The tick does not make a narcotic pass.
	if got := refusals(s.examine(Medicines, []Line{free("Skenan")}, s.Medicines.Current(), lawDay, Declared{})); got == "" {
		t.Error("ticked, Skenan passes")
	}
	// What the base knows without restriction is offered, needs no tick, and has its common denomination filled in.
	l = Line{Name: "levothyrox 75", Dose: "1", Frequency: "le matin", DurationDays: 30}
	list := s.examine(Medicines, []Line{l}, s.Medicines.Current(), lawDay, Declared{})
	if refusals(list) != "" || len(list) != 1 || list[0].Code != "choose-listed" || len(list[0].options) != 1 || list[0].options[0].CIS != "62080626" {
		t.Errorf("%+v", list)
	}
	if got := withINN([]Line{l}, s.base(s.Medicines.Current()))[0].INN; got != "lévothyroxine sodique" {
		t.Errorf("common denomination %q", got)
	}
}

// TestExamine_NearIsAsked: a slip is asked about, the answer is kept with the line, and the words are never replaced.
func TestExamine_NearIsAsked(t *testing.T) {
	s := examining(t, medicines.Sample())
	l := free("Levothyrxo 75") // two letters exchanged
	list := s.examine(Medicines, []Line{l}, s.Medicines.Current(), lawDay, Declared{})
	i := slices.IndexFunc(list, func(q issue) bool { return q.Code == "near-medicine" })
	if i < 0 || len(list[i].names) != 1 || list[i].names[0] != "LEVOTHYROX" || len(list[i].options) == 0 {
		t.Fatalf("%+v", list)
	}
	l.NotPrescribed = []string{"levothyrox"}
	if got := refusals(s.examine(Medicines, []Line{l}, s.Medicines.Current(), lawDay, Declared{})); got != "" {
		t.Errorf("answered: %q", got)
	}
	l.Name = "Skennan"
	if got := refusals(s.examine(Medicines, []Line{l}, s.Medicines.Current(), lawDay, Declared{})); got != "lines[0].name near-medicine" {
		t.Errorf("another slip has its own question: %q", got)
	}
}

// TestExamine_OtherPlaces: a restricted medicine in another field or another category does not slip past.
func TestExamine_OtherPlaces(t *testing.T) {
	s := examining(t, medicines.Sample())
	paracetamol := Line{CIS: "63107752", Name: "PARACETAMOL MYLAN 500 mg, comprimé", INN: "paracétamol", Dose: "1 comprimé", Frequency: "le soir", DurationDays: 5}
	with := func(l Line, f func(*Line)) Line { f(&l); return l }
	for _, c := range []struct {
		category Category
		line     Line
		want     string
	}{
		{Medicines, paracetamol, ""},
		{Medicines, with(paracetamol, func(l *Line) { l.Frequency = "le matin, et Skenan LP 30 mg le soir" }), "lines[0].frequency cited-medicine"},
		{Medicines, with(paracetamol, func(l *Line) { l.Dose = "1, avec 1 Xanax" }), "lines[0].dose cited-medicine"},
		{Medicines, with(paracetamol, func(l *Line) { l.Pharmacist = "ajouter Rivotril" }), "lines[0].pharmacist cited-medicine"},
		{Medicines, with(paracetamol, func(l *Line) { l.Pharmacist, l.NotPrescribed = "à distance du Rivotril", []string{"Rivotril"} }), ""},
		{Nursing, Line{Text: "Injection de morphine 5 mg SC toutes les 4 h"}, "lines[0].text cited-medicine"},
		{Nursing, Line{Text: "Injection de morfine"}, "lines[0].text cited-medicine"},
		{Nursing, Line{Text: "Injection de morphine", NotPrescribed: []string{"morphine"}}, ""},
		{Device, Line{Text: "Pompe à morphine", Quantity: 1}, "lines[0].text cited-medicine"},
		{Device, Line{Text: "Attelle", Quantity: 1, Pharmacist: "et Lyrica"}, "lines[0].pharmacist cited-medicine"},
		{Biology, Line{Text: "Dosage du zolpidem"}, "lines[0].text cited-medicine"},
		{Imaging, Line{Text: "IRM sous Xanax"}, "lines[0].text cited-medicine"},
		{Physiotherapy, Line{Text: "sous Topalgic"}, "lines[0].text cited-medicine"},
		{Other, Line{Text: "Skenan LP 30 mg, 1 matin et soir"}, "lines[0].text prescribe-as-medicine"},
		{Other, Line{Text: "Xanax", NotPrescribed: []string{"Xanax"}}, "lines[0].text prescribe-as-medicine"},
		{Other, Line{Text: "Skennan"}, "lines[0].text cited-medicine"},
		{Nursing, Line{Text: "Surveillance de la gabapentine"}, ""}, // a rule to check never blocks alone
	} {
		if got := refusals(s.examine(c.category, []Line{c.line}, s.Medicines.Current(), lawDay, Declared{})); got != c.want {
			t.Errorf("%s %+v: got %q, want %q", c.category, c.line, got, c.want)
		}
	}
}

// TestExamine_ToCheckOnlyWarns: a row "to check" is shown and refuses nothing.
func TestExamine_ToCheckOnlyWarns(t *testing.T) {
	s := examining(t, medicines.Sample())
	list := s.examine(Medicines, []Line{free("gabapentine")}, s.Medicines.Current(), lawDay, Declared{})
	if refusals(list) != "" || !slices.ContainsFunc(list, func(q issue) bool { return q.Code == "rule-to-check" }) {
		t.Errorf("%+v", list)
	}
}

// TestExamine_SecuredTerms: who writes on the secured pad reads what it must hold.
func TestExamine_SecuredTerms(t *testing.T) {
	s := examining(t, medicines.Sample())
	codes := ""
	for _, q := range s.examine(Medicines, []Line{free("Méthadone gélule 40 mg")}, s.Medicines.Current(), lawDay, Declared{}) {
		codes += q.Code + " " + q.Args["days"] + ";"
	}
	if codes != "secure-prescription ;secure-days 28;secure-fraction 7;secure-overlap ;secure-pharmacy ;" {
		t.Error(codes)
	}
}

// TestExamine_NoMutationSigns: whatever the case, the accents, the spaces and the marks, no restricted name is signed as
// free text, whatever else is confirmed.
func TestExamine_NoMutationSigns(t *testing.T) {
	s := examining(t, medicines.Sample())
	raw, err := os.ReadFile("restricted/names.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var brands []string
	for line := range strings.Lines(string(raw)) {
		if f := strings.Split(line, "\t"); !strings.HasPrefix(line, "#") && f[1] != "gabapentine" && f[1] != "cannabis" {
			brands = append(brands, f[0])
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		name := rapid.SampledFrom(brands).Draw(r, "brand")
		var b strings.Builder
		for _, c := range name {
			if rapid.Bool().Draw(r, "capital") {
				b.WriteString(strings.ToUpper(string(c)))
			} else {
				b.WriteRune(c)
			}
			b.WriteString(rapid.SampledFrom([]string{"", "", "", " ", "-", ".", "\u0301", "\u200b", "®"}).Draw(r, "mark"))
		}
		l := free(rapid.SampledFrom([]string{"", "prendre ", "Doliprane + "}).Draw(r, "before") + b.String() + rapid.SampledFrom([]string{"", " LP 10 mg", " 1 cp"}).Draw(r, "after"))
		l.NotPrescribed = []string{name, strings.ToUpper(name)}
		if refusals(s.examine(Medicines, []Line{l}, s.Medicines.Current(), lawDay, Declared{})) == "" {
			r.Fatalf("%q is signed", l.Name)
		}
	})
}

// TestExamine_PublicBaseByName: each speciality of the public base that the law restricts is refused when its exact name is
// typed, and the structured line is offered.
func TestExamine_PublicBaseByName(t *testing.T) {
	index := realBase(t)
	s := examining(t, index)
	restrictions, refused := 0, 0
	for m := range index.All {
		if !restricted.Restricted(m) {
			continue
		}
		if restrictions++; testing.Short() && restrictions%20 != 0 {
			continue
		}
		list := s.examine(Medicines, []Line{free(m.Name)}, s.Medicines.Current(), lawDay, Declared{})
		if refusals(list) != "" {
			refused++
			if !slices.ContainsFunc(list, func(q issue) bool { return len(q.options) > 0 }) {
				t.Errorf("%s: nothing is offered", m.Name)
			}
		} else {
			t.Errorf("%s is signed as free text: %v", m.Name, m.Conditions)
		}
	}
	if !testing.Short() && restrictions < 3000 {
		t.Errorf("only %d restricted specialities: the base was not read", restrictions)
	}
	t.Logf("%d of %d restricted specialities are refused as free text", refused, restrictions)
}

// TestExamine_Declared: what the patient declared is compared by substance, shown, and signed once acknowledged.
func TestExamine_Declared(t *testing.T) {
	amoxicilline := ""
	for m := range medicines.Sample().All {
		if m.Name == "AMOXICILLINE VIATRIS 500 mg, gélule" {
			amoxicilline = m.CIS
		}
	}
	structured := Line{CIS: amoxicilline, Name: "AMOXICILLINE VIATRIS 500 mg, gélule", INN: "amoxicilline", Dose: "1", Frequency: "2", DurationDays: 6}
	if amoxicilline == "" {
		t.Fatal("no amoxicilline in the sample")
	}
	free := Line{Name: "Clamoxyl 1 g", INN: "amoxicilline", NotRestricted: true, Dose: "1", Frequency: "2", DurationDays: 6}
	const allergy, treatment = "lines[0].name declared-allergy", "lines[0].name declared-treatment"
	for name, index := range map[string]func(testing.TB) *medicines.Index{"sample": func(testing.TB) *medicines.Index { return medicines.Sample() }, "public": realBase} {
		t.Run(name, func(t *testing.T) {
			s := examining(t, index(t))
			for _, c := range []struct {
				line                  Line
				allergies, treatments string
				want                  string
			}{
				{structured, "", "", ""},
				{structured, "Amoxicilline (urticaire en 2019)", "", allergy},
				{structured, "allergique à l'AMOXICILINE", "", allergy}, // as people write it
				{structured, "pollen, arachide, latex", "", ""},
				{structured, "paracétamol", "", ""},
				{structured, "", "amoxicilline depuis lundi", treatment},
				{structured, "amoxicilline", "amoxicilline", allergy + ", " + treatment},
				{free, "amoxicilline", "", allergy},
				{Line{Name: "Aspégic", INN: "acide acétylsalicylique", NotRestricted: true, Dose: "1", Frequency: "1", DurationDays: 1}, "Aspirine : œdème", "", allergy},
				{Line{CIS: "62080626", Name: "x", INN: "lévothyroxine sodique", Dose: "1", Frequency: "1", DurationDays: 30}, "", "Levothyrox 50 le matin", treatment},
			} {
				got := ""
				for _, q := range s.examine(Medicines, []Line{c.line}, s.Medicines.Current(), lawDay, Declared{c.allergies, c.treatments}) {
					if strings.HasPrefix(q.Code, "declared-") {
						got += ", " + q.Name + " " + q.Code
					}
				}
				if got = strings.TrimPrefix(got, ", "); got != c.want {
					t.Errorf("%s against %q, %q: got %q, want %q", c.line.Name, c.allergies, c.treatments, got, c.want)
				}
			}
			seen := structured
			for _, q := range s.examine(Medicines, []Line{seen}, s.Medicines.Current(), lawDay, Declared{Allergies: "amoxicilline"}) {
				seen.Acknowledged = append(seen.Acknowledged, q.Code+":"+q.names[0])
			}
			if got := refusals(s.examine(Medicines, []Line{seen}, s.Medicines.Current(), lawDay, Declared{Allergies: "amoxicilline"})); got != "" {
				t.Errorf("acknowledged: %q", got)
			}
			if got := refusals(s.examine(Medicines, []Line{seen}, s.Medicines.Current(), lawDay, Declared{Treatments: "amoxicilline"})); got != treatment {
				t.Errorf("one acknowledgement is not another: %q", got)
			}
			if got := refusals(s.examine(Nursing, []Line{{Text: "Injection d'amoxicilline IM"}}, s.Medicines.Current(), lawDay, Declared{Allergies: "amoxicilline"})); got != "lines[0].text declared-allergy" {
				t.Errorf("in another category: %q", got)
			}
		})
	}
}
