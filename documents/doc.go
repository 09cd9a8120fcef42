// Package documents holds the report of an act while it is written, signs it, and keeps the signed
// documents of a patient: reports, and the prescriptions that prescriptions hands over.
//
// Signing freezes. A signed document is two sealed files, the CDA that other systems read and the PDF that
// people read, their SHA-256, and the platform's signature over both with who signed and when. Nothing
// changes it afterwards: a correction is a new version of the same set that replaces the one before (CDA
// relatedDocument RPLC), and the old one stays readable, marked as replaced.
//
// A document is refused before it is signed when it breaks a rule of the law or of the CI-SIS (package
// cda); the refusal names the field. Every read is written in the audit log, and the patient sees who
// opened what and when (product I3, I4).
//
// It also keeps the stills: photos that the professional asked for in the call, taken by the camera at its own
// resolution, sealed as files whose hash the sender computed, listed in the report (product M5, row 17).
//
// Legal sources: CSP R6316-4 (content of the report), L1111-15 (the patient's shared record), L1110-12
// (care team), L1111-7 (the patient's access to their documents).
package documents
