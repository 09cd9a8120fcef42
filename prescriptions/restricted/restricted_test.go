package restricted

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"visavis/internal/medicines"
	"visavis/internal/testkit"

	"pgregory.net/rapid"
)

func load(t testing.TB) *Table {
	t.Helper()
	table, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return table
}

var today = time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)

func substances(found []Found, near bool) string {
	var out []string
	for _, f := range found {
		if f.Near == near {
			out = append(out, f.Substance)
		}
	}
	return strings.Join(out, " ")
}

// TestLoad_FullLists: every row of rules.md §8.2 is there, and every narcotic is on a secured prescription.
func TestLoad_FullLists(t *testing.T) {
	table := load(t)
	ids := map[string]bool{}
	for substance, rules := range table.rules {
		for _, r := range rules {
			ids[r.ID] = true
			if (r.Class == Narcotic || r.Class == Assimilate) && !r.Secure {
				t.Errorf("%s %s: not secured", r.ID, substance)
			}
			if r.Until != "" && r.Until < r.From {
				t.Errorf("%s %s: %s to %s", r.ID, substance, r.From, r.Until)
			}
			if r.Class == Hypnotic && r.Days != 28 || r.Class == Anxiolytic && r.Days != 84 {
				t.Errorf("%s %s: %d days", r.ID, substance, r.Days)
			}
		}
	}
	for n := 20; n <= 52; n++ {
		if id := "MED-" + string(rune('0'+n/10)) + string(rune('0'+n%10)); !ids[id] {
			t.Errorf("%s is missing", id)
		}
	}
	if len(table.names) < 200 {
		t.Errorf("%d names", len(table.names))
	}
}

func TestLoad_BadRows(t *testing.T) {
	for _, bad := range []string{
		"x\tmorphine\t-\t-\tstupefiant\t1999-04-01\t-\t28\t0\tyes\tno\tno\tsure",
		"x\tmorphine\t-\t-\tstupefiant\t1999-04-32\t-\t28\t0\tyes\tno\tno\tsure\ts",
		"x\tmorphine\t-\t-\tstupefiant\t1999-04-01\t-\t28\t0\tyes\tno\tno\tperhaps\ts",
		"x\tmorphine\t-\t20\tstupefiant\t1999-04-01\t-\t28\t0\tyes\tno\tno\tsure\ts",
		"x\tmorphine\t-\t-\tstupefiant\t1999-04-01\t-\tx\t0\tyes\tno\tno\tsure\ts",
	} {
		if err := rows(bad+"\n", 14, func(f []string) error { _, err := rule(f); return err }); err == nil {
			t.Errorf("read: %q", bad)
		}
	}
}

// TestRules_Dated: the law is that of the day, by substance, form and strength.
func TestRules_Dated(t *testing.T) {
	table := load(t)
	for _, c := range []struct {
		substance string
		form      Form
		mg        float64
		sure      bool
		day       string
		secure    bool
		days      int
		fraction  int
	}{
		{"zolpidem", "", 10, true, "2017-04-09", false, 28, 0},
		{"zolpidem", "", 10, true, "2017-04-10", true, 28, 0},
		{"tramadol", Oral, 50, true, "2020-04-14", false, 0, 0},
		{"tramadol", Oral, 50, true, "2025-02-28", false, 84, 0},
		{"tramadol", Oral, 50, true, "2025-03-01", true, 84, 0},
		{"tramadol", Injection, 100, true, "2026-01-01", false, 0, 0},
		{"codeine", Oral, 30, true, "2025-02-28", false, 0, 0},
		{"codeine", Oral, 30, true, "2025-03-01", true, 84, 0},
		{"methadone", Capsule, 10, true, "2014-10-16", true, 14, 7},
		{"methadone", Capsule, 10, true, "2014-10-17", true, 28, 7},
		{"methadone", Syrup, 10, true, "2026-01-01", true, 14, 7},
		{"fentanyl", Patch, 0, true, "2026-01-01", true, 28, 14},
		{"fentanyl", Mucosal, 0, true, "2026-01-01", true, 28, 7},
		{"fentanyl", Syrup, 0, true, "2026-01-01", true, 7, 7}, // no rule of this form: all of them
		{"clorazepate", Oral, 10, true, "2026-01-01", false, 84, 0},
		{"clorazepate", Oral, 20, true, "2026-01-01", true, 28, 0},
		{"clorazepate", "", 0, false, "2026-01-01", true, 28, 0}, // unknown: the strictest
		{"clonazepam", Injection, 1, true, "2026-01-01", false, 0, 0},
		{"clonazepam", Injection, 1, false, "2026-01-01", true, 84, 0}, // only typed: not sure
		{"buprenorphine", Mucosal, 0.2, true, "2026-01-01", true, 365, 0},
		{"buprenorphine", Mucosal, 8, true, "2026-01-01", true, 28, 7},
		{"pregabaline", Capsule, 75, true, "2021-05-23", false, 0, 0},
		{"pregabaline", Capsule, 75, true, "2021-05-24", true, 182, 0},
		{"tianeptine", Oral, 12.5, true, "2012-09-03", true, 28, 0},
	} {
		day, err := time.Parse(time.DateOnly, c.day)
		if err != nil {
			t.Fatal(err)
		}
		secure, days, fraction := false, 0, 0
		for _, r := range table.Rules(c.substance, c.form, c.mg, c.sure, day) {
			secure = secure || r.Secure
			if r.Days > 0 && (days == 0 || r.Days < days) {
				days = r.Days
			}
			if r.Fraction > 0 && (fraction == 0 || r.Fraction < fraction) {
				fraction = r.Fraction
			}
		}
		if secure != c.secure || days != c.days || fraction != c.fraction {
			t.Errorf("%s %s %g mg on %s: secure %v, %d days, by %d; want %v, %d, %d", c.substance, c.form, c.mg, c.day, secure, days, fraction, c.secure, c.days, c.fraction)
		}
	}
}

