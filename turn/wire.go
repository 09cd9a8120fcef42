package turn

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync"

	"visavis/sfu/udp"
)

// wire is one socket of datagrams, as the guard uses it: one goroutine reads,
// any may write.
type wire interface {
	// next waits for a datagram. It is valid until the next call, and may be
	// written to.
	next() ([]byte, netip.AddrPort, error)
	// more says that next will not wait.
	more() bool
	// put makes body one datagram, ChannelData of a number that is not 0. It
	// leaves at the latest with the next flush.
	put(number uint16, body []byte, to netip.AddrPort)
	flush()
	Close() error
	LocalAddr() net.Addr
}

// udpWire moves many datagrams with one system call.
type udpWire struct {
	sock *udp.Socket
	in   *udp.In
	n, i int // datagrams of in, and those that were given

	mu  sync.Mutex
	out *udp.Out
}

func openWire(a netip.AddrPort) (*udpWire, error) {
	s, err := udp.Listen(a)
	if err != nil {
		return nil, err
	}
	return &udpWire{sock: s, in: udp.NewIn(), out: udp.NewOut()}, nil
}

func (w *udpWire) more() bool { return w.i < w.n }

func (w *udpWire) next() ([]byte, netip.AddrPort, error) {
	if w.i == w.n {
		n, err := w.sock.Read(w.in)
		if err != nil {
			return nil, netip.AddrPort{}, err
		}
		w.n, w.i = n, 0
	}
	b, from := w.in.At(w.i)
	w.i++
	return b, from, nil
}

func (w *udpWire) put(number uint16, body []byte, to netip.AddrPort) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.out.Full() {
		w.sock.Write(w.out)
	}
	b := w.out.Next()
	if channelHeaderSize+len(body) <= len(b) {
		n := channelHead(b, number, len(body))
		n += copy(b[n:], body)
		w.out.Commit(n, to)
	}
}

func (w *udpWire) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.out.Len() > 0 {
		w.sock.Write(w.out)
	}
}

// Close makes a waiting next return net.ErrClosed.
func (w *udpWire) Close() error { return w.sock.Close() }

// LocalAddr is the address that the socket is bound to.
func (w *udpWire) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(w.sock.Local()) }

// isChannel says whether the first bits are those of ChannelData.
func isChannel(b []byte) bool { return len(b) > 0 && b[0]&0xC0 == 0x40 }

// channelHead writes the header of ChannelData of n bytes, none for number 0, and
// tells its size.
func channelHead(b []byte, number uint16, n int) int {
	if number == 0 {
		return 0
	}
	binary.BigEndian.PutUint16(b, number)
	binary.BigEndian.PutUint16(b[2:], uint16(n))
	return channelHeaderSize
}
