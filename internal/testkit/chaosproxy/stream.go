package chaosproxy

import (
	"net"
	"sync"
	"time"
)

// Stream is a long way for connections of TCP: what is opened through it and
// what the server answers comes one round trip later.
type Stream struct {
	front  net.Listener
	server string
	rtt    time.Duration

	mu     sync.Mutex
	open   []net.Conn
	closed bool
	work   sync.WaitGroup
}

// OpenStream listens on a free port of the loopback and relays to server.
func OpenStream(server string, rtt time.Duration) (*Stream, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Stream{front: l, server: server, rtt: rtt}
	s.work.Go(s.listen)
	return s, nil
}

// Addr is where to connect.
func (s *Stream) Addr() string { return s.front.Addr().String() }

// Close ends the relay and what passes through it.
func (s *Stream) Close() error {
	err := s.front.Close()
	s.mu.Lock()
	s.closed = true
	for _, c := range s.open {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.work.Wait()
	return err
}

func (s *Stream) listen() {
	for {
		here, err := s.front.Accept()
		if err != nil {
			return
		}
		there, err := net.Dial("tcp", s.server)
		if err != nil {
			_ = here.Close()
			continue
		}
		s.mu.Lock()
		s.open = append(s.open, here, there)
		closed := s.closed
		s.mu.Unlock()
		if closed { // between Accept and here
			_, _ = here.Close(), there.Close()
			return
		}
		opened := time.Now().Add(s.rtt) // the handshake of TCP
		s.work.Go(func() { relay(there, here, 0, opened) })
		s.work.Go(func() { relay(here, there, s.rtt, opened) })
	}
}

// relay passes on what comes, each piece delay after it came and not before first.
func relay(to, from net.Conn, delay time.Duration, first time.Time) {
	type piece struct {
		b  []byte
		at time.Time
	}
	line := make(chan piece, 1024)
	var out sync.WaitGroup
	out.Go(func() {
		for p := range line {
			<-time.After(time.Until(p.at))
			if _, err := to.Write(p.b); err != nil {
				_ = from.Close()
			}
		}
		_ = to.Close()
	})
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			at := time.Now().Add(delay)
			if at.Before(first) {
				at = first
			}
			line <- piece{append([]byte(nil), buf[:n]...), at}
		}
		if err != nil {
			break
		}
	}
	close(line)
	out.Wait()
}
