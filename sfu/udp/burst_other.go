//go:build !linux || !(amd64 || arm64)

package udp

import (
	"errors"
	"net"
	"net/netip"
)

// In is a burst that was read: here always one datagram.
type In struct {
	buffer [MaxDatagram]byte
	size   int
	from   netip.AddrPort
}

// NewIn makes room for a burst.
func NewIn() *In { return &In{} }

// Read waits for a datagram. It ends with net.ErrClosed.
func (s *Socket) Read(in *In) (int, error) {
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(in.buffer[:])
		if err == nil {
			in.size, in.from = n, Plain(from)
			return 1, nil
		}
		if errors.Is(err, net.ErrClosed) {
			return 0, err
		}
	}
}

// At gives the datagram and where it came from; both are valid until the next
// Read.
func (in *In) At(int) ([]byte, netip.AddrPort) { return in.buffer[:in.size], in.from }

// Out is a burst to be written. It belongs to one writer.
type Out struct {
	n       int
	sizes   [Burst]int
	to      [Burst]netip.AddrPort
	buffers [Burst][MaxDatagram]byte
}

// NewOut makes room for a burst.
func NewOut() *Out { return &Out{} }

// Len is how many datagrams wait.
func (o *Out) Len() int { return o.n }

// Full says that Write must come before the next Next.
func (o *Out) Full() bool { return o.n == Burst }

// Next is the buffer of the next datagram, MaxDatagram long.
func (o *Out) Next() []byte { return o.buffers[o.n][:] }

// Commit makes the first size bytes of Next a datagram for to.
func (o *Out) Commit(size int, to netip.AddrPort) {
	o.sizes[o.n], o.to[o.n] = size, to
	o.n++
}

// Write sends what waits; what the kernel does not take is lost.
func (s *Socket) Write(o *Out) {
	for i := range o.n {
		_, _ = s.conn.WriteToUDPAddrPort(o.buffers[i][:o.sizes[i]], o.to[i])
	}
	o.n = 0
}
