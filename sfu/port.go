package sfu

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"
)

// maxDatagram is the largest datagram that is read or carried, in bytes. WebRTC
// clients stay under 1,280 for media and under 1,500 for DTLS.
const maxDatagram = 1600

// sideQueue is how many datagrams may wait at the side door of one port: 40 ms
// of ten relayed calls. What comes on top is dropped, as a socket would.
const sideQueue = 1024

// Exit takes a datagram that leaves through the side door to a virtual address.
// The slice is the caller's again when Exit returns.
type Exit = func(b []byte, from, to netip.AddrPort)

type datagram struct {
	from netip.AddrPort
	b    []byte
}

// sideDoor says which addresses are not on the network but behind Exit.
type sideDoor struct {
	prefix netip.Prefix
	exit   Exit
}

// port is one UDP socket with a side door: datagrams of relayed clients enter
// and leave inside the process (media.md §2, "TURN in memory"). It offers the
// address calls of ice.AddrPortReaderWriter, so that the direct path allocates
// nothing for addresses.
type port struct {
	*net.UDPConn
	local netip.AddrPort
	side  chan datagram
	door  *atomic.Pointer[sideDoor]
}

func openPort(addr netip.AddrPort, door *atomic.Pointer[sideDoor]) (*port, error) {
	network := "udp4"
	if addr.Addr().Is6() && !addr.Addr().Is4In6() {
		network = "udp6"
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, err
	}
	// A burst of key frames from every room must fit; the kernel clips to its
	// own limit, which is not an error.
	_ = conn.SetReadBuffer(4 << 20)
	_ = conn.SetWriteBuffer(4 << 20)
	local := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return &port{UDPConn: conn, local: plain(local), side: make(chan datagram, sideQueue), door: door}, nil
}

// plain writes a mapped IPv4 address as IPv4, so that addresses compare.
func plain(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// enter puts a datagram in as if it had come from the network, and wakes the
// reader by an expired read deadline: the direct path pays nothing for the door.
func (p *port) enter(b []byte, from netip.AddrPort) bool {
	d := datagram{from: from, b: append([]byte(nil), b...)}
	select {
	case p.side <- d:
		return p.SetReadDeadline(time.Unix(1, 0)) == nil
	default:
		return false
	}
}

// ReadFromAddrPort gives the next datagram, from the side door first.
func (p *port) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		select {
		case d := <-p.side:
			return copy(b, d.b), d.from, nil
		default:
		}
		n, from, err := p.ReadFromUDPAddrPort(b)
		if err == nil {
			return n, plain(from), nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, from, err
		}
		// Clear first, look second: who enters after the look sets the
		// deadline again.
		if err := p.SetReadDeadline(time.Time{}); err != nil {
			return 0, netip.AddrPort{}, err
		}
	}
}

// WriteToAddrPort sends to the network or, for a virtual address, out of the
// side door.
func (p *port) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	to = plain(to)
	if d := p.door.Load(); d != nil && d.prefix.Contains(to.Addr()) {
		d.exit(b, p.local, to)
		return len(b), nil
	}
	return p.WriteToUDPAddrPort(b, to)
}

// ReadFrom is ReadFromAddrPort with the older address type.
func (p *port) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := p.ReadFromAddrPort(b)
	return n, net.UDPAddrFromAddrPort(from), err
}

// WriteTo is WriteToAddrPort with the older address type.
func (p *port) WriteTo(b []byte, to net.Addr) (int, error) {
	u, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, net.InvalidAddrError("not a UDP address")
	}
	return p.WriteToAddrPort(b, u.AddrPort())
}
