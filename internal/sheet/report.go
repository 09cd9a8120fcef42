package sheet

import (
	"strconv"
	"strings"
	"time"
)

// Report prints a report as PDF/A-1b.
func (p *Press) Report(r Report) ([]byte, error) {
	who := strings.TrimSpace(r.Author.Title + " " + r.Author.Given + " " + r.Author.Family)
	title := p.say("report_" + r.Kind)
	foot := r.Patient.Given + " " + r.Patient.Family + " · " + title + " · " + who
	c := p.canvas(title, who, r.ID, foot, r.Start)
	c.AddPage()
	c.prescriberBlock(r.Author)
	c.patientBlock(r.Patient, r.Start)
	c.title(title, p.say("on_date", "date", p.date(r.Start)))
	c.version(r.Version)
	c.act(r)
	c.people(r)
	c.section("motive", r.Motive)
	c.section("content", r.Content)
	c.section("conclusion", r.Conclusion)
	c.section("follow_up", r.FollowUp)
	if len(r.Prescriptions) > 0 {
		c.heading(p.say("prescriptions"))
		for _, s := range r.Prescriptions {
			c.bullet(s)
		}
	}
	if len(r.Stills) > 0 {
		c.heading(p.say("stills"))
		for _, s := range r.Stills {
			c.bullet(s)
		}
	}
	c.incidents(r)
	c.signature("signature_author", r.Signature)
	if len(r.Recipients) > 0 {
		c.write(margin, width, small, p.say("recipients", "names", strings.Join(r.Recipients, ", ")))
	}
	c.write(margin, width, small, p.say("emergency"))
	return c.output()
}

func (c *canvas) section(key, s string) {
	if strings.TrimSpace(s) == "" {
		return
	}
	c.heading(c.press.say(key))
	c.write(margin, width, body, s)
}

func (c *canvas) bullet(s string) {
	c.room(leading(body) * float64(min(c.lines(width-5, body, s), 4)))
	y := c.GetY()
	c.fill(accent)
	c.Rect(margin+1, y+leading(body)/2-0.6, 1.2, 1.2, "F")
	c.write(margin+5, width-5, body, s)
	c.gap(0.6)
}

// fact writes a name and its value on the same row.
func (c *canvas) fact(name, value string) {
	if strings.TrimSpace(value) == "" {
		return
	}
	const column = 52.0
	c.room(leading(body) * float64(max(c.lines(width-column, body, value), c.lines(column-3, body, name))))
	y := c.GetY()
	c.write(margin, column-3, text{sizeBody, false, soft}, name)
	below := c.GetY()
	c.SetY(y)
	c.write(margin+column, width-column, body, value)
	c.SetY(max(below, c.GetY()) + 0.4)
}

func (c *canvas) act(r Report) {
	p := c.press
	c.heading(p.say("facts"))
	c.fact(p.say("fact_date"), p.date(r.Start))
	c.fact(p.say("fact_time"), p.times(r))
	c.fact(p.say("fact_requested"), r.RequestedBy)
	c.fact(p.say("fact_place"), r.PatientPlace)
	c.fact(p.say("fact_identity"), r.IdentityCheck)
	c.fact(p.say("fact_consent"), r.Consent)
	c.fact(p.say("fact_video"), p.video(r.Video))
}

func (p *Press) times(r Report) string {
	if r.End.IsZero() {
		return p.say("fact_time_open", "start", p.clock(r.Start))
	}
	return p.say("fact_time_value", "start", p.clock(r.Start), "end", p.clock(r.End), "long", p.long(seconds(r.Start, r.End)))
}

// video says what was measured of the image; empty when nothing was.
func (p *Press) video(v Video) string {
	switch {
	case v.Measured && v.Seconds > 0:
		return p.say("video_flowed", "long", p.long(v.Seconds))
	case v.Measured:
		return p.say("video_none")
	}
	return ""
}

// Measured gives the sentences of a printed report that the platform measured, as they
// are printed: when the act was, the image, who was there, the incidents. Two lists
// differ where the record changed.
func (p *Press) Measured(r Report) []string {
	out := []string{p.say("fact_time") + " : " + p.times(r)}
	if v := p.video(r.Video); v != "" {
		out = append(out, p.say("fact_video")+" : "+v)
	}
	for _, who := range r.Presences {
		out = append(out, p.presence(who))
	}
	if len(r.Incidents) == 0 {
		out = append(out, p.say("incidents_none"))
	}
	for _, i := range r.Incidents {
		out = append(out, p.incident(i))
	}
	return out
}

func (p *Press) incident(i Incident) string { return p.clock(i.At) + " : " + i.Text }

func (c *canvas) people(r Report) {
	p := c.press
	if len(r.Presences) == 0 {
		return
	}
	c.heading(p.say("participants"))
	for _, who := range r.Presences {
		c.bullet(p.presence(who))
	}
}

// presence says who was there, and when.
func (p *Press) presence(who Presence) string {
	when := []string{p.say("participant_absent")}
	if len(who.Spans) > 0 {
		when = nil
	}
	for _, x := range who.Spans {
		when = append(when, p.span(x))
	}
	return who.Name + ", " + who.Role + ", " + strings.Join(when, " ; ")
}

// span says one stay: « de 10 h 02 à 10 h 18 (16 min 4 s) », and how it ended.
func (p *Press) span(x Span) string {
	if x.To.IsZero() {
		return p.say("fact_time_open", "start", p.clock(x.From))
	}
	s := p.say("participant_present", "start", p.clock(x.From), "end", p.clock(x.To), "long", p.long(seconds(x.From, x.To)))
	if x.Note != "" {
		s += ", " + x.Note
	}
	return s
}

// seconds counts whole seconds as clocks show them.
func seconds(from, to time.Time) int { return int(to.Unix() - from.Unix()) }

// long says a number of seconds: « 26 s », « 12 min 5 s », « 1 h 2 min ».
func (p *Press) long(n int) string {
	parts := []string{}
	for _, u := range []struct {
		key string
		n   int
	}{{"long_hours", n / 3600}, {"long_minutes", n / 60 % 60}, {"long_seconds", n % 60}} {
		if u.n > 0 {
			parts = append(parts, p.say(u.key, "n", strconv.Itoa(u.n)))
		}
	}
	if len(parts) == 0 {
		return p.say("long_seconds", "n", "0")
	}
	return strings.Join(parts, " ")
}

func (c *canvas) incidents(r Report) {
	p := c.press
	c.heading(p.say("incidents"))
	if len(r.Incidents) == 0 {
		c.write(margin, width, body, p.say("incidents_none"))
	}
	for _, i := range r.Incidents {
		c.bullet(p.incident(i))
	}
	c.gap(2)
}
