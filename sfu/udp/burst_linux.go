//go:build linux && (amd64 || arm64)

package udp

import (
	"net/netip"
	"syscall"
	"unsafe"
)

// header is struct mmsghdr of recvmmsg(2).
type header struct {
	msg  syscall.Msghdr
	size uint32
	_    [4]byte
}

// ring is the memory that the kernel reads and writes: buffers, and what says
// where they are. Every pointer in it points into itself.
type ring struct {
	headers [Burst]header
	vectors [Burst]syscall.Iovec
	names   [Burst]syscall.RawSockaddrInet6
	buffers [Burst][MaxDatagram]byte
}

func newRing() *ring {
	r := &ring{}
	for i := range Burst {
		r.vectors[i].Base = &r.buffers[i][0]
		r.vectors[i].SetLen(MaxDatagram)
		h := &r.headers[i].msg
		h.Name = (*byte)(unsafe.Pointer(&r.names[i]))
		h.Namelen = syscall.SizeofSockaddrInet6
		h.Iov = &r.vectors[i]
		h.Iovlen = 1
	}
	return r
}

// In is a burst that was read. It belongs to one reader.
type In struct {
	*ring
	n, seen int
	errno   syscall.Errno
	call    func(fd uintptr) bool
}

// NewIn makes room for a burst.
func NewIn() *In {
	in := &In{ring: newRing()}
	in.call = func(fd uintptr) bool {
		n, _, errno := syscall.RawSyscall6(sysRecvmmsg, fd, uintptr(unsafe.Pointer(&in.headers[0])), Burst, syscall.MSG_DONTWAIT, 0, 0)
		in.n, in.errno = int(n), errno
		return errno != syscall.EAGAIN && errno != syscall.EINTR
	}
	return in
}

// Read waits for datagrams and gives how many there are, one at least. It ends
// with net.ErrClosed; errors that a stranger can cause are passed over.
func (s *Socket) Read(in *In) (int, error) {
	for i := range in.seen {
		in.headers[i].msg.Namelen = syscall.SizeofSockaddrInet6
	}
	for {
		if err := s.raw.Read(in.call); err != nil {
			return 0, err
		}
		if in.errno == 0 {
			in.seen = in.n
			return in.n, nil
		}
	}
}

// At gives datagram i of the burst and where it came from; both are valid until
// the next Read. A datagram that did not fit is given empty.
func (in *In) At(i int) ([]byte, netip.AddrPort) {
	h := &in.headers[i]
	if h.msg.Flags&syscall.MSG_TRUNC != 0 {
		return nil, netip.AddrPort{}
	}
	name := &in.names[i]
	b := in.buffers[i][:h.size]
	if name.Family == syscall.AF_INET {
		v4 := (*syscall.RawSockaddrInet4)(unsafe.Pointer(name))
		return b, netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), swap(v4.Port))
	}
	return b, netip.AddrPortFrom(netip.AddrFrom16(name.Addr).Unmap(), swap(name.Port))
}

func swap(p uint16) uint16 { return p<<8 | p>>8 }

// Out is a burst to be written. It belongs to one writer.
type Out struct {
	*ring
	n, from, sent int
	errno         syscall.Errno
	call          func(fd uintptr) bool
}

// NewOut makes room for a burst.
func NewOut() *Out {
	o := &Out{ring: newRing()}
	o.call = func(fd uintptr) bool {
		n, _, errno := syscall.RawSyscall6(sysSendmmsg, fd, uintptr(unsafe.Pointer(&o.headers[o.from])), uintptr(o.n-o.from), syscall.MSG_DONTWAIT, 0, 0)
		o.sent, o.errno = int(n), errno
		return true
	}
	return o
}

// Len is how many datagrams wait.
func (o *Out) Len() int { return o.n }

// Full says that Write must come before the next Next.
func (o *Out) Full() bool { return o.n == Burst }

// Next is the buffer of the next datagram, MaxDatagram long.
func (o *Out) Next() []byte { return o.buffers[o.n][:] }

// Commit makes the first size bytes of Next a datagram for to.
func (o *Out) Commit(size int, to netip.AddrPort) {
	o.vectors[o.n].SetLen(size)
	h := &o.headers[o.n].msg
	if a := to.Addr(); a.Is4() {
		v4 := (*syscall.RawSockaddrInet4)(unsafe.Pointer(&o.names[o.n]))
		v4.Family, v4.Port, v4.Addr = syscall.AF_INET, swap(to.Port()), a.As4()
		h.Namelen = syscall.SizeofSockaddrInet4
	} else {
		v6 := &o.names[o.n]
		v6.Family, v6.Port, v6.Addr = syscall.AF_INET6, swap(to.Port()), a.As16()
		h.Namelen = syscall.SizeofSockaddrInet6
	}
	o.n++
}

// Write sends what waits. What the kernel does not take is lost, as on a full
// link: waiting here would make every room late.
func (s *Socket) Write(o *Out) {
	for o.from < o.n {
		if err := s.raw.Write(o.call); err != nil {
			break
		}
		switch {
		case o.errno == 0:
			o.from += o.sent
		case o.errno == syscall.EAGAIN || o.errno == syscall.ENOBUFS:
			o.from = o.n
		case o.errno == syscall.EINTR:
		default:
			o.from++ // this one has no way; the next may
		}
	}
	o.n, o.from = 0, 0
}
