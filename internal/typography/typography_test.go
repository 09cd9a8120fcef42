package typography

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	xfont "golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"visavis/internal/fault"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"LEVOTHYROX 25 \u00b5g": "LEVOTHYROX 25 \u00b5g", "25 \u03bcg et 3 \u03bcmol/L": "25 \u00b5g et 3 \u00b5mol/L", "\u03bc seul": "\u03bc seul",
		"Δη\u03bcήτρης": "Δη\u03bcήτρης", "β\u03bcg": "β\u03bcg", "e\u0301": "é", "A\u030a": "Å", "\u212b \u2126 \u212a": "Å Ω K",
		"ﬁbrose, diﬀus, suﬃsant, ﬂux, baﬄe, ﬅ ﬆ": "fibrose, diffus, suffisant, flux, baffle, st st", "１２ ｍｇ／ｊ（！）": "12 mg/j(!)",
		"㎎ ㎍ ㎖ ㏄": "mg µg ml cc", "𝐛𝐨𝐥𝐝 𝟏𝟐": "bold 12", "co\u00adop\u200bé\u2060r\ufeffé": "coopéré", "☐\ufe0f": "☐", "a\u202eb\u202c\u200fc\u2066d": "abcd",
		"a\r\nb\rc\u2028d\u2029e\vf\fg\u0085h": "a\nb\nc\nd\ne\nf\ng\nh", "a\tb": "a b", "ﻟﻴﻠﻰ ﷲ": "ليلى الله", "\ufb21\ufb4f": "אאל",
		"نیک\u200cنژاد": "نیک\u200cنژاد", "a\u200cb": "ab", "ك\u200d": "ك", "👩\u200d⚕": "👩⚕",
		// Nothing that a reader tells apart is folded.
		"10⁹ 10⁻³ H₂O SpO₂ ½ ¼ ⅓ № ™ ℃ Ⅳ ① … ª º ¹ ² ³ ′ ″ ‰ ﹖": "10⁹ 10⁻³ H₂O SpO₂ ½ ¼ ⅓ № ™ ℃ Ⅳ ① … ª º ¹ ² ³ ′ ″ ‰ ﹖",
		"a\u00a0b\u202fc\u2009d\u2011e": "a\u00a0b\u202fc\u2009d\u2011e", "ĳ ŉ ſ Ǆ ˚": "ĳ ŉ ſ Ǆ ˚", "≤≥±×÷°–—«»": "≤≥±×÷°–—«»",
	} {
		if got := Clean(in); got != want {
			t.Errorf("%+q is written %+q, want %+q", in, got, want)
		}
	}
}

// Each row of the table can be read, has a reason, and gives something that can be printed.
func TestTable(t *testing.T) {
	for line := range strings.Lines(tableTSV) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 4 || len(f[3]) < 4 || !slices.Contains([]string{"always", "before-letter", "not-joining"}, f[2]) {
			t.Errorf("%q is not a row", line)
			continue
		}
		if _, _, ok := span(f[0]); !ok {
			t.Errorf("%q: what sign?", f[0])
		}
		if f[1] != "removed" && f[1] != "NFKC" && strings.ContainsRune(signs(f[1]), utf8.RuneError) {
			t.Errorf("%q: written how?", f[1])
		}
	}
	for r, rule := range loadTable() {
		if unicode.Is(unicode.No, r) || unicode.Is(unicode.Nl, r) {
			t.Errorf("%c (%U): superscripts, subscripts, fractions and numerals stay as typed", r, r)
		}
		if rule.where == "always" && Clean(rule.to) != rule.to {
			t.Errorf("%U is written %q, which the table writes another way", r, rule.to)
		}
	}
}

func TestShapes(t *testing.T) {
	rows := 0
	fonts := loadFonts()
	for line := range strings.Lines(arabicTSV) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		rows++
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 6 {
			t.Fatalf("%q is not a row", line)
		}
		for i, form := range f[1:5] {
			r, ok := codePoint(form)
			if form == "-" {
				continue
			}
			if !ok || !fonts.draws(r) {
				t.Errorf("%s: form %d (%s) is not drawn", f[5], i, form)
			}
			if got, want := norm.NFKC.String(string(r)), signs(f[0]); got != want {
				t.Errorf("%s is a form of %q, not of %q", form, got, want)
			}
		}
	}
	if rows != len(fonts.shapes.forms)+len(fonts.shapes.lamAlef) || rows < 60 {
		t.Errorf("%d rows", rows)
	}
	for in, want := range map[string]string{
		"ليلى": "ﻰﻠﻴﻟ", "دار": "ﺭﺍﺩ", "بَيت": "ﺖﻴَﺑ", "ك": "ﻙ", "كـ": "ـﻛ", "نیک\u200cنژاد": "ﺩﺍ\ufb8bﻧ\u200cﮏﯿﻧ",
		"سلام": "ﻡﻼ\ue001ﺳ", "لا": "ﻻ\ue001", "ליאור": "רואיל", "סעיף 12.5 כאן": "ןאכ 12.5 ףיעס", "(ליאור)": "(רואיל)",
		"M. ליאור כהן (40 ans)": "M. ןהכ רואיל (40 ans)", "12 עמוד": "דומע 12", "Nguyễn": "Nguyễn", "שָׁ": "\u05c1\u05b8ש",
	} {
		if got := Visual(norm.NFC.String(in)); got != norm.NFC.String(want) && got != want {
			t.Errorf("%s is set %+q, want %+q", in, got, want)
		}
	}
}

