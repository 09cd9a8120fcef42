package cda

import "strings"

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
