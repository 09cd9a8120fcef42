package prescriber

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"visavis/internal/cda"
	"visavis/internal/medicines"
	"visavis/internal/testkit"
)

var today = time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)

// terms reads sentences as the base does.
func terms(t *testing.T, sentences ...string) []medicines.Condition {
	t.Helper()
	rows := "60000001\t" + strings.Join(sentences, "\n60000001\t")
	x, err := medicines.Load(fstest.MapFS{
		"CIS_bdpm.txt":     {Data: []byte("60000001\tX, comprimé\tcomprimé\torale\tAutorisation active\tP\tCommercialisée\t\t\t\t\tNon")},
		"CIS_CPD_bdpm.txt": {Data: []byte(rows)},
	})
	if err != nil {
		t.Fatal(err)
	}
	m, _ := x.Lookup("60000001")
	return m.Terms
}

func law(t *testing.T) *Law {
	t.Helper()
	l, err := On(today)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func told(list []Finding) string {
	var out []string
	for _, f := range list {
		if f.State != Shown && f.State != Met {
			out = append(out, fmt.Sprintf("%s %s %s", f.State, f.Field, string(f.Code)+string(f.Advice)))
		}
	}
	return strings.Join(out, ", ")
}

// TestExamine_Initial: who may start a treatment, and what is asked of who renews it.
func TestExamine_Initial(t *testing.T) {
	l := law(t)
	annual := terms(t, "prescription initiale hospitalière annuelle")
	free := terms(t, "prescription initiale réservée à certains spécialistes", "prescription réservée aux spécialistes et services NEUROLOGIE")
	unnamed := terms(t, "prescription initiale réservée à certains spécialistes")
	reserved := terms(t, "prescription initiale hospitalière semestrielle", "renouvellement de la prescription réservé aux spécialistes en NEUROLOGIE")
	unknown := terms(t, "prescription réservée aux spécialistes et services CONCHYLIOLOGIE")
	transfusion := terms(t, "prescription hospitalière", "prescription par un médecin exerçant dans un établissement de transfusion sanguine")
	ask := "statement initial.by condition-initial"
	for _, c := range []struct {
		name      string
		who       string
		sector    string
		terms     []medicines.Condition
		by, on    string
		confirmed []string
		days      int
		want      string
	}{
		{"a town doctor", "G15_10/SM54", "SA07", annual, "", "", nil, 7, ask},
		{"a hospital doctor", "G15_10/SM54", "SA01", annual, "", "", nil, 7, ""},
		{"renewed, with who and when", "G15_10/SM54", "SA07", annual, "Pr Roux, CHU", "2026-01-12", nil, 7, ""},
		{"who is missing", "G15_10/SM54", "SA07", annual, " ", "2026-01-12", nil, 7, "refused initial.by required"},
		{"a NUL in the name", "G15_10/SM54", "SA07", annual, "Pr\x00Roux", "2026-01-12", nil, 7, "refused initial.by form-wrong"},
		{"when is missing", "G15_10/SM54", "SA07", annual, "Pr Roux", "", nil, 7, "refused initial.on required"},
		{"no day", "G15_10/SM54", "SA07", annual, "Pr Roux", "2026-02-30", nil, 7, "refused initial.on form-wrong"},
		{"tomorrow", "G15_10/SM54", "SA07", annual, "Pr Roux", "2026-11-29", nil, 7, "refused initial.on date-in-future"},
		{"today", "G15_10/SM54", "SA07", annual, "Pr Roux", "2026-11-28", nil, 7, ""},
		{"a year ago, less a day: it ends meanwhile", "G15_10/SM54", "SA07", annual, "Pr Roux", "2025-11-29", nil, 7, "warned initial.on condition-initial-ends"},
		{"a year ago", "G15_10/SM54", "SA07", annual, "Pr Roux", "2025-11-28", nil, 7, "refused initial.on condition-initial-over"},
		{"seven months of six", "G15_10/SM32", "SA07", reserved, "Pr Roux", "2026-04-28", nil, 7, "refused initial.on condition-initial-over"},
		{"no limit in the sentence", "G15_10/SM54", "SA07", free, "Dr Roux, neurologue", "2019-01-01", nil, 7, ""},
		{"the specialist starts it", "G15_10/SM84", "SA07", free, "", "", nil, 7, ""},
		{"another specialist does not", "G15_10/SM04", "SA01", free, "", "", nil, 7, ask},
		{"a specialty without the profession", "G15_50/SM32", "SA01", free, "", "", nil, 7, ask + ", confirm listed list-50"},
		{"certain specialists that nobody names", "G15_10/SM54", "SA07", unnamed, "", "", nil, 7, ask},
		{"who says that they are one", "G15_10/SM54", "SA07", unnamed, "", "", []string{unnamed[0].Sentence}, 7, ""},
		{"a renewal that is reserved", "G15_10/SM54", "SA07", reserved, "Pr Roux", "2026-10-01", nil, 7, "refused name condition-renewal"},
		{"to them", "G15_10/SM32", "SA07", reserved, "Pr Roux", "2026-10-01", nil, 7, ""},
		{"who renews has not started", "G15_10/SM32", "SA07", reserved, "", "", nil, 7, ask},
		{"a specialty that no table has asks", "G15_10/SM54", "SA07", unknown, "", "", nil, 7, "confirm confirmed condition-confirm"},
		{"and takes the answer", "G15_10/SM54", "SA07", unknown, "", "", []string{unknown[0].Sentence}, 7, ""},
		{"hospital or transfusion: hospital", "G15_10/SM54", "SA01", transfusion, "", "", nil, 7, ""},
		{"hospital or transfusion: neither", "G15_10/SM54", "SA07", transfusion, "", "", nil, 7, "refused name condition-hospital, confirm confirmed condition-confirm"},
		{"hospital or transfusion: transfusion", "G15_10/SM54", "SA12", transfusion, "", "", []string{transfusion[1].Sentence}, 7, ""},
		{"an unknown sector is no hospital", "G15_10/SM54", "SA99", annual, "", "", nil, 7, ask},
		{"nor is an empty one", "G15_10/SM54", "", annual, "", "", nil, 7, ask},
	} {
		line := Line{Terms: c.terms, Names: []string{"inconnuine"}, Confirmed: c.confirmed, Until: today.AddDate(0, 0, c.days)}
		if c.by+c.on != "" {
			line.Initial = &Initial{By: c.by, On: c.on}
		}
		if got := told(l.Examine(Of(c.who, c.sector), line, today)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestExamine_OwnLists holds midwives and dentists to their lists.
func TestExamine_OwnLists(t *testing.T) {
	l := law(t)
	for _, c := range []struct {
		who, want string
		names     []string
	}{
		{"G15_50", "", []string{"paracétamol"}},
		{"G15_50", "", []string{"lévonorgestrel", "éthinylestradiol"}},
		{"G15_50", "", []string{"fosfomycine trométamol"}},
		{"G15_50", "confirm listed list-50", []string{"méthotrexate"}},
		{"G15_50", "confirm listed list-50", []string{"paracétamol", "méthotrexate"}},
		{"G15_50", "confirm listed list-50", []string{"isotrétinoïne"}},
		{"G15_50", "confirm listed list-50", nil},
		{"G15_50", "warned listed list-50", []string{"nifédipine"}},
		{"G15_40", "", []string{"amoxicilline", "acide clavulanique"}},
		{"G15_40", "warned listed list-40", []string{"lévothyroxine sodique"}},
		{"G15_10/SM54", "", []string{"méthotrexate"}},
	} {
		if got := told(l.Examine(Of(c.who, "SA07"), Line{Names: c.names}, today)); got != c.want {
			t.Errorf("%s %v: %q, want %q", c.who, c.names, got, c.want)
		}
		if got := told(l.Examine(Of(c.who, "SA07"), Line{Names: c.names, Listed: true}, today)); strings.HasPrefix(got, "confirm") {
			t.Errorf("%s %v, said to be of the list: %q", c.who, c.names, got)
		}
	}
	for category, want := range map[string]string{"10/medicines": "yes", "10/other": "yes", "50/medicines": "yes", "50/device": "warned", "40/biology": "yes", "60/medicines": "no", "21/medicines": "no", "/medicines": "no", "99/biology": "no"} {
		profession, category, _ := strings.Cut(category, "/")
		_, warned, ok := l.Category(Person{Profession: profession}, category)
		if got := map[bool]string{true: map[bool]string{true: "warned", false: "yes"}[warned], false: "no"}[ok]; got != want {
			t.Errorf("%s prescribes %s: %s, want %s", profession, category, got, want)
		}
	}
	if before, err := On(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil {
		t.Error(err)
	} else if _, _, ok := before.Category(Person{Profession: "50"}, "medicines"); ok {
		t.Error("the list of 2022 holds in 2020")
	}
}

// TestTables: each row has a citation, a date and a known confidence, and no kind of condition lacks a rule.
func TestTables(t *testing.T) {
	for name, text := range map[string]string{"conditions": conditionsTSV, "professions": professionsTSV, "lists": listsTSV} {
		for line := range strings.Lines(text) {
			if f := strings.Split(strings.TrimRight(line, "\n"), "\t"); !strings.HasPrefix(line, "#") {
				if !slices.Contains([]string{"sure", "likely", "to check"}, f[len(f)-1]) || f[len(f)-2] == "" {
					t.Errorf("%s: %q", name, line)
				}
				if _, err := time.Parse(time.DateOnly, f[len(f)-3]); err != nil {
					t.Errorf("%s: %q: %v", name, line, err)
				}
			}
		}
	}
	for line := range strings.Lines(hospitalsTSV) {
		if code, _, _ := strings.Cut(line, "\t"); !strings.HasPrefix(line, "#") {
			if _, ok := cda.Lookup(cda.SetSector, code); !ok {
				t.Errorf("%s is no sector of activity", code)
			}
		}
	}
}

// TestExamine_RealBase: over every medicine of the real base, no sentence is lost or moved, saying more never refuses
// more, and somebody may prescribe each medicine.
func TestExamine_RealBase(t *testing.T) {
	x, err := medicines.Load(os.DirFS(testkit.BDPM(t)))
	if err != nil {
		t.Fatal(err)
	}
	l := law(t)
	people := []Person{Of("G15_40", "SA01"), Of("G15_50", "SA07"), Of("G15_10", "SA07")}
	for n := 1; n <= 95; n++ {
		people = append(people, Of(fmt.Sprintf("G15_10/SM%02d", n), "SA01"), Of(fmt.Sprintf("G15_10/SM%02d", n), "SA07"))
	}
	seen := map[string]bool{}
	for m := range x.All {
		if key := strings.Join(m.Conditions, "\n"); seen[key] {
			continue
		} else {
			seen[key] = true
		}
		somebody := false
		for _, p := range people {
			bare := l.Examine(p, Line{Terms: m.Terms, Names: m.INN}, today)
			full := l.Examine(p, Line{Terms: m.Terms, Names: m.INN, Confirmed: m.Conditions, Listed: true}, today)
			for i, c := range m.Terms {
				if bare[i].Sentence != c.Sentence || full[i].Sentence != c.Sentence {
					t.Fatalf("%s: %q is not where it was", m.Name, c.Sentence)
				}
				if full[i].Blocks() && !bare[i].Blocks() {
					t.Errorf("%s by %v: saying more refuses %q", m.Name, p, c.Sentence)
				}
			}
			somebody = somebody || !slices.ContainsFunc(full, Finding.Blocks)
		}
		if !somebody {
			t.Errorf("nobody may prescribe %s: %q", m.Name, m.Conditions)
		}
	}
	t.Logf("%d sets of conditions, %d people", len(seen), len(people))
}
