package turn

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// The limits of stream connections.
const (
	streamsPerHost = 64
	streamsTotal   = 2000
	strangerWait   = 10 * time.Second // without an allocation
	ownerWait      = 11 * time.Minute // with one: longer than its lifetime
	writeWait      = 5 * time.Second
)

// guardedListener is a TCP or TLS listener behind the guard.
type guardedListener struct {
	net.Listener
	guard *guard
	name  string

	mu    sync.Mutex
	hosts map[netip.Prefix]int
	live  map[net.Conn]bool
	ended bool
}

func guardListener(l net.Listener, g *guard, name string) *guardedListener {
	return &guardedListener{Listener: l, guard: g, name: name, hosts: map[netip.Prefix]int{}, live: map[net.Conn]bool{}}
}

// Accept gives the next connection within the limits.
func (l *guardedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host := hostOf(clientAddr(c.RemoteAddr()).Addr())
		if !l.take(c, host) {
			_ = c.Close()
			continue
		}
		return &guardedStream{
			Conn: c, guard: l.guard, flow: flow{l.name, clientAddr(c.RemoteAddr())},
			r: bufio.NewReaderSize(c, 4096), free: sync.OnceFunc(func() { l.give(c, host) }),
		}, nil
	}
}

func (l *guardedListener) take(c net.Conn, h netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended || len(l.live) >= streamsTotal || l.hosts[h] >= streamsPerHost {
		return false
	}
	l.live[c] = true
	l.hosts[h]++
	return true
}

func (l *guardedListener) give(c net.Conn, h netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.live, c)
	if l.hosts[h]--; l.hosts[h] == 0 {
		delete(l.hosts, h)
	}
}

// Close ends the listener and every connection it gave.
func (l *guardedListener) Close() error {
	l.mu.Lock()
	l.ended = true
	for c := range l.live {
		_ = c.Close()
	}
	l.mu.Unlock()
	return l.Listener.Close()
}

// guardedStream gives whole, checked messages, one per Read: pion's own reader of
// streams never sees a part of one. Data of bound channels goes to the SFU from
// here.
type guardedStream struct {
	net.Conn
	guard *guard
	flow  flow
	r     *bufio.Reader
	free  func()
	frame []byte // of a channel, on its way
}

func (s *guardedStream) carry(enter Entry) { s.guard.carry(s.flow, s.frame, time.Now(), enter) }

// errFrame ends a connection whose bytes are no TURN.
var errFrame = errors.New("turn: not a frame")

// Read gives the next frame that the guard lets through. p must hold maxFrame.
func (s *guardedStream) Read(p []byte) (int, error) {
	if len(p) < maxFrame {
		return 0, io.ErrShortBuffer
	}
	for {
		wait := strangerWait
		if s.guard.owns(s.flow) {
			wait = ownerWait
		}
		if err := s.SetReadDeadline(time.Now().Add(wait)); err != nil {
			return 0, err
		}
		n, err := readFrame(s.r, p)
		if err != nil {
			return 0, err
		}
		if isChannel(p) {
			s.frame = p[:n]
			s.guard.relays.door.Burst(s.carry)
			continue
		}
		v := s.guard.in(s.flow, p[:n])
		if v.pass {
			return n, nil
		}
		if v.answer != nil {
			if err := s.send(v.answer); err != nil {
				return 0, err
			}
		}
	}
}

// readFrame reads one STUN message or ChannelData with its padding (RFC 8656
// §12.5).
func readFrame(r *bufio.Reader, p []byte) (int, error) {
	head, err := r.Peek(channelHeaderSize)
	if err != nil {
		return 0, err
	}
	size := int(binary.BigEndian.Uint16(head[2:]))
	switch head[0] & 0xC0 {
	case 0x00:
		size += headerSize
	case 0x40:
		size = channelHeaderSize + (size+3)&^3
	default:
		return 0, errFrame
	}
	if size > maxFrame {
		return 0, errFrame
	}
	return io.ReadFull(r, p[:size])
}

// Write sends one frame that the guard lets out.
func (s *guardedStream) Write(p []byte) (int, error) {
	out := s.guard.out(s.flow, p, nil)
	if out == nil {
		return len(p), nil
	}
	if err := s.send(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (s *guardedStream) send(b []byte) error {
	if err := s.SetWriteDeadline(time.Now().Add(writeWait)); err != nil {
		return err
	}
	_, err := s.Conn.Write(b)
	if err != nil {
		_ = s.Close() // half a frame may be out: the stream is of no use any more
	}
	return err
}

// Close frees the connection's place.
func (s *guardedStream) Close() error {
	s.free()
	return s.Conn.Close()
}

// owns says whether the flow has an allocation.
func (g *guard) owns(f flow) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.flows[f] != nil
}
