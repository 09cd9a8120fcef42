package front

import (
	"net"
	"sync"
)

// conn is a decrypted stream whose first bytes were read already. It does not
// show that it was TLS: net/http would then look for HTTP/2 in the handshake,
// which is over, and not in the preface.
type conn struct {
	net.Conn
	first []byte
}

// Read gives the first bytes again, then the rest.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.first) > 0 {
		n := copy(p, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// lane is the listener of one kind of stream.
type lane struct {
	addr  net.Addr
	ready chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newLane(a net.Addr) *lane {
	return &lane{addr: a, ready: make(chan net.Conn), done: make(chan struct{})}
}

// hand waits until somebody takes c. False: nobody will.
func (l *lane) hand(c net.Conn) bool {
	select {
	case l.ready <- c:
		return true
	case <-l.done:
		return false
	}
}

// Accept gives the next stream of the kind.
func (l *lane) Accept() (net.Conn, error) {
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close takes no more streams of the kind; the address stays bound.
func (l *lane) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr is the address of the front.
func (l *lane) Addr() net.Addr { return l.addr }
