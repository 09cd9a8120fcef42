// Package medicines finds a medicine of the French public database (BDPM, published by the ANSM) by its
// name or by its common denomination, whatever the accents and the case.
//
// Load reads the official files CIS_bdpm.txt, CIS_COMPO_bdpm.txt, CIS_CIP_bdpm.txt and CIS_CPD_bdpm.txt from
// a folder, in UTF-8 or in Windows-1252. Sample is a small index of common specialities built into the program, for a
// machine without those files. An Index never changes once built and is safe for concurrent use.
package medicines
