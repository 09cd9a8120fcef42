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
// A pharmacist who holds the sheet records what is dispensed, line by line, in part or in full, for each
// renewal; what was given in full is given once, whoever asks, and the next pharmacy reads by whom. A
// mistake is withdrawn, never erased.
//
// A dosage may be structured (FHIR Dosage); the French sentence of the sheet is then made from it. Medicines
// that need a secure form (stupéfiants and the like) are refused: this program prints none.
//
// Legal sources: CSP R5132-3 (mentions), R5132-4 (signature), R5132-5 (secure form: substances.tsv),
// R5132-21 and R5132-22 (duration, first dispensing: rules.tsv), R5125-54 (substitution); CSS R161-45,
// R165-36 and R165-38 (devices).
package prescriptions
