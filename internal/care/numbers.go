package care

import "strconv"

// The national numbers carry keys that catch a wrong digit. Which prefixes and
// registers exist is for the packages that use them.

// INSKey gives the two-digit key of the 13 characters of a matricule INS: 97
// less the rest of its division by 97, where 2A counts as 19 and 2B as 18 in the
// department (characters 6 and 7). ok is false when these are not 13 digits but
// for a department of Corsica.
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
	if !digits(n13) {
		return "", false
	}
	n, err := strconv.ParseUint(n13, 10, 64)
	if err != nil {
		return "", false
	}
	k := 97 - int(n%97)
	return strconv.Itoa(k/10) + strconv.Itoa(k%10), true
}

// ValidINS tells whether a matricule is 13 characters followed by their key.
func ValidINS(matricule string) bool {
	if len(matricule) != 15 {
		return false
	}
	key, ok := INSKey(matricule[:13])
	return ok && key == matricule[13:]
}

// ValidRPPS tells whether rpps is eleven digits that end with their Luhn key.
func ValidRPPS(rpps string) bool { return len(rpps) == 11 && Luhn(rpps) }

// Luhn tells whether text is digits, the last one the key of the others
// (ISO/IEC 7812-1, annex B).
func Luhn(text string) bool {
	sum := 0
	for i := range len(text) {
		d := int(text[len(text)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return digits(text) && sum%10 == 0
}

func digits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}
