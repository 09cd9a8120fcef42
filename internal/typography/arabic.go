package typography

import (
	_ "embed" // the joined forms
	"strings"
	"unicode"
)

//go:embed arabic.tsv
var arabicTSV string

// lamOfLigature is printed right of the ligature of a lam and an alef, on a quarter of an em that the ligature
// gives up, and means the lam; the ligature means the alef. Readers of PDF files do not agree on the order of
// two letters of one glyph in a right-to-left passage, and take two glyphs at one place for one that was
// printed twice. No text can hold it: Printable refuses it.
const lamOfLigature = '\ue001'

const (
	tatweel      = 'ـ'
	joiner       = '\u200d'
	lam          = 'ل'
	formIsolated = 0
	formFinal    = 1
	formInitial  = 2
	formMedial   = 3
)

// shapes holds the joined forms of the Arabic letters.
type shapes struct {
	forms   map[rune][4]rune // by letter; 0 for no such form
	lamAlef map[rune][4]rune // by the alef that follows a lam
	meaning map[rune]string  // of a form: its letters
}

// loadShapes reads arabic.tsv. A row that cannot be read is left out; TestShapes refuses such a row.
func loadShapes() shapes {
	s := shapes{forms: map[rune][4]rune{}, lamAlef: map[rune][4]rune{}, meaning: map[rune]string{lamOfLigature: string(lam)}}
	for line := range strings.Lines(arabicTSV) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") || len(f) != 6 {
			continue
		}
		letters := []rune(signs(f[0]))
		var forms [4]rune
		for i := range forms {
			if r, ok := codePoint(f[1+i]); ok {
				forms[i] = r
				s.meaning[r] = string(letters[len(letters)-1])
			}
		}
		if len(letters) == 2 {
			s.lamAlef[letters[1]] = forms
		} else {
			s.forms[letters[0]] = forms
		}
	}
	return s
}

// Letters gives what a printed sign stands for in the text: the letters of a joined form, else itself. It is
// what the character map of a PDF file (ToUnicode) says of it.
func Letters(printed rune) string {
	if s, ok := loadFonts().shapes.meaning[printed]; ok {
		return s
	}
	return string(printed)
}

// join replaces the letters of a passage, in reading order, by their joined forms. Marks do not break a
// join; a zero-width non-joiner does.
func (s shapes) join(text []rune) []rune {
	out := make([]rune, 0, len(text))
	for i := 0; i < len(text); i++ {
		r := text[i]
		forms, ok := s.forms[r]
		if !ok {
			out = append(out, r)
			continue
		}
		before, after := s.joinsNext(text, i), false
		if alef := i + 1; r == lam && alef < len(text) {
			if both, ok := s.lamAlef[text[alef]]; ok {
				out = append(out, lamOfLigature, pick(both, before, false))
				i++
				continue
			}
		}
		if forms[formInitial] != 0 {
			after = s.joinsPrevious(text, i)
		}
		out = append(out, pick(forms, before && forms[formFinal] != 0, after))
	}
	return out
}

func pick(forms [4]rune, before, after bool) rune {
	switch {
	case before && after:
		return forms[formMedial]
	case before:
		return forms[formFinal]
	case after:
		return forms[formInitial]
	}
	return forms[formIsolated]
}

// joinsNext tells whether the sign before i joins what follows it.
func (s shapes) joinsNext(text []rune, i int) bool {
	for j := i - 1; j >= 0; j-- {
		switch {
		case unicode.Is(unicode.Mn, text[j]):
			continue
		case text[j] == tatweel || text[j] == joiner:
			return true
		}
		return s.forms[text[j]][formInitial] != 0
	}
	return false
}

// joinsPrevious tells whether the sign after i joins what stands before it.
func (s shapes) joinsPrevious(text []rune, i int) bool {
	for j := i + 1; j < len(text); j++ {
		switch {
		case unicode.Is(unicode.Mn, text[j]):
			continue
		case text[j] == tatweel || text[j] == joiner:
			return true
		}
		return s.forms[text[j]][formFinal] != 0
	}
	return false
}
