package medicines_test

import (
	"cmp"
	"maps"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"visavis/internal/cda"
	"visavis/internal/medicines"
	"visavis/internal/testkit"
)

// TestRealFiles reads the database of June 2022: every sentence has a kind, nothing is dropped, no pack that
// left the market is taken. It prints how many specialities have each kind of condition.
func TestRealFiles(t *testing.T) {
	dir := os.DirFS(testkit.BDPM(t))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	x, err := medicines.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.Logf("%d specialities on the market, loaded in %v, %d MB held", x.Len(), took.Round(time.Millisecond), (int64(after.HeapAlloc)-int64(before.HeapAlloc))>>20)
	for _, line := range x.Report().Lines() {
		t.Log("odd: ", line)
	}
	for _, f := range x.Report().Files {
		for _, why := range []medicines.Odd{medicines.OddSentence, medicines.OddWord, medicines.OddEncoding, medicines.OddCharacter} {
			if n := f.Odd[why].Count; n > 0 {
				t.Errorf("%s: %d × %s: %q", f.Name, n, why, f.Odd[why].Examples)
			}
		}
	}
	if x.Len() != 13613 {
		t.Errorf("%d specialities are active and marketed, want 13613", x.Len())
	}
	kinds, sentences := map[medicines.Kind]int{}, map[string]medicines.Condition{}
	none, packless := 0, 0
	for m := range x.All {
		seen := map[medicines.Kind]bool{}
		for i, c := range m.Terms {
			if c.Sentence != m.Conditions[i] || c.Sentence == "" {
				t.Fatalf("%s: %q became %q", m.CIS, m.Conditions[i], c.Sentence)
			}
			seen[c.Kind], sentences[c.Sentence] = true, c
		}
		for k := range seen {
			kinds[k]++
		}
		if len(m.Terms) == 0 {
			none++
		}
		if m.CIP13 == "" {
			packless++
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(kinds), func(a, b medicines.Kind) int { return cmp.Compare(kinds[b], kinds[a]) }) {
		t.Logf("%6d  %s", kinds[k], cmp.Or(string(k), "(no kind)"))
	}
	t.Logf("%6d  without condition, %d without a pack on the market, %d sentences", none, packless, len(sentences))
	for s, c := range sentences {
		if c.Kind == medicines.KindNone {
			t.Errorf("no kind takes %q", s)
		}
		switch c.Kind {
		case medicines.Specialists, medicines.Renewal:
			if len(c.Specialties) == 0 {
				t.Errorf("no specialty is known for %q", s)
			}
		case medicines.LimitedDuration, medicines.Fraction:
			if c.Days == 0 {
				t.Errorf("no length in %q", s)
			}
		}
		for _, code := range c.Specialties {
			if _, ok := cda.Lookup(cda.SetSpecialty, "G15_10/"+code); !ok {
				t.Errorf("%q: %s is no specialty", s, code)
			}
		}
	}
}

// TestRealPacks: the pack of a speciality is one that is active and on the market, told from the file itself.
func TestRealPacks(t *testing.T) {
	dir := testkit.BDPM(t)
	x, err := medicines.Load(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(dir + "/CIS_CIP_bdpm.txt")
	if err != nil {
		t.Fatal(err)
	}
	good, bad := map[string]bool{}, map[string]bool{} // CIP13; ASCII parts of the sentences, byte for byte
	for line := range strings.Lines(string(raw)) {
		f := strings.Split(line, "\t")
		if strings.HasSuffix(f[3], " active") && strings.HasSuffix(f[4], "claration de commercialisation") {
			good[f[6]] = true
		} else {
			bad[f[6]] = true
		}
	}
	if len(good) != 17428 || len(bad) != 3319 {
		t.Fatalf("%d packs on the market, %d not", len(good), len(bad))
	}
	n := 0
	for m := range x.All {
		if m.CIP13 != "" {
			n++
		}
		if bad[m.CIP13] {
			t.Errorf("%s %s has the pack %s, which is not on the market", m.CIS, m.Name, m.CIP13)
		}
	}
	if n < 12000 {
		t.Errorf("only %d specialities have a pack", n)
	}
}

// writings are how a French keyboard, a hurried hand or another program writes the
// name of a medicine.
var writings = map[string]func(string) string{
	"as it stands": func(s string) string { return s },
	"small":        strings.ToLower,
	"spaces":       func(s string) string { return "  " + strings.ReplaceAll(s, " ", " \u00a0") + " " },
	"µg":           strings.NewReplacer("microgrammes", "µg", "microgramme", "µg").Replace,
	"μg, Greek":    strings.NewReplacer("microgrammes", "μg", "microgramme", "μg").Replace,
	"mcg":          strings.NewReplacer("microgrammes", "mcg", "microgramme", "mcg").Replace,
	"ug":           strings.NewReplacer("microgrammes", "ug", "microgramme", "ug").Replace,
	"LP":           strings.NewReplacer("L.P.", "LP", "M.U.I.", "MUI", "U.I.", "UI", "I.V.", "IV").Replace,
	"l.p.":         strings.NewReplacer(" LP", " l.p.", " UI", " u.i.").Replace,
	"points":       func(s string) string { return decimalComma.ReplaceAllString(s, "$1.$2") },
	"together":     func(s string) string { return beforeUnit.ReplaceAllString(s, "$1$2") },
	"apostrophes":  strings.NewReplacer("'", "’", "’", "'").Replace,
	"no accents":   strings.NewReplacer("é", "e", "è", "e", "ê", "e", "à", "a", "ç", "c", "œ", "oe", "É", "E", "È", "E", "Œ", "OE", "ô", "o", "î", "i", "ï", "i").Replace,
	"thousands":    func(s string) string { return strings.ReplaceAll(s, " 000 ", "000 ") },
}

var (
	decimalComma = regexp.MustCompile(`(\d),(\d)`)
	beforeUnit   = regexp.MustCompile(`\b(\d[\d,]*) (mg|g|ml|microgrammes|UI)\b`)
)

// TestRealSearch_Writings: each speciality of the database has one normal form
// however its name is written, and is found by it.
func TestRealSearch_Writings(t *testing.T) {
	x, err := medicines.Load(os.DirFS(testkit.BDPM(t)))
	if err != nil {
		t.Fatal(err)
	}
	n, wrong, seen := 0, 0, 0
	for m := range x.All {
		if seen++; seen%12 != 0 { // all of them take ten seconds
			continue
		}
		want := strings.Join(medicines.SearchWords(m.Name), " ")
		for how, write := range writings {
			typed := write(m.Name)
			if typed == m.Name && how != "as it stands" {
				continue
			}
			if got := strings.Join(medicines.SearchWords(typed), " "); got != want {
				if wrong++; wrong < 20 {
					t.Errorf("%s: %q is %q, want %q", how, typed, got, want)
				}
			}
			if n++; n%100 == 0 && !slices.ContainsFunc(x.Search(typed, 50), func(f medicines.Medicine) bool { return f.CIS == m.CIS }) {
				t.Errorf("%s: %q does not find %s", how, typed, m.CIS)
			}
		}
	}
	if wrong > 0 || n < 5_000 {
		t.Errorf("%d of %d writings differ", wrong, n)
	}
	for _, q := range []string{
		"LEVOTHYROX 25 µg", "levothyrox 25µg", "Levothyrox 25 mcg", "lévothyrox  25 microg", "Skenan LP 30 mg", "skenan l.p. 30", "skenan l p 30mg",
		"alprazolam 0.25 mg", "alprazolam 0,25mg", "alprazolam 0,250 mg", "amoxicilline 1 g", "doliprane 1 000 mg",
	} {
		if len(x.Search(q, 5)) == 0 {
			t.Errorf("%q finds nothing", q)
		}
	}
}

func BenchmarkRealSearch(b *testing.B) {
	x, err := medicines.Load(os.DirFS(testkit.BDPM(b)))
	if err != nil {
		b.Fatal(err)
	}
	for _, q := range []string{"do", "paracetamol 500", "comprimé pelliculé", "rien de tel"} {
		b.Run(q, func(b *testing.B) {
			for b.Loop() {
				x.Search(q, 20)
			}
		})
	}
}
