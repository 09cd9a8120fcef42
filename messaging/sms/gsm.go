// Package sms sends text messages through a gateway over HTTP and JSON, and
// reads the receipts the gateway calls back with.
//
// A message of the house fits one SMS: 160 characters of the GSM 7-bit
// alphabet (3GPP TS 23.038). Both directions are signed with a shared secret
// (HMAC-SHA256 over the time and the body), so that no password travels and a
// receipt cannot be made up.
package sms

import "strings"

// MaxSeptets is the room of one SMS.
const MaxSeptets = 160

const (
	basic    = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	extended = "\f^{}\\[~]|€"
)

// Septets counts the room a text takes in the GSM alphabet, and says whether
// every character is in it.
func Septets(text string) (n int, ok bool) {
	for _, r := range text {
		switch {
		case strings.ContainsRune(basic, r):
			n++
		case strings.ContainsRune(extended, r):
			n += 2
		default:
			return 0, false
		}
	}
	return n, true
}

// Fits reports whether a text is one SMS.
func Fits(text string) bool {
	n, ok := Septets(text)
	return ok && n <= MaxSeptets
}

// Fold replaces the characters the GSM alphabet lacks by the nearest ones it
// has: « rendez-vous reçu » keeps its meaning as "rendez-vous recu". A
// character with no neighbour becomes "?".
func Fold(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune(basic, r) || strings.ContainsRune(extended, r) {
			b.WriteRune(r)
			continue
		}
		b.WriteString(nearest(r))
	}
	return b.String()
}

func nearest(r rune) string {
	for _, family := range [...]struct{ from, to string }{
		{"âáãā", "a"}, {"ÀÂÁÃ", "A"}, {"çćč", "c"}, {"ĆČ", "C"}, {"êëēę", "e"}, {"ÈÊË", "E"}, {"îïíī", "i"}, {"ÎÏÍÌ", "I"},
		{"ôóõ", "o"}, {"ÔÓÒÕ", "O"}, {"ûúū", "u"}, {"ÛÚÙ", "U"}, {"ýÿ", "y"}, {"ÝŸ", "Y"}, {"šś", "s"}, {"ŠŚ", "S"}, {"žźż", "z"}, {"ŽŹŻ", "Z"},
		{"ł", "l"}, {"Ł", "L"}, {"ń", "n"}, {"Ń", "N"}, {"œ", "oe"}, {"Œ", "OE"}, {"’‘ʼ`", "'"}, {"«»“”„", `"`}, {"–—‑", "-"}, {"…", "..."}, {"•·", "."},
		{"\u00a0\u202f\u2009\t", " "},
	} {
		if strings.ContainsRune(family.from, r) {
			return family.to
		}
	}
	return "?"
}
