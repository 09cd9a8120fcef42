package turn

import (
	"net"
	"net/netip"
	"time"
)

func clientAddr(a net.Addr) netip.AddrPort {
	switch x := a.(type) {
	case *net.UDPAddr:
		p := x.AddrPort()
		return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
	case *net.TCPAddr:
		p := x.AddrPort()
		return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
	}
	return netip.AddrPort{}
}

// guardedConn is a UDP socket behind the guard: a net.PacketConn on which pion
// sees only what passed. Data of bound channels is carried to the SFU in place,
// on the goroutine that reads, and is never seen by pion.
type guardedConn struct {
	wire  wire
	guard *guard
	name  string

	// Between two reads: what waits to be given to pion.
	held []byte
	from netip.AddrPort
	err  error
	sift func(enter Entry) // c.burst, made once
}

func guardConn(w wire, g *guard, name string) *guardedConn {
	c := &guardedConn{wire: w, guard: g, name: name}
	c.sift = c.burst
	return c
}

// ReadFrom gives the next datagram that the guard lets through to pion.
func (c *guardedConn) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		b, from, err := c.wire.next()
		if err != nil {
			return 0, nil, err
		}
		c.held, c.from = b, from
		if isChannel(b) {
			c.guard.relays.door.Burst(c.sift)
		}
		if c.err != nil {
			return 0, nil, c.err
		}
		if c.held != nil && c.judge() {
			return copy(p, c.held), net.UDPAddrFromAddrPort(c.from), nil
		}
	}
}

// burst carries the datagrams of channels that have come already, as far as the
// first of another kind, which it leaves in held.
func (c *guardedConn) burst(enter Entry) {
	now := time.Now()
	for isChannel(c.held) {
		c.guard.carry(flow{c.name, c.from}, c.held, now, enter)
		c.held = nil
		if !c.wire.more() {
			return
		}
		if c.held, c.from, c.err = c.wire.next(); c.err != nil {
			return
		}
	}
}

// judge says whether held is for pion, and answers it otherwise.
func (c *guardedConn) judge() bool {
	v := c.guard.in(flow{c.name, c.from}, c.held)
	if v.answer != nil {
		c.wire.put(0, v.answer, c.from)
		c.wire.flush()
	}
	return v.pass
}

// WriteTo sends what the guard lets out.
func (c *guardedConn) WriteTo(p []byte, to net.Addr) (int, error) {
	client := clientAddr(to)
	if out := c.guard.out(flow{c.name, client}, p, c.wire); out != nil {
		c.wire.put(0, out, client)
		c.wire.flush()
	}
	return len(p), nil
}

// Close makes ReadFrom end.
func (c *guardedConn) Close() error { return c.wire.Close() }

// LocalAddr is the socket's.
func (c *guardedConn) LocalAddr() net.Addr { return c.wire.LocalAddr() }

// SetDeadline is not used by pion.
func (c *guardedConn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline is not used by pion.
func (c *guardedConn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline is not used by pion.
func (c *guardedConn) SetWriteDeadline(time.Time) error { return nil }
