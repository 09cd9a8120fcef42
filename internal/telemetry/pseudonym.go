package telemetry

import (
	"crypto/hmac"
	"crypto/sha256"
)

// Pseudonym names people in the log without saying who they are: the same person
// has the same name for as long as the key lives, and only the key tells whose
// name it is (GDPR art. 4, 5). 64 bits of HMAC-SHA-256, as 16 letters: digits
// would be taken for a telephone number and hidden.
func Pseudonym(key []byte) func(id string) string {
	return func(id string) string {
		if id == "" {
			return ""
		}
		h := hmac.New(sha256.New, key)
		h.Write([]byte(id))
		name := make([]byte, 0, 16)
		for _, b := range h.Sum(nil)[:8] {
			name = append(name, 'a'+b>>4, 'a'+b&15)
		}
		return string(name)
	}
}
