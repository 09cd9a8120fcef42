package mssante

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
)

// Mailbox is the platform's own mailbox, read over IMAP with STARTTLS.
type Mailbox struct {
	// Address is host:port of the IMAP server.
	Address string
	// TLS makes STARTTLS mandatory, with TLS 1.2 at least. nil reads in clear:
	// for a server on the same machine.
	TLS *tls.Config
	// User is the mailbox. Without Password the client certificate proves who we
	// are (SASL EXTERNAL), as an applicative mailbox does.
	User, Password string
	// Timeout bounds one visit; 0 means 2 minutes.
	Timeout time.Duration
}

const (
	// fetchBatch is how many messages one FETCH asks for.
	fetchBatch = 20
	// fetchBytes is how much of a message is read: headers and the first parts of
	// a report, which come before the attachments it gives back.
	fetchBytes = 256 << 10
)

// Visit reads the first 256 KiB of every message of the inbox once, oldest
// first, and removes those for which done returns true. A message that cannot be parsed is left where
// it is. done must bear a message twice: the removal may fail after it.
func (m Mailbox) Visit(ctx context.Context, done func(context.Context, Incoming, []byte) (bool, error)) error {
	return m.session(ctx, func(ctx context.Context, c *imapclient.Client) error {
		found, err := c.UIDSearch(&imap.SearchCriteria{NotFlag: []imap.Flag{imap.FlagDeleted}}, nil).Wait()
		if err != nil {
			return fmt.Errorf("mssante: search: %w", err)
		}
		var finished []imap.UID
		uids := found.AllUIDs()
		for start := 0; start < len(uids); start += fetchBatch {
			batch := uids[start:min(start+fetchBatch, len(uids))]
			ok, err := visitBatch(ctx, c, batch, done)
			if finished = append(finished, ok...); err != nil {
				return errors.Join(err, remove(c, finished))
			}
		}
		return remove(c, finished)
	})
}

// Has reports whether the inbox holds a message with this Message-ID.
func (m Mailbox) Has(ctx context.Context, messageID string) (bool, error) {
	found := false
	err := m.session(ctx, func(_ context.Context, c *imapclient.Client) error {
		data, err := c.UIDSearch(&imap.SearchCriteria{
			Header: []imap.SearchCriteriaHeaderField{{Key: "Message-Id", Value: messageID}},
		}, nil).Wait()
		if err != nil {
			return fmt.Errorf("mssante: search: %w", err)
		}
		found = len(data.AllUIDs()) > 0
		return nil
	})
	return found, err
}

func (m Mailbox) session(ctx context.Context, use func(context.Context, *imapclient.Client) error) error {
	timeout := m.Timeout
	if timeout == 0 {
		timeout = 2 * time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.Address)
	if err != nil {
		return fmt.Errorf("mssante: connect to mailbox: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() { stop(); _ = conn.Close() }()
	c, err := m.open(conn)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if m.Password != "" {
		err = c.Login(m.User, m.Password).Wait()
	} else {
		err = c.Authenticate(sasl.NewExternalClient(""))
	}
	if err != nil {
		return fmt.Errorf("mssante: sign in to mailbox: %w", err)
	}
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		return fmt.Errorf("mssante: open inbox: %w", err)
	}
	if err := use(ctx, c); err != nil {
		return err
	}
	_ = c.Logout().Wait()
	return nil
}

func (m Mailbox) open(conn net.Conn) (*imapclient.Client, error) {
	if m.TLS == nil {
		return imapclient.New(conn, nil), nil
	}
	conf := m.TLS.Clone()
	conf.MinVersion = max(conf.MinVersion, tls.VersionTLS12)
	if conf.ServerName == "" {
		host, _, err := net.SplitHostPort(m.Address)
		if err != nil {
			return nil, err
		}
		conf.ServerName = host
	}
	c, err := imapclient.NewStartTLS(conn, &imapclient.Options{TLSConfig: conf})
	if err != nil {
		return nil, fmt.Errorf("mssante: mailbox STARTTLS: %w", err)
	}
	return c, nil
}

func visitBatch(ctx context.Context, c *imapclient.Client, uids []imap.UID, done func(context.Context, Incoming, []byte) (bool, error)) ([]imap.UID, error) {
	section := &imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Size: fetchBytes}}
	messages, err := c.Fetch(imap.UIDSetNum(uids...), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}}).Collect()
	if err != nil {
		return nil, fmt.Errorf("mssante: fetch: %w", err)
	}
	var finished []imap.UID
	for _, msg := range messages {
		raw := msg.FindBodySection(section)
		in, err := Read(bytes.NewReader(raw))
		if err != nil {
			continue
		}
		ok, err := done(ctx, in, raw)
		if err != nil {
			return finished, err
		}
		if ok {
			finished = append(finished, msg.UID)
		}
	}
	return finished, nil
}

func remove(c *imapclient.Client, uids []imap.UID) error {
	if len(uids) == 0 {
		return nil
	}
	set := imap.UIDSetNum(uids...)
	if err := c.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close(); err != nil {
		return fmt.Errorf("mssante: mark deleted: %w", err)
	}
	if err := c.Expunge().Close(); err != nil {
		return fmt.Errorf("mssante: expunge: %w", err)
	}
	return nil
}
