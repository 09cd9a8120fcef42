package framed

import (
	"net"
	"sync"
)

// The limits of ICE-TCP connections (trust B10): a household behind one address
// needs a handful, a hospital behind one address some dozens.
const (
	tcpPerHost = 64
	tcpTotal   = 2000
)

// Calm refuses connections above tcpPerHost and tcpTotal at once, so that idle
// connections cannot use up descriptors.
func Calm(l net.Listener) net.Listener { return &listener{Listener: l, perHost: map[string]int{}} }

type listener struct {
	net.Listener
	mu      sync.Mutex
	perHost map[string]int
	total   int
}

// Accept gives the next connection that is within the limits.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host, _, err := net.SplitHostPort(c.RemoteAddr().String())
		if err != nil || !l.take(host) {
			_ = c.Close()
			continue
		}
		return &conn{Conn: c, free: sync.OnceFunc(func() { l.give(host) })}, nil
	}
}

func (l *listener) take(host string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total >= tcpTotal || l.perHost[host] >= tcpPerHost {
		return false
	}
	l.total++
	l.perHost[host]++
	return true
}

func (l *listener) give(host string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.perHost[host]--; l.perHost[host] == 0 {
		delete(l.perHost, host)
	}
}

type conn struct {
	net.Conn
	free func()
}

// Close frees the place of the connection.
func (c *conn) Close() error {
	c.free()
	return c.Conn.Close()
}
