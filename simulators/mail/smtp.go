package mail

import (
	"bytes"
	"fmt"
	"io"
	netmail "net/mail"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-smtp"
)

const maxMessage = 26_000_000

func (s *Server) newSMTP(secure bool) *smtp.Server {
	srv := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{server: s, conn: c, secure: secure}, nil
	}))
	srv.Domain, srv.MaxMessageBytes, srv.MaxRecipients, srv.EnableDSN = s.o.Domain, maxMessage, 10, true
	srv.ReadTimeout, srv.WriteTimeout, srv.ErrorLog = time.Minute, time.Minute, quiet{s.o.Log}
	return srv
}

type recipient struct {
	address string
	notify  []smtp.DSNNotify
}

type session struct {
	server *Server
	conn   *smtp.Conn
	secure bool
	from   string
	envid  string
	to     []recipient
}

// Mail implements smtp.Session.
func (x *session) Mail(from string, o *smtp.MailOptions) error {
	if x.secure {
		if state, ok := x.conn.TLSConnectionState(); !ok || len(state.PeerCertificates) == 0 {
			return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "STARTTLS with a client certificate first"}
		}
	}
	x.from = from
	if o != nil {
		x.envid = o.EnvelopeID
	}
	return nil
}

// Rcpt implements smtp.Session.
func (x *session) Rcpt(to string, o *smtp.RcptOptions) error {
	switch x.server.rule(to) {
	case Refuse:
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
	case Busy:
		return &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 1}, Message: "mailbox busy"}
	}
	r := recipient{address: to}
	if o != nil {
		r.notify = o.Notify
	}
	x.to = append(x.to, r)
	return nil
}

// Data implements smtp.Session.
func (x *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	cut := false
	for _, to := range x.to {
		switch action := x.server.rule(to.address); action {
		case Bounce:
			if err := x.server.report(x, to, raw, "failed", "5.1.1"); err != nil {
				return x.server.full(err)
			}
			continue
		case Delay:
			select {
			case <-x.server.ctx.Done():
			case <-time.After(x.server.o.DelayFor):
			}
		case Cut:
			cut = true
		case Receipt, KO:
			if err := x.server.answer(x, to, raw, action == KO); err != nil {
				return x.server.full(err)
			}
		}
		if err := x.server.deliver(Message{To: to.address, From: x.from, At: time.Now().UTC(), Raw: raw, Secure: x.secure}); err != nil {
			return x.server.full(err)
		}
		if slices.Contains(to.notify, smtp.DSNNotifySuccess) {
			if err := x.server.report(x, to, raw, "delivered", "2.0.0"); err != nil {
				return x.server.full(err)
			}
		}
	}
	if cut {
		return x.conn.Close()
	}
	return nil
}

// Reset implements smtp.Session.
func (x *session) Reset() { x.from, x.envid, x.to = "", "", nil }

// Logout implements smtp.Session.
func (x *session) Logout() error { return nil }

// deliver puts a message in a mailbox, for IMAP and for the page, once it is
// kept.
func (s *Server) deliver(m Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.keep(&m); err != nil {
		return err
	}
	s.put(m)
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

// put shows a message that is kept; the lock is held.
func (s *Server) put(m Message) {
	address := strings.ToLower(m.To)
	if !m.removed {
		got, err := s.user(address).Append("INBOX", bytes.NewReader(m.Raw), &imap.AppendOptions{Time: m.At})
		if err != nil {
			s.o.Log.Warn("mail simulator: append", "error", err)
		} else {
			m.uid = got.UID
		}
	}
	s.boxes[address] = append(s.boxes[address], m)
}

// full asks the sender to come back: the message could not be kept.
func (s *Server) full(err error) error {
	s.o.Log.Error("mail simulator: not kept", "error", err)
	return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 3, 1}, Message: "not kept, try again"}
}

// user gives the IMAP side of a mailbox; the lock is held.
func (s *Server) user(address string) *imapmemserver.User {
	u, ok := s.users[address]
	if !ok {
		u = imapmemserver.NewUser(address, "")
		if err := u.Create("INBOX", nil); err != nil {
			s.o.Log.Warn("mail simulator: inbox", "error", err)
		}
		s.users[address] = u
	}
	return u
}

// report sends a delivery status notification (RFC 3464) to the sender.
func (s *Server) report(x *session, to recipient, raw []byte, action, status string) error {
	if x.from == "" || slices.Contains(to.notify, smtp.DSNNotifyNever) {
		return nil
	}
	var b strings.Builder
	s.reportHead(&b, x.from, "delivery-status", "Delivery report")
	fmt.Fprintf(&b, "--r\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n%s: %s\r\n\r\n", to.address, action)
	fmt.Fprintf(&b, "--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; %s\r\n", s.o.Domain)
	if x.envid != "" {
		fmt.Fprintf(&b, "Original-Envelope-Id: %s\r\n", x.envid)
	}
	fmt.Fprintf(&b, "\r\nOriginal-Recipient: rfc822;%[1]s\r\nFinal-Recipient: rfc822;%[1]s\r\nAction: %[2]s\r\nStatus: %[3]s\r\n\r\n", to.address, action, status)
	fmt.Fprintf(&b, "--r\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: %s\r\n\r\n--r--\r\n", messageID(raw))
	return s.deliver(Message{To: x.from, At: time.Now().UTC(), Raw: []byte(b.String()), Secure: x.secure})
}

// answer sends what the recipient's software would: a receipt (RFC 8098), or
// a technical refusal "902 unknown patient".
func (s *Server) answer(x *session, to recipient, raw []byte, ko bool) error {
	subject, disposition := "XDM/1.0/DDM", "automatic-action/MDN-sent-automatically; processed"
	if ko {
		subject = "=?UTF-8?Q?[KO_Int=C3=A9gration_syst=C3=A8me_!][902]_XDM/1.0/DDM?="
		disposition += "/Error: 902^Identifiant de patient inconnu"
	}
	var b strings.Builder
	s.reportHead(&b, x.from, "disposition-notification", subject)
	fmt.Fprintf(&b, "--r\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n%s\r\n\r\n", disposition)
	fmt.Fprintf(&b, "--r\r\nContent-Type: message/disposition-notification\r\n\r\nOriginal-Recipient: rfc822;%[1]s\r\nFinal-Recipient: rfc822;%[1]s\r\nOriginal-Message-ID: %[2]s\r\nDisposition: %[3]s\r\n\r\n--r--\r\n",
		to.address, messageID(raw), disposition)
	return s.deliver(Message{To: x.from, At: time.Now().UTC(), Raw: []byte(b.String()), Secure: x.secure})
}

func (s *Server) reportHead(b *strings.Builder, to, kind, subject string) {
	fmt.Fprintf(b, "From: <mailer-daemon@%[1]s>\r\nTo: <%[2]s>\r\nDate: %[3]s\r\nMessage-ID: <%[4]d@%[1]s>\r\nSubject: %[5]s\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=%[6]s; boundary=r\r\n\r\n",
		s.o.Domain, to, time.Now().UTC().Format(time.RFC1123Z), time.Now().UnixNano(), subject, kind)
}

func messageID(raw []byte) string {
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return ""
	}
	return m.Header.Get("Message-ID")
}
