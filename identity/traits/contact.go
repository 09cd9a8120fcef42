package traits

import (
	_ "embed"
	"errors"
	"net/mail"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
)

//go:embed numbering.tsv
var numberingTSV string

// ParsePhone writes a telephone number in E.164, as it can be called from abroad.
// French numbers may be written as people dial them, overseas departments included;
// others need + or 00 and their country code. A 0 that is dialled inside a country
// only, in brackets or not (+49 (0)151…), is left out where the country has one.
// Refusals: "required", "phone-characters", "phone-too-short", "phone-too-long",
// "phone-special" (08…, 36xx), "phone-country" (no country has that code),
// "phone-impossible" (no number of that country is written so).
func ParsePhone(text string) (string, error) {
	n, err := dialled(text)
	if err != nil {
		return "", err
	}
	if n.international {
		return n.e164()
	}
	digits := n.digits
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

// number is what somebody typed, in digits.
type number struct {
	digits        string // with the 0 of a « (0) »
	bare          string // without it
	international bool   // a country code comes first
}

// dialled keeps the digits and tells whether a country code comes first. Spaces,
// dashes and the invisible marks of copied contacts are left out.
func dialled(text string) (n number, err error) {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.In(r, unicode.Cf, unicode.Pd) || r == '.' || r == '/' {
			return -1
		}
		return r
	}, text)
	if text == "" {
		return n, Refusal("required")
	}
	text = strings.Replace(text, "(+", "+(", 1) // (+49) 151…
	if rest, ok := strings.CutPrefix(text, "+"); ok {
		text, n.international = rest, true
	}
	brackets := strings.NewReplacer("(", "", ")", "")
	n.digits, n.bare = brackets.Replace(text), brackets.Replace(strings.Replace(text, "(0)", "", 1))
	if strings.ContainsFunc(n.digits, func(r rune) bool { return r < '0' || r > '9' }) {
		return n, Refusal("phone-characters")
	}
	if rest, ok := strings.CutPrefix(n.bare, "00"); ok && !n.international {
		n.digits, n.bare, n.international = strings.TrimPrefix(n.digits, "00"), rest, true
	}
	return n, nil
}

func (n number) e164() (string, error) {
	if national, ok := strings.CutPrefix(n.bare, "33"); ok {
		national = strings.TrimPrefix(national, "0") // +33 06… is a common slip
		switch {
		case len(national) < 9:
			return "", Refusal("phone-too-short")
		case len(national) > 9:
			return "", Refusal("phone-too-long")
		case national[0] == '8':
			return "", Refusal("phone-special")
		case national[0] == '0':
			return "", Refusal("phone-country")
		}
		return "+33" + national, nil
	}
	switch {
	case n.bare == "" || n.bare[0] == '0':
		return "", Refusal("phone-country")
	case len(n.bare) < 8:
		return "", Refusal("phone-too-short")
	}
	read, refused := foreign(n.digits)
	if read.valid || n.bare == n.digits {
		return read.e164, refused
	}
	if read, refused = foreign(n.bare); refused != nil { // a « (0) » that this country does not dial
		return "", refused
	}
	return read.e164, nil
}

type readNumber struct {
	e164  string
	valid bool // of a range that is given out
}

// foreign reads a country code and a number with the numbering plans of the world.
// A range that they do not know yet is accepted: plans grow. A length that the
// country does not have is refused, and a first 0 that it does not dial.
func foreign(digits string) (readNumber, error) {
	n, err := phonenumbers.Parse("+"+digits, phonenumbers.UNKNOWN_REGION)
	switch {
	case errors.Is(err, phonenumbers.ErrInvalidCountryCode):
		return readNumber{}, Refusal("phone-country")
	case errors.Is(err, phonenumbers.ErrNumTooLong):
		return readNumber{}, Refusal("phone-too-long")
	case err != nil:
		return readNumber{}, Refusal("phone-too-short")
	}
	valid := phonenumbers.IsValidNumber(n)
	switch phonenumbers.IsPossibleNumberWithReason(n) {
	case phonenumbers.IS_POSSIBLE:
	case phonenumbers.TOO_SHORT, phonenumbers.IS_POSSIBLE_LOCAL_ONLY:
		return readNumber{}, Refusal("phone-too-short")
	case phonenumbers.TOO_LONG:
		return readNumber{}, Refusal("phone-too-long")
	case phonenumbers.INVALID_COUNTRY_CODE:
		return readNumber{}, Refusal("phone-country")
	default:
		return readNumber{}, Refusal("phone-impossible")
	}
	if !valid && n.GetItalianLeadingZero() {
		return readNumber{}, Refusal("phone-impossible")
	}
	return readNumber{phonenumbers.Format(n, phonenumbers.E164), valid}, nil
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
