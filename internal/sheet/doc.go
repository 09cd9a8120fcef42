// Package sheet prints the documents that people hold: the report of an act and the prescription, as A4
// PDF files written for PDF/A-1b (embedded subset fonts, sRGB output intent, XMP metadata, no
// transparency, no script, no attachment).
//
// A prescription carries the mentions of CSP R5132-3 and CSS R161-45: the prescriber's names, quality,
// identifier, addresses and phone; the patient's names, sex and date of birth; for each line the
// denomination, the common denomination, the directions, the duration or the quantity, the renewals;
// "non substituable" with its reason (CSP R5125-54); the signature right under the last line, the space
// left struck out (CSP R5132-4); two zones when a line is linked to a long-term condition (ALD).
// A report carries what CSP R6316-4 asks: the act, the prescriptions, the identity of the professionals,
// the date and time, the technical incidents.
//
// The verification square is our own; the sheet says that it is not the code of the ordonnance numérique.
//
// The package is pure but for its embedded fonts: no clock, no randomness; the same inputs give the same
// bytes. The texts printed are in words/, in French: they are legal documents of French law.
// Characters, fonts and line breaks are those of internal/typography; a text that cannot be printed as it is
// refuses the document.
package sheet
