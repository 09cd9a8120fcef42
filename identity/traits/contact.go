package traits

import (
	_ "embed"
	"net/mail"
	"strings"
	"unicode"
)

//go:embed numbering.tsv
var numberingTSV string

// ParsePhone writes a telephone number in E.164. French numbers may be written
// as people dial them, overseas departments included; others need + or 00 and
// their country code. Refusals: "required", "phone-characters",
// "phone-too-short", "phone-too-long", "phone-special" (08…, 36xx),
// "phone-country" (no country has that code).
func ParsePhone(text string) (string, error) {
	digits, international, err := dialled(text)
	if err != nil {
		return "", err
	}
	if international {
		return e164(digits)
	}
	switch {
	case len(digits) == 4 && digits[0] == '3', strings.HasPrefix(digits, "08"):
		return "", Refusal("phone-special")
	case len(digits) < 10:
		return "", Refusal("phone-too-short")
	case len(digits) > 10:
		return "", Refusal("phone-too-long")
	case digits[0] != '0' || digits[1] == '0':
		return "", Refusal("phone-country")
	}
	national := digits[1:]
	country, _ := numbering(national)
	return "+" + country + national, nil
}

// dialled keeps the digits and tells whether a country code comes first.
func dialled(text string) (digits string, international bool, err error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", false, Refusal("required")
	}
	text = strings.Replace(text, "(0)", "", 1)
	if rest, ok := strings.CutPrefix(text, "+"); ok {
		text, international = rest, true
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case strings.ContainsRune(" .-/()\u00a0\u202f", r):
		default:
			return "", false, Refusal("phone-characters")
		}
	}
	digits = b.String()
	if rest, ok := strings.CutPrefix(digits, "00"); ok && !international {
		digits, international = rest, true
	}
	return digits, international, nil
}

func e164(digits string) (string, error) {
	if national, ok := strings.CutPrefix(digits, "33"); ok {
		national = strings.TrimPrefix(national, "0") // +33 06… is a common slip
		switch {
		case len(national) < 9:
			return "", Refusal("phone-too-short")
		case len(national) > 9:
			return "", Refusal("phone-too-long")
		case national[0] == '8':
			return "", Refusal("phone-special")
		}
		return "+33" + national, nil
	}
	switch {
	case digits == "" || digits[0] == '0':
		return "", Refusal("phone-country")
	case len(digits) < 8:
		return "", Refusal("phone-too-short")
	case len(digits) > 15:
		return "", Refusal("phone-too-long")
	}
	return "+" + digits, nil
}

// Mobile tells whether an E.164 number of the French plan can get an SMS.
// Numbers of other countries are given the benefit of the doubt.
func Mobile(phone string) bool {
	for _, code := range []string{"33", "262", "590", "594", "596"} {
		if national, ok := strings.CutPrefix(phone, "+"+code); ok {
			_, mobile := numbering(national)
			return mobile
		}
	}
	return true
}

// numbering finds the country code and the kind of a nine-digit national
// number in the French numbering plan.
func numbering(national string) (country string, mobile bool) {
	longest := -1
	for line := range strings.Lines(numberingTSV) {
		cols := strings.Split(strings.TrimSpace(line), "\t")
		if strings.HasPrefix(line, "#") || len(cols) < 3 {
			continue
		}
		if strings.HasPrefix(national, cols[0]) && len(cols[0]) > longest {
			longest, country, mobile = len(cols[0]), cols[1], cols[2] == "mobile"
		}
	}
	return country, mobile
}

// HidePhone shows the last two digits only: « •• •• •• •• 12 ».
func HidePhone(phone string) string {
	if len(phone) < 2 {
		return ""
	}
	return "•• •• •• •• " + phone[len(phone)-2:]
}

// ParseEmail checks an e-mail address and writes its domain in small letters.
// Refusals: "required", "too-long", "email-space", "email-at", "email-domain",
// "email-characters".
func ParseEmail(text string) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return "", Refusal("required")
	case len(text) > 254:
		return "", Refusal("too-long")
	case strings.ContainsFunc(text, unicode.IsSpace):
		return "", Refusal("email-space")
	case strings.Count(text, "@") != 1:
		return "", Refusal("email-at")
	}
	at := strings.IndexByte(text, '@')
	domain := strings.ToLower(text[at+1:])
	if !validDomain(domain) {
		return "", Refusal("email-domain")
	}
	parsed, err := mail.ParseAddress(text)
	if err != nil || parsed.Name != "" || parsed.Address != text || strings.ContainsFunc(text, notASCII) || text[0] == '"' || at > 64 {
		return "", Refusal("email-characters")
	}
	return text[:at+1] + domain, nil
}

func validDomain(d string) bool {
	labels := strings.Split(d, ".")
	if len(labels) < 2 {
		return false
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' ||
			strings.ContainsFunc(l, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }) {
			return false
		}
	}
	return len(labels[len(labels)-1]) >= 2
}

func notASCII(r rune) bool { return r > 126 || r < 33 }

// HideEmail shows the first letter and the domain: « d•••@exemple.fr ».
func HideEmail(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 1 {
		return ""
	}
	return address[:1] + "•••" + address[at:]
}
