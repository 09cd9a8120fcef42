package rtcclient

import (
	"context"
	"net"
	"sync"
)

// frozen is the network of a WebSocket, which may go silent: nothing comes or goes any more, and neither end
// is told.
type frozen struct {
	mu   sync.Mutex
	thaw chan struct{} // while it is silent
}

// Freeze silences the socket until Cut: what is sent is lost, what comes is not read, and nobody closes it.
func (c *Client) Freeze() {
	c.line.mu.Lock()
	defer c.line.mu.Unlock()
	if c.line.thaw == nil {
		c.line.thaw = make(chan struct{})
	}
}

func (f *frozen) silent() chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.thaw
}

func (f *frozen) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &frozenConn{Conn: c, line: f, done: make(chan struct{})}, nil
}

type frozenConn struct {
	net.Conn
	line *frozen
	once sync.Once
	done chan struct{}
}

// Read waits while the line is silent, and keeps what came before.
func (c *frozenConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.line.silent() != nil {
		<-c.done
		return 0, net.ErrClosed
	}
	return n, err
}

func (c *frozenConn) Write(p []byte) (int, error) {
	if c.line.silent() != nil {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func (c *frozenConn) Close() error {
	c.once.Do(func() { close(c.done) })
	return c.Conn.Close()
}
