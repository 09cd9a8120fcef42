package traits

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"

	"pgregory.net/rapid"
)

const today = Date("2026-11-22")

func refused(t *testing.T, err error, code string) {
	t.Helper()
	var r Refusal
	if code == "" && err != nil {
		t.Errorf("refused as %v", err)
	}
	if code != "" && (!errors.As(err, &r) || string(r) != code) {
		t.Errorf("got %v, want %s", err, code)
	}
}

func TestParseINS(t *testing.T) {
	for _, c := range []struct{ text, oid, code string }{
		{"279035121518989", OIDTest, ""},
		{" 2 79 03 51 215 189 89 ", OIDTest, ""},
		{"297022a02077878", OIDNIR, ""},
		{"279035121518988", OIDTest, "ins-key"},
		{"279035121518998", OIDTest, "ins-key"},
		{"2790351215189", OIDTest, "ins-length"},
		{"2790351215189890", OIDTest, "ins-length"},
		{"979035121518989", OIDTest, "ins-shape"},
		{"27903A121518989", OIDTest, "ins-shape"},
		{"279035121518989", "1.2.250.1.213.1.4.2", "ins-oid"},
		{"279035121518989", "", "ins-oid"},
	} {
		ins, err := ParseINS(c.text, c.oid)
		refused(t, err, c.code)
		if c.code == "" && (len(ins.Matricule) != 15 || ins.OID != c.oid) {
			t.Errorf("%q reads as %v", c.text, ins)
		}
	}
}

// One changed digit never goes unseen: that is what a key of 97 promises.
func TestINSKeySeesOneWrongDigit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n13 := rapid.StringMatching(`[12][0-9]{4}([0-9]{2}|2A|2B)[0-9]{6}`).Draw(t, "n13")
		key, _ := care.INSKey(n13)
		good := n13 + key
		if _, err := ParseINS(good, OIDTest); err != nil {
			t.Fatalf("%s refused: %v", good, err)
		}
		i := rapid.IntRange(1, 14).Draw(t, "i")
		if good[i] < '0' || good[i] > '9' || i == 5 || i == 6 {
			t.Skip()
		}
		d := byte('0') + (good[i]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "d")))%10
		bad := good[:i] + string(d) + good[i+1:]
		if _, err := ParseINS(bad, OIDTest); err == nil {
			t.Fatalf("%s for %s was accepted", bad, good)
		}
	})
}

func FuzzParseINS(f *testing.F) {
	f.Add("279035121518989", OIDTest)
	f.Add("297022A02077878", OIDNIR)
	f.Fuzz(func(t *testing.T, text, oid string) {
		ins, err := ParseINS(text, oid)
		if err == nil && len(ins.Matricule) != 15 {
			t.Errorf("%q gave %v", text, ins)
		}
	})
}

func TestIdentityStatusMoves(t *testing.T) {
	P, R, V, Q := care.Provisional, care.Retrieved, care.Validated, care.Qualified
	want := map[care.IdentityStatus][3]care.IdentityStatus{ // INSi, document, doubt
		P: {R, V, P}, R: {R, Q, P}, V: {Q, V, P}, Q: {Q, Q, P},
	}
	for from, to := range want {
		for i, e := range []StatusEvent{INSiAnswered, DocumentChecked, Doubted} {
			if got := NextStatus(from, e); got != to[i] {
				t.Errorf("%s %s goes to %s, want %s", from, e, got, to[i])
			}
		}
		if MayLeave(from) != (from == Q) {
			t.Errorf("MayLeave(%s) = %v", from, MayLeave(from))
		}
	}
}

// Whatever happens, QUAL is reached only by a document and INSi, both since the
// last doubt.
func TestQualifiedNeedsBothProofs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		status, doc, insi := care.Provisional, false, false
		for _, e := range rapid.SliceOf(rapid.SampledFrom([]StatusEvent{INSiAnswered, DocumentChecked, Doubted})).Draw(t, "events") {
			status = NextStatus(status, e)
			switch e {
			case INSiAnswered:
				insi = true
			case DocumentChecked:
				doc = true
			default:
				doc, insi = false, false
			}
			if MayLeave(status) != (doc && insi) {
				t.Fatalf("%s with document %v and INSi %v", status, doc, insi)
			}
		}
	})
}

