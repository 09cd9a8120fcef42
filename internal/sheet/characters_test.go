package sheet

import (
	"strings"
	"testing"
	"unicode"

	"visavis/internal/typography"
)

// letters drops what the reader of a PDF file adds: spaces at line ends, direction marks around passages.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r >= 0x202a && r <= 0x202e {
			return -1
		}
		return r
	}, s)
}

// Issue 9, B1: names and signs are printed as they were typed, and read back as such.
func TestCharacters_NamesAndSigns(t *testing.T) {
	names := []string{"Nguyễn Thị Mỹ Duyên", "Сергей Щербаков", "Ελένη Παπαδοπούλου", "ليلى الأحمد", "سلام علاء", "كوروش نیک\u200cنژاد", "ליאור כהן",
		"שָׁלוֹם", "Łukasz Żółć", "Ștefan Țîrlea", "Gülşah Ağaoğlu", "Siân Ŵyn", "Zoë Œuvrard", "Հայկ Սարգսյան", "გიორგი"}
	signs := []string{"25 µg", "SpO₂ 94 %", "β-bloquant", "→ ↑ ↓ ↔", "№ 4", "☐ ☑ ☒ ✓", "½ ¼ ¾ ⅓", "10⁹/L", "10⁻³", "≤ ≥ ± × ÷ °", "5′ 10″", "…", "– —", "« oui »", "‰",
		"37,5 ℃", "™ ® ©", "a\u00a0b", "a\u202fb", "12\u2011b", "♀ ♂", "Ⅳ", "①", "m²", "H₂O", "Ω μ", "e\u0301", "≈ ≠ ∞", "ŀ", "ﬁbrose ﬂux", "１２ ｍｇ", "㎎", "co\u00adop\u200bé\u2060ré"}
	r := report()
	r.Content = strings.Join(signs, "\n")
	r.Presences = nil
	for _, n := range names {
		r.Presences = append(r.Presences, Presence{Name: n, Role: "patient", Spans: []Span{{From: r.Start, To: r.End}}})
	}
	pdf, err := press(t).Report(r)
	if err != nil {
		t.Fatal(err)
	}
	sound(t, "characters", pdf)
	got := letters(words(t, pdf))
	for _, s := range append(names, signs...) {
		if want := letters(typography.Clean(s)); !strings.Contains(got, want) {
			t.Errorf("%q is not printed", s)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}
