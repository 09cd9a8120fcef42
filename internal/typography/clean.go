package typography

import (
	_ "embed" // the table
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

//go:embed table.tsv
var tableTSV string

// rule writes one sign another way.
type rule struct {
	to    string
	where string
}

// loadTable reads table.tsv once. A row that cannot be read is left out; TestTable refuses such a row.
var loadTable = sync.OnceValue(func() map[rune]rule {
	out := map[rune]rule{}
	for line := range strings.Lines(tableTSV) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") || len(f) != 4 {
			continue
		}
		first, last, ok := span(f[0])
		if !ok {
			continue
		}
		for r := first; r <= last; r++ {
			to := ""
			switch f[1] {
			case "removed":
			case "NFKC":
				if to = norm.NFKC.String(string(r)); to == string(r) {
					continue
				}
			default:
				to = signs(f[1])
			}
			out[r] = rule{to, f[2]}
		}
	}
	return out
})

// span reads U+XXXX or U+XXXX..U+XXXX.
func span(s string) (first, last rune, ok bool) {
	from, to, two := strings.Cut(s, "..")
	first, ok = codePoint(from)
	if !two {
		return first, first, ok
	}
	last, also := codePoint(to)
	return first, last, ok && also && first <= last
}

func codePoint(s string) (rune, bool) {
	digits, ok := strings.CutPrefix(s, "U+")
	n, err := strconv.ParseUint(digits, 16, 21)
	return rune(n), ok && err == nil
}

// signs reads code points separated by blanks; a wrong one reads as U+FFFD.
func signs(s string) string {
	var b strings.Builder
	for f := range strings.FieldsSeq(s) {
		r, ok := codePoint(f)
		if !ok {
			r = utf8.RuneError
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Clean writes a text the one way that documents carry it: line ends as LF, the signs of table.tsv written
// another way, composed (NFC). It is idempotent and changes no sign that is not in the table.
func Clean(s string) string {
	if plain(s) {
		return s
	}
	table := loadTable()
	text := []rune(norm.NFC.String(strings.ReplaceAll(s, "\r\n", "\n")))
	var b strings.Builder
	for i, r := range text {
		rule, ok := table[r]
		if ok && rule.holds(text, i) {
			b.WriteString(rule.to)
			continue
		}
		b.WriteRune(r)
	}
	return norm.NFC.String(b.String())
}

// plain tells whether nothing of s can be in the table: the usual case, and that of a file in base 64.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c < ' ' && c != '\n' {
			return false
		}
	}
	return true
}

// holds tells whether the rule applies to the sign at i.
func (r rule) holds(text []rune, i int) bool {
	switch r.where {
	case "before-letter":
		return i+1 < len(text) && unicode.Is(unicode.Latin, text[i+1]) && (i == 0 || !unicode.Is(unicode.Greek, text[i-1]))
	case "not-joining":
		return i == 0 || i+1 == len(text) || !joinable(text[i-1]) || !joinable(text[i+1])
	}
	return true
}

// joinable tells whether a sign belongs to a script that joins its letters and is printed: Arabic.
func joinable(r rune) bool {
	return unicode.Is(unicode.Arabic, r) && (unicode.IsLetter(r) || unicode.Is(unicode.M, r))
}
