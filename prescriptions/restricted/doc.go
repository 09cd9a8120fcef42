// Package restricted knows the substances whose prescription the law restricts, the names by which people type them, and
// how such a name is found again in a text.
//
// substances.tsv holds the rules: dated, cited, each with how sure it is. names.tsv holds brands and other writings, so that
// a program without the public base of medicines knows them too. mte.tsv lists the substances whose substitution may be
// excluded for a narrow therapeutic margin. lines.tsv lists what may be written as a structured line without the base of
// medicines. Sources: CSP R5132-5, R5132-29, R5132-30, L5125-23, CSS L162-4-2, and the
// arrêtés and decisions cited in each row.
//
// A text is compared by its letters alone: case, accents, hyphens, dots, marks as ®, invisible characters, spaces between
// letters and letters of another alphabet that look the same do not hide a name.
package restricted
