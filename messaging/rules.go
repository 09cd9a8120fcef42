package messaging

import (
	"math/big"
	"slices"
	"strings"
	"time"

	"visavis/messaging/mssante"
	"visavis/messaging/post"
)

const (
	// lease is how long an attempt may hold a delivery. It is longer than a job
	// may run (60 s) and shorter than the time after which the queue gives the
	// job of a dead process to another (75 s).
	lease = 70 * time.Second
	// attemptTime bounds the network part of one attempt.
	attemptTime = 50 * time.Second
	// maxAttempts spans about two days with backoff.
	maxAttempts = 30
	// identityFor is how long documents wait for the identity to be qualified
	// before they go to the paper queue.
	identityFor = 48 * time.Hour
	// reminderBefore is when the reminder leaves; an appointment booked less than
	// reminderLeast ahead gets none.
	reminderBefore = 24 * time.Hour
	reminderLeast  = 26 * time.Hour
	// soon is how early a job may come without being sent back.
	soon = 2 * time.Second
)

// whenAsked is the next attempt of a delivery that only a person may send
// again.
var whenAsked = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// backoff is the wait before attempt n+1, n ≥ 1.
func backoff(n int) time.Duration {
	steps := [...]time.Duration{5 * time.Second, 15 * time.Second, 45 * time.Second, 2 * time.Minute, 5 * time.Minute,
		10 * time.Minute, 20 * time.Minute, 40 * time.Minute, time.Hour}
	if n > len(steps) {
		return 2 * time.Hour
	}
	return steps[max(n, 1)-1]
}

// Visibility flags (TRE_A07, JDV_J08 and its successor J421).
const (
	flagMaskedFromStaff = "MASQUE_PS"
	flagHiddenPatient   = "INVISIBLE_PATIENT"
	flagHiddenPatientV3 = "NOPAT"
	flagHiddenGuardians = "INVISIBLE_REPRESENTANTS_LEGAUX"
)

// maySend applies the visibility matrix of the CI-SIS (TCDA, règles de gestion
// MSSanté): a document masked from professionals, or hidden from the legal
// representatives, goes to the patient only; one hidden from the patient goes
// to professionals only; both at once is an error and goes nowhere.
func maySend(flags []string, to Recipient) bool {
	hidden := slices.Contains(flags, flagHiddenPatient) || slices.Contains(flags, flagHiddenPatientV3)
	masked := slices.Contains(flags, flagMaskedFromStaff) || slices.Contains(flags, flagHiddenGuardians)
	if to == ToPatient {
		return !hidden
	}
	return !masked
}

// refusal turns a refusal of the mail server into a reason.
func refusal(r post.Result) string {
	switch {
	case r.Status == "5.2.2" || r.Code == 552 && r.Status != "5.3.4":
		return reasonFull
	case r.Status == "5.3.4":
		return reasonTooLarge
	case strings.HasPrefix(r.Status, "5.1.") || strings.HasPrefix(r.Status, "5.2.") || r.Code == 550 && r.Status == "":
		return reasonClosed
	case r.Status == "number":
		return reasonNoAddress
	}
	return reasonServer
}

// verdict is what a report from outside does to a delivery.
func verdict(in mssante.Incoming) (State, string, bool) {
	switch in.Event {
	case mssante.Delivered:
		return Accepted, reasonArrived, true
	case mssante.Processed:
		return Accepted, reasonProcessed, true
	case mssante.Displayed:
		return Accepted, reasonRead, true
	case mssante.Delayed:
		return Sent, reasonDelayed, true
	case mssante.Relayed:
		return Sent, "", true
	case mssante.Failed:
		return Bounced, refusal(post.Result{Status: in.Code}), true
	case mssante.KO:
		return Refused, reasonNotIntegrated, true
	}
	return "", "", false
}

// rank orders the reasons of an accepted delivery: read says more than arrived.
func rank(reason string) int {
	return slices.Index([]string{reasonArrived, reasonProcessed, reasonRead}, reason)
}

// submissionOID is the identifier of the submission of a delivery: the
// platform's root, 5, and the delivery's UUID as a number (ITU-T X.667 §7).
func submissionOID(root, id string) string {
	n, ok := new(big.Int).SetString(strings.ReplaceAll(id, "-", ""), 16)
	if !ok {
		return ""
	}
	return root + ".5." + n.String()
}

// hidePhone shows the last two digits.
func hidePhone(phone string) string {
	if len(phone) < 4 {
		return ""
	}
	return "•• •• •• •• " + phone[len(phone)-2:]
}

// hideAddress shows the first letter and the domain of an e-mail address, or
// the end of an INS.
func hideAddress(address string) string {
	local, domain, ok := strings.Cut(address, "@")
	if !ok || local == "" {
		return ""
	}
	if len(local) == 15 && strings.HasPrefix(domain, "patient.") {
		return "•••" + local[12:] + "@" + domain
	}
	first := []rune(local)[:1]
	return string(first) + "•••@" + domain
}
