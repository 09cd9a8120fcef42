package mail

import (
	"crypto/tls"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-sasl"
)

// inbox is an IMAP session: who one is comes from the client certificate (SASL
// EXTERNAL), as with an applicative mailbox.
type inbox struct {
	*imapmemserver.UserSession // nil until signed in

	server  *Server
	conn    *imapserver.Conn
	address string // of the mailbox, once signed in
}

func (s *Server) newIMAP(c *imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
	return &inbox{server: s, conn: c}, nil, nil
}

// AuthenticateMechanisms implements imapserver.SessionSASL.
func (x *inbox) AuthenticateMechanisms() []string { return []string{sasl.External} }

// Authenticate implements imapserver.SessionSASL.
func (x *inbox) Authenticate(mech string) (sasl.Server, error) {
	if mech != sasl.External {
		return nil, &imap.Error{Type: imap.StatusResponseTypeNo, Text: "mechanism not supported"}
	}
	return &external{x}, nil
}

// Login implements imapserver.Session: there are no passwords here.
func (x *inbox) Login(_, _ string) error { return imapserver.ErrAuthFailed }

// Close implements imapserver.Session.
func (x *inbox) Close() error {
	if x.UserSession == nil {
		return nil
	}
	return x.UserSession.Close()
}

// Expunge implements imapserver.Session: what goes stays gone after a restart.
func (x *inbox) Expunge(w *imapserver.ExpungeWriter, uids *imap.UIDSet) error {
	marked, err := x.Search(imapserver.NumKindUID, &imap.SearchCriteria{Flag: []imap.Flag{imap.FlagDeleted}}, &imap.SearchOptions{ReturnAll: true})
	if err != nil {
		return err
	}
	if err := x.UserSession.Expunge(w, uids); err != nil {
		return err
	}
	x.server.removed(x.address, slices.DeleteFunc(marked.AllUIDs(), func(u imap.UID) bool { return uids != nil && !uids.Contains(u) }))
	return nil
}

type external struct{ x *inbox }

// Next implements sasl.Server.
func (e *external) Next([]byte) ([]byte, bool, error) {
	conn, ok := e.x.conn.NetConn().(*tls.Conn)
	if !ok {
		return nil, false, imapserver.ErrAuthFailed
	}
	certs := conn.ConnectionState().PeerCertificates
	if len(certs) == 0 || !strings.Contains(certs[0].Subject.CommonName, "@") {
		return nil, false, imapserver.ErrAuthFailed
	}
	e.x.server.mu.Lock()
	defer e.x.server.mu.Unlock()
	e.x.address = strings.ToLower(certs[0].Subject.CommonName)
	e.x.UserSession = imapmemserver.NewUserSession(e.x.server.user(e.x.address))
	return nil, true, nil
}
