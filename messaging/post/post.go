// Package post hands one message to a mail server over SMTP (RFC 5321) and
// says exactly what became of it: accepted, refused, to be tried again, or in
// doubt when the connection broke after the message had been sent and before
// the server answered.
//
// The secure way (MSSanté référentiel #2, ECO.1.1.x) is STARTTLS with TLS 1.2
// or later, the server verified against the CA given and the platform known by
// its client certificate. Delivery status notifications (RFC 3461) are asked
// for when the server offers them.
package post

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Outcome is what became of a message.
type Outcome string

// The outcomes of a sending.
const (
	// Accepted: the server answered 250 to the message and answers for it.
	Accepted Outcome = "accepted"
	// Retry: nothing was accepted, a later attempt may succeed.
	Retry Outcome = "retry"
	// Refused: nothing was accepted and the same message will never be.
	Refused Outcome = "refused"
	// InDoubt: the message was sent whole, the answer was lost.
	InDoubt Outcome = "in doubt"
)

// Server is a mail server the platform sends through.
type Server struct {
	// Address is host:port.
	Address string
	// Hello is the name the platform gives in EHLO.
	Hello string
	// TLS, when set, makes STARTTLS mandatory. TLS 1.2 is the least accepted
	// whatever it says. nil sends in clear: for a server on the same machine.
	TLS *tls.Config
	// User and Password, when set, sign in with AUTH PLAIN (RFC 4954). They are
	// never sent in clear to another machine.
	User, Password string
	// Timeout bounds the connection and each command; 0 means 30 s.
	Timeout time.Duration
	// DataTimeout bounds the wait for the answer to the message; 0 means 5 min
	// (RFC 5321 §4.5.3.2.6 wants 10; the queue retries).
	DataTimeout time.Duration
}

// Envelope is what the server is told beside the message.
type Envelope struct {
	// From receives the delivery reports.
	From string
	// To is the only recipient.
	To string
	// Witness, when set, is a mailbox of the platform that gets a copy in the
	// same transaction: the server accepts both or none, so that the copy proves
	// the sending when the answer was lost.
	Witness string
	// ID is the ENVID given back by delivery reports.
	ID string
}

// Result is the outcome of one attempt.
type Result struct {
	Outcome Outcome
	// Code is the SMTP reply code, 0 when the server gave none.
	Code int
	// Status is the enhanced status code (RFC 3463), "" when none.
	Status string
	// Witnessed says whether the witness mailbox was taken as a recipient.
	Witnessed bool
	// Err is the cause, for logs; it may quote the server and the addresses.
	Err error
}

// errNoTLS is the cause when STARTTLS is wanted and not offered.
var errNoTLS = errors.New("post: the server does not offer STARTTLS")

// errClearPassword keeps a password from leaving in clear.
var errClearPassword = errors.New("post: a password is not sent without TLS to another machine")

// Send makes one attempt. beforeData, when not nil, is called once every
// recipient is accepted and before the first byte of the message leaves: the
// place to write durably that the message may be on its way, and whether a
// witness will tell. Its error stops
// the sending with Retry.
func (s Server) Send(ctx context.Context, e Envelope, message []byte, beforeData func(ctx context.Context, witnessed bool) error) Result {
	c, err := s.dial(ctx)
	if err != nil {
		return classify(err, false)
	}
	// Closing the connection is what makes a cancelled context felt.
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer func() { stop(); _ = c.Close() }()

	witnessed, err := s.envelope(c, e, len(message))
	if err != nil {
		return classify(err, false)
	}
	if beforeData != nil {
		if err := beforeData(ctx, witnessed); err != nil {
			return Result{Outcome: Retry, Err: fmt.Errorf("post: before data: %w", err)}
		}
	}
	w, err := c.Data()
	if err != nil {
		return classify(err, false)
	}
	if _, err := w.Write(message); err != nil {
		// The final dot was not sent: the server must drop what it has (RFC 5321
		// §4.1.1.4), nothing is in doubt.
		return classify(err, false)
	}
	if err := w.Close(); err != nil {
		r := classify(err, true)
		r.Witnessed = witnessed
		return r
	}
	_ = c.Quit()
	return Result{Outcome: Accepted, Code: 250, Witnessed: witnessed}
}

