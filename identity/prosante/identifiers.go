package prosante

import (
	"strings"

	"visavis/identity/traits"
	"visavis/internal/care"
)

// IdNat is a national identifier of a professional (OID 1.2.250.1.71.4.2.1):
// 8+RPPS for the registered, 0+ADELI, or 3+FINESS/number, 4+SIREN/number and
// 5+SIRET/number for employees.
type IdNat string

// ParseIdNat checks the prefix and, for 8, the RPPS ("idnat-shape", "rpps-…").
func ParseIdNat(text string) (IdNat, error) {
	text = strings.TrimSpace(text)
	if len(text) < 2 || len(text) > 40 {
		return "", traits.Refusal("idnat-shape")
	}
	switch rest := text[1:]; text[0] {
	case '8':
		if err := CheckRPPS(rest); err != nil {
			return "", err
		}
	case '0':
		if len(rest) != 9 {
			return "", traits.Refusal("idnat-shape")
		}
	case '1', '3', '4', '5', '6':
		structure, number, ok := strings.Cut(rest, "/")
		if !ok || structure == "" || number == "" {
			return "", traits.Refusal("idnat-shape")
		}
	default:
		return "", traits.Refusal("idnat-shape")
	}
	return IdNat(text), nil
}

// RPPS gives the eleven digits of a registered professional, or nothing.
func (i IdNat) RPPS() string {
	if rest, ok := strings.CutPrefix(string(i), "8"); ok {
		return rest
	}
	return ""
}

// CheckRPPS refuses what is not eleven digits ending with a Luhn key
// ("rpps-length", "rpps-key").
func CheckRPPS(rpps string) error {
	switch {
	case len(rpps) != 11 || strings.Trim(rpps, "0123456789") != "":
		return traits.Refusal("rpps-length")
	case !care.ValidRPPS(rpps):
		return traits.Refusal("rpps-key")
	}
	return nil
}

// CheckFINESS refuses what is not nine characters ending with a Luhn key, 2A
// and 2B counting as 20 ("finess-length", "finess-key").
func CheckFINESS(finess string) error {
	digits := finess
	if strings.HasPrefix(digits, "2A") || strings.HasPrefix(digits, "2B") {
		digits = "20" + digits[2:]
	}
	switch {
	case len(digits) != 9 || strings.Trim(digits, "0123456789") != "":
		return traits.Refusal("finess-length")
	case !care.Luhn(digits):
		return traits.Refusal("finess-key")
	}
	return nil
}
