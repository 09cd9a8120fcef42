package cda

import (
	"bytes"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"visavis/internal/care"
)

// The kinds of problem; pages have a sentence for each.
const (
	Required = "required" // the field is missing
	Unknown  = "unknown"  // the code is not in its value set
	Format   = "format"   // the shape is wrong
	Key      = "key"      // the check digits do not match
	Order    = "order"    // the end is before the start
)

// Problem is one broken rule. Field is the path of the input (patient.birthPlace, lines[0].directions),
// or for CheckDocument the path of the element.
type Problem struct {
	Field, Code string
}

// InvalidError carries the problems for which a document was refused.
type InvalidError struct {
	Problems []Problem
}

// Error names the fields and no value, so that it may be logged.
func (e *InvalidError) Error() string {
	parts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		parts[i] = p.Field + " " + p.Code
	}
	return "cda: " + strings.Join(parts, ", ")
}

var errDoctype = errors.New("cda: a document type declaration is not accepted")

func refuse(problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	return &InvalidError{Problems: problems}
}

// checker gathers problems; prefix is the path of what is being checked.
type checker struct {
	problems *[]Problem
	prefix   string
}

func newChecker() checker { return checker{problems: &[]Problem{}} }

func (c checker) at(name string) checker {
	if c.prefix != "" {
		name = c.prefix + "." + name
	}
	return checker{c.problems, name}
}

func (c checker) in(name string, i int) checker {
	return c.at(name + "[" + strconv.Itoa(i) + "]")
}

func (c checker) fail(field, code string) {
	*c.problems = append(*c.problems, Problem{c.at(field).prefix, code})
}

func (c checker) need(field, value string) bool {
	if strings.TrimSpace(value) == "" {
		c.fail(field, Required)
		return false
	}
	return true
}

func (c checker) code(field string, set Set, value string) {
	if !c.need(field, value) {
		return
	}
	if _, ok := Lookup(set, value); !ok {
		c.fail(field, Unknown)
	}
}

func (c checker) optional(field string, set Set, value string) {
	if value != "" {
		c.code(field, set, value)
	}
}

func (c checker) match(field, value string, ok func(string) bool, code string) {
	if c.need(field, value) && !ok(value) {
		c.fail(field, code)
	}
}

var (
	oidPattern  = regexp.MustCompile(`^[0-2](\.(0|[1-9][0-9]*))+$`)
	uuidPattern = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
)

func validDay(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// Check applies the rules of the report; an empty answer means that it may be built.
func (r Report) Check() []Problem {
	c := newChecker()
	r.Header.check(c)
	c.code("act", SetAct, r.Act)
	c.pdf(r.PDF)
	return *c.problems
}

// Check applies the rules of the prescription; an empty answer means that it may be built.
func (p OtherPrescription) Check() []Problem {
	c := newChecker()
	p.Header.check(c)
	c.code("kind", SetDocument, p.Kind)
	if p.Kind == "85208-7" || p.Kind == "57833-6" {
		c.fail("kind", Unknown)
	}
	c.pdf(p.PDF)
	return *c.problems
}

func (c checker) pdf(pdf []byte) {
	if len(pdf) == 0 {
		c.fail("pdf", Required)
	} else if !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		c.fail("pdf", Format)
	}
}

func (h Header) check(c checker) {
	c.match("id", h.ID, oidPattern.MatchString, Format)
	c.match("setId", h.SetID, oidPattern.MatchString, Format)
	if h.Version < 1 {
		c.fail("version", Format)
	}
	if h.Replaces != "" && !oidPattern.MatchString(h.Replaces) {
		c.fail("replaces", Format)
	}
	if (h.Version > 1) != (h.Replaces != "") {
		c.fail("replaces", Required)
	}
	c.need("title", h.Title)
	c.code("confidential", SetConfidential, h.Confidential)
	for _, t := range []struct {
		field string
		value time.Time
	}{{"createdAt", h.CreatedAt}, {"signedAt", h.SignedAt}, {"encounter.start", h.Encounter.Start}} {
		if t.value.IsZero() {
			c.fail(t.field, Required)
		}
	}
	if !h.Encounter.End.IsZero() && h.Encounter.End.Before(h.Encounter.Start) {
		c.fail("encounter.end", Order)
	}
	h.Patient.check(c.at("patient"))
	h.Author.check(c.at("author"))
	h.Author.Organization.check(c.at("author.organization"), true)
	h.Custodian.check(c.at("custodian"), false)
	h.Encounter.Facility.check(c.at("encounter.facility"), false)
	c.code("encounter.facility.sector", SetSector, h.Encounter.Facility.Sector)
	for i, r := range h.Recipients {
		r.checkIdentity(c.in("recipients", i))
	}
	for i, p := range h.Participants {
		p.check(c.in("participants", i))
	}
}

func (p Patient) check(c checker) {
	if p.INS == nil && p.Local == (ID{}) {
		c.fail("local", Required)
	}
	if p.Local != (ID{}) {
		c.match("local.root", p.Local.Root, oidPattern.MatchString, Format)
		c.need("local.extension", p.Local.Extension)
	}
	c.need("birthFamily", p.BirthFamily)
	if len(p.BirthGiven) == 0 {
		c.fail("birthGiven", Required)
	}
	for _, g := range p.BirthGiven {
		if strings.TrimSpace(g) == "" {
			c.fail("birthGiven", Required)
			break
		}
	}
	c.code("sex", SetGender, p.Sex)
	c.match("birthDate", p.BirthDate, validDay, Format)
	if p.INS != nil {
		switch p.INS.OID {
		case OIDINSNIR, OIDINSNIA, OIDINSTest, OIDINSDemo:
		default:
			c.fail("ins.oid", Unknown)
		}
		c.match("ins.value", p.INS.Value, care.ValidINS, Key)
		c.need("birthPlace", p.BirthPlace)
	}
	if p.BirthPlace != "" && !ValidCOG(p.BirthPlace) {
		c.fail("birthPlace", Format)
	}
	for i, g := range p.Guardians {
		cg := c.in("guardians", i)
		cg.code("relation", SetRelation, g.Relation)
		cg.need("family", g.Family)
		cg.need("given", g.Given)
	}
}

func (p Professional) checkIdentity(c checker) {
	c.match("rpps", p.RPPS, care.ValidRPPS, Key)
	c.need("family", p.Family)
	c.need("given", p.Given)
	c.optional("civility", SetCivility, p.Civility)
	c.optional("title", SetTitle, p.Title)
}

func (p Professional) check(c checker) {
	p.checkIdentity(c)
	c.code("specialty", SetSpecialty, p.Specialty)
}

func (p Participant) check(c checker) {
	p.Professional.check(c.at("professional"))
	c.code("function", SetFunction, p.Function)
	c.optional("act", SetAct, p.Act)
	if p.Act != "" {
		p.Professional.Organization.check(c.at("professional.organization"), true)
	}
	if p.Start.IsZero() {
		c.fail("start", Required)
	}
	if !p.End.IsZero() && p.End.Before(p.Start) {
		c.fail("end", Order)
	}
}

func (o Organization) check(c checker, practice bool) {
	switch {
	case o.FINESS != "":
		c.match("finess", o.FINESS, ValidFINESS, Format)
	case o.SIRET != "":
		c.match("siret", o.SIRET, func(s string) bool { return len(s) == 14 && digits(s) }, Format)
	default:
		c.fail("finess", Required)
	}
	c.need("name", o.Name)
	if practice {
		c.code("setting", SetSetting, o.Setting)
	}
}

// String is the field and the code, for tests and logs.
func (p Problem) String() string { return p.Field + ":" + p.Code }
