package restricted

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// nearLetters is the length from which a word is compared but for a letter.
const nearLetters = 5

// joined is the length from which letters typed apart, as in "S K E N A N", are read as one word.
const joined = 5

// Found is a name met in a text.
type Found struct {
	Name
	Near bool // but for a letter, or by its sound
}

// Find gives the names that a text holds, in the order of the text, each once. A name that is there but for a letter (one
// letter wrong, missing, too many, or two exchanged) is Near.
func (t *Table) Find(text string) []Found {
	words := cut(text)
	var out []Found
	taken := make([]bool, len(words))
	met := func(n Name, near bool) {
		if !slices.ContainsFunc(out, func(f Found) bool { return f.Substance == n.Substance && f.Form == n.Form && f.Near == near }) {
			out = append(out, Found{n, near})
		}
	}
	for i := 0; i < len(words); i++ {
		if n, last, ok := t.at(words, i); ok {
			met(n, false)
			for ; i < last; i++ {
				taken[i] = true
			}
			taken[i] = true
		}
	}
	for _, w := range loose(words, taken) {
		if len(w) < nearLetters-1 {
			continue
		}
		for _, n := range t.near {
			if nearly(w, n.key) {
				met(n, true)
			}
		}
	}
	return out
}

// at finds the longest name that begins at word i, and its last word.
func (t *Table) at(words []word, i int) (found Name, last int, ok bool) {
	letters, spaced := "", false
	for j := i; j < len(words) && len(letters) < longest && !words[j].digits; j++ {
		if j > i && words[j].spaced {
			spaced = true
		}
		letters += words[j].text
		if n, is := t.names[letters]; is && (!spaced || len(letters) >= joined) {
			found, last, ok = n, j, true
		}
	}
	if ok {
		return found, last, true
	}
	w := words[i].text
	if i > 0 && words[i-1].digits && !words[i].spaced {
		w = afterUnit(w)
	}
	for end := len(w); end >= joined; end-- {
		if n, is := t.names[w[:end]]; is && slices.Contains(suffixes, w[end:]) {
			return n, i, true
		}
	}
	return Name{}, 0, false
}

// longest bounds the letters of a name.
const longest = 48

// suffixes are what people write onto the end of a name.
var suffixes = []string{"", "s", "l", "lp", "sr", "xr", "cr", "er", "mr", "la", "cp", "cpr", "gel", "inj", "mg", "g", "ml", "oro", "lyoc", "fort", "forte", "codeine"}

// afterUnit takes the unit off a word that was typed onto a number: "30mgskenan".
func afterUnit(w string) string {
	for _, u := range []string{"microgrammes", "mcg", "mg", "ug", "ml", "cp", "g"} {
		if rest, ok := strings.CutPrefix(w, u); ok && len(rest) >= joined {
			return rest
		}
	}
	return w
}

// loose gives the words to compare but for a letter: each word alone, and each run of letters, digits and marks between two
// spaces as one.
func loose(words []word, taken []bool) []string {
	var out []string
	run, whole := "", true
	flush := func() {
		if whole && run != "" && !slices.Contains(out, run) {
			out = append(out, run)
		}
		run, whole = "", true
	}
	for i, w := range words {
		if w.spaced {
			flush()
		}
		run += w.text
		if taken[i] {
			whole = false
		} else if !w.digits && !slices.Contains(out, w.text) {
			out = append(out, w.text)
		}
	}
	flush()
	return out
}

// word is a run of letters or of digits of a text, folded.
type word struct {
	text   string
	digits bool
	spaced bool // is there white space, or the beginning, before it?
}

// Key gives the letters of a text as names are compared, without digits.
func Key(s string) string { return key(s) }

func key(s string) string {
	var b strings.Builder
	for _, w := range cut(s) {
		if !w.digits {
			b.WriteString(w.text)
		}
	}
	return b.String()
}

// same maps letters that look like a Latin one, and those that do not decompose, to it.
var same = strings.NewReplacer("œ", "oe", "Œ", "OE", "æ", "ae", "Æ", "AE", "ß", "ss", "ø", "o", "Ø", "O", "ł", "l", "Ł", "L", "đ", "d", "Đ", "D", "ı", "i", "ħ", "h",
	"а", "a", "А", "A", "В", "B", "в", "b", "с", "c", "С", "C", "е", "e", "Е", "E", "Н", "H", "і", "i", "І", "I", "ј", "j", "К", "K", "к", "k", "М", "M", "м", "m",
	"о", "o", "О", "O", "р", "p", "Р", "P", "ѕ", "s", "Ѕ", "S", "Т", "T", "т", "t", "у", "y", "У", "Y", "х", "x", "Х", "X", "п", "n", "г", "r",
	"α", "a", "Α", "A", "Β", "B", "ε", "e", "Ε", "E", "Ζ", "Z", "Η", "H", "ι", "i", "Ι", "I", "κ", "k", "Κ", "K", "Μ", "M", "Ν", "N", "ν", "v", "ο", "o", "Ο", "O",
	"ρ", "p", "Ρ", "P", "Τ", "T", "τ", "t", "υ", "u", "Υ", "Y", "χ", "x", "Χ", "X", "µ", "u", "μ", "u", "®", "", "™", "", "©", "", "℠", "")

// cut folds a text and cuts it into words: at what is neither a letter nor a digit, between letters and digits, and before a
// capital that follows a small letter.
func cut(s string) []word {
	var out []word
	var b strings.Builder
	digits, spaced, small := false, true, false
	flush := func() {
		if b.Len() > 0 {
			out = append(out, word{b.String(), digits, spaced})
			spaced = false
		}
		b.Reset()
	}
	// Twice: compatibility characters may decompose into letters of the list.
	for _, r := range same.Replace(norm.NFKD.String(same.Replace(s))) {
		switch {
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Cf, r), r == 0:
		case unicode.IsDigit(r):
			if !digits {
				flush()
			}
			digits, small = true, false
			b.WriteRune(r)
		case unicode.IsLetter(r):
			if digits || small && unicode.IsUpper(r) {
				flush()
			}
			digits, small = false, unicode.IsLower(r)
			b.WriteRune(unicode.ToLower(r))
		default:
			flush()
			small = false
			spaced = spaced || unicode.IsSpace(r)
		}
	}
	flush()
	return out
}
