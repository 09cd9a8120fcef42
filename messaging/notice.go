package messaging

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	gomail "github.com/wneessen/go-mail"

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
}

// write makes the message of a delivery. It fails when the text lacks a value
// or cannot be made to fit one SMS.
func (s *Service) write(d *Delivery, f filling) (notice, error) {
	here, err := time.LoadLocation(d.Zone)
	if err != nil || d.Zone == "" {
		here = s.Zone
	}
	l := string(d.Language)
	args := lang.Args{"with": f.with, "of": f.of, "link": f.link, "code": f.code, "home": s.PublicURL}
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

// writeSMS takes the fullest text that fits one SMS: with the professional's
// name, without it, and at last without the name of the time zone, for the
// time said is the patient's own anyway.
func (s *Service) writeSMS(d *Delivery, l string, here *time.Location, args lang.Args) (notice, error) {
	for _, try := range [...]struct {
		form  string
		other *time.Location
	}{{"", s.Zone}, {".short", s.Zone}, {".short", here}} {
		if !d.StartsAt.IsZero() {
			args["when"] = s.words.Short(l, d.StartsAt, here, try.other)
		}
		text := s.texts.T(l, "sms."+d.text()+try.form, args)
		if !lang.Complete(text) {
			return notice{}, fmt.Errorf("messaging: text of %s is incomplete", d.About)
		}
		if text = sms.Fold(text); sms.Fits(text) {
			return notice{Text: text}, nil
		}
	}
	return notice{}, errors.New("messaging: the public address is too long for an SMS")
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
