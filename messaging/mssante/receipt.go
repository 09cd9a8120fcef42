package mssante

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"regexp"
	"slices"
	"strings"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // decodes the charsets mail servers use
)

// Kind is what an incoming message is.
type Kind string

// The kinds of incoming messages.
const (
	// Letters are written by people.
	Letters Kind = "letter"
	// DeliveryReport is a DSN (RFC 3464).
	DeliveryReport Kind = "delivery report"
	// Receipt is an MDN (RFC 8098).
	Receipt Kind = "receipt"
	// Refusal is a plain e-mail "[KO Intégration système !]…", the form used
	// when no receipt had been asked for (CMSS).
	Refusal Kind = "refusal"
)

// Event is what a report says happened to a message.
type Event string

// The events of a message, in the order of a happy life.
const (
	Delayed   Event = "delayed"   // still being tried by the mail server
	Relayed   Event = "relayed"   // passed on to a server that does not report
	Delivered Event = "delivered" // in the mailbox
	Processed Event = "processed" // taken in by the recipient's software
	Displayed Event = "displayed" // shown to the person
	Failed    Event = "failed"    // will never arrive (bounce)
	KO        Event = "ko"        // arrived and refused by the recipient's software
	// Unknown is a report in words that no rule takes, or that contradict each
	// other; Text holds them. It proves nothing.
	Unknown Event = "unknown"
)

// Incoming is a message of the platform's mailbox, read.
type Incoming struct {
	Kind      Kind
	MessageID string // its own, without brackets
	From      string // address only
	Subject   string
	// About is the Message-ID of the message a report concerns; EnvelopeID is
	// the ENVID, when the report gives it.
	About, EnvelopeID string
	Recipient         string
	Event             Event
	// Code is the enhanced status of a DSN ("5.1.1") or the application error of
	// a refusal ("902"); Text is its label. Text comes from outside.
	Code, Text string
}

// maxPart bounds what is read of one part of a report.
const maxPart = 256 << 10

// ErrUnreadable is returned for a message that cannot be parsed at all.
var ErrUnreadable = errors.New("mssante: unreadable message")

// refusalSubject matches the subject of a technical refusal: both wordings were
// seen in the national examples, with or without the code.
func refusalSubject() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^\[(?:KO Int[ée]gration syst[èe]me !|Erreur d'int[ée]gration !)\](?:\[(\d{3})\])?`)
}

// Read parses an incoming message.
func Read(r io.Reader) (Incoming, error) {
	e, err := message.Read(r)
	if err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		return Incoming{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	in := Incoming{Kind: Letters, MessageID: bare(e.Header.Get("Message-Id")), About: bare(e.Header.Get("In-Reply-To"))}
	if in.Subject, err = e.Header.Text("Subject"); err != nil {
		in.Subject = e.Header.Get("Subject")
	}
	in.From = addressOf(e.Header.Get("From"))
	kind, params, _ := e.Header.ContentType()
	if kind == "multipart/report" {
		switch strings.ToLower(params["report-type"]) {
		case "delivery-status":
			in.Kind = DeliveryReport
		case "disposition-notification":
			in.Kind = Receipt
		}
	}
	m := refusalSubject().FindStringSubmatch(in.Subject)
	if in.Kind == Letters && m != nil {
		in.Kind, in.Event, in.Code = Refusal, KO, refusalCode(m[1])
		return in, nil
	}
	if in.Kind == Letters {
		in.About = ""
		return in, nil
	}
	if err := in.readReport(e); err != nil {
		return Incoming{}, err
	}
	if in.Kind == Receipt && m != nil {
		in.Event = KO
		if in.Code == "" {
			in.Code = refusalCode(m[1])
		}
	}
	return in, nil
}

func refusalCode(code string) string {
	if code == "" {
		return "906"
	}
	return code
}

func (in *Incoming) readReport(e *message.Entity) error {
	parts := e.MultipartReader()
	if parts == nil {
		return fmt.Errorf("%w: a report that is not multipart", ErrUnreadable)
	}
	for {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) || err != nil && in.Event != "" {
			break // read, or cut after what matters
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnreadable, err)
		}
		kind, _, _ := p.Header.ContentType()
		body := bufio.NewReader(io.LimitReader(p.Body, maxPart))
		switch strings.ToLower(kind) {
		case "message/delivery-status", "message/global-delivery-status":
			in.readDelivery(body)
		case "message/disposition-notification":
			in.readDisposition(body)
		case "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers":
			if h := fields(body); in.About == "" || in.Kind == DeliveryReport {
				if id := bare(h.Get("Message-Id")); id != "" {
					in.About = id
				}
			}
		}
	}
	if in.Event == "" {
		return fmt.Errorf("%w: a report that reports nothing", ErrUnreadable)
	}
	return nil
}

// maxRecipients bounds the blocks that are read of a DSN; a letter has one.
const maxRecipients = 50

