package rtcclient

import (
	"encoding/binary"
	"net"
	"sync"
	"syscall"
	"unsafe"
)

// pictures are larger than this, bytes; what is smaller carries no time.
const pictures = 500

// stamped is a socket that knows when the kernel got each RTP packet, so that a
// measure of a server is not one of how late a busy client wakes up.
type stamped struct {
	*net.UDPConn

	mu sync.Mutex
	at map[uint64]int64 // by SSRC and number: ns since 1970
}

func newStamped() (*stamped, error) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	var no error
	if err := raw.Control(func(fd uintptr) { no = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1) }); err != nil {
		return nil, err
	}
	return &stamped{UDPConn: c, at: map[uint64]int64{}}, no
}

// ReadFrom notes when the kernel got what it reads.
func (s *stamped) ReadFrom(b []byte) (int, net.Addr, error) {
	var control [64]byte
	n, got, _, from, err := s.ReadMsgUDP(b, control[:])
	if err != nil {
		return n, nil, err
	}
	if n <= pictures || b[0]>>6 != 2 { // no RTP (RFC 7983), or sound
		return n, from, nil
	}
	list, err := syscall.ParseSocketControlMessage(control[:got])
	if err != nil {
		return n, from, nil
	}
	for _, m := range list {
		if m.Header.Level == syscall.SOL_SOCKET && m.Header.Type == syscall.SO_TIMESTAMPNS && len(m.Data) >= int(unsafe.Sizeof(syscall.Timespec{})) {
			t := (*syscall.Timespec)(unsafe.Pointer(&m.Data[0]))
			s.mu.Lock()
			s.at[key(binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint16(b[2:]))] = t.Nano()
			s.mu.Unlock()
		}
	}
	return n, from, nil
}

// take gives when a packet came, once.
func (s *stamped) take(ssrc uint32, seq uint16) (int64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := key(ssrc, seq)
	at, ok := s.at[k]
	delete(s.at, k)
	return at, ok
}

func key(ssrc uint32, seq uint16) uint64 { return uint64(ssrc)<<16 | uint64(seq) }
