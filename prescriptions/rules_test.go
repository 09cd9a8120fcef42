package prescriptions

import (
	"errors"
	"strings"
	"testing"
	"time"

	"visavis/internal/cda"
	"visavis/internal/fault"
	"visavis/internal/medicines"

	"pgregory.net/rapid"
)

var (
	paris  = time.FixedZone("CET", 3600)
	issued = time.Date(2026, 1, 31, 23, 30, 0, 0, paris)
	law    = Rules{LongestMonths: 12, FirstDispensingMonths: 3, LongestDeviceMonths: 12, WeightBelow: 15, EFGBelow: 6}
)

func TestRulesAreDated(t *testing.T) {
	r, err := rulesOn(issued)
	if err != nil || r != law {
		t.Errorf("%+v %v", r, err)
	}
	if _, err := rulesOn(time.Date(1999, 1, 1, 0, 0, 0, 0, paris)); err == nil {
		t.Error("no rule was in force in 1999 as far as the file knows")
	}
	for line := range strings.Lines(rulesTSV) {
		if f := strings.Split(strings.TrimSpace(line), "\t"); !strings.HasPrefix(line, "#") && (len(f) != 5 || !strings.Contains(f[4], "CS")) {
			t.Errorf("a rule without its source: %q", line)
		}
	}
}

func TestWindow(t *testing.T) {
	day := func(s string) time.Time {
		d, err := time.ParseInLocation(time.DateOnly, s, paris)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		name        string
		category    Category
		lines       []Line
		first, last string
	}{
		{"short treatment: three months all the same", Medicines, []Line{{DurationDays: 5}}, "2026-05-01", "2026-05-01"},
		{"six months with renewals", Medicines, []Line{{DurationDays: 30, Renewals: 5}}, "2026-05-01", "2026-07-30"},
		{"the longest line counts", Medicines, []Line{{DurationDays: 200}, {DurationDays: 3}}, "2026-05-01", "2026-08-19"},
		{"never beyond twelve months", Medicines, []Line{{DurationDays: 366}}, "2026-05-01", "2027-01-31"},
	} {
		first, last := window(c.category, c.lines, issued, law)
		if !first.Equal(day(c.first)) || !last.Equal(day(c.last)) {
			t.Errorf("%s: %s to %s, want %s to %s", c.name, first.Format(time.DateOnly), last.Format(time.DateOnly), c.first, c.last)
		}
	}
	if first, last := window(Biology, []Line{{Text: "NFS"}}, issued, law); !first.IsZero() || !last.IsZero() {
		t.Error("the law gives no window to laboratory tests")
	}
}

func names(fields []fault.Field) string {
	out := []string{}
	for _, f := range fields {
		out = append(out, f.Name+" "+f.Code)
	}
	return strings.Join(out, ", ")
}

func TestCheck(t *testing.T) {
	good := Line{Name: "X", INN: "y", CIS: "63107752", Dose: "1", Frequency: "2 fois par jour", DurationDays: 5}
	change := func(f func(*Line)) []Line {
		l := good
		f(&l)
		return []Line{good, l}
	}
	for _, c := range []struct {
		want  string
		c     Category
		lines []Line
	}{
		{"", Medicines, []Line{good}},
		{"", Device, []Line{{Text: "Attelle de poignet", Quantity: 1, DurationDays: 30, Renewals: 11}}},
		{"lines[0].quantity required, lines[0].text required", Device, []Line{{LPP: "1215702"}}},
		{"lines[0].renewals treatment-too-long", Device, []Line{{Text: "Lit médical", Quantity: 1, DurationDays: 100, Renewals: 3}}},
		{"lines required", Medicines, nil},
		{"lines[0].text required", Nursing, []Line{{Text: " \n "}}},
		{"lines[1].name required", Medicines, change(func(l *Line) { l.Name = "" })},
		{"lines[1].inn required", Medicines, change(func(l *Line) { l.INN = "" })},
		{"lines[1].inn inn-needed", Medicines, change(func(l *Line) { l.INN, l.CIS = "", "" })},
		{"", Medicines, change(func(l *Line) { l.CIS = "" })},
		{"lines[1].renewals number-negative", Medicines, change(func(l *Line) { l.Renewals = -1 })},
		{"lines[1].quantity number-negative", Medicines, change(func(l *Line) { l.Quantity = -1 })},
		{"lines[1].durationDays number-negative, lines[1].durationDays required", Medicines, change(func(l *Line) { l.DurationDays = -5 })},
		{"lines[1].name control-character", Medicines, change(func(l *Line) { l.Name = "X\x00" })},
		{"lines[1].dose required", Medicines, change(func(l *Line) { l.Dose = "\t" })},
		{"lines[1].frequency required", Medicines, change(func(l *Line) { l.Frequency = "" })},
		{"lines[1].durationDays required", Medicines, change(func(l *Line) { l.DurationDays = 0 })},
		{"", Medicines, change(func(l *Line) { l.DurationDays, l.Renewals = 30, 11 })},
		{"lines[1].renewals treatment-too-long", Medicines, change(func(l *Line) { l.DurationDays, l.Renewals = 30, 12 })},
	} {
		if got := names(check(c.c, c.lines, law)); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestCompleteTrustsTheIndex(t *testing.T) {
	in := []Line{{CIS: "62080626", Name: "faux nom", INN: "fausse"}, {CIS: "00000000", Name: "z"}, {Name: "préparation"}}
	out, wrong := complete(in, medicines.Sample(), catalogue(t))
	if out[0].Name != "LEVOTHYROX 75 microgrammes, comprimé sécable" || out[0].INN != "lévothyroxine sodique" || out[2].Name != "préparation" {
		t.Errorf("%+v", out)
	}
	if names(wrong) != "lines[1].cis medicine-unknown" || in[0].Name != "faux nom" {
		t.Errorf("%s; what was given is not changed: %+v", names(wrong), in[0])
	}
}

// TestCodedLinesAlwaysPass: whatever passes our check of lines passes the check of the CDA document, so
// that a page never shows a field that it does not have.
func TestCodedLinesAlwaysPass(t *testing.T) {
	index, words := medicines.Sample(), catalogue(t)
	rapid.Check(t, func(r *rapid.T) {
		word := rapid.StringMatching(`[a-zA-Zéà0-9 ,']{0,12}`)
		lines := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) Line {
			return Line{Dosage: someDosage(r), CIS: rapid.SampledFrom([]string{"", "63107752", "62080626", "68293517"}).Draw(r, "cis"), Name: word.Draw(r, "name"), INN: word.Draw(r, "inn"),
				Dose: word.Draw(r, "dose"), Frequency: word.Draw(r, "frequency"), DurationDays: rapid.IntRange(0, 400).Draw(r, "days"), Quantity: rapid.IntRange(0, 9).Draw(r, "quantity"),
				Renewals: rapid.IntRange(0, 20).Draw(r, "renewals"), NonSubstitutable: rapid.SampledFrom([]string{"", "MTE", "EFG", "CIF"}).Draw(r, "reason"),
				ALD: rapid.Bool().Draw(r, "ald"), OffLabel: rapid.Bool().Draw(r, "off")}
		}), 1, 4).Draw(r, "lines")
		done, wrong := complete(lines, index, words)
		if len(wrong)+len(check(Medicines, done, law)) > 0 {
			return
		}
		ids := make([]string, len(done))
		for i := range ids {
			ids[i] = "0199aaaa-0000-7000-8000-000000000001"
		}
		if problems := cda.CheckLines(coded(done, index, words, issued, ids)); len(problems) > 0 {
			r.Fatalf("%+v: %v", done, problems)
		}
	})
}