// required is what the issue asks to be printed.
const required = "µμβΩαγδ→←↑↓↔⇒№☐☑☒✓½¼¾⅓⅔⅛⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉≤≥±×÷≈≠√∞∑∆°′″…–—-‐‑«»‹›“”‘’„‚‰%℃℉™®©§¶†‡•·€£ŒœÆæßẞÿ♀♂¿¡ªº\u00a0\u202f\u2009\u2003"

func TestRepertoire(t *testing.T) {
	for _, r := range required {
		if !Printable(r) {
			t.Errorf("%c (%U) is not printed", r, r)
		}
	}
	for name, table := range map[string][2]rune{"Latin": {0x20, 0x7e}, "Latin-1": {0xa0, 0xff}, "Latin Extended-A": {0x100, 0x17f}, "Latin Extended-B": {0x180, 0x24f},
		"Vietnamese": {0x1ea0, 0x1ef9}, "Cyrillic": {0x400, 0x4ff}, "Hebrew": {0x5d0, 0x5ea}, "Arabic letters": {0x621, 0x63a}, "Arabic letters, end": {0x641, 0x652},
		"arrows": {0x2190, 0x21ff}, "mathematics": {0x2200, 0x22ff}, "boxes": {0x25a0, 0x25ff}, "superscripts": {0x2074, 0x208e}} {
		for r := table[0]; r <= table[1]; r++ {
			letter := ""
			if unicode.Is(unicode.M, r) {
				letter = map[bool]string{false: "ш", true: "ب"}[rightToLeftMark(r)]
			}
			if s := Clean(letter + string(r)); s != "" && unicode.IsGraphic(r) && len(Unprintable(s)) > 0 {
				t.Errorf("%s: %c (%U) is not printed", name, r, r)
			}
		}
	}
	for r := rune(0x370); r < 0x400; r++ {
		if unicode.IsLetter(r) && !Printable(r) {
			t.Errorf("Greek: %c (%U) is not printed", r, r)
		}
	}
	for _, r := range "😀中あ한ก\x00\x07\x1b\x7f\u0080\ufffd\ue000\ue001\ue0ff\uf0b7\ufffeहہ" {
		if Printable(r) {
			t.Errorf("%U is said to be printed", r)
		}
	}
}

// A combining mark is printed on what carries it, or refused with its name. The fonts draw it there: no mark
// moves what follows it, those of Latin, Greek and Cyrillic stand at their left, those of Hebrew and Arabic at
// their right.
func TestMarks(t *testing.T) {
	for typed, refused := range map[string]string{
		"x\u0304 c\u0304 m\u0325": "", "2\u0305 №\u0332 ☐\u0336": "", "ш\u0483\u0301": "", "שָׁ בְּ": "", "مُحَمَّد": "", "ـَ": "", "\u25cc\u0486": "",
		"\u0301": "\u0301", "a\n\u0301": "\u0301", "a \u0486b": "\u0486", "_\u0484": "\u0484", "\u00a0\u0301": "\u0301", "(\u0308\u0301)": "\u0308\u0301",
		"a\u064e": "\u064e", "\u05b8": "\u05b8", "5\u0651": "\u0651", "ب\u0305": "\u0305", "a\u05b8\u05b8": "\u05b8",
	} {
		if got := string(Unprintable(Clean(typed))); got != refused {
			t.Errorf("%+q: refused %+q, want %+q", typed, got, refused)
		}
	}
	if f := Fields("name", "\u0486"); len(f) != 1 || f[0].Args["signs"] != "◌\u0486 (U+0486)" {
		t.Errorf("%v", f)
	}
	for i, file := range [][]byte{wideRegularTTF, wideBoldTTF} {
		font, err := sfnt.Parse(file)
		if err != nil {
			t.Fatal(err)
		}
		var buf sfnt.Buffer
		for r := range loadFonts().wide {
			if !unicode.Is(unicode.M, r) {
				continue
			}
			glyph, _ := font.GlyphIndex(&buf, r)
			bounds, advance, err := font.GlyphBounds(&buf, glyph, fixed.I(1000), xfont.HintingNone)
			if err != nil || advance != 0 || loadFonts().wide[r][i] != 0 {
				t.Errorf("%U moves what follows by %v: %v", r, advance, err)
			}
			if left := bounds.Max.X+bounds.Min.X <= fixed.I(30); left == rightToLeftMark(r) && bounds.Max.X > bounds.Min.X {
				t.Errorf("%U is drawn from %v to %v", r, bounds.Min.X, bounds.Max.X)
			}
		}
	}
	for r := range loadFonts().main {
		if unicode.Is(unicode.M, r) {
			t.Errorf("%U is set in the main font", r)
		}
	}
}

