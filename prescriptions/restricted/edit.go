package restricted

import "strings"

// nearly says whether two words, folded to bytes, are one but for a letter or sound the same. Equal words are not near.
func nearly(a, b string) bool {
	if a == b || len(a) < nearLetters && len(b) < nearLetters {
		return false
	}
	return oneEdit(a, b) || len(a) >= nearLetters && sound(a) == sound(b)
}

// OneEdit says whether one letter is wrong, missing or too many, or two neighbours are exchanged.
func OneEdit(a, b string) bool { return a != b && oneEdit(a, b) }

func oneEdit(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	if i == len(a) {
		return true
	}
	return a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

var sounds = strings.NewReplacer("ph", "f", "th", "t", "ch", "k", "qu", "k", "ck", "k", "y", "i", "c", "k", "q", "k", "z", "s", "x", "s", "w", "v", "h", "")

// sound writes a word as it is heard, roughly: double letters once, ph as f, y as i, a silent e left out.
func sound(s string) string {
	s = strings.TrimRight(sounds.Replace(s), "es")
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		if i == 0 || s[i] != s[i-1] {
			out = append(out, s[i])
		}
	}
	return string(out)
}
