package sheet

import (
	"strconv"
	"strings"
	"time"
)

// prescriberBlock writes who signs, on the left half; it returns the bottom.
func (c *canvas) prescriberBlock(p Person) {
	half := width * 0.56
	c.SetY(topMargin)
	c.write(margin, half, text{14, true, ink}, strings.TrimSpace(p.Title+" "+p.Given+" "+p.Family))
	c.write(margin, half, body, p.Quality)
	if p.RPPS != "" {
		c.write(margin, half, strong, c.press.say("rpps", "number", p.RPPS))
	}
	if p.Place.FINESS != "" {
		c.write(margin, half, small, c.press.say("finess", "number", p.Place.FINESS))
	}
	left := c.GetY()
	c.SetY(topMargin + 0.6)
	x, w := margin+width*0.58, width*0.42
	pl := p.Place
	c.write(x, w, strong, pl.Name)
	c.write(x, w, small, pl.Street)
	c.write(x, w, small, pl.Extra)
	town := strings.TrimSpace(pl.PostalCode + " " + pl.City)
	if pl.Country != "" {
		town += ", " + pl.Country
	}
	c.write(x, w, small, town)
	if pl.Phone != "" {
		c.write(x, w, small, c.press.say("phone", "number", phone(pl.Phone)))
	}
	c.write(x, w, small, pl.Email)
	c.SetY(max(left, c.GetY()) + 3)
	c.stroke(accent, 0.7)
	c.Line(margin, c.GetY(), pageWidth-margin, c.GetY())
	c.gap(4)
}

// patientBlock writes whom the sheet concerns on a soft ground.
func (c *canvas) patientBlock(p Patient, at time.Time) {
	say := c.press.say
	title, born := "patient", "born_male"
	switch p.Sex {
	case "F":
		title, born = "patient_female", "born_female"
	case "UN":
		born = "born_unknown"
	}
	facts := []string{say("sex_"+p.Sex) + ", " + say(born, "date", c.press.day(p.BirthDate)) + c.age(p.BirthDate, at)}
	if p.Weight != "" {
		facts = append(facts, say("weight", "n", p.Weight))
	}
	if p.Height != "" {
		facts = append(facts, say("height", "n", p.Height))
	}
	second := ""
	if p.BirthFamily != "" && p.BirthFamily != p.Family {
		second = say("birth_name", "name", p.BirthFamily+" "+p.BirthGiven)
	}
	third := ""
	if p.INS != "" {
		third = say("ins", "value", spaced(p.INS), "kind", say("ins_"+p.INSKind))
	}
	fourth := ""
	if n := len(p.Representatives); n > 0 {
		key := "representative"
		if n > 1 {
			key = "representatives"
		}
		fourth = say(key, "names", strings.Join(p.Representatives, ", "))
	}
	name := text{13, true, ink}
	full := p.Given + " " + p.Family
	w := width - 10
	h := 6 + leading(label) + float64(c.lines(w, name, full))*leading(name) +
		float64(c.lines(w, body, strings.Join(facts, " · "))+c.lines(w, body, second)+
			c.lines(w, body, third)+c.lines(w, body, fourth))*leading(body)
	c.fill(mist)
	c.Rect(margin, c.GetY(), width, h, "F")
	bottom := c.GetY() + h
	c.gap(2.6)
	c.write(margin+5, w, label, say(title))
	c.write(margin+5, w, name, full)
	for _, s := range []string{second, strings.Join(facts, " · "), third, fourth} {
		c.write(margin+5, w, body, s)
	}
	c.SetY(bottom + 5)
}

// phone groups the figures of a French number given as E.164; others stay as they are.
func phone(n string) string {
	if len(n) != 12 || !strings.HasPrefix(n, "+33") {
		return n
	}
	parts := []string{n[:3], n[3:4], n[4:6], n[6:8], n[8:10], n[10:]}
	return strings.Join(parts, "\u00a0")
}

// spaced groups the figures of an INS as on a carte Vitale.
func spaced(ins string) string {
	if len(ins) != 15 {
		return ins
	}
	cuts := []int{0, 1, 3, 5, 7, 10, 13, 15}
	parts := make([]string, 0, len(cuts)-1)
	for i := 1; i < len(cuts); i++ {
		parts = append(parts, ins[cuts[i-1]:cuts[i]])
	}
	return strings.Join(parts, "\u00a0")
}

// age is said for everyone: in months below two years.
func (c *canvas) age(birth string, at time.Time) string {
	b, err := time.Parse(time.DateOnly, birth)
	if err != nil || at.Before(b) {
		return ""
	}
	months := (at.Year()-b.Year())*12 + int(at.Month()) - int(b.Month())
	if at.Day() < b.Day() {
		months--
	}
	if months < 24 {
		return " (" + c.press.say("age_months", "n", strconv.Itoa(months)) + ")"
	}
	return " (" + c.press.say("age_years", "n", strconv.Itoa(months/12)) + ")"
}

// title writes the name of the document, with a note at its right.
func (c *canvas) title(s, note string) {
	y := c.GetY()
	noteWidth := 0.0
	if note != "" {
		noteWidth = 48
		c.SetY(y + 1.5)
		for _, l := range c.wrap(noteWidth, body, note) {
			c.set(pageWidth-margin-measure(body, l), body, leading(body), l)
			c.SetXY(margin, c.GetY()+leading(body))
		}
	}
	bottom := c.GetY()
	c.SetY(y)
	c.write(margin, width-noteWidth-2, text{sizeTitle, true, ink}, s)
	c.SetY(max(bottom, c.GetY()) + 1)
}

func (c *canvas) version(v Version) {
	if v.Number > 1 {
		c.write(margin, width, strong, c.press.say("version", "n", strconv.Itoa(v.Number),
			"previous", strconv.Itoa(v.Number-1), "date", c.press.date(v.ReplacedOn)))
		c.gap(1)
	}
}

// signature stands right under the last line (CSP R5132-4).
func (c *canvas) signature(key string, s Signature) {
	p := c.press
	words := p.say("draft")
	if !s.At.IsZero() {
		words = p.say("signed", "name", s.Name, "date", p.date(s.At), "time", p.clock(s.At))
	}
	c.gap(2)
	c.room(16)
	c.stroke(ink, 0.4)
	c.Line(margin, c.GetY(), pageWidth-margin, c.GetY())
	c.gap(1.6)
	c.write(margin, width, label, p.say(key))
	c.write(margin, width, strong, words)
	c.gap(1)
}

// strike crosses out the blank between the signature and bottom, so that nothing can be added.
func (c *canvas) strike(bottom float64) {
	top := c.GetY() + 2
	if bottom-top < 8 {
		return
	}
	c.stroke(line, 0.5)
	c.Line(margin, top, pageWidth-margin, top)
	c.Line(pageWidth-margin, top, margin, bottom)
	c.Line(margin, bottom, pageWidth-margin, bottom)
}
