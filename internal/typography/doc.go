// Package typography says which characters a document may carry, writes them one way, and sets them for
// printing. PDF and CDA of one document go through the same functions, so they carry the same characters.
//
//   - Clean applies table.tsv, a reviewed list with a reason per row, and Unicode composition (NFC). It never
//     folds a sign into another that a reader would tell apart (issue 9, B1).
//   - Unprintable and Fields find what the fonts cannot draw; such a text is refused at its field, with the
//     sign named. Nothing is replaced by a mark.
//   - Wrap cuts a paragraph into lines, Visual orders a line for printing from left to right (Hebrew, Arabic
//     with its joined forms), and Runs chooses a font for each part.
//
// The package knows no PDF library and no page: the caller measures and draws. It imports the standard
// library, golang.org/x/text, golang.org/x/image and internal/fault.
//
// Fonts: Atkinson Hyperlegible Next (SIL Open Font License 1.1, font/OFL.txt) and, for what it lacks, DejaVu
// Sans (Bitstream Vera licence, font/DejaVu.txt); scripts/fonts.py makes the files.
package typography
