package prosante

import (
	"visavis/internal/care"
	"visavis/internal/profession"
)

// MayHold tells whether a professional with this exercice may hold a role of
// ours. Secretaries and administrators need no profession; a student never
// holds a role that prescribes (category E).
func (e Exercice) MayHold(role care.Role) bool {
	if role == care.Secretary || role == care.Admin {
		return true
	}
	if e.Category != "C" && e.Category != "M" {
		return false
	}
	holds, ok := profession.Role(e.Profession)
	return ok && holds == role
}

// AuthorCode is the CDA author code of the exercice, as G15_10/SM54 (JDV_J01).
func (e Exercice) AuthorCode() string {
	code := "G15_" + e.Profession
	if e.KnowHow != "" {
		code += "/" + e.KnowHow
	}
	return code
}