// readDelivery reads the per-message fields and those of each recipient. What is
// worst of them is what counts.
func (in *Incoming) readDelivery(r *bufio.Reader) {
	whole := fields(r)
	in.EnvelopeID = strings.TrimSpace(whole.Get("Original-Envelope-Id"))
	for n := range maxRecipients {
		person := fields(r)
		if len(person) == 0 {
			if n > 0 {
				return
			}
			person = whole
		}
		one := Incoming{Recipient: typed(person.Get("Original-Recipient")), Text: typed(person.Get("Diagnostic-Code"))}
		if one.Recipient == "" {
			one.Recipient = typed(person.Get("Final-Recipient"))
		}
		one.Code, _, _ = strings.Cut(strings.TrimSpace(person.Get("Status")), " ")
		if one.Event = action(person.Values("Action"), one.Code); one.Event == Unknown {
			one.Text = word(strings.Join(person.Values("Action"), ", ") + " " + one.Code)
		}
		if in.Event == "" || severity(one.Event) > severity(in.Event) {
			in.Recipient, in.Text, in.Code, in.Event = one.Recipient, one.Text, one.Code, one.Event
		}
	}
}

// action reads Action with the class of Status (RFC 3464 §2.3.3, §2.3.4): a list
// that is closed, for a success that its status contradicts is none.
func action(values []string, status string) Event {
	if len(values) != 1 {
		return Unknown
	}
	success := strings.HasPrefix(status, "2.")
	switch a := plain(values[0]); {
	case a == "failed":
		return Failed
	case a == "delayed":
		return Delayed
	case a == "delivered" && success:
		return Delivered
	case (a == "relayed" || a == "expanded") && success:
		return Relayed
	}
	return Unknown
}

// severity orders what a report says of several recipients.
func severity(e Event) int {
	return slices.Index([]Event{Delivered, Relayed, Delayed, Unknown, Failed}, e)
}

// readDisposition reads a receipt. The error is written either in Disposition
// ("processed/Error: 902^…", CMSS 1.1.2) or in a field of its own (1.1.3).
func (in *Incoming) readDisposition(r *bufio.Reader) {
	h := fields(r)
	if id := bare(h.Get("Original-Message-Id")); id != "" {
		in.About = id
	}
	if in.Recipient = typed(h.Get("Original-Recipient")); in.Recipient == "" {
		in.Recipient = typed(h.Get("Final-Recipient"))
	}
	in.Event = disposition(h.Values("Disposition"))
	if h.Get("Error") != "" || h.Get("Failure") != "" {
		in.Event = KO
	}
	switch in.Event {
	case Unknown:
		in.Text = word(strings.Join(h.Values("Disposition"), ", "))
	case KO:
		detail := h.Get("Error")
		if detail == "" {
			_, detail, _ = strings.Cut(h.Get("Disposition"), "/Error:")
		}
		if detail == "" {
			_, detail, _ = strings.Cut(h.Get("Disposition"), "/error:")
		}
		in.readError(detail)
	}
}

// disposition reads the type and the modifiers of a receipt (RFC 8098 §3.2.6; those
// of RFC 2298 are still sent). A modifier that is not known may take away what
// the type says.
func disposition(values []string) Event {
	if len(values) != 1 {
		return Unknown
	}
	_, what, _ := strings.Cut(values[0], ";")
	kind, modifiers, _ := strings.Cut(what, "/")
	event := map[string]Event{"displayed": Displayed, "deleted": Delivered, "processed": Processed, "dispatched": Processed}[plain(kind)]
	modifiers, _, _ = strings.Cut(modifiers, ":") // "Error: 902^…": what follows is text
	for m := range strings.SplitSeq(modifiers, ",") {
		switch m = plain(m); {
		case m == "error" || m == "failure":
			return KO
		case m != "" && m != "warning":
			event = Unknown
		}
	}
	if event == "" {
		return Unknown
	}
	return event
}

// plain is a word of a header without comments, in lower case.
func plain(s string) string {
	for {
		i := strings.IndexByte(s, '(')
		j := strings.IndexByte(s, ')')
		if i < 0 || j < i {
			return strings.ToLower(strings.TrimSpace(s))
		}
		s = s[:i] + s[j+1:]
	}
}

// word is what of an unknown word may be logged: it comes from outside.
func word(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s[:min(len(s), 60)])
}

func (in *Incoming) readError(detail string) {
	code, rest, _ := strings.Cut(strings.TrimSpace(detail), "^")
	if len(code) == 3 && strings.Trim(code, "0123456789") == "" {
		in.Code = code
	}
	in.Text, _, _ = strings.Cut(rest, "^")
}

// fields reads one block of header fields, whatever ends it.
func fields(r *bufio.Reader) textproto.MIMEHeader {
	h, err := textproto.NewReader(r).ReadMIMEHeader()
	if err != nil && h == nil {
		return textproto.MIMEHeader{}
	}
	return h
}

// typed drops the address or diagnostic type: "rfc822;a@b" gives "a@b".
func typed(s string) string {
	if _, v, ok := strings.Cut(s, ";"); ok {
		return strings.TrimSpace(v)
	}
	return strings.TrimSpace(s)
}

func bare(id string) string { return strings.Trim(strings.TrimSpace(id), "<>") }

func addressOf(from string) string {
	if i, j := strings.LastIndexByte(from, '<'), strings.LastIndexByte(from, '>'); i >= 0 && j > i {
		return strings.TrimSpace(from[i+1 : j])
	}
	return strings.TrimSpace(from)
}
