package sheet

import (
	"strings"
	"time"
)

// Block is a piece of a text that was read.
type Block struct {
	Kind BlockKind
	Text string
}

// BlockKind says how a block looks.
type BlockKind string

// The kinds of block.
const (
	BlockTitle     BlockKind = "title"
	BlockHeading   BlockKind = "heading"
	BlockParagraph BlockKind = "paragraph"
	BlockItem      BlockKind = "item"
)

// Receipt is what is printed of a decision about an act: given to who decided.
type Receipt struct {
	Language  string // of the sheet, fr or en; the text keeps its own
	ID        string // stable identifier, in the metadata
	PrintedAt time.Time

	Decision        string // granted, refused, withdrawn, emergency
	Later           string // the act's last decision, when it is not this one
	LaterAt         time.Time
	At              time.Time // in the zone of the organisation
	Channel         string    // web, oral, representative, emergency
	AttestedBy      string    // channel oral
	Patient         string
	Minor           bool
	Agent, Relation string // who decided for the patient
	AgentProof      string // on-file, attested; empty in old records
	Document        string // that the professional saw, with attested
	Ground          string // secrecy, contraception; empty as a rule

	// Of an emergency: nobody agreed, no text was read.
	Situation string // unable, unreachable, minor-refused
	Reason    string // in the doctor's words

	Act          string // teleconsultation
	ActAt        time.Time
	Practitioner string
	Organization string

	TextID, TextVersion, TextLanguage, TextHash string
	Text                                        []Block

	RecordHash, KeyID string
	Stamp             string // stamped, pending, retrying, off
	StampAt           time.Time
	Authority         string
	Verify            Verification
}

// Receipt prints a receipt as PDF/A-1b.
func (p *Press) Receipt(r Receipt) ([]byte, error) {
	p = p.in(r.Language)
	title, footer := p.say("title"), p.say("footer", "code", r.Verify.Code)
	if r.Situation != "" { // nobody agreed
		title, footer = p.say("title_emergency"), p.say("footer_emergency", "code", r.Verify.Code)
	}
	c := p.canvas(title, r.Organization, r.ID, footer, r.PrintedAt)
	c.AddPage()
	c.write(margin, width, small, r.Organization)
	c.gap(2)
	c.title(title, "")
	c.write(margin, width, text{sizeName, true, accent}, p.say("decision_"+r.Decision))
	if r.Later != "" {
		c.write(margin, width, strong, p.say("later_"+r.Later, "date", p.date(r.LaterAt), "time", p.clock(r.LaterAt)))
	}
	c.decided(r)
	if r.Situation != "" {
		c.proven(r)
		return c.output()
	}
	c.heading(p.say("text"))
	c.fact(p.say("text_name"), p.say("text_version", "id", r.TextID, "version", r.TextVersion))
	c.fact(p.say("text_language"), p.say("language_"+r.TextLanguage))
	c.fact(p.say("text_hash"), halved(r.TextHash))
	c.proven(r)
	c.AddPage()
	c.write(margin, width, small, p.say("text_follows"))
	c.gap(2)
	for _, b := range r.Text {
		c.block(b)
	}
	return c.output()
}

// decided writes who decided what, when and how.
func (c *canvas) decided(r Receipt) {
	p := c.press
	c.heading(p.say("who"))
	patient := r.Patient
	if r.Minor {
		patient = p.say("minor", "name", r.Patient)
	}
	c.fact(p.say("patient"), patient)
	if r.Agent != "" {
		c.fact(p.say("agent"), p.say("agent_of", "name", r.Agent, "relation", p.say("relation_"+r.Relation)))
		switch r.AgentProof {
		case "on-file":
			c.fact(p.say("agent_known"), p.say("agent_on_file"))
		case "attested":
			c.fact(p.say("agent_known"), p.say("agent_attested", "name", r.AttestedBy, "document", p.say("document_"+r.Document)))
		}
	}
	if r.Ground != "" {
		c.fact(p.say("ground"), p.say("ground_"+r.Ground))
	}
	if r.Situation != "" {
		c.fact(p.say("situation"), p.say("situation_"+r.Situation))
		c.fact(p.say("reason"), r.Reason)
		c.fact(p.say("source"), p.say("source_"+r.Situation))
	}
	c.fact(p.say("channel"), p.channel(r))
	c.fact(p.say("when"), p.instant("at", r.At))
	act := p.say("act_"+r.Act, "date", p.date(r.ActAt), "time", p.clock(r.ActAt))
	if r.Practitioner != "" {
		act += "\n" + p.say("act_with", "name", r.Practitioner, "organization", r.Organization)
	}
	c.fact(p.say("act"), act)
}

func (p *Press) channel(r Receipt) string {
	switch {
	case r.Channel == "emergency":
		return p.say("channel_emergency", "name", r.AttestedBy)
	case r.Channel == "web" && r.Minor:
		return p.say("channel_link")
	case r.Channel != "oral":
		return p.say("channel_" + r.Channel)
	case r.AttestedBy == "":
		return p.say("channel_oral_unnamed")
	}
	return p.say("channel_oral", "name", r.AttestedBy)
}

// instant says a time in the organisation's zone and, for courts, in UTC.
func (p *Press) instant(key string, t time.Time, pairs ...string) string {
	return p.say(key, append(pairs, "date", p.date(t), "time", p.clock(t), "utc", t.UTC().Format("2006-01-02 15:04:05"))...)
}

// proven writes what shows that the receipt is true, and how to check it.
func (c *canvas) proven(r Receipt) {
	p := c.press
	c.heading(p.say("proof"))
	c.fact(p.say("record_hash"), halved(r.RecordHash))
	c.fact(p.say("signature"), p.say("signature_key", "key", r.KeyID))
	stamp := p.say("stamp_pending")
	switch r.Stamp {
	case "stamped":
		stamp = p.instant("stamp_stamped", r.StampAt, "authority", r.Authority)
	case "retrying", "off":
		stamp = p.say("stamp_" + r.Stamp)
	}
	c.fact(p.say("stamp"), stamp)
	c.gap(4)
	c.room(verifyHigh)
	top := c.GetY()
	w := width - qrSide - 8
	c.write(margin, w, strong, p.say("verify_title"))
	c.write(margin, w, body, p.say("verify_how", "url", r.Verify.URL))
	c.write(margin, w, text{sizeName, true, ink}, p.say("verify_code", "code", r.Verify.Code))
	c.write(margin, w, small, p.say("verify_note"))
	if err := c.square(r.Verify.URL, pageWidth-margin-qrSide, top, qrSide); err != nil {
		c.SetError(err)
	}
}

// halved cuts a long hash where a line may break.
func halved(hash string) string {
	return strings.TrimSpace(hash[:len(hash)/2] + " " + hash[len(hash)/2:])
}

// block writes one piece of the text read.
func (c *canvas) block(b Block) {
	switch b.Kind {
	case BlockTitle:
		c.write(margin, width, text{sizeTitle, true, ink}, b.Text)
		c.gap(2)
	case BlockHeading:
		c.heading(b.Text)
	case BlockItem:
		c.bullet(b.Text)
	default:
		c.write(margin, width, body, b.Text)
		c.gap(1.5)
	}
}