func TestIdentityDocuments(t *testing.T) {
	for _, c := range []struct {
		code  string
		minor bool
		want  string
	}{
		{"passport", false, ""}, {"id-card", true, ""}, {"family-book", true, ""},
		{"family-book", false, "document-minors-only"}, {"library-card", true, "document-unknown"}, {"", false, "document-unknown"},
		{"# Identity documents of high confidence. Source: RNIV 1, §3.3.2, and its January 2024 rule for minors", true, "document-unknown"},
	} {
		refused(t, CheckDocument(c.code, c.minor), c.want)
	}
}

func TestAgesAndMajority(t *testing.T) {
	for _, c := range []struct {
		birth, on Date
		age       int
		minor     bool
	}{
		{"2008-11-23", "2026-11-22", 17, true},
		{"2008-11-22", "2026-11-22", 18, false},
		{"2008-02-29", "2026-02-28", 17, true},
		{"2008-02-29", "2026-03-01", 18, false},
		{"2026-11-22", "2026-11-22", 0, true},
		{"1979-03-28", "2026-11-22", 47, false},
		{"2027-01-01", "2026-11-22", -1, true},
	} {
		if got := c.birth.Age(c.on); got != c.age || c.birth.Minor(c.on) != c.minor {
			t.Errorf("born %s on %s: %d, minor %v", c.birth, c.on, got, c.birth.Minor(c.on))
		}
	}
}

func TestDates(t *testing.T) {
	for text, code := range map[string]string{"1979-03-28": "", "2024-02-29": "", "2023-02-29": "date-shape", "28/03/1979": "date-shape",
		"": "date-shape", "0000-01-01": "date-shape", "1979-3-28": "date-shape"} {
		_, err := ParseDate(text)
		refused(t, err, code)
	}
	refused(t, Date("2026-11-23").CheckBirth(today), "in-future")
	refused(t, Date("1890-01-01").CheckBirth(today), "too-old")
	refused(t, today.CheckBirth(today), "")
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	if d := DayOf(time.Date(2026, 11, 22, 23, 30, 0, 0, time.UTC), paris); d != "2026-11-23" {
		t.Errorf("the day in Paris is %s", d)
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ in, out, code string }{
		{"  N’Guessan‑Lefèvre ", "N'Guessan-Lefèvre", ""},
		{"MOREAU--GARCIA", "MOREAU--GARCIA", ""},
		{"Marie\u00a0 Louise", "Marie Louise", ""},
		{"E\u0301tienne", "Étienne", ""},
		{"李", "李", ""},
		{"", "", "required"}, {"   ", "", "required"},
		{"R2D2", "", "name-characters"}, {"<script>", "", "name-characters"}, {"--", "", "name-characters"}, {"a\r\nb@", "", "name-characters"},
		{strings.Repeat("a", 101), "", "too-long"},
	} {
		got, err := CleanName(c.in)
		refused(t, err, c.code)
		if got != c.out {
			t.Errorf("%q cleans to %q", c.in, got)
		}
	}
}

func TestStrictAndSearchForms(t *testing.T) {
	for _, c := range []struct{ in, strict, key string }{
		{"N'Guessan-Lefèvre", "N'GUESSAN-LEFEVRE", "NGUESSANLEFEVRE"},
		{"Dû-Mazerolles", "DU-MAZEROLLES", "DUMAZEROLLES"},
		{"Œuvrard", "OEUVRARD", "OEUVRARD"},
		{"Łukasz", "LUKASZ", "LUKASZ"},
		{"Jean-Noël Étienne", "JEAN-NOEL ETIENNE", "JEANNOELETIENNE"},
		{"Straße", "STRASSE", "STRASSE"},
	} {
		if Strict(c.in) != c.strict || SearchKey(c.in) != c.key {
			t.Errorf("%q gives %q and %q", c.in, Strict(c.in), SearchKey(c.in))
		}
	}
	for in, want := range map[[2]string]string{{"Zoé", "Dû-Mazerolles"}: "Z. D.", {"Élodie", "'t Hooft"}: "E. T.", {"", "X"}: "X."} {
		if got := Initials(in[0], in[1]); got != want {
			t.Errorf("initials of %v are %q", in, got)
		}
	}
}

