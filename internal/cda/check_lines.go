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
	if len(p.Lines) > 0 {
		c.match("sectionId", p.SectionID, uuidPattern.MatchString, Format)
	}
	if len(p.Devices) > 0 {
		c.match("devicesId", p.DevicesID, uuidPattern.MatchString, Format)
	}
	if p.Weight != "" {
		c.decimal("weight", p.Weight)
		c.match("weightId", p.WeightID, uuidPattern.MatchString, Format)
	}
	c.match("copyId", p.CopyID, uuidPattern.MatchString, Format)
	if len(p.Lines)+len(p.Devices) == 0 {
		c.fail("lines", Required)
	}
	for i, l := range p.Lines {
		l.check(c.in("lines", i))
	}
	for i, l := range p.Devices {
		l.check(c.in("devices", i))
	}
	c.pdf(p.PDF)
	return *c.problems
}

func (l DeviceLine) check(c checker) {
	c.match("id", l.ID, uuidPattern.MatchString, Format)
	c.need("name", l.Name)
	if l.LPP != "" && (len(l.LPP) != 7 || !digits(l.LPP)) {
		c.fail("lpp", Format)
	}
	c.period("use", l.From, l.To)
	if l.Quantity < 1 {
		c.fail("quantity", Required)
	}
	if l.Days < 0 || l.Repeats < 0 || l.Repeats > maxRepeats {
		c.fail("repeats", Format)
	}
}

// decimal wants a positive number written with digits.
func (c checker) decimal(name, value string) {
	if v, err := strconv.ParseFloat(value, 64); err != nil || !(v > 0 && v < 1e6) {
		c.fail(name, Format)
	}
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
	if l.CIS != "" {
		c.match("cis", l.CIS, func(s string) bool { return len(s) == 8 && digits(s) }, Format)
	}
	if !l.Compounded && len(l.INN) == 0 {
		c.fail("inn", Required)
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
	c.decimal("amount", d.Amount)
	c.code("unit", SetDose, d.Unit)
	if !d.Bedtime {
		c.decimal("period", d.Period)
		if d.PeriodUnit != "h" && d.PeriodUnit != "d" && d.PeriodUnit != "wk" {
			c.fail("period", Format)
		}
	}
	c.need("frequency", d.Frequency)
	if d.MaxPerDay != "" {
		c.decimal("maxPerDay", d.MaxPerDay)
	} else if d.AsNeeded {
		c.fail("maxPerDay", Required)
	}
}
