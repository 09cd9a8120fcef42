package sheet

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
)

const (
	qrSide     = 29.0
	verifyHigh = 34.0
	seam       = 0.05 // rows overlap by this, or a screen shows a white hairline between them
)

// Prescription prints a prescription as PDF/A-1b.
func (p *Press) Prescription(pr Prescription) ([]byte, error) {
	who := strings.TrimSpace(pr.Prescriber.Title + " " + pr.Prescriber.Given + " " + pr.Prescriber.Family)
	title := p.say("prescription_" + string(pr.Kind))
	zones := bizone(pr)
	if zones && pr.Kind == Medicines {
		title = p.say("prescription_bizone")
	}
	foot := pr.Patient.Given + " " + pr.Patient.Family + " · " + p.say("number", "number", pr.Number) + " · " + who
	c := p.canvas(title, who, pr.ID, foot, pr.IssuedAt)
	c.AddPage()
	c.prescriberBlock(pr.Prescriber)
	c.patientBlock(pr.Patient, pr.IssuedAt)
	c.title(title, p.say("on_date", "date", p.date(pr.IssuedAt))+"\n"+p.say("number", "number", pr.Number))
	c.version(pr.Version)
	note := p.say("after_teleconsultation")
	if !pr.ValidUntil.IsZero() {
		note += ". " + p.say("valid_until", "date", p.date(pr.ValidUntil))
	}
	c.write(margin, width, small, note+".")
	c.gap(3)
	if zones {
		c.zone("zone_ald", pr.Lines, true)
		c.zone("zone_other", pr.Lines, false)
	} else {
		for i, l := range pr.Lines {
			c.prescribed(i+1, l)
		}
	}
	c.close(pr)
	return c.output()
}

// bizone tells whether the law asks two zones: a line is linked to a long-term condition.
func bizone(pr Prescription) bool {
	for _, l := range pr.Lines {
		if l.ALD {
			return true
		}
	}
	return false
}

func (c *canvas) zone(key string, lines []Line, ald bool) {
	c.room(30)
	y := c.GetY()
	c.fill(mist)
	h := leading(strong) + leading(small) + 3.4
	c.Rect(margin, y, width, h, "F")
	c.fill(accent)
	c.Rect(margin, y, 1.2, h, "F")
	c.SetY(y + 1.6)
	c.write(margin+4, width-6, strong, c.press.say(key))
	c.write(margin+4, width-6, small, c.press.say(key+"_note"))
	c.SetY(y + h + 3)
	n := 0
	for _, l := range lines {
		if l.ALD == ald {
			n++
			c.prescribed(n, l)
		}
	}
	if n == 0 {
		c.write(margin+4, width-4, small, c.press.say("zone_empty"))
		c.gap(2)
	}
}

// prescribed writes one line, kept whole on a page when it can be.
func (c *canvas) prescribed(n int, l Line) {
	const indent = 8.0
	x, w := margin+indent, width-indent
	name := text{sizeName, true, ink}
	inn := strings.Join(l.INN, " + ")
	facts, mentions := c.facts(l), c.mentions(l)
	h := float64(c.lines(w, name, l.Name))*leading(name) +
		float64(c.lines(w, body, inn)+c.lines(w, body, l.Directions)+c.lines(w, body, facts))*leading(body) + 5
	for _, m := range mentions {
		h += float64(c.lines(w, strong, m)) * leading(strong)
	}
	if h < footTop-topMargin {
		c.room(h)
	}
	y := c.GetY()
	c.set(margin, text{sizeName, true, accent}, leading(name), strconv.Itoa(n))
	c.SetXY(margin, y)
	c.write(x, w, name, l.Name)
	c.write(x, w, text{sizeBody, false, soft}, inn)
	c.write(x, w, body, l.Directions)
	c.write(x, w, body, facts)
	for _, m := range mentions {
		c.write(x, w, strong, m)
	}
	c.gap(4)
}

func (c *canvas) facts(l Line) string {
	say := c.press.say
	var out []string
	if l.Duration != "" {
		out = append(out, say("duration", "value", l.Duration))
	}
	if l.Quantity != "" {
		out = append(out, say("quantity", "value", l.Quantity))
	}
	switch {
	case l.Renewals == 1:
		out = append(out, say("renewals_one"))
	case l.Renewals > 1:
		out = append(out, say("renewals_many", "n", strconv.Itoa(l.Renewals)))
	case len(l.INN) > 0 || l.Compounded:
		out = append(out, say("renewals_none"))
	}
	return strings.Join(out, " · ")
}

func (c *canvas) mentions(l Line) []string {
	say := c.press.say
	var out []string
	add := func(yes bool, key string) {
		if yes {
			out = append(out, say(key))
		}
	}
	add(l.Compounded, "compounded")
	if l.Excluded != "" {
		out = append(out, say("not_substitutable_"+l.Excluded))
	}
	add(l.WorkAccident, "work_accident")
	add(l.NonReimbursable, "not_reimbursable")
	add(l.OffLabel, "off_label")
	if len(out) > 0 {
		out = []string{strings.Join(out, ". ")}
	}
	if l.Pharmacist != "" {
		out = append(out, say("to_pharmacist", "text", l.Pharmacist))
	}
	return out
}

// close signs, crosses out the blank and prints how to verify.
func (c *canvas) close(pr Prescription) {
	c.room(22)
	key := "end"
	if len(pr.Lines) > 1 {
		key = "end_many"
	}
	c.write(margin, width, small, c.press.say(key, "n", strconv.Itoa(len(pr.Lines))))
	c.signature("signature_prescriber", pr.Signature)
	if pr.Verify.URL == "" {
		c.strike(footTop - 2)
		return
	}
	if c.GetY()+verifyHigh > footTop {
		c.strike(footTop - 2)
		c.AddPage()
	}
	top := footTop - verifyHigh
	c.strike(top - 4)
	c.verification(pr.Verify, top)
}

// verification is our own square, at the right: the official one stands at the bottom left.
func (c *canvas) verification(v Verification, top float64) {
	p := c.press
	c.SetAutoPageBreak(false, 0)
	w := width - qrSide - 8
	c.SetY(top + 1)
	c.write(margin, w, strong, p.say("verify_title"))
	c.write(margin, w, body, p.say("verify_how", "url", v.URL))
	c.write(margin, w, text{sizeName, true, ink}, p.say("verify_code", "code", v.Code))
	c.write(margin, w, small, p.say("verify_code_note"))
	c.write(margin, w, small, p.say("verify_not_official"))
	if err := c.square(v.URL, pageWidth-margin-qrSide, top, qrSide); err != nil {
		c.SetError(err)
	}
}

// square draws a QR code of side millimetres as filled rectangles, sharp at any size.
func (c *canvas) square(content string, x, y, side float64) error {
	code, err := qr.Encode(content, qr.M, qr.Auto)
	if err != nil {
		return fmt.Errorf("sheet: verification square: %w", err)
	}
	c.fill(black)
	n := code.Bounds().Dx()
	m := side / float64(n)
	for row := range n {
		for col := 0; col < n; {
			run := 0
			for col+run < n && dark(code, col+run, row) {
				run++
			}
			if run > 0 {
				c.Rect(x+float64(col)*m, y+float64(row)*m, float64(run)*m, m+seam, "F")
			}
			col += max(run, 1)
		}
	}
	return nil
}

func dark(code barcode.Barcode, x, y int) bool {
	r, _, _, _ := code.At(x, y).RGBA()
	return r == 0
}
