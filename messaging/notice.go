package messaging

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"visavis/internal/fault"
	"visavis/internal/lang"
	"visavis/messaging/mssante"
	"visavis/messaging/sms"
)

// linkPath is the page a link opens; the secret is in the fragment, which
// browsers do not send.
const linkPath = "/rdv#"

// turnRound is what the ends of an interval are rounded to: never narrower.
const turnRound = 5 * time.Minute

// notice is an ordinary message, ready for its channel.
type notice struct {
	Subject string `json:"subject,omitempty"`
	Text    string `json:"text"`
}

// filling is what a message is made of. It holds secrets.
type filling struct {
	with string // the professional's name, without title: no health word
	of   string // the patient's, shortened, for who is invited
	link string // whole address
	code string

	clinic string // the organisation's name, of a code; may be empty
}

// filling finds what a message is made of. A code says of which organisation it is.
func (s *Service) filling(ctx context.Context, d *Delivery, to Addressee) (f filling, err error) {
	if d.About == Code {
		f.clinic = to.Clinic
		f.code, err = s.Secrets.PendingCode(ctx, d.CodeID)
		if k := fault.KindOf(err); err != nil && (k == fault.Gone || k == fault.NotFound) {
			return f, &outOfUse{Refused, reasonExpired}
		}
		return f, err
	}
	if d.About == ContactCode {
		if _, f.code, err = s.toContact(ctx, d); err != nil || d.PractitionerID == "" {
			return f, err
		}
		who, err := s.People.Staff(ctx, d.PractitionerID)
		f.clinic = who.Place
		return f, err
	}
	if d.About != Cancelled {
		last := d.StartsAt
		if (d.About == Link || d.About == Invited) && d.FactAt.After(last) { // asked for after the act: the report came later
			last = d.FactAt
		}
		if d.About != Recall && s.Clock.Now().After(last.Add(time.Hour)) {
			return f, &outOfUse{Refused, reasonExpired}
		}
		secret, err := s.secret(ctx, d)
		if err != nil {
			return f, err
		}
		f.link = s.PublicURL + linkPath + secret
	}
	if d.Recipient == ToCompanion {
		of, err := s.People.Patient(ctx, d.PatientID)
		f.of = short(of.Name)
		return f, err
	}
	who, err := s.People.Staff(ctx, d.PractitionerID)
	f.with = who.Name
	return f, err
}

// write makes the message of a delivery. It fails when the text lacks a value
// or cannot be made to fit one SMS.
func (s *Service) write(d *Delivery, f filling) (notice, error) {
	here, err := time.LoadLocation(d.Zone)
	if err != nil || d.Zone == "" {
		here = s.Zone
	}
	l := string(d.Language)
	args := lang.Args{"with": f.with, "of": f.of, "link": f.link, "code": f.code, "home": s.PublicURL, "clinic": f.clinic}
	if !d.StartsAt.IsZero() {
		args["day"] = s.words.Day(l, d.StartsAt.In(here))
		args["when"] = s.words.When(l, d.StartsAt, here, s.Zone)
	}
	if d.About == Late {
		args["from"] = s.words.Clock(l, d.TurnFrom.Truncate(turnRound).In(here))
		args["to"] = s.words.Clock(l, d.TurnTo.Add(turnRound-1).Truncate(turnRound).In(here))
	}
	if d.Channel == SMS {
		return s.writeSMS(d, l, here, args)
	}
	n := notice{Subject: s.texts.T(l, "mail."+d.text()+".subject", args), Text: s.texts.T(l, "mail."+d.text(), args)}
	if !lang.Complete(n.Subject) || !lang.Complete(n.Text) {
		return notice{}, fmt.Errorf("messaging: text of %s is incomplete", d.About)
	}
	if f.clinic != "" {
		n.Text += "\n" + f.clinic + "\n"
	}
	return n, nil
}

// text names the words of a delivery in the catalogue.
func (d *Delivery) text() string {
	switch {
	case d.About == Late && d.TurnTo.IsZero():
		return "late.open"
	case d.Recipient == ToCompanion && d.About != Invited:
		return "guest." + string(d.About)
	}
	return string(d.About)
}

// clinicRoom are the lengths an organisation's name is cut to, from the whole one on, in
// characters. The last one fits one SMS in any alphabet.
var clinicRoom = [...]int{1000, 60, 40, 28}

// writeSMS takes the fullest text that fits one SMS: with the professional's
// name, without it, without the name of the time zone, for the time said is the
// patient's own anyway, and at last without any name. The organisation of a code is cut
// first.
func (s *Service) writeSMS(d *Delivery, l string, here *time.Location, args lang.Args) (notice, error) {
	clinic := args["clinic"]
	for _, try := range [...]struct {
		form  string
		other *time.Location
	}{{"", s.Zone}, {".short", s.Zone}, {".short", here}, {".bare", here}} {
		key := "sms." + d.text() + try.form
		words, ok := s.texts.Lookup(l, key)
		if !ok || clinic == "" && strings.Contains(words, "{clinic}") {
			continue
		}
		if !d.StartsAt.IsZero() {
			args["when"] = s.words.Short(l, d.StartsAt, here, try.other)
		}
		for _, room := range clinicRoom {
			args["clinic"] = cut(clinic, room)
			text := s.texts.T(l, key, args)
			if !lang.Complete(text) {
				return notice{}, fmt.Errorf("messaging: text of %s is incomplete", d.About)
			}
			if text = sms.Fold(text); sms.Fits(text) {
				return notice{Text: text}, nil
			}
		}
	}
	return notice{}, errors.New("messaging: the public address is too long for an SMS")
}

// cut shortens a name to at most n characters, between words where there are several.
func cut(name string, n int) string {
	runes := []rune(name)
	if len(runes) <= n {
		return name
	}
	head := string(runes[:n])
	if runes[n] != ' ' {
		if at := strings.LastIndexByte(head, ' '); at > 0 {
			head = head[:at]
		}
	}
	return strings.TrimRight(head, " ,;:-–(")
}

// eml writes an ordinary e-mail; the same delivery gives the same bytes.
func (s *Service) eml(d *Delivery, to string, n notice) ([]byte, error) {
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithBoundary("visavis-"+string(d.ID)))
	if err := m.From(s.Mail.From); err != nil {
		return nil, fmt.Errorf("messaging: sender: %w", err)
	}
	if err := m.To(to); err != nil {
		return nil, fmt.Errorf("messaging: recipient: %w", err)
	}
	m.SetDateWithValue(d.writtenAt)
	m.SetMessageIDWithValue(d.messageID)
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no holiday answers
	m.Subject(n.Subject)
	m.SetBodyString(gomail.TypeTextPlain, n.Text)
	var raw bytes.Buffer
	if _, err := m.WriteTo(&raw); err != nil {
		return nil, fmt.Errorf("messaging: write e-mail: %w", err)
	}
	return raw.Bytes(), nil
}

func (s *Service) newMessageID(d *Delivery) string {
	switch d.Channel {
	case MSSante:
		return mssante.MessageID(string(d.ID), s.MSSante.Box)
	case Email:
		return mssante.MessageID(string(d.ID), s.Mail.From)
	}
	return string(d.ID)
}
