package signtest

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"

	"visavis/internal/typography"
)

var (
	stream    = regexp.MustCompile(`(?s)stream\r?\n(.*?)\nendstream`) // a CR before the end may be the last byte of what is compressed
	shown     = regexp.MustCompile(`(?s)\(((?:\\.|[^\\()])*)\) ?Tj`)  // a literal string, two bytes a sign
	character = regexp.MustCompile(`(?m)^<([0-9A-F]{4})> <([0-9A-F]*)>$`)
)

// Drawn is the text of a PDF file of internal/sheet as the file itself holds it: the codes of its content
// streams through its character map (ToUnicode), from left to right. Unlike PDF it does not depend on how a
// reader guesses words and directions, so it also tells what stands on one place: vowel points.
func Drawn(t testing.TB, pdf []byte) string {
	t.Helper()
	letters := map[string]string{}
	unescape := strings.NewReplacer(`\\`, `\`, `\(`, `(`, `\)`, `)`, `\r`, "\r")
	var codes []string
	for _, m := range stream.FindAllSubmatch(pdf, -1) {
		body := inflate(m[1])
		for _, c := range character.FindAllSubmatch(body, -1) {
			letters[string(c[1])] = fromUTF16(t, string(c[2]))
		}
		for _, s := range shown.FindAllSubmatch(body, -1) {
			codes = append(codes, fmt.Sprintf("%X", unescape.Replace(string(s[1]))))
		}
	}
	if len(codes) == 0 || len(letters) == 0 {
		t.Fatal("this file draws no text that can be read")
	}
	var b strings.Builder
	for _, s := range codes {
		for ; len(s) >= 4; s = s[4:] {
			letter, ok := letters[s[:4]]
			if !ok {
				t.Errorf("U+%s is drawn and has no meaning in the character map", s[:4])
			}
			b.WriteString(letter)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// inflate undoes FlateDecode; what is not compressed stays as it is.
func inflate(b []byte) []byte {
	r, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return b
	}
	out, err := io.ReadAll(r)
	if err != nil {
		return b
	}
	return out
}

func fromUTF16(t testing.TB, digits string) string {
	t.Helper()
	raw, err := hex.DecodeString(digits)
	if err != nil || len(raw)%2 != 0 {
		t.Fatalf("%q is not UTF-16", digits)
	}
	var units []uint16
	for i := 0; i < len(raw); i += 2 {
		units = append(units, uint16(raw[i])<<8|uint16(raw[i+1]))
	}
	return string(utf16.Decode(units))
}

// Undrawn names the texts that Drawn does not give, each from left to right as it is printed.
func Undrawn(t testing.TB, pdf []byte, typed ...string) []string {
	t.Helper()
	drawn := Letters(Drawn(t, pdf))
	var out []string
	for _, s := range typed {
		var b strings.Builder
		for _, r := range typography.Visual(typography.Clean(s)) {
			b.WriteString(typography.Letters(r))
		}
		if !strings.Contains(drawn, Letters(b.String())) {
			out = append(out, s)
		}
	}
	return out
}

// Points are the vowel points of Hebrew and Arabic, each on a letter. A reader that orders signs by their
// place puts some of them before their letter: read them with Undrawn.
func Points() []string {
	var out []string
	for _, r := range typography.Repertoire() {
		switch {
		case !isPoint(r):
		case scriptOf(r) == "Hebrew":
			out = append(out, "ב"+string(r)+"ג")
		default:
			out = append(out, "ب"+string(r)+"ت")
		}
	}
	return append(out, "שָׁלוֹם", "مُحَمَّدٌ", "الْأَحْمَدِ", "بِلَا")
}