func (s Server) dial(ctx context.Context) (*smtp.Client, error) {
	timeout := s.Timeout
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	d := net.Dialer{Timeout: timeout}
	conn, err := d.DialContext(ctx, "tcp", s.Address)
	if err != nil {
		return nil, fmt.Errorf("post: connect: %w", err)
	}
	if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	c, err := s.greet(conn)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	c.CommandTimeout, c.SubmissionTimeout = timeout, s.DataTimeout
	if c.SubmissionTimeout == 0 {
		c.SubmissionTimeout = 5 * time.Minute
	}
	hello := s.Hello
	if hello == "" {
		hello = "localhost"
	}
	if s.TLS == nil {
		if err := c.Hello(hello); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	if err := s.signIn(c, conn); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (s Server) signIn(c *smtp.Client, conn net.Conn) error {
	if s.User == "" {
		return nil
	}
	if peer, ok := conn.RemoteAddr().(*net.TCPAddr); s.TLS == nil && (!ok || !peer.IP.IsLoopback()) {
		return errClearPassword
	}
	err := c.Auth(sasl.NewPlainClient("", s.User, s.Password))
	var answer *smtp.SMTPError
	if errors.As(err, &answer) {
		// Our own account is at fault: the message is fine and must wait.
		return fmt.Errorf("post: sign in refused: %d", answer.Code)
	}
	return err
}

func (s Server) greet(conn net.Conn) (*smtp.Client, error) {
	if s.TLS == nil {
		return smtp.NewClient(conn), nil
	}
	conf := s.TLS.Clone()
	conf.MinVersion = max(conf.MinVersion, tls.VersionTLS12)
	if conf.ServerName == "" {
		host, _, err := net.SplitHostPort(s.Address)
		if err != nil {
			return nil, err
		}
		conf.ServerName = host
	}
	c, err := smtp.NewClientStartTLS(conn, conf)
	if err != nil && err.Error() == "smtp: server doesn't support STARTTLS" {
		return nil, errNoTLS
	}
	return c, err
}

func (s Server) envelope(c *smtp.Client, e Envelope, size int) (witnessed bool, err error) {
	if limit, ok := c.MaxMessageSize(); ok && limit > 0 && size > limit {
		return false, &smtp.SMTPError{Code: 552, EnhancedCode: smtp.EnhancedCode{5, 3, 4},
			Message: fmt.Sprintf("message of %d bytes, the server takes %d", size, limit)}
	}
	opts := &smtp.MailOptions{Size: int64(size), Return: smtp.DSNReturnHeaders, EnvelopeID: e.ID}
	if err := c.Mail(e.From, opts); err != nil {
		return false, err
	}
	notify := []smtp.DSNNotify{smtp.DSNNotifySuccess, smtp.DSNNotifyFailure, smtp.DSNNotifyDelayed}
	if err := c.Rcpt(e.To, &smtp.RcptOptions{Notify: notify, OriginalRecipientType: smtp.DSNAddressTypeRFC822, OriginalRecipient: e.To}); err != nil {
		return false, err
	}
	if e.Witness == "" {
		return false, nil
	}
	err = c.Rcpt(e.Witness, &smtp.RcptOptions{Notify: []smtp.DSNNotify{smtp.DSNNotifyNever}})
	var answer *smtp.SMTPError
	if errors.As(err, &answer) {
		// Care does not wait for our own mailbox: the message goes unwitnessed.
		return false, nil
	}
	return err == nil, err
}

// classify turns an error into an outcome. afterData says that the whole
// message had been sent.
func classify(err error, afterData bool) Result {
	var answer *smtp.SMTPError
	if errors.As(err, &answer) {
		r := Result{Code: answer.Code, Err: err, Outcome: Retry}
		if c := answer.EnhancedCode; c[0] > 0 {
			r.Status = fmt.Sprintf("%d.%d.%d", c[0], c[1], c[2])
		}
		if answer.Code >= 500 {
			r.Outcome = Refused
		}
		return r
	}
	if afterData {
		return Result{Outcome: InDoubt, Err: err}
	}
	return Result{Outcome: Retry, Err: err}
}
