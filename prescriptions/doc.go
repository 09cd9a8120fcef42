// Package prescriptions writes, signs, replaces and cancels the prescriptions of an act: medicines by
// structured lines, exams, care and devices in words.
//
// A draft is checked as it is signed, and the refusal names the line and the field. Signing freezes: a
// correction is a new version that replaces the one before, a mistake is cancelled with its reason. The
// signed document goes to the patient's documents through the Filer, in the same transaction as the
// state, the audit row and the fact.
//
// Anybody who holds the sheet can verify it: its square opens a page under a random name of 128 bits that
// tells whether it is genuine, when and by whom it was signed, and whether it still holds; the content
// shows only with the code printed on the sheet, of which nothing but a slow hash is kept. This is our own
// verification, not the ordonnance numérique of the Assurance Maladie.
//
// Legal sources: CSP R5132-3 (mentions), R5132-4 (signature), R5132-21 and R5132-22 (duration, first
// dispensing: rules.tsv), R5125-54 (substitution); CSS R161-45.
package prescriptions
