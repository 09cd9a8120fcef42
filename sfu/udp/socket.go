package udp

import (
	"net"
	"net/netip"
	"syscall"
)

// MaxDatagram is the largest datagram that is read or written, in bytes: WebRTC
// clients stay under 1,280 for media and under 1,500 for DTLS.
const MaxDatagram = 1600

// Burst is how many datagrams one call moves at most.
const Burst = 64

// Socket is one UDP socket.
type Socket struct {
	conn  *net.UDPConn
	raw   syscall.RawConn
	local netip.AddrPort
}

// Listen opens a socket at one address; port 0 picks one. The address must name
// an interface's address, not the unspecified one: an answer has to leave from
// the address that was called.
func Listen(addr netip.AddrPort) (*Socket, error) {
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
	raw, err := conn.SyscallConn()
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &Socket{conn: conn, raw: raw, local: Plain(conn.LocalAddr().(*net.UDPAddr).AddrPort())}, nil
}

// Local is the address that the socket is bound to.
func (s *Socket) Local() netip.AddrPort { return s.local }

// Close makes a waiting Read return net.ErrClosed.
func (s *Socket) Close() error { return s.conn.Close() }

// Plain writes a mapped IPv4 address as IPv4, so that addresses compare.
func Plain(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
