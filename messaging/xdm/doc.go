// Package xdm packs clinical documents for a secure e-mail and unpacks them:
// an IHE XDM archive (ITI TF-1 §16, TF-2b ITI-32) with its ebRIM 3.0
// METADATA.XML, as the French "volet transmission d'un document CDA en XDM par
// MSSanté" asks.
//
// One truth: every document metadata is read from the CDA header itself; the
// caller adds only what the header cannot say (who submits, when). One archive
// concerns one patient (MSSanté référentiel #2, ECO.2.1.1) and holds one
// subset. The same submission gives the same bytes, so a message rebuilt after
// a crash is the message that was being sent.
//
// The package is pure: no clock, no network, no database.
package xdm

import "fmt"

// FieldError says which element of which document keeps an archive from being
// made.
type FieldError struct {
	// Document is the position of the document in the submission, from 0; -1
	// when the error concerns the submission itself.
	Document int
	// Field is the metadata or CDA element, e.g. "patientId".
	Field string
	// Reason says what is wrong, without any clinical content.
	Reason string
}

// Error implements error.
func (e *FieldError) Error() string {
	if e.Document < 0 {
		return fmt.Sprintf("xdm: submission: %s: %s", e.Field, e.Reason)
	}
	return fmt.Sprintf("xdm: document %d: %s: %s", e.Document+1, e.Field, e.Reason)
}
