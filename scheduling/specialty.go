package scheduling

import (
	_ "embed"
	"fmt"
	"strings"

	"visavis/internal/care"
)

//go:embed specialties.tsv
var specialtiesTSV string

// Specialty is what a patient looks for. Several codes of TRE_R38 may be listed
// under one: SM26 and SM53 are general practice too.
type Specialty struct {
	Code   string // SM54
	Labels map[care.Language]string
}

// Specialties is the list, in the order people read it.
type Specialties struct {
	listed []Specialty
	under  map[string]string // any code: the code it is listed under
}

// LoadSpecialties reads the embedded list; an error names its line.
func LoadSpecialties() (Specialties, error) {
	s := Specialties{under: map[string]string{}}
	n := 0
	for line := range strings.Lines(specialtiesTSV) {
		n++
		if line[0] == '#' {
			continue
		}
		cols := strings.Split(strings.TrimSpace(line), "\t")
		if len(cols) != 4 {
			return s, fmt.Errorf("scheduling: specialties.tsv:%d: %d columns, want 4", n, len(cols))
		}
		s.under[cols[0]] = cols[1]
		if cols[0] == cols[1] {
			s.listed = append(s.listed, Specialty{cols[0], map[care.Language]string{care.French: cols[2], care.English: cols[3]}})
		}
	}
	return s, nil
}

// Listed gives the code a code is listed under; false when it is unknown.
func (s Specialties) Listed(code string) (string, bool) {
	c, ok := s.under[code]
	return c, ok
}

// Codes gives every code listed under one.
func (s Specialties) Codes(listed string) []string {
	var codes []string
	for code, under := range s.under {
		if under == listed {
			codes = append(codes, code)
		}
	}
	return codes
}

// Label names a code in a language; empty when it is unknown.
func (s Specialties) Label(code string, language care.Language) string {
	for _, x := range s.listed {
		if x.Code == s.under[code] {
			return x.Labels[language]
		}
	}
	return ""
}
