package medicines

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// units are the ways of writing a unit that the base writes in one.
var units = map[string]string{
	"µg": "microgrammes", "ug": "microgrammes", "mcg": "microgrammes", "microg": "microgrammes", "microgramme": "microgrammes",
	"µl": "microlitres", "microlitre": "microlitres", "µ": "micro",
	"milligramme": "mg", "milligrammes": "mg", "gramme": "g", "grammes": "g", "millilitre": "ml", "millilitres": "ml",
}

// SearchWords is the normal form of a search, of what is typed and of the names of
// the base: words without accents or capitals, « L.P. » and « l p » as lp, « µg » and
// « mcg » as microgrammes, « 25mg » as two words, « 0.250 » as 0,25, « 1 000 » as 1000.
func SearchWords(s string) []string {
	s = strings.ReplaceAll(s, "μ", "µ")
	var out []string
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("-/();+", r) }) {
		out = appendWords(out, part)
	}
	return out
}

func appendWords(out []string, part string) []string {
	run, last := false, "" // a run of single letters is last; the word before
	for _, w := range apart(words(part)) {
		one := single(w) && !(isNumber(last) && strings.Contains("glh", w))
		switch last = w; {
		case one && run:
			out[len(out)-1] += w
			continue
		case w == "000" && len(out) > 0 && isNumber(out[len(out)-1]) && !strings.Contains(out[len(out)-1], ","):
			out[len(out)-1] += w
			continue
		}
		run = one
		if unit, ok := units[w]; ok {
			w = unit
		}
		out = append(out, shortened(w))
	}
	return out
}

// apart cuts the words that are a number and a unit written together.
func apart(list []string) []string {
	var out []string
	for _, w := range list {
		if i := strings.IndexFunc(w, unicode.IsLetter); i > 0 && isNumber(w[:i]) && isUnit(w[i:]) {
			out = append(out, w[:i])
			w = w[i:]
		}
		out = append(out, w)
	}
	return out
}

func single(w string) bool {
	r, n := utf8.DecodeRuneInString(w)
	return n == len(w) && unicode.IsLetter(r) && r != 'µ'
}

func isNumber(w string) bool { return w != "" && strings.Trim(w, "0123456789,") == "" }

func isUnit(w string) bool {
	_, known := units[w]
	return known || slices.Contains([]string{"mg", "g", "ml", "ui", "mui", "microgrammes", "microlitres", "ch", "dh", "mmol", "h"}, w)
}

// shortened takes the last zeros of a decimal away.
func shortened(w string) string {
	if !isNumber(w) || strings.Count(w, ",") != 1 {
		return w
	}
	return strings.TrimRight(strings.TrimRight(w, "0"), ",")
}
