// Package consent keeps the proof that a person agreed to one act, refused it,
// or changed their mind.
//
// Words. A text is what the person read: a released file of texts/, rendered to
// HTML, whose SHA-256 is what they agree to. A record is one decision about one
// act; it is never changed. The state of an act is its last record. The bundle
// is everything a record proves, as one canonical JSON document (RFC 8785),
// signed by the platform as a detached JWS (RFC 7515, appendix F), and holding
// the hash of the act's previous bundle.
//
// Invariants. No media flows unless the state is "granted" (MediaAllowed). A
// released text never changes. Records are append-only, in the database too. A
// minor agrees through a representative. No IP address is kept.
//
// To release a text, add texts/<purpose>.v<N+1>.<lang>.md in every language and
// its line in texts/released.lock (name, SHA-256 of the source, of the HTML);
// the error of a missing line tells both hashes.
//
// Sources. CSP L1111-4 (consent, withdrawn at any time), L1111-2 (information),
// L1111-5 (a minor who keeps their care secret comes with an adult of their
// choice), R6316-2 (consent to an act of télésanté); Code civil 388 (minor),
// 425 and 494-1 (guardianship, family authorisation); GDPR 7 (proof of
// consent). Product A6, A7, I1; trust B8.
package consent
