package cda

import (
	"strconv"
	"strings"
)

// INSKey returns the two-digit key of the 13 characters of an INS (97 − N mod 97, where 2A counts as 19
// and 2B as 18 in the department, positions 6–7); ok is false when the shape is wrong.
func INSKey(n13 string) (key string, ok bool) {
	if len(n13) != 13 {
		return "", false
	}
	switch n13[5:7] {
	case "2A":
		n13 = n13[:5] + "19" + n13[7:]
	case "2B":
		n13 = n13[:5] + "18" + n13[7:]
	}
	n, err := strconv.ParseUint(n13, 10, 64)
	if err != nil || !digits(n13) {
		return "", false
	}
	k := 97 - int(n%97)
	return strconv.Itoa(k/10) + strconv.Itoa(k%10), true
}

// ValidINS tells whether value is 13 characters followed by their right key.
func ValidINS(value string) bool {
	if len(value) != 15 {
		return false
	}
	key, ok := INSKey(value[:13])
	return ok && key == value[13:]
}

// ValidRPPS tells whether value is an RPPS number: 11 digits, the last one a Luhn check digit.
func ValidRPPS(value string) bool {
	if len(value) != 11 || !digits(value) {
		return false
	}
	sum := 0
	for i := range len(value) {
		d := int(value[len(value)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// ValidFINESS tells whether value has the shape of a FINESS number: 9 characters, digits but for the
// department of Corsica (2A, 2B). Its check digit is not verified: several published numbers break it.
func ValidFINESS(value string) bool {
	if len(value) != 9 {
		return false
	}
	if strings.HasPrefix(value, "2A") || strings.HasPrefix(value, "2B") {
		return digits(value[2:])
	}
	return digits(value)
}

// ValidCOG tells whether value has the shape of an INSEE place code: a commune (5 characters, 2A or 2B
// in Corsica) or a country (99 and three digits).
func ValidCOG(value string) bool {
	if len(value) != 5 {
		return false
	}
	if strings.HasPrefix(value, "2A") || strings.HasPrefix(value, "2B") {
		return digits(value[2:])
	}
	return digits(value)
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