// Cleaning is stable, and the search form does not depend on how a name is spelt.
func TestNameFormsAreStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[A-Za-zÀ-ÖØ-öø-ÿœŒ' ’-]{1,40}`).Draw(t, "name")
		clean, err := CleanName(name)
		if err != nil {
			return
		}
		if again, err := CleanName(clean); err != nil || again != clean {
			t.Fatalf("%q cleans to %q then %q (%v)", name, clean, again, err)
		}
		if Strict(Strict(clean)) != Strict(clean) || SearchKey(strings.ToLower(clean)) != SearchKey(clean) {
			t.Fatalf("forms of %q move", clean)
		}
	})
}

func TestPhones(t *testing.T) {
	for _, c := range []struct {
		in, out, code string
		mobile        bool
	}{
		{"06 12 34 56 78", "+33612345678", "", true},
		{"+33 (0)6.12.34.56.78", "+33612345678", "", true},
		{"0033612345678", "+33612345678", "", true},
		{"+330612345678", "+33612345678", "", true},
		{"01-43-62-00-00", "+33143620000", "", false},
		{"0692 12 34 56", "+262692123456", "", true},
		{"0262 12 34 56", "+262262123456", "", false},
		{"0639 12 34 56", "+262639123456", "", true},
		{"06 39 98 12 34", "+33639981234", "", true},
		{"0690123456", "+590690123456", "", true},
		{"0696123456", "+596696123456", "", true},
		{"0694123456", "+594694123456", "", true},
		{"+32 470 12 34 56", "+32470123456", "", true},
		{"+221 77 123 45 67", "+221771234567", "", true},
		{"", "", "required", false},
		{"06 12 34 56 7", "", "phone-too-short", false},
		{"06 12 34 56 78 9", "", "phone-too-long", false},
		{"06 12 34 56 7O", "", "phone-characters", false},
		{"0800 12 34 56", "", "phone-special", false}, {"3624", "", "phone-special", false}, {"+33 899 12 34 56", "", "phone-special", false},
		{"612345678", "", "phone-too-short", false},
		{"1612345678", "", "phone-country", false}, {"+0612345678", "", "phone-country", false}, {"+", "", "phone-country", false},
		{"+1234", "", "phone-too-short", false}, {"+1234567890123456", "", "phone-too-long", false},
		{"(0)6 12 34 56 78", "+33612345678", "", true}, {"+33 00612345678", "", "phone-too-long", false},
		{"\u202a+33\u00a06\u201112\u200934 56\t78\u202c", "+33612345678", "", true},
		{"+33 6 12 34 56", "", "phone-too-short", false}, {"+33 6 12 34 56 789", "", "phone-too-long", false},
	} {
		got, err := ParsePhone(c.in)
		refused(t, err, c.code)
		if got != c.out || (got != "" && Mobile(got) != c.mobile) {
			t.Errorf("%q reads as %q, mobile %v", c.in, got, Mobile(got))
		}
	}
	if HidePhone("+33612345678") != "•• •• •• •• 78" || HidePhone("") != "" {
		t.Error("the hint tells more than two digits")
	}
}

// TestForeignPhones reads how people write the numbers of their countries: what is
// kept can be called, and what cannot exist is refused. The web code reads the same
// table.
func TestForeignPhones(t *testing.T) {
	rows, err := os.ReadFile("testdata/phones.tsv")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(rows)) {
		c := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if c[0] == "" || c[0][0] == '#' {
			continue
		}
		n++
		want, code := c[1], ""
		if want[0] != '+' {
			want, code = "", c[1]
		}
		got, err := ParsePhone(c[0])
		refused(t, err, code)
		if got != want {
			t.Errorf("%q reads as %q, want %q", c[0], got, want)
		}
		if again, err := ParsePhone(got); got != "" && (err != nil || again != got) {
			t.Errorf("%q reads as %q the second time: %v", got, again, err)
		}
	}
	if n < 60 {
		t.Errorf("%d rows", n)
	}
}

func FuzzParsePhone(f *testing.F) {
	for _, s := range []string{"0612345678", "+33 6", "+(0)", "0033", "(0)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePhone(s)
		if err != nil {
			return
		}
		if again, err := ParsePhone(p); err != nil || again != p || len(p) < 9 || len(p) > 16 {
			t.Errorf("%q reads as %q then %q (%v)", s, p, again, err)
		}
	})
}

