package traits

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"visavis/internal/typography"
)

const maxName = 100

// CleanName trims a name, joins its blanks, and writes apostrophes and accents
// one way (typography.Clean and more). It is refused when empty ("required"), too long ("too-long"), or
// with anything but letters, blanks, hyphens and apostrophes ("name-characters").
func CleanName(text string) (string, error) {
	text = strings.Map(func(r rune) rune {
		switch r {
		case '’', '‘', 'ʼ', '`', '´':
			return '\''
		case '‐', '‑', '–':
			return '-'
		case '\u00a0', '\u202f':
			return ' '
		}
		return r
	}, typography.Clean(text))
	text = norm.NFC.String(strings.Join(strings.Fields(text), " "))
	switch {
	case text == "":
		return "", Refusal("required")
	case utf8.RuneCountInString(text) > maxName:
		return "", Refusal("too-long")
	}
	letters := false
	for _, r := range text {
		letters = letters || unicode.IsLetter(r)
		if !unicode.IsLetter(r) && !unicode.Is(unicode.M, r) && r != ' ' && r != '-' && r != '\'' {
			return "", Refusal("name-characters")
		}
	}
	if !letters {
		return "", Refusal("name-characters")
	}
	return text, nil
}

// Strict writes a name as the RNIV asks of strict traits: capitals without
// diacritics, hyphens and apostrophes kept.
func Strict(name string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(name) {
		switch r {
		case 'œ', 'Œ':
			b.WriteString("OE")
		case 'æ', 'Æ':
			b.WriteString("AE")
		case 'ß', 'ẞ':
			b.WriteString("SS")
		case 'ø', 'Ø':
			b.WriteByte('O')
		case 'ł', 'Ł':
			b.WriteByte('L')
		case 'đ', 'Đ', 'ð', 'Ð':
			b.WriteByte('D')
		default:
			if !unicode.Is(unicode.Mn, r) {
				b.WriteRune(unicode.ToUpper(r))
			}
		}
	}
	return b.String()
}

// SearchKey writes a name so that two spellings of it compare equal: strict,
// and letters only. « N’Guessan Lefèvre » and « NGUESSAN-LEFEVRE » are one.
func SearchKey(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, Strict(name))
}

// Initials gives the first letter of each given and family name: « D. P. ».
func Initials(given, family string) string {
	var out []string
	for _, n := range []string{given, family} {
		if r, size := utf8.DecodeRuneInString(Strict(strings.TrimLeft(n, " '-"))); size > 0 && r != utf8.RuneError {
			out = append(out, string(r)+".")
		}
	}
	return strings.Join(out, " ")
}
