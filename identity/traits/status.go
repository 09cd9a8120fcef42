package traits

import (
	_ "embed"
	"strings"

	"visavis/internal/care"
)

// StatusEvent is what moves the status of an identity.
type StatusEvent string

// The events (RNIV EXI SI 07; the downgrade of any doubt follows from the
// definitions, no table of it is published: interop §1.4).
const (
	INSiAnswered    StatusEvent = "insi-answered"    // the teleservice returned these traits and a matricule
	DocumentChecked StatusEvent = "document-checked" // a document of high confidence was seen
	Doubted         StatusEvent = "doubted"          // homonym, edited trait: the matricule is suspended
)

// NextStatus tells where an event takes an identity. An unknown status or
// event stays where it is.
func NextStatus(from care.IdentityStatus, e StatusEvent) care.IdentityStatus {
	type step struct {
		from  care.IdentityStatus
		event StatusEvent
	}
	to, ok := map[step]care.IdentityStatus{
		{care.Provisional, INSiAnswered}:    care.Retrieved,
		{care.Provisional, DocumentChecked}: care.Validated,
		{care.Retrieved, DocumentChecked}:   care.Qualified,
		{care.Validated, INSiAnswered}:      care.Qualified,
		{care.Retrieved, Doubted}:           care.Provisional,
		{care.Validated, Doubted}:           care.Provisional,
		{care.Qualified, Doubted}:           care.Provisional,
	}[step{from, e}]
	if !ok {
		return from
	}
	return to
}

// MayLeave tells whether the matricule may be sent outside the platform.
func MayLeave(s care.IdentityStatus) bool { return s == care.Qualified }

//go:embed documents.tsv
var documentsTSV string

// CheckDocument refuses a document that is not of high confidence for a person
// of that age ("document-unknown", "document-minors-only").
func CheckDocument(code string, minor bool) error {
	for line := range strings.Lines(documentsTSV) {
		cols := strings.Split(strings.TrimSpace(line), "\t")
		if cols[0] != code || strings.HasPrefix(line, "#") {
			continue
		}
		if cols[1] == "minor" && !minor {
			return Refusal("document-minors-only")
		}
		return nil
	}
	return Refusal("document-unknown")
}
