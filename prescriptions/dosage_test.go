package prescriptions

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"visavis/internal/lang"
	"visavis/internal/medicines"
	"visavis/prescriptions/restricted"

	"golang.org/x/text/encoding/charmap"
	"pgregory.net/rapid"
)

func catalogue(t testing.TB) *lang.Catalogue {
	t.Helper()
	c, err := Texts()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestDosageInPlainFrench: one sentence a dosage. The page reads the same file: what the doctor sees while
// writing is what is printed.
func TestDosageInPlainFrench(t *testing.T) {
	raw, err := os.ReadFile("testdata/dosage.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Days   int
		FR     string
		Dosage Dosage
	}
	if err := json.Unmarshal(raw, &cases); err != nil || len(cases) < 8 {
		t.Fatal(len(cases), err)
	}
	words := catalogue(t)
	for _, c := range cases {
		if bad := c.Dosage.check(func(s string) string { return s }); len(bad) > 0 {
			t.Errorf("%s: %v", c.FR, bad)
		}
		l := Line{Dosage: &c.Dosage, DurationDays: c.Days}
		l.Dose, l.Frequency = c.Dosage.words(words)
		if got := l.directions(words); got != c.FR {
			t.Errorf("got  %q\nwant %q", got, c.FR)
		}
	}
}

func TestDosageRefused(t *testing.T) {
	good := Dosage{DoseQuantity: Dose{1, "{tablet}"}, Timing: Timing{When: []Moment{Morning}}}
	for want, spoil := range map[string]func(*Dosage){
		"":                                      func(*Dosage) {},
		"dosage.doseQuantity required":          func(d *Dosage) { d.DoseQuantity.Value = 0 },
		"dosage.unit not-a-choice":              func(d *Dosage) { d.DoseQuantity.Code = "{spoon}" },
		"dosage.timing required":                func(d *Dosage) { d.Timing.When = nil },
		"dosage.maxDosePerDay required":         func(d *Dosage) { d.AsNeededBoolean = true },
		"dosage.maxDosePerDay less-than-a-dose": func(d *Dosage) { d.MaxDosePerDay = 0.5 },
	} {
		d := good
		spoil(&d)
		if got := names(d.check(func(s string) string { return s })); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for _, bad := range []Timing{{When: []Moment{Morning, Morning}}, {When: []Moment{"TEA"}}, {When: []Moment{""}}, {Frequency: 2, Period: 8, PeriodUnit: "h"}, {Frequency: 3, Period: 2, PeriodUnit: "d"},
		{Frequency: 1, Period: 2, PeriodUnit: "wk"}, {Frequency: 1, Period: 1}} {
		if bad.sound() {
			t.Errorf("%+v can be said", bad)
		}
	}
}

func someDosage(r *rapid.T) *Dosage {
	if rapid.Bool().Draw(r, "free") {
		return nil
	}
	return &Dosage{DoseQuantity: Dose{float64(rapid.IntRange(0, 40).Draw(r, "dose")) / 4, rapid.SampledFrom([]string{"{tablet}", "mL", "[drp]", "x"}).Draw(r, "unit")},
		Timing: Timing{Frequency: rapid.IntRange(0, 5).Draw(r, "n"), Period: rapid.IntRange(0, 12).Draw(r, "period"), PeriodUnit: rapid.SampledFrom([]string{"", "h", "d", "wk"}).Draw(r, "of"),
			When: rapid.SampledFrom([][]Moment{nil, nil, {Bedtime}, {Morning, Evening}}).Draw(r, "when")},
		AsNeededBoolean: rapid.Bool().Draw(r, "needed"), MaxDosePerDay: float64(rapid.IntRange(0, 30).Draw(r, "most"))}
}

func bdpm(t *testing.T) *medicines.Index {
	t.Helper()
	file := func(rows ...string) *fstest.MapFile {
		b, err := charmap.Windows1252.NewEncoder().Bytes([]byte(strings.Join(rows, "\r\n")))
		if err != nil {
			t.Fatal(err)
		}
		return &fstest.MapFile{Data: b}
	}
	speciality := func(cis, name string) string {
		return cis + "\t" + name + "\tcomprimé\torale\tAutorisation active\tProcédure nationale\tCommercialisée\t01/01/2000\t\t\t X\tNon"
	}
	x, err := medicines.Load(fstest.MapFS{
		"CIS_bdpm.txt":     file(speciality("60000001", "NEUTRE 1 mg, comprimé"), speciality("60000002", "FORTE 1 mg, comprimé"), speciality("60000003", "COURTE 1 mg, comprimé"), speciality("60000004", "CLINIQUE 1 mg, comprimé")),
		"CIS_CIP_bdpm.txt": file("60000001\t1\tplaquette(s) PVC de 30 comprimé(s)\tPrésentation active\tDéclaration de commercialisation\t01/01/2020\t3400900000001\toui"),
		"CIS_CPD_bdpm.txt": file("60000002\tstupéfiants", "60000002\tprescription limitée à 7 jours ou 28 jours", "60000003\tprescription limitée à 4 semaines", "60000004\tréservé à l'usage HOSPITALIER"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestMentions(t *testing.T) {
	index := bdpm(t)
	s := examining(t, index)
	on := time.Date(2026, 1, 31, 12, 0, 0, 0, paris)
	line := func(f func(*Line)) []Line {
		l := Line{CIS: "60000001", Name: "NEUTRE", INN: "neutre", Dose: "1", Frequency: "1", DurationDays: 30}
		f(&l)
		return []Line{l}
	}
	same := func(*Line) {}
	for _, c := range []struct {
		name, want, birth string
		weight            float64
		on                time.Time
		lines             []Line
	}{
		{"an adult", "", "1979-03-28", 0, on, line(same)},
		{"a child without weight", "weightKg weight-needed", "2012-02-01", 0, on, line(same)},
		{"fifteen tomorrow", "weightKg weight-needed", "2011-02-01", 0, on, line(same)},
		{"fifteen today", "", "2011-01-31", 0, on, line(same)},
		{"a child who was weighed", "", "2020-02-01", 18.5, on, line(same)},
		{"EFG for a small child", "", "2021-02-01", 15, on, line(func(l *Line) { l.NonSubstitutable = "EFG" })},
		{"EFG for a grown-up", "lines[0].nonSubstitutable efg-not-a-child", "1979-03-28", 0, on, line(func(l *Line) { l.NonSubstitutable = "EFG" })},
		{"stupéfiant by the BDPM", "lines[0].name secure-prescription", "1979-03-28", 0, on, line(func(l *Line) { l.CIS = "60000002" })},
		{"codeine by its substance", "lines[0].name secure-prescription", "1979-03-28", 0, on, line(func(l *Line) { l.INN = "paracétamol + codéine" })},
		{"codeine before the decision", "", "1979-03-28", 0, on.AddDate(-2, 0, 0), line(func(l *Line) { l.INN = "codéine" })},
		{"pholcodine is not codeine", "", "1979-03-28", 0, on, line(func(l *Line) { l.INN = "pholcodine" })},
		{"written by hand", "lines[0].name secure-prescription", "1979-03-28", 0, on, line(func(l *Line) { l.CIS, l.INN, l.Name = "", "", "Morphine 10 mg" })},
		{"four weeks by the BDPM", "lines[0].durationDays duration-limited", "1979-03-28", 0, on, line(func(l *Line) { l.CIS = "60000003" })},
		{"four weeks, and no day more", "", "1979-03-28", 0, on, line(func(l *Line) { l.CIS, l.DurationDays = "60000003", 28 })},
		{"twelve weeks with renewals", "lines[0].durationDays duration-limited", "1979-03-28", 0, on, line(func(l *Line) { l.INN, l.Renewals = "bromazépam", 2 })},
		{"an accident to come", "lines[0].workAccidentDate date-in-future", "1979-03-28", 0, on, line(func(l *Line) { l.WorkAccidentDate = "2026-02-01" })},
		{"an accident on no day", "lines[0].workAccidentDate form-wrong", "1979-03-28", 0, on, line(func(l *Line) { l.WorkAccidentDate = "hier" })},
		{"an accident today", "", "1979-03-28", 0, on, line(func(l *Line) { l.WorkAccidentDate = "2026-01-31" })},
	} {
		p := &Prescription{Content: Content{Category: Medicines, Measures: Measures{WeightKg: c.weight}}}
		wrong := mentions(p, c.lines, c.birth, c.on, law, s.table)
		for _, q := range s.examine(Medicines, c.lines, index, c.on, Declared{}) {
			if q.refuses {
				wrong = append(wrong, q.Field)
			}
		}
		if names(wrong) != c.want {
			t.Errorf("%s: got %q, want %q", c.name, names(wrong), c.want)
		}
	}
}

// examining is a service that only examines lines.
func examining(t testing.TB, index *medicines.Index) *Service {
	t.Helper()
	table, err := restricted.Load()
	if err != nil {
		t.Fatal(err)
	}
	return &Service{Deps: Deps{Medicines: medicines.NewBase(index, time.Time{})}, words: catalogue(t), table: table}
}

func TestQuantityIsComparedWithTheDuration(t *testing.T) {
	s := &Service{Deps: Deps{Medicines: medicines.NewBase(bdpm(t), time.Time{})}, words: catalogue(t)}
	for _, c := range []struct {
		perDay         int
		days, quantity int
		needed         bool
		want           string
	}{
		{2, 15, 1, false, ""},
		{2, 16, 1, false, "lines[0].quantity warn.quantity-short 30 comprimés/32 comprimés/2 boîtes"},
		{1, 7, 1, false, ""}, // the smallest box there is
		{1, 7, 3, false, "lines[0].quantity warn.quantity-long 90 comprimés/7 comprimés/1 boîte"},
		{2, 30, 1, true, ""}, // if needed: less is no mistake
		{2, 30, 0, false, ""},
	} {
		d := &Dosage{DoseQuantity: Dose{1, "{tablet}"}, Timing: Timing{Frequency: c.perDay, Period: 1, PeriodUnit: "d"}, AsNeededBoolean: c.needed}
		if c.needed {
			d.MaxDosePerDay = float64(c.perDay)
		}
		p := &Prescription{Content: Content{Category: Medicines, Lines: []Line{{CIS: "60000001", Dosage: d, DurationDays: c.days, Quantity: c.quantity}}}}
		got := ""
		for _, w := range s.warnings(p) {
			got += w.field + " " + w.code + " " + w.args["have"] + "/" + w.args["need"] + "/" + w.args["boxes"]
		}
		if got != c.want {
			t.Errorf("%d a day for %d days, %s boxes: got %q, want %q", c.perDay, c.days, strconv.Itoa(c.quantity), got, c.want)
		}
	}
}
