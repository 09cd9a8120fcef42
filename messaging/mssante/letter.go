package mssante

import (
	"bytes"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/text/unicode/norm"

	"visavis/messaging/xdm"
)

// Attached is one document of a letter.
type Attached struct {
	CDA []byte
	// PDF is the readable copy. It may be nil for a document whose body is the
	// PDF: it is then taken from there, so that both are the same.
	PDF        []byte
	Visibility []xdm.Code
}

// Letter is one e-mail about one patient (ECO.2.1.1).
type Letter struct {
	// ID is unique and never changes for a delivery; the Message-ID and the
	// MIME boundaries are made of it.
	ID string
	// From is the platform's mailbox with a meaningful label (ECO.2.2.7).
	From mail.Address
	// ReplyTo is where the person may answer; empty means From.
	ReplyTo string
	To      string
	// NoAnswer forbids the patient to answer (ECO.2.2.8, X-MSS-MES: FIN).
	NoAnswer bool
	// NIL is the product's reference in Convergence (ECO.2.4.3).
	NIL       string
	At        time.Time
	Text      string
	InReplyTo string
	// Submission carries what the archive needs; its documents and time are set
	// from Documents and At.
	Submission xdm.Submission
	Documents  []Attached
}

// Message is a letter ready to send.
type Message struct {
	ID      string // Message-ID, without angle brackets
	Subject string
	Raw     []byte
}

// MessageID gives the Message-ID of the delivery id for a sender: the same for
// every attempt.
func MessageID(id, from string) string {
	_, domain, _ := strings.Cut(from, "@")
	return id + "@" + domain
}

// Compose writes a letter. The same letter gives the same bytes. Errors of the
// documents are *xdm.FieldError; a message over MaxSize is ErrTooLarge.
func Compose(l Letter) (Message, error) {
	s := l.Submission
	s.At, s.Documents = l.At, nil
	for _, d := range l.Documents {
		s.Documents = append(s.Documents, xdm.Document{CDA: d.CDA, Visibility: d.Visibility})
	}
	archive, err := xdm.Build(s)
	if err != nil {
		return Message{}, err
	}
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithBoundary("visavis-"+l.ID))
	m.FromMailAddress(&l.From)
	if err := m.To(l.To); err != nil {
		return Message{}, fmt.Errorf("mssante: recipient: %w", err)
	}
	if l.ReplyTo != "" {
		if err := m.ReplyTo(l.ReplyTo); err != nil {
			return Message{}, fmt.Errorf("mssante: reply-to: %w", err)
		}
	}
	out := Message{ID: MessageID(l.ID, l.From.Address), Subject: Subject(archive.Documents)}
	headers(m, l, out, archive.Documents)
	m.SetBodyString(gomail.TypeTextPlain, l.Text)
	if err := attach(m, l, archive); err != nil {
		return Message{}, err
	}
	var raw bytes.Buffer
	if _, err := m.WriteTo(&raw); err != nil {
		return Message{}, fmt.Errorf("mssante: write message: %w", err)
	}
	if raw.Len() > MaxSize {
		return Message{}, fmt.Errorf("%w: %d bytes", ErrTooLarge, raw.Len())
	}
	out.Raw = raw.Bytes()
	return out, nil
}

func headers(m *gomail.Msg, l Letter, out Message, docs []xdm.Facts) {
	m.SetDateWithValue(l.At)
	m.SetMessageIDWithValue(out.ID)
	m.Subject(out.Subject)
	var codes []string
	ins := "O"
	for _, d := range docs {
		if !slices.Contains(codes, d.Type.Code) {
			codes = append(codes, d.Type.Code)
		}
		if !d.Patient.HasTraits() {
			ins = "N"
		}
	}
	m.SetGenHeader("X-MSS-CODECDA", strings.Join(codes, ","))
	m.SetGenHeader("X-MSS-INS", ins)
	m.SetGenHeader("X-MSS-NIL", l.NIL)
	if l.NoAnswer {
		m.SetGenHeader("X-MSS-MES", "FIN")
	}
	m.SetGenHeader("Disposition-Notification-To", l.From.Address)
	if l.InReplyTo != "" {
		m.SetGenHeader("In-Reply-To", "<"+l.InReplyTo+">")
		m.SetGenHeader("References", "<"+l.InReplyTo+">")
	}
}

func attach(m *gomail.Msg, l Letter, archive xdm.Archive) error {
	file := func(name, kind string, data []byte) error {
		err := m.AttachReader(name, bytes.NewReader(data), gomail.WithFileContentType(gomail.ContentType(kind)))
		if err != nil {
			return fmt.Errorf("mssante: attach: %w", err)
		}
		return nil
	}
	if err := file("IHE_XDM.zip", "application/zip", archive.Zip); err != nil {
		return err
	}
	used := map[string]int{}
	for i, facts := range archive.Documents {
		pdf := l.Documents[i].PDF
		if pdf == nil {
			pdf = facts.PDF
		}
		if !bytes.HasPrefix(pdf, []byte("%PDF-")) {
			return &xdm.FieldError{Document: i, Field: "pdf", Reason: "no readable copy (ECO.2.1.1)"}
		}
		name := FileName(facts)
		if used[name]++; used[name] > 1 {
			name = fmt.Sprintf("%s_%d.pdf", strings.TrimSuffix(name, ".pdf"), used[name])
		}
		if err := file(name, "application/pdf", pdf); err != nil {
			return err
		}
	}
	return nil
}

// Subject gives the subject of a message that carries these documents
// (ECO.2.1.3): XDM/1.0/DDM+<label> <NAME> <given name> <birth date>, led by
// "[Annule et remplace]" when every document replaces an earlier version.
func Subject(docs []xdm.Facts) string {
	p := docs[0].Patient
	label := fmt.Sprintf("%d documents", len(docs))
	if len(docs) == 1 {
		label = cut(docs[0].Type.Label, 40)
	}
	s := "XDM/1.0/DDM+" + label + " " + Capitals(p.BirthName) + " " + p.FirstGiven
	if birth, err := time.Parse("20060102", p.Birth); err == nil {
		s += " " + birth.Format("02/01/2006")
	}
	for _, d := range docs {
		if d.Replaces == "" {
			return s
		}
	}
	return "[Annule et remplace] " + s
}

// FileName gives the name of the readable copy of a document (ECO.2.1.6):
// <AAAAMMJJ>_<type, 40 at most>_<NAME>_<given name>.pdf, in ASCII.
func FileName(f xdm.Facts) string {
	return f.CreatedAt.Format("20060102") + "_" + cut(plainName(f.Type.Label), 40) + "_" +
		plainName(Capitals(f.Patient.BirthName)) + "_" + plainName(f.Patient.FirstGiven) + ".pdf"
}

// Capitals gives a name in capitals without accents.
func Capitals(name string) string {
	return strings.ToUpper(unaccent(name))
}

func unaccent(s string) string {
	s = strings.NewReplacer("œ", "oe", "Œ", "OE", "æ", "ae", "Æ", "AE", "ß", "ss", "ø", "o", "Ø", "O", "ł", "l", "Ł", "L", "’", "'").Replace(s)
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(s))
}

// plainName keeps letters, digits and hyphens; runs of anything else become
// one underscore.
func plainName(s string) string {
	words := strings.FieldsFunc(unaccent(s), func(r rune) bool {
		return r > unicode.MaxASCII || !(unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-')
	})
	return strings.Join(words, "_")
}

func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return strings.TrimRight(string(r[:n]), " _-")
}
