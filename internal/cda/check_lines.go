package cda

import (
	"strconv"
	"time"
)

// maxRepeats bounds renewals: a prescription of medicines is valid twelve months at most (CSP R5132-21).
const maxRepeats = 12

// Check applies the rules of the prescription and of each line (CSP R5132-3, volet eP-MED-DM); an empty
// answer means that it may be built.
func (p MedicationPrescription) Check() []Problem {
	c := newChecker()
	p.Header.check(c)
	c.match("number.root", p.Number.Root, oidPattern.MatchString, Format)
	c.period("valid", p.ValidFrom, p.ValidUntil)
	for i, f := range p.Flags {
		c.code("flags["+strconv.Itoa(i)+"]", SetFlag, f)
	}
	c.match("sectionId", p.SectionID, uuidPattern.MatchString, Format)
	c.match("copyId", p.CopyID, uuidPattern.MatchString, Format)
	if len(p.Lines) == 0 {
		c.fail("lines", Required)
	}
	for i, l := range p.Lines {
		l.check(c.in("lines", i))
	}
	c.pdf(p.PDF)
	return *c.problems
}

// CheckLines applies the rules of the lines alone, for a draft that is still being written.
func CheckLines(lines []MedicationLine) []Problem {
	c := newChecker()
	for i, l := range lines {
		l.check(c.in("lines", i))
	}
	return *c.problems
}

func (c checker) period(name, from, to string) {
	c.match(name+"From", from, validDay, Format)
	c.match(name+"Until", to, validDay, Format)
	a, errA := time.Parse(time.DateOnly, from)
	b, errB := time.Parse(time.DateOnly, to)
	if errA == nil && errB == nil && b.Before(a) {
		c.fail(name+"Until", Order)
	}
}

func (l MedicationLine) check(c checker) {
	c.match("id", l.ID, uuidPattern.MatchString, Format)
	c.need("name", l.Name)
	if !l.Compounded {
		c.match("cis", l.CIS, func(s string) bool { return len(s) == 8 && digits(s) }, Format)
		if len(l.INN) == 0 {
			c.fail("inn", Required)
		}
	}
	if l.CIP13 != "" && (len(l.CIP13) != 13 || !digits(l.CIP13)) {
		c.fail("cip13", Format)
	}
	c.optional("route", SetRoute, l.Route)
	c.need("directions", l.Directions)
	l.checkDosage(c.at("dosage"))
	c.period("treatment", l.From, l.To)
	if l.Repeats < 0 || l.Repeats > maxRepeats {
		c.fail("repeats", Format)
	}
	if q := l.Quantity; q != nil {
		if q.Value < 1 {
			c.fail("quantity.value", Format)
		}
		c.code("quantity.pack", SetPack, q.Pack)
	}
	if l.Excluded {
		c.code("substitution.reason", SetReason, l.Reason)
	} else if l.Reason != "" {
		c.fail("substitution.reason", Format)
	}
}

func (l MedicationLine) checkDosage(c checker) {
	d := l.Dosage
	if d == nil {
		return
	}
	if v, err := strconv.ParseFloat(d.Amount, 64); err != nil || !(v > 0 && v < 1e6) {
		c.fail("amount", Format)
	}
	c.code("unit", SetDose, d.Unit)
	if d.Every < 1 || d.Every > 168 {
		c.fail("every", Format)
	}
}
