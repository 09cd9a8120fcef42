package sheet

import (
	"strings"
	"time"
)

// Cover prints the first page of a posted letter: the sender, the address where
// the window of a French envelope shows it (NF Z 10-011: right half, 45 mm from
// the top), the date and what follows. It says nothing of what the documents
// contain but their titles.
func (p *Press) Cover(sender, name, street, postcode, city string, titles []string, at time.Time) ([]byte, error) {
	c := p.canvas(p.say("cover_title"), sender, "cover", sender, at)
	c.AddPage()
	c.write(margin, 80, text{sizeBody, true, ink}, sender)
	c.write(margin, 80, small, p.date(at))
	const left, top, wide = 110.0, 50.0, 85.0
	c.SetY(top)
	for _, l := range []string{name, street, strings.TrimSpace(postcode + " " + strings.ToUpper(city))} {
		if strings.TrimSpace(l) != "" {
			c.write(left, wide, body, l)
		}
	}
	c.SetY(105)
	c.write(margin, width, body, p.say("cover_personal"))
	c.gap(2)
	c.heading(p.say("cover_content"))
	for _, t := range titles {
		c.bullet(t)
	}
	return c.output()
}
