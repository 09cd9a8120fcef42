package typography

import (
	"strings"
	"unicode"
)

// Run is a part of a line that one font draws.
type Run struct {
	Text string
	Wide bool // set in the wide font: the main one lacks a sign of it
}

// Runs cuts a line in visual order into parts of one font. A word that lacks a letter in the main font is
// set in the wide font as a whole, so that a name is drawn in one hand; a lone sign is replaced alone.
func Runs(visual string) []Run {
	fonts := loadFonts()
	var out []Run
	add := func(part string, wide bool) {
		if n := len(out); n > 0 && out[n-1].Wide == wide {
			out[n-1].Text += part
			return
		}
		out = append(out, Run{part, wide})
	}
	text := []rune(visual)
	for i := 0; i < len(text); {
		end := i + 1
		wide := fonts.onlyWide(text[i])
		if inWord(text[i]) {
			for ; end < len(text) && inWord(text[end]); end++ {
				wide = wide || fonts.onlyWide(text[end])
			}
		}
		add(string(text[i:end]), wide)
		i = end
	}
	return out
}

// inWord tells whether a sign belongs to a word. Apostrophes and hyphens do not: every font has them.
func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.Is(unicode.M, r) }

// Wrap cuts a cleaned text into lines of at most width, as measure counts it (in any unit). Lines break at
// a space, after a hyphen between two letters, or inside a word that is longer than a line; never at a
// no-break space or hyphen. The space at which a line breaks is not printed.
func Wrap(text string, width float64, measure func(line string) float64) []string {
	var out []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		out = append(out, wrapParagraph(strings.TrimRight(paragraph, " "), width, measure)...)
	}
	return out
}

func wrapParagraph(paragraph string, width float64, measure func(string) float64) []string {
	var out []string
	line := ""
	for _, piece := range pieces(paragraph) {
		if measure(strings.TrimRight(line+piece, " ")) <= width {
			line += piece
			continue
		}
		if line != "" {
			out = append(out, strings.TrimRight(line, " "))
		}
		line = piece
		for measure(strings.TrimRight(line, " ")) > width {
			head := fitting(line, width, measure)
			if head == len(line) {
				break
			}
			out = append(out, line[:head])
			line = line[head:]
		}
	}
	return append(out, strings.TrimRight(line, " "))
}

// pieces cuts a paragraph where a line may break.
func pieces(s string) []string {
	var out []string
	text := []rune(s)
	start := 0
	for i := 1; i < len(text); i++ {
		space := breakingSpace(text[i-1]) && !breakingSpace(text[i])
		hyphen := i > 1 && strings.ContainsRune("-‐–—", text[i-1]) && unicode.IsLetter(text[i-2]) && unicode.IsLetter(text[i])
		if space || hyphen {
			out = append(out, string(text[start:i]))
			start = i
		}
	}
	return append(out, string(text[start:]))
}

// breakingSpace tells whether a line may break at a space.
func breakingSpace(r rune) bool {
	return unicode.Is(unicode.Zs, r) && r != '\u00a0' && r != '\u2007' && r != '\u202f'
}

// fitting gives how many bytes of a word fit on a line: at least one sign, marks kept with their letter.
func fitting(word string, width float64, measure func(string) float64) int {
	last := 0
	for i, r := range word {
		if i == 0 || unicode.Is(unicode.M, r) {
			continue
		}
		if last > 0 && measure(word[:i]) > width {
			return last
		}
		last = i
	}
	if last == 0 || measure(word) <= width {
		return len(word)
	}
	return last
}

// Fit cuts a line with an ellipsis so that it holds on width.
func Fit(line string, width float64, measure func(string) float64) string {
	if measure(line) <= width {
		return line
	}
	text := []rune(line)
	for len(text) > 0 && measure(string(text)+"…") > width {
		text = text[:len(text)-1]
	}
	return strings.TrimSpace(string(text)) + "…"
}
