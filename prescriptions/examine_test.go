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

// regulatedLine writes a line by what was offered for words.
func regulatedLine(known restricted.Line, strength string, days int) Line {
	return Line{Regulated: known.Name, Strength: strength, Form: "comprimé", Dose: "1 comprimé", Frequency: "le soir", DurationDays: days}
}

// TestExamine_EveryRegulatedBrand: with the sample alone, each brand and each substance of the law can be prescribed within
// its bounds, or is refused with the sentence of the law or because nothing of it is marketed. With the public base, the
// speciality of the base is what can be chosen.
func TestExamine_EveryRegulatedBrand(t *testing.T) {
	sample, public := examining(t, medicines.Sample()), examining(t, realBase(t))
	counts := map[string]int{}
	for _, name := range lawNames(t) {
		index := sample.Medicines.Current()
		list := sample.examine(Medicines, []Line{free(name)}, index, lawDay, Declared{})
		i := slices.IndexFunc(list, func(q issue) bool { return q.refuses })
		if i < 0 {
			counts["a rule to check only"]++
			continue
		}
		counts[list[i].Code]++
		if list[i].Code != "choose-restricted" {
			if list[i].Code != "secure-prescription" && list[i].Code != "no-product" || len(list[i].lines) > 0 {
				t.Errorf("%s: %s, %d lines", name, list[i].Code, len(list[i].lines))
			}
			continue
		}
		if len(list[i].lines) == 0 {
			t.Errorf("%s: no structured line is offered", name)
		}
		for _, known := range list[i].lines {
			sign := func(s *Service, l Line) (Line, string) {
				lines, wrong := withRegulated([]Line{l}, s.table)
				var out []issue
				for _, f := range wrong {
					out = append(out, issue{Field: f, refuses: true})
				}
				return lines[0], refusals(append(out, s.examine(Medicines, lines, s.Medicines.Current(), lawDay, Declared{})...))
			}
			rules := sample.table.RulesFor(known, "comprimé", "0,33 mg", lawDay)
			if len(rules) == 0 || rules[0].Days == 0 {
				t.Errorf("%s: no bound", known.Name)
				continue
			}
			l, got := sign(sample, regulatedLine(known, "0,33 mg", rules[0].Days))
			if got != "" || !strings.HasPrefix(l.Name, known.Name+" 0,33 mg, comprimé") || l.INN != known.INN || l.CIS != "" {
				t.Errorf("%s: %q, %+v", known.Name, got, l)
			}
			if _, got := sign(sample, regulatedLine(known, "0,33 mg", rules[0].Days+1)); got != "lines[0].durationDays duration-limited" {
				t.Errorf("%s for %d days: %q", known.Name, rules[0].Days+1, got)
			}
			l = regulatedLine(known, "0,33 mg", rules[0].Days)
			l.Renewals = 1
			if _, got := sign(sample, l); got != "lines[0].durationDays duration-limited" {
				t.Errorf("%s renewed: %q", known.Name, got)
			}
			if _, got := sign(public, regulatedLine(known, "0,33 mg", 7)); got != "lines[0].name choose-restricted" {
				t.Errorf("%s with the public base: %q", known.Name, got)
			}
		}
	}
	t.Log(counts)
	if counts["choose-restricted"] < 40 || counts["secure-prescription"] < 100 || counts["no-product"] < 10 {
		t.Errorf("%v", counts)
	}
}

// lawNames are the names and the substances of the tables of the law.
func lawNames(t *testing.T) []string {
	t.Helper()
	var out []string
	for file, column := range map[string]int{"restricted/names.tsv": 0, "restricted/substances.tsv": 1} {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(raw)) {
			if name := strings.Split(line, "\t"); !strings.HasPrefix(line, "#") && !slices.Contains(out, name[column]) {
				out = append(out, name[column])
			}
		}
	}
	slices.Sort(out)
	return out
}

