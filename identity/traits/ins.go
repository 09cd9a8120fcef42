package traits

import (
	"regexp"
	"strings"

	"visavis/internal/care"
)

// The OIDs a matricule INS can come with (interop §1.1).
const (
	OIDNIR  = "1.2.250.1.213.1.4.8"  // real
	OIDNIA  = "1.2.250.1.213.1.4.9"  // real, waiting number
	OIDTest = "1.2.250.1.213.1.4.10" // test
	OIDDemo = "1.2.250.1.213.1.4.11" // demonstration
)

// INS is a national health identity: a matricule of 15 characters, key
// included, and the OID it was given with. The zero INS is no INS.
type INS struct {
	Matricule string
	OID       string
}

// sex, year, month, department (2A, 2B for Corsica), commune, order, key. The
// month may be above 12: INSEE gives such months when it is unknown.
var matricule = regexp.MustCompile(`^[1-478][0-9]{4}([0-9]{2}|2[AB])[0-9]{6}[0-9]{2}$`)

// ParseINS reads a matricule with its key; spaces are dropped. It is refused
// when the OID is unknown, the shape is wrong, or the key does not match: the
// official schematrons do not check the key.
func ParseINS(text, oid string) (INS, error) {
	m := strings.ToUpper(strings.Join(strings.Fields(text), ""))
	switch oid {
	case OIDNIR, OIDNIA, OIDTest, OIDDemo:
	default:
		return INS{}, Refusal("ins-oid")
	}
	if len(m) != 15 {
		return INS{}, Refusal("ins-length")
	}
	if !matricule.MatchString(m) {
		return INS{}, Refusal("ins-shape")
	}
	if !care.ValidINS(m) {
		return INS{}, Refusal("ins-key")
	}
	return INS{m, oid}, nil
}
