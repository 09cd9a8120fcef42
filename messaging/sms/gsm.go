// Package sms sends text messages through a gateway over HTTP and JSON, and
// reads the receipts the gateway calls back with.
//
// A message of the house is one segment, which is what the budgets count the price of:
// 160 characters of the GSM 7-bit alphabet, or 70 of UCS-2 when a name needs another
// alphabet (3GPP TS 23.038). Both directions are signed with a shared secret
// (HMAC-SHA256 over the time and the body), so that no password travels and a
// receipt cannot be made up.
package sms

import (
	"strings"
	"unicode/utf16"
)

// The room of one SMS, in septets of the GSM alphabet and in units of UCS-2.
const (
	MaxSeptets = 160
	MaxUnits   = 70
)

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

// Fits reports whether a text is one SMS, of the one alphabet or the other.
func Fits(text string) bool {
	if n, ok := Septets(text); ok {
		return n <= MaxSeptets
	}
	return len(utf16.Encode([]rune(text))) <= MaxUnits
}

// Fold replaces the characters the GSM alphabet lacks by the nearest ones it
// has: « rendez-vous reçu » keeps its meaning as "rendez-vous recu". Where a character
// has no neighbour the accents of the text stay, for it goes out as UCS-2: a name is
// never sent with "?" in it. Apostrophes, quotes, dashes and blanks are always folded.
func Fold(text string) string {
	var gsm, wide strings.Builder
	whole := true
	for _, r := range text {
		plain, sign := string(r), false
		if !strings.ContainsRune(basic, r) && !strings.ContainsRune(extended, r) {
			plain, sign = nearest(r)
		}
		whole = whole && plain != ""
		gsm.WriteString(plain)
		if sign {
			wide.WriteString(plain)
		} else {
			wide.WriteRune(r)
		}
	}
	if whole {
		return gsm.String()
	}
	return wide.String()
}

// nearest is what stands for a character that the GSM alphabet lacks; "" when nothing
// does. sign is true when it is no letter.
func nearest(r rune) (text string, sign bool) {
	for _, family := range [...]struct{ from, to string }{
		{"âáãā", "a"}, {"ÀÂÁÃ", "A"}, {"çćč", "c"}, {"ĆČ", "C"}, {"êëēę", "e"}, {"ÈÊË", "E"}, {"îïíī", "i"}, {"ÎÏÍÌ", "I"},
		{"ôóõ", "o"}, {"ÔÓÒÕ", "O"}, {"ûúū", "u"}, {"ÛÚÙ", "U"}, {"ýÿ", "y"}, {"ÝŸ", "Y"}, {"šś", "s"}, {"ŠŚ", "S"}, {"žźż", "z"}, {"ŽŹŻ", "Z"},
		{"ł", "l"}, {"Ł", "L"}, {"ń", "n"}, {"Ń", "N"}, {"œ", "oe"}, {"Œ", "OE"},
	} {
		if strings.ContainsRune(family.from, r) {
			return family.to, false
		}
	}
	for _, family := range [...]struct{ from, to string }{
		{"’‘ʼ`", "'"}, {"«»“”„", `"`}, {"–—‑", "-"}, {"…", "..."}, {"•·", "."}, {"\u00a0\u202f\u2009\t", " "},
	} {
		if strings.ContainsRune(family.from, r) {
			return family.to, true
		}
	}
	return "", false
}
