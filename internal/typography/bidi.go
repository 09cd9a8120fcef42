package typography

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/bidi"
)

// rightToLeft tells whether a sign is a letter that is read from right to left.
func rightToLeft(r rune) bool {
	if r < 0x590 {
		return false
	}
	p, _ := bidi.LookupRune(r)
	return p.Class() == bidi.R || p.Class() == bidi.AL
}

// leftToRight tells whether a sign is a letter that is read from left to right.
func leftToRight(r rune) bool {
	p, _ := bidi.LookupRune(r)
	return p.Class() == bidi.L
}

// Visual gives the signs of one line in the order in which they are printed, from left to right, Arabic
// letters in their joined forms.
//
// The documents are written from left to right. A passage in a right-to-left script goes from its first to
// its last such letter, with what stands between; it is laid out as if isolated (UAX #9, FSI … PDI), so that
// the figures and brackets of the sentence around it keep their place: « (40 ans) » after a Hebrew name. A
// line without a left-to-right letter is one passage as a whole. Figures inside a passage keep their order.
func Visual(line string) string {
	if !strings.ContainsFunc(line, rightToLeft) {
		return line
	}
	text := []rune(line)
	if !strings.ContainsFunc(line, leftToRight) {
		return string(reversed(text))
	}
	out := make([]rune, 0, len(text))
	for i := 0; i < len(text); {
		if !rightToLeft(text[i]) {
			out = append(out, text[i])
			i++
			continue
		}
		end := i
		for j := i; j < len(text) && !leftToRight(text[j]); j++ {
			if rightToLeft(text[j]) || unicode.Is(unicode.Mn, text[j]) && end == j {
				end = j + 1
			}
		}
		out = append(out, reversed(text[i:end])...)
		i = end
	}
	return string(out)
}

// reversed lays a passage out from right to left. A mark comes before the letter that carries it, as the
// fonts draw it.
func reversed(passage []rune) []rune {
	in := loadFonts().shapes.join(passage)
	out := make([]rune, 0, len(in))
	for i := len(in) - 1; i >= 0; i-- {
		if !number(in, i) {
			out = append(out, mirrored(in[i]))
			continue
		}
		first := i
		for first > 0 && number(in, first-1) {
			first--
		}
		out = append(out, in[first:i+1]...)
		i = first
	}
	return out
}

// number tells whether a sign is a figure or a separator between two figures.
func number(text []rune, i int) bool {
	if unicode.Is(unicode.Nd, text[i]) {
		return true
	}
	return strings.ContainsRune(",.:/-٫٬", text[i]) && i > 0 && i+1 < len(text) && unicode.Is(unicode.Nd, text[i-1]) && unicode.Is(unicode.Nd, text[i+1])
}

// mirrored turns a bracket round.
func mirrored(r rune) rune {
	const pairs = "()[]{}<>«»‹›"
	list := []rune(pairs)
	for i, p := range list {
		if p == r {
			return list[i^1]
		}
	}
	return r
}