// TestFind_EveryName: each brand and each substance, in the ways people type it.
func TestFind_EveryName(t *testing.T) {
	table := load(t)
	for _, n := range table.names {
		for _, typed := range []string{
			n.Text, strings.ToLower(n.Text), strings.ToUpper(n.Text), n.Text + " LP 30 mg", n.Text + "®", "« " + n.Text + " »", "prendre " + n.Text + ", le soir", strings.ReplaceAll(n.Text, " ", "-"),
			n.Text + ".", "10mg " + n.Text, "Doliprane 1 g puis " + n.Text + "/jour", strings.ReplaceAll(n.Text, " ", "\u00a0"),
		} {
			found := false
			for _, f := range table.Find(typed) {
				found = found || !f.Near && f.Substance == n.Substance
			}
			if !found {
				t.Errorf("%q is not found", typed)
			}
		}
	}
}

// mutate changes a name without changing its letters: case, accents, marks, what stands between letters, look-alikes.
func mutate(r *rapid.T, name string) string {
	accents := map[rune]string{'e': "éèêëē", 'a': "àâä", 'i': "îï", 'o': "ôö", 'u': "ùûü", 'c': "ç", 'n': "ñ", 'y': "ÿ", 's': "š", 'z': "ž"}
	alike := map[rune]string{'a': "аα", 'e': "е", 'o': "оο", 'p': "р", 'x': "хχ", 'c': "с", 'k': "к"}
	between := []string{"", "", "", "", " ", "-", ".", "\u200b", "\u00ad", "’", "_", "·", "®", "/", " . "}
	var b strings.Builder
	b.WriteString(rapid.SampledFrom([]string{"", " ", "« ", "Rx: ", "30 mg ", "30mg ", "(", "\u200b", "puis "}).Draw(r, "before"))
	for i, c := range name {
		if i > 0 {
			if c == ' ' {
				b.WriteString(rapid.SampledFrom([]string{" ", "-", "", "\u00a0", "  ", "/"}).Draw(r, "space"))
				continue
			}
			b.WriteString(rapid.SampledFrom(between).Draw(r, "between"))
		}
		low := unicode.ToLower(c)
		switch rapid.IntRange(0, 9).Draw(r, "how") {
		case 0, 1:
			c = unicode.ToUpper(c)
		case 2, 3:
			c = low
		case 4:
			if s := []rune(accents[low]); len(s) > 0 {
				c = rapid.SampledFrom(s).Draw(r, "accent")
			}
		case 5:
			if s := []rune(alike[low]); len(s) > 0 {
				c = rapid.SampledFrom(s).Draw(r, "alike")
			}
		case 6:
			if low >= 'a' && low <= 'z' {
				c = 'Ａ' + (low - 'a') // full width
			}
		case 7:
			if low >= 'a' && low <= 'z' {
				c = '𝐚' + (low - 'a') // mathematical bold
			}
		}
		b.WriteRune(c)
	}
	b.WriteString(rapid.SampledFrom([]string{"", " LP", " L.P. 30 mg", "®", "™ 10", ", 1 le soir", "\n", "-LP", " 30mg", "30"}).Draw(r, "after"))
	return b.String()
}