// TestExamine_RegulatedLine: what a line of our own list may not be.
func TestExamine_RegulatedLine(t *testing.T) {
	s := examining(t, medicines.Sample())
	good := Line{Regulated: "XANAX", Strength: "0,25 mg", Form: "comprimé sécable", Dose: "1 comprimé", Frequency: "le soir", DurationDays: 84}
	for name, c := range map[string]struct {
		change func(*Line)
		want   string
	}{
		"as it should be":           {func(*Line) {}, ""},
		"in other letters":          {func(l *Line) { l.Regulated = "Xanax" }, ""},
		"its substance":             {func(l *Line) { l.Regulated = "alprazolam" }, ""},
		"drops":                     {func(l *Line) { l.Regulated, l.Strength, l.Form = "valium", "1 %", "solution buvable en gouttes" }, ""},
		"a syrup":                   {func(l *Line) { l.Regulated, l.Strength, l.Form = "ATARAX", "2 mg/ml", "sirop" }, ""},
		"a hypnotic for 4 weeks":    {func(l *Line) { l.Regulated, l.Strength, l.DurationDays = "IMOVANE", "7,5 mg", 28 }, ""},
		"a hypnotic for longer":     {func(l *Line) { l.Regulated, l.Strength, l.DurationDays = "IMOVANE", "7,5 mg", 29 }, "lines[0].durationDays duration-limited"},
		"too long":                  {func(l *Line) { l.DurationDays = 85 }, "lines[0].durationDays duration-limited"},
		"renewed":                   {func(l *Line) { l.Renewals = 1 }, "lines[0].durationDays duration-limited"},
		"Tranxene 10":               {func(l *Line) { l.Regulated, l.Strength, l.Form = "TRANXENE", "10 mg", "gélule" }, ""},
		"Tranxene 20":               {func(l *Line) { l.Regulated, l.Strength, l.Form = "TRANXENE", "20 mg", "gélule" }, "lines[0].name secure-prescription"},
		"Tranxene of no strength":   {func(l *Line) { l.Regulated, l.Strength, l.Form = "TRANXENE", "1 %", "gélule" }, "lines[0].name secure-prescription"},
		"a narcotic":                {func(l *Line) { l.Regulated = "SKENAN" }, "lines[0].name regulated-unknown"},
		"a hypnotic that is secure": {func(l *Line) { l.Regulated = "STILNOX" }, "lines[0].name regulated-unknown"},
		"two names":                 {func(l *Line) { l.Regulated = "XANAX SKENAN" }, "lines[0].name regulated-unknown"},
		"a name of nothing":         {func(l *Line) { l.Regulated = "Doliprane" }, "lines[0].name regulated-unknown"},
		"no longer marketed":        {func(l *Line) { l.Regulated = "MÉPROBAMATE" }, "lines[0].name no-product"},
		"in the sample":             {func(l *Line) { l.Regulated, l.Strength = "LEXOMIL", "6 mg" }, "lines[0].name choose-restricted"},
		"not in the sample":         {func(l *Line) { l.Regulated, l.Strength = "LEXOMIL", "3 mg" }, ""},
		"no strength":               {func(l *Line) { l.Strength = " " }, "lines[0].strength required"},
		"no form":                   {func(l *Line) { l.Form = "" }, "lines[0].form required"},
		"a strength of words":       {func(l *Line) { l.Strength = "fort" }, "lines[0].strength strength-not-read"},
		"nothing as a strength":     {func(l *Line) { l.Strength = "0,00 mg" }, "lines[0].strength strength-not-read"},
		"below nothing":             {func(l *Line) { l.Strength = "-1 mg" }, "lines[0].strength strength-not-read"},
		"another name in strength":  {func(l *Line) { l.Strength = "1 mg et SKENAN" }, "lines[0].strength strength-not-read"},
		"another name in the form":  {func(l *Line) { l.Form = "comprimé, et SKENAN LP 30 mg" }, "lines[0].form cited-medicine"},
		"a form of nothing":         {func(l *Line) { l.Form = "bidule" }, "lines[0].form form-not-read"},
		"another one as the name":   {func(l *Line) { l.Name, l.INN = "SKENAN LP 30 mg", "morphine" }, ""}, // it is not what is printed
	} {
		l := good
		c.change(&l)
		lines, wrong := withRegulated([]Line{l}, s.table)
		got := names(wrong)
		if got == "" {
			got = refusals(s.examine(Medicines, lines, s.Medicines.Current(), lawDay, Declared{}))
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		if got == "" && (strings.Contains(lines[0].Name, "SKENAN") || !strings.HasPrefix(lines[0].Name, strings.ToUpper(l.Regulated[:1]))) {
			t.Errorf("%s: printed %q", name, lines[0].Name)
		}
	}
	// A line of the base holds nothing of our list.
	lines, _ := withRegulated([]Line{{CIS: "63107752", Regulated: "XANAX", Strength: "1 mg", Name: "PARACETAMOL"}}, s.table)
	if lines[0].Regulated != "" || lines[0].Strength != "" || lines[0].Name != "PARACETAMOL" {
		t.Errorf("%+v", lines[0])
	}
	if got := s.table.SearchLines("xan", 20); len(got) != 1 || got[0].Name != "XANAX" {
		t.Errorf("%+v", got)
	}
	if got := s.table.SearchLines("alpraz", 20); len(got) != 2 {
		t.Errorf("%+v", got)
	}
	if got := append(s.table.SearchLines("x", 20), s.table.SearchLines("méprob", 20)...); len(got) != 0 {
		t.Errorf("%+v", got)
	}
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
