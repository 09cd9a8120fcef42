// Package profession names the professions that sign in (TRE_G15): the role that
// each one holds, the word that documents and pages name it by, and the titles
// that may stand before a name. A role of the authorisation table is not a
// profession: a physician, a dentist and a midwife all hold care.Doctor.
package profession

import (
	_ "embed"
	"slices"
	"strings"

	"visavis/internal/care"
)

//go:embed professions.tsv
var professionsTSV string

// Word is a key of the catalogues: texts have "role.<word>" and "of.<word>". It is
// a profession's, or a role whose holder has no profession.
type Word string

// Professional is the word for somebody who holds a role of a professional and
// whose profession is not known.
const Professional Word = "professional"

// row gives the line of a code, or nil.
func row(code string) []string {
	for line := range strings.Lines(professionsTSV) {
		cols := strings.Split(strings.TrimSpace(line), "\t")
		if !strings.HasPrefix(line, "#") && cols[0] == code {
			return cols
		}
	}
	return nil
}

// Codes gives the codes (TRE_G15) that may sign in.
func Codes() (codes []string) {
	for line := range strings.Lines(professionsTSV) {
		if !strings.HasPrefix(line, "#") {
			codes = append(codes, line[:strings.Index(line, "\t")])
		}
	}
	return codes
}

// Role gives the role that a profession holds; false when it holds none.
func Role(code string) (care.Role, bool) {
	r := row(code)
	if r == nil {
		return "", false
	}
	return care.Role(r[1]), true
}

// WordOf gives the word for somebody with that profession (TRE_G15, or empty) and
// role. Only the profession makes a care.Doctor a physician: one whose profession
// is not known is a Professional.
func WordOf(code string, role care.Role) Word {
	if r := row(code); r != nil && care.Role(r[1]) == role {
		return Word(r[2])
	}
	if role == care.Doctor {
		return Professional
	}
	return Word(role)
}

// Name names a profession in a language; empty when it is not known.
func Name(code string, language care.Language) string {
	r := row(code)
	switch {
	case r == nil:
		return ""
	case language == care.English:
		return r[5]
	}
	return r[4]
}

// Title gives the title that may stand before a name (Dr, Pr), or nothing: nobody
// whose profession has no such title is printed with one.
func Title(code, title string) string {
	if r := row(code); r != nil && slices.Contains(strings.Split(r[3], ","), title) {
		return title
	}
	return ""
}