// TestFind_NoMutationHides: whatever the writing, a name is found.
func TestFind_NoMutationHides(t *testing.T) {
	table := load(t)
	var all []Name
	for _, n := range table.names {
		all = append(all, n)
	}
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.SampledFrom(all).Draw(r, "name")
		typed := mutate(r, n.Text)
		for _, f := range table.Find(typed) {
			if !f.Near && f.Substance == n.Substance {
				return
			}
		}
		// A space inside a name of less than five letters tells two words.
		if len(n.key) < joined {
			return
		}
		r.Fatalf("%q hides %s", typed, n.Text)
	})
}

// TestFind_OneLetter: a slip is near, never exact, and names the medicine.
func TestFind_OneLetter(t *testing.T) {
	table := load(t)
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.SampledFrom(table.near).Draw(r, "name")
		if strings.Contains(n.Text, " ") {
			return
		}
		k := n.key
		i := rapid.IntRange(0, len(k)-1).Draw(r, "at")
		letter := string(rune('a' + rapid.IntRange(0, 25).Draw(r, "letter")))
		typed := map[int]string{0: k[:i] + letter + k[i+1:], 1: k[:i] + k[i+1:], 2: k[:i] + letter + k[i:]}[rapid.IntRange(0, 2).Draw(r, "slip")]
		found := table.Find(typed + " 10 mg")
		if len(found) == 0 {
			r.Fatalf("%q hides %s", typed, n.Text)
		}
	})
	for typed, want := range map[string]string{"skennan": "morphine", "Sknean": "morphine", "Rivotrl": "clonazepam", "morfine": "morphine", "Zolpidème": "zolpidem", "stilnoxx": "zolpidem", "Subutx": "buprenorphine", "Valuim": "diazepam"} {
		if got := substances(table.Find(typed), true); got != want {
			t.Errorf("%q: near %q, want %q", typed, got, want)
		}
	}
}