func TestCodes(t *testing.T) {
	seen := map[string]bool{}
	for range 2000 {
		code, public := newCode(), newPublicID()
		if len(code) != 9 || code[4] != '-' || len(readCode(code)) != codeLength || strings.ContainsAny(code, "ILOU") || seen[code] {
			t.Fatalf("code %q", code)
		}
		if !validPublicID(public) || seen[public] {
			t.Fatalf("public id %q", public)
		}
		seen[code], seen[public] = true, true
	}
	for typed, want := range map[string]string{"7qmk-2wxr": "7QMK2WXR", " 7QMK 2WXR ": "7QMK2WXR", "oIlL-0111": "01110111"} {
		if got := readCode(typed); got != want {
			t.Errorf("readCode(%q) = %q, want %q", typed, got, want)
		}
	}
	s := &Service{hashing: make(chan struct{}, hashers)}
	salt := newSalt()
	kept := s.hashCode("7QMK-2WXR", salt)
	if !s.codeMatches("7qmk 2wxr", kept) || s.codeMatches("7QMK-2WXS", kept) || s.codeMatches("7QMK-2WXR", nil) || s.codeMatches("7QMK-2WXR", kept[:saltSize]) {
		t.Error("codeMatches")
	}
	if string(s.hashCode("7QMK-2WXR", newSalt())) == string(kept) {
		t.Error("two prescriptions with one code have one hash")
	}
}

func TestInitials(t *testing.T) {
	for _, c := range [][3]string{{"Léa", "Moreau", "L. M."}, {"élodie", "n'guessan", "É. N."}, {"", "Moreau", "M."}, {"  ", "", ""}} {
		if got := initials(c[0], c[1]); got != c[2] {
			t.Errorf("initials(%q, %q) = %q", c[0], c[1], got)
		}
	}
}

// TestTransitions walks every pair of states: only those of the table are possible.
func TestTransitions(t *testing.T) {
	legal := map[[2]Status]bool{{Draft, Signed}: true, {Signed, Replaced}: true, {Signed, Cancelled}: true}
	all := []Status{Draft, Signed, Replaced, Cancelled}
	for _, from := range all {
		for _, to := range all {
			p := &Prescription{Status: from}
			if ok := p.to(to); ok != legal[[2]Status{from, to}] || (!ok && p.Status != from) {
				t.Errorf("%s to %s: %v, now %s", from, to, ok, p.Status)
			}
		}
	}
}

func TestStandingAtTheLimit(t *testing.T) {
	p := &Prescription{Status: Signed, ValidUntil: issued}
	for at, want := range map[time.Duration]Standing{-time.Second: StandsValid, 0: StandsValid, time.Second: StandsExpired} {
		if got := p.standing(issued.Add(at)); got != want {
			t.Errorf("%s: %s", at, got)
		}
	}
	p.Status = Cancelled
	if p.standing(issued.Add(time.Hour)) != StandsCancelled {
		t.Error("cancelled says more than expired")
	}
}

func TestEveryCategoryHasItsWords(t *testing.T) {
	texts, err := Texts()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []Category{Medicines, Biology, Imaging, Nursing, Physiotherapy, Device, Other} {
		_, code, ok := c.form()
		if _, known := cda.Lookup(cda.SetDocument, code); !ok || !known {
			t.Errorf("%s: %s", c, code)
		}
		for _, l := range []string{"fr", "en"} {
			if _, ok := texts.Lookup(l, "title."+string(c)); !ok {
				t.Errorf("%s has no title in %s", c, l)
			}
		}
	}
	if _, _, ok := Category("poison").form(); ok {
		t.Error("poison is no category")
	}
}

func faults(err error) string {
	var f *fault.Error
	if !errors.As(err, &f) {
		return ""
	}
	return names(f.Fields)
}
