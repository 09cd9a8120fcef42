// Package cda builds and checks the French CDA R2 documents of a teleconsultation:
// the telemedicine report (CI-SIS volet TLM-CR 2022.01, level 1, the PDF inside), the prescription of
// medicines (volet eP-MED-DM 2024.01, level 3 with a PDF copy) and other prescriptions (level 1).
//
// The header follows "CI-SIS Structuration minimale" and the identity rules of the INS reference
// framework (RNIV). Each Build function first runs the matching Check and refuses with *InvalidError,
// each problem naming its field, so that a document that breaks a rule is never signed. CheckDocument
// applies the same rules to the bytes of a finished document.
//
// The package is pure: no clock, no randomness, no I/O. The same inputs give the same bytes.
// Technical incidents (CSP R6316-4, 5°) have no element in a level 1 header: they are in the PDF.
package cda