func TestEmails(t *testing.T) {
	for _, c := range []struct{ in, out, code string }{
		{" d.pat-trois@Exemple.FR ", "d.pat-trois@exemple.fr", ""},
		{"a+b@sous.domaine.example", "a+b@sous.domaine.example", ""},
		{"", "", "required"}, {"abc", "", "email-at"}, {"a@b@c.fr", "", "email-at"}, {"a b@c.fr", "", "email-space"},
		{"a@c", "", "email-domain"}, {"a@-c.fr", "", "email-domain"}, {"a@c..fr", "", "email-domain"}, {"a@c.f", "", "email-domain"},
		{"a@exämple.fr", "", "email-domain"}, {"@c.fr", "", "email-characters"}, {"a.@c.fr", "", "email-characters"},
		{"<a@c.fr>", "", "email-domain"}, {"é@c.fr", "", "email-characters"},
		{"a\r\nBcc:x@c.fr", "", "email-space"}, {strings.Repeat("a", 65) + "@c.fr", "", "email-characters"},
		{"a@" + strings.Repeat("b", 260) + ".fr", "", "too-long"},
	} {
		got, err := ParseEmail(c.in)
		refused(t, err, c.code)
		if got != c.out {
			t.Errorf("%q reads as %q", c.in, got)
		}
	}
	if HideEmail("dominique@exemple.fr") != "d•••@exemple.fr" || HideEmail("x") != "" {
		t.Error("hint of an address")
	}
}

func TestTraitsNameEachWrongField(t *testing.T) {
	good := Traits{BirthFamilyName: "PAT-TROIS", FirstGivenName: "Dominique", BirthGivenNames: "Dominique Marie-Louise", Sex: Female,
		BirthDate: "1979-03-28", BirthPlaceCode: "51215"}
	if _, problems := good.Clean(today); problems != nil || good.Complete() != nil {
		t.Fatalf("refused: %v %v", problems, good.Complete())
	}
	for _, c := range []struct {
		change func(*Traits)
		want   fault.Field
	}{
		{func(x *Traits) { x.BirthFamilyName = "" }, fault.Field{Name: "birthFamilyName", Code: "required"}},
		{func(x *Traits) { x.FirstGivenName = "D0minique" }, fault.Field{Name: "firstGivenName", Code: "name-characters"}},
		{func(x *Traits) { x.FirstGivenName = "Marie" }, fault.Field{Name: "firstGivenName", Code: "not-first-given-name"}},
		{func(x *Traits) { x.UsedFamilyName = "@" }, fault.Field{Name: "usedFamilyName", Code: "name-characters"}},
		{func(x *Traits) { x.Sex = "X" }, fault.Field{Name: "sex", Code: "sex-code"}},
		{func(x *Traits) { x.BirthDate = "2026-11-23" }, fault.Field{Name: "birthDate", Code: "in-future"}},
		{func(x *Traits) { x.BirthDate = "hier" }, fault.Field{Name: "birthDate", Code: "date-shape"}},
		{func(x *Traits) { x.BirthPlaceCode = "Paris" }, fault.Field{Name: "birthPlaceCode", Code: "cog-shape"}},
	} {
		bad := good
		c.change(&bad)
		_, problems := bad.Clean(today)
		if len(problems) != 1 || problems[0].Name != c.want.Name || problems[0].Code != c.want.Code {
			t.Errorf("got %v, want %v", problems, c.want)
		}
	}
	booked, problems := Traits{BirthFamilyName: "Dupont", FirstGivenName: "Anne", BirthDate: "1990-01-01"}.Clean(today)
	if problems != nil || booked.BirthGivenNames != "Anne" || booked.Sex != SexUnknown || len(booked.Complete()) != 2 {
		t.Errorf("a booking's traits: %+v %v", booked, problems)
	}
	for _, code := range []string{"2A020", "97411", "99341", "2a020"} {
		x := good
		x.BirthPlaceCode = code
		if _, problems := x.Clean(today); problems != nil {
			t.Errorf("COG %s refused", code)
		}
	}
}

func ExampleTraits_DisplayName() {
	t := Traits{BirthFamilyName: "PAT-TROIS", FirstGivenName: "Dominique", UsedFamilyName: "DUPONT"}
	fmt.Println(t.DisplayName())
	// Output: Dominique DUPONT
}
