// Package prescriber says whether a person may prescribe a medicine: by profession (TRE_G15), specialty (TRE_R38) and
// place of practice, against the conditions of the BDPM and the list of the profession. The rules are dated data with
// citations: conditions.tsv, professions.tsv, hospitals.tsv, lists.tsv. It is pure: no database, no clock of its own.
//
// Legal sources: code de la santé publique R5121-77 to R5121-96 (restricted prescription), L4111-1 (doctors),
// L4141-2 (dentists), L4151-4 and annexe 41-4 (midwives), L4071-1 and after (electronic prescription).
package prescriber