// Whatever is typed: cleaning is idempotent, leaves text in composed form, and what it leaves is printed or named.
func TestClean_AnyText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "typed")
		once := Clean(s)
		if Clean(once) != once {
			t.Fatalf("%+q then %+q", once, Clean(once))
		}
		if !norm.NFC.IsNormalString(once) {
			t.Fatalf("%+q is not composed", once)
		}
		printed := strings.Map(func(r rune) rune {
			if Printable(r) {
				return r
			}
			return -1
		}, once)
		if got := strings.Join(Wrap(printed, 1e9, func(string) float64 { return 0 }), "\n"); strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(printed, " ", "") {
			t.Fatalf("%q is wrapped %q", printed, got)
		}
		for _, line := range strings.Split(printed, "\n") {
			var read []string
			for _, r := range Visual(line) {
				read = append(read, Letters(r))
			}
			if a, b := sorted(strings.Join(read, "")), sorted(line); a != b && !strings.ContainsAny(line, "()[]{}<>«»‹›") {
				t.Fatalf("%q is set with the letters %q", line, strings.Join(read, ""))
			}
		}
	})
}

func sorted(s string) string {
	r := []rune(s)
	slices.Sort(r)
	return string(r)
}

func TestWrap(t *testing.T) {
	count := func(s string) float64 { return float64(utf8.RuneCountInString(s)) }
	for in, want := range map[string]string{
		"un deux trois": "un deux|trois", "abcdefghijklmnop": "abcdefghij|klmnop", "a\n\nb": "a||b", "12\u00a0000\u00a0UI x": "12\u00a0000\u00a0UI|x",
		"rendez-vousx": "rendez-|vousx", "1-2 3-4 5-6 7": "1-2 3-4|5-6 7", "nonxx\u2011cassxx": "nonxx\u2011cass|xx", "aaaaaaaaae\u0323x": "aaaaaaaaa|e\u0323x", "": "",
	} {
		if got := strings.Join(Wrap(in, 10, count), "|"); got != want {
			t.Errorf("%q is cut %q, want %q", in, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	type line struct {
		Name string   `json:"name,omitempty" printed:"line"`
		Note string   `json:"note" printed:"text"`
		List []string `json:"list" printed:"line"`
		Code string   `json:"code"`
	}
	v := struct {
		Lines []line `json:"lines"`
		Free  *line  `json:"free"`
	}{[]line{{Name: "ok"}, {Name: "a\nb ﬁ", Note: "x\r\ny", List: []string{"ok", "中文😀"}, Code: "ﬁ\x00"}}, &line{Note: "a\x00b"}}
	want := []fault.Field{
		{Name: "lines[1].list[1]", Code: "sign-not-printable", Args: map[string]string{"signs": "中 (U+4E2D), 文 (U+6587), 😀 (U+1F600)"}},
		{Name: "free.note", Code: "sign-not-printable", Args: map[string]string{"signs": "U+0000"}},
	}
	got := Check(&v)
	if len(got) != 2 || got[0].Name != want[0].Name || got[0].Args["signs"] != want[0].Args["signs"] || got[1].Name != want[1].Name || got[1].Args["signs"] != want[1].Args["signs"] {
		t.Errorf("%v", got)
	}
	if v.Lines[1].Name != "a b fi" || v.Lines[1].Note != "x\ny" || v.Lines[1].Code != "ﬁ\x00" {
		t.Errorf("cleaned to %+q", v.Lines[1])
	}
	if got := Controls(&v); len(got) != 1 || got[0].Name != "lines[1].code" {
		t.Errorf("control signs: %v", got)
	}
}

// The licence of each font lies beside it.
func TestLicences(t *testing.T) {
	for file, want := range map[string]string{"OFL.txt": "SIL OPEN FONT LICENSE", "DejaVu.txt": "Bitstream Vera"} {
		text, err := os.ReadFile(filepath.Join("font", file))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func BenchmarkUnprintable(b *testing.B) {
	text := strings.Repeat("Lévothyrox 25 µg le matin à jeun. ", 300)
	for b.Loop() {
		Unprintable(Clean(text))
	}
}
