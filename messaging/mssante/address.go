// Package mssante writes and reads the e-mails of the French secure health
// messaging: the message that carries an IHE XDM archive (référentiel #2
// "clients de messagerie", ECO.2.x), the address of a patient, the delivery
// reports (RFC 3464), the receipts (RFC 8098) and the technical refusals that
// come back, and the mailbox they come back to.
package mssante

import (
	"errors"
	"fmt"
	"strings"

	"visavis/internal/care"
)

// PatientDomain is where patients' mailboxes live (Mon espace santé).
const PatientDomain = "patient.mssante.fr"

// MaxSize is the largest message Mon espace santé takes, in bytes (ENS
// Messagerie V1.3): 25 MB.
const MaxSize = 25_000_000

// ErrNotQualified is returned for an identity whose INS may not leave the
// platform (RNIV EXI SI 07, INS/va1.53).
var ErrNotQualified = errors.New("mssante: identity not qualified")

// ErrTooLarge is returned for a message over MaxSize.
var ErrTooLarge = errors.New("mssante: message too large")

// ErrMatricule is returned for an INS that is not 13 characters and its key.
var ErrMatricule = errors.New("mssante: not an INS with its key")

// PatientAddress builds the address of a patient from the qualified INS, the
// only way there is to get one (ECO.2.2.6: never typed). status is the RNIV
// status; matricule is the 13 characters and the two of the key.
func PatientAddress(status, matricule, domain string) (string, error) {
	if status != "QUAL" {
		return "", fmt.Errorf("%w: status %s", ErrNotQualified, status)
	}
	if !care.ValidINS(matricule) {
		return "", ErrMatricule
	}
	if domain == "" {
		domain = PatientDomain
	}
	return matricule + "@" + domain, nil
}

// ValidAddress reports whether an address looks like a mailbox of the secure
// space: its domain is mssante.fr or under it, or under the test domain given
// ("" for none).
func ValidAddress(address, testDomain string) bool {
	local, domain, ok := strings.Cut(address, "@")
	if !ok || local == "" || strings.ContainsAny(address, " <>,;\"\r\n\t") || strings.Contains(domain, "@") {
		return false
	}
	domain = strings.ToLower(domain)
	return domain == "mssante.fr" || strings.HasSuffix(domain, ".mssante.fr") ||
		(testDomain != "" && (domain == testDomain || strings.HasSuffix(domain, "."+testDomain)))
}
