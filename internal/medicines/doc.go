// Package medicines finds a medicine of the French public database (BDPM, published by the ANSM) by its
// name or by its common denomination, whatever the accents and the case, and reads what the database says of
// it: substances, the pack on the market, the conditions of prescribing.
//
// Load reads the official files CIS_bdpm.txt, CIS_COMPO_bdpm.txt, CIS_CIP_bdpm.txt and CIS_CPD_bdpm.txt from
// a folder, in UTF-8 or in Windows-1252, field by field; odd rows are counted in the report of the index. The
// words of a state are a closed list: a word outside it is not accepted, and reported. Sample is a small index
// of common specialities built into the program, for a machine without those files. An Index never changes once
// built; a Base holds the one in service. Both are safe for concurrent use.
package medicines
