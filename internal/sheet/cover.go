package sheet

import (
	"strings"
	"time"
)

// Cover prints the first page of a letter to post: the sender, the recipient where the window of a French
// envelope (NF Z 11-001, DL and C5) shows it, and what the envelope holds. No health word stands in the
// window. An empty line of the address is left out.
func (p *Press) Cover(sender, name, street, postcode, city string, titles []string, at time.Time) ([]byte, error) {
	c := p.canvas(p.say("cover_title"), sender, "cover-"+at.UTC().Format("20060102150405"), sender, at)
	c.AddPage()
	c.SetY(topMargin)
	c.write(margin, 80, strong, sender)
	const windowX, windowY = 110.0, 50.0 // millimetres from the corner of the page
	c.SetY(windowY)
	address := text{11, false, ink}
	for _, line := range []string{name, street, strings.TrimSpace(postcode + " " + strings.ToUpper(city))} {
		c.write(windowX, pageWidth-margin-windowX, address, line)
	}
	c.SetY(105)
	c.write(margin, width, text{sizeTitle, true, ink}, p.say("cover_title"))
	c.write(margin, width, body, p.say("on_date", "date", p.date(at)))
	c.gap(4)
	c.write(margin, width, body, p.say("cover_lead"))
	c.gap(2)
	for _, t := range titles {
		c.bullet(t)
	}
	c.gap(4)
	c.write(margin, width, body, p.say("cover_keep"))
	c.write(margin, width, small, p.say("emergency"))
	return c.output()
}
