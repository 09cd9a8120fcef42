package mssante

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"regexp"
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

// readDelivery reads the per-message fields and those of the first recipient;
// a letter has one.
func (in *Incoming) readDelivery(r *bufio.Reader) {
	whole := fields(r)
	in.EnvelopeID = strings.TrimSpace(whole.Get("Original-Envelope-Id"))
	person := fields(r)
	if person.Get("Action") == "" {
		person = whole
	}
	in.Recipient = typed(person.Get("Original-Recipient"))
	if in.Recipient == "" {
		in.Recipient = typed(person.Get("Final-Recipient"))
	}
	in.Code, _, _ = strings.Cut(strings.TrimSpace(person.Get("Status")), " ")
	in.Text = typed(person.Get("Diagnostic-Code"))
	switch strings.ToLower(strings.TrimSpace(person.Get("Action"))) {
	case "failed":
		in.Event = Failed
	case "delayed":
		in.Event = Delayed
	case "delivered":
		in.Event = Delivered
	case "relayed", "expanded":
		in.Event = Relayed
	}
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
	_, what, _ := strings.Cut(h.Get("Disposition"), ";")
	what = strings.ToLower(strings.TrimSpace(what))
	kind, modifier, _ := strings.Cut(what, "/")
	switch {
	case strings.HasPrefix(modifier, "error") || h.Get("Error") != "" || h.Get("Failure") != "":
		in.Event = KO
		detail := h.Get("Error")
		if detail == "" {
			_, detail, _ = strings.Cut(h.Get("Disposition"), "/Error:")
		}
		if detail == "" {
			_, detail, _ = strings.Cut(h.Get("Disposition"), "/error:")
		}
		in.readError(detail)
	case kind == "displayed":
		in.Event = Displayed
	case kind == "deleted":
		in.Event = Delivered
	case kind == "processed", kind == "dispatched":
		in.Event = Processed
	}
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
