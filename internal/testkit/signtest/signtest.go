// Package signtest compares the characters of documents: what was typed, what a PDF file gives to its
// reader, what a CDA document holds (issue 9, B1).
package signtest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
	"unicode"

	"visavis/internal/typography"
)

// PDF is the text of a PDF file as poppler reads it.
func PDF(t testing.TB, pdf []byte) string {
	t.Helper()
	cmd := exec.Command("pdftotext", "-raw", "-", "-")
	cmd.Stdin = bytes.NewReader(pdf)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("pdftotext (poppler-utils): %v", err)
	}
	return string(out)
}

// XML is the text and the attribute values of an XML document, one after the other.
func XML(t testing.TB, doc []byte) string {
	t.Helper()
	var b strings.Builder
	d := xml.NewDecoder(bytes.NewReader(doc))
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		switch tok := tok.(type) {
		case xml.CharData:
			b.Write(tok)
		case xml.StartElement:
			for _, a := range tok.Attr {
				b.WriteString(a.Value + "\n")
			}
		}
	}
}

// Letters drops the spaces, which move where a line breaks, and the marks of direction that poppler puts
// around a passage in Hebrew or Arabic. Both are compared by other tests.
func Letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r >= 0x202a && r <= 0x202e {
			return -1
		}
		return r
	}, s)
}

// Missing names the texts that a document does not hold as they are written after cleaning.
func Missing(document string, typed ...string) []string {
	document = Letters(document)
	var out []string
	for _, s := range typed {
		if !strings.Contains(document, Letters(typography.Clean(s))) {
			out = append(out, s)
		}
	}
	return out
}

// Words are all signs that can be printed, in words of a few signs each, script by script. A mark stands on a
// letter, a space between two letters. The vowel points of Hebrew and Arabic are in Points. The last words hold
// the letters that Arabic joins into one sign.
func Words() []string {
	const size = 8
	var out []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			out = append(out, string(word))
		}
		word = nil
	}
	last := ""
	for _, r := range typography.Repertoire() {
		script := scriptOf(r)
		switch {
		case isPoint(r):
			continue
		case unicode.Is(unicode.M, r):
			out = append(out, "x"+string(r)+"x")
			continue
		case unicode.IsSpace(r):
			out = append(out, "x"+string(r)+"x")
			continue
		case r == '\u200c' || r == '\u200d':
			out = append(out, "ب"+string(r)+"ب")
			continue
		case script == "Arabic" && !unicode.IsLetter(r), r >= 0x606 && r <= 0x66d && script == "Common":
			out = append(out, "ب"+string(r)+"ب")
			continue
		case len(word) >= size || script != last:
			flush()
		}
		word, last = append(word, r), script
	}
	flush()
	return append(out, "الأحمد", "سلام", "علاء", "الآن", "إسلام")
}

// isPoint tells whether a sign is a vowel point of Hebrew or Arabic.
func isPoint(r rune) bool { return unicode.Is(unicode.M, r) && r >= 0x590 && r <= 0x6ff }

func scriptOf(r rune) string {
	for _, name := range []string{"Latin", "Greek", "Cyrillic", "Hebrew", "Arabic", "Armenian", "Georgian", "Inherited"} {
		if unicode.Is(unicode.Scripts[name], r) {
			return name
		}
	}
	return "Common"
}