func TestFind_Typed(t *testing.T) {
	table := load(t)
	for typed, want := range map[string]string{
		"Skenan LP 30 mg": "morphine", "SKENAN L.P.": "morphine", "skénan": "morphine", "Skenan®": "morphine", "S K E N A N": "morphine", "SkenanLP30": "morphine", "skenanlp": "morphine", "30mgskenan": "morphine",
		"Xanax 0,25 et Imovane 7,5": "alprazolam zopiclone", "sulfate de morphine": "morphine", "zolpidem biogaran": "zolpidem", "Tranxène 10": "clorazepate",
		"Dafalgan codéine": "codeine", "Dafalgan 500": "", "apomorphine": "", "pholcodine": "", "éthylmorphine": "", "Lamaline": "", "paracétamol": "", "opium (poudre d')": "",
		"acti q": "fentanyl", "Actiq": "fentanyl", "actif": "", "attention": "",
	} {
		if got := substances(table.Find(typed), false); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}

// TestFind_OrdinaryWords: what is written every day is not taken for a narcotic.
func TestFind_OrdinaryWords(t *testing.T) {
	table := load(t)
	for line := range strings.Lines(`NFS, CRP, ionogramme sanguin, créatinine, bilan hépatique, TSH, glycémie à jeun, HbA1c, ferritine
Radiographie du thorax de face et de profil ; échographie abdominale et rénale ; IRM du genou droit sans injection
Pansement à domicile tous les jours y compris dimanche et jours fériés pendant 10 jours, ablation des fils à J12
Rééducation de l'épaule droite, 15 séances, travail actif et passif, drainage lymphatique
Attelle de poignet, bas de contention classe 2, lit médicalisé, bandelettes et lancettes, pied à sérum
Prendre un comprimé le matin et le soir pendant les repas, avec un grand verre d'eau, sans dépasser 3 grammes par jour
Ne pas associer à l'alcool. Attention à la conduite. À jeun, une demi-heure avant le petit déjeuner. Verser dans un verre d'eau.
Doliprane, Efferalgan, Spasfon, Gaviscon, Smecta, Ultra-Levure, Augmentin, Amoxicilline, Kardégic, Levothyrox, Ventoline, Mopral, Inexium, Lasilix
Concerter le médecin traitant, série 1, sonate, portail, victime, libre, marina, normale, stress, cultiver, active, actions, émoluments, pédicure
Crème hydratante, Cérat frais de Galien, vaseline, cire d'abeille, huile d'amande, cold cream
Transport assis professionnalisé aller et retour, ambulance, bon de transport, arrêt de travail, certificat médical`) {
		if found := table.Find(line); len(found) > 0 {
			t.Errorf("%q: %+v", line, found)
		}
	}
}

func TestNarrowMargin(t *testing.T) {
	table := load(t)
	for inn, want := range map[string]bool{"lévothyroxine sodique": true, "LÉVÉTIRACÉTAM": true, "acide valproïque": true, "mycophénolate mofétil": true, "lacosamide": true, "paracétamol": false, "fluindione": false, "": false} {
		if got := table.NarrowMargin(inn, today); got != want {
			t.Errorf("%s: %v", inn, got)
		}
	}
	if table.NarrowMargin("lacosamide", time.Date(2022, 7, 1, 0, 0, 0, 0, time.UTC)) || table.NarrowMargin("lévothyroxine", time.Date(2019, 12, 1, 0, 0, 0, 0, time.UTC)) {
		t.Error("not yet in force")
	}
}

func FuzzFind(f *testing.F) {
	table, err := Load()
	if err != nil {
		f.Fatal(err)
	}
	f.Add("Skenan LP 30 mg")
	f.Add("\xff\x00®")
	f.Fuzz(func(t *testing.T, s string) {
		table.Find(s)
		FormOf(s)
		StrengthOf(s)
	})
}

// TestLines_EveryNameOfTheLaw: each substance that the law restricts without a secure form has a line, each line has such a
// rule, and the public base of June 2022 markets what is said to be marketed.
func TestLines_EveryNameOfTheLaw(t *testing.T) {
	table, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	open := func(r Rule) bool { return r.Certain && !r.Secure && r.Days > 0 }
	for substance := range table.rules {
		rules := table.Rules(substance, "", 0, false, day)
		n := table.names[key(substance)]
		l, ok := table.LineFor(n)
		if slices.ContainsFunc(rules, open) != ok {
			t.Errorf("%s: a line %v, rules %+v", substance, ok, rules)
		}
		if ok && key(l.INN) == "" {
			t.Errorf("%s: %+v", substance, l)
		}
	}
	for _, l := range table.ordered {
		if !slices.ContainsFunc(table.RulesFor(l, "comprimé", "0,1 mg", day), open) {
			t.Errorf("%s: nothing bounds it", l.Name)
		}
		if _, ok := table.Line(strings.ToLower(l.Name)); !ok {
			t.Errorf("%s is not found again", l.Name)
		}
	}
	index, err := medicines.Load(os.DirFS(testkit.BDPM(t)))
	if err != nil {
		t.Fatal(err)
	}
	base := NewBase(index.All)
	for _, l := range table.ordered {
		matches, _ := base.Find(l.Name)
		found := slices.ContainsFunc(matches, func(m Match) bool {
			return slices.ContainsFunc(m.Medicines, func(m medicines.Medicine) bool { return len(m.INN) > 0 })
		})
		if found == l.Gone {
			t.Errorf("%s: marketed %v, said %v", l.Name, found, !l.Gone)
		}
	}
}

// TestValidStrength: a number and a unit, nothing else.
func TestValidStrength(t *testing.T) {
	for text, want := range map[string]bool{
		"0,25 mg": true, "0.25mg": true, "10 mg/ml": true, "15 mg/2,5 ml": true, "1 %": true, "25 µg": true, "50 microgrammes": true, "1 g": true,
		"": false, "mg": false, "0 mg": false, "0,000 mg": false, "-1 mg": false, "1 mgx": false, "1e3 mg": false, "١ mg": false, "1 mg, 2 mg": false, "100000 mg": false, "1 mg/": false, "NaN mg": false, "1 mg\n": false,
	} {
		if ValidStrength(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
