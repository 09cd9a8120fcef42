package sfu

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"visavis/sfu/framed"
	"visavis/sfu/udp"
)

// firstCheck is how long a TCP connection may take to prove whose it is.
const firstCheck = 10 * time.Second

// tcpPort is one listening socket of ICE-TCP.
type tcpPort struct {
	node  *Node
	l     net.Listener
	local netip.AddrPort

	mu     sync.Mutex
	open   map[*stream]bool
	closed bool
	done   sync.WaitGroup
}

// stream is one connection, and whose it has proved to be.
type stream struct {
	conn   *framed.Conn
	remote netip.AddrPort
	owner  atomic.Pointer[peer]
}

func (n *Node) listenTCP() error {
	addrs, err := udp.Expand(n.cfg.TCP, n.cfg.Loopback)
	if err != nil {
		return err
	}
	for _, a := range addrs {
		l, err := net.Listen("tcp", a.String())
		if err != nil {
			return fmt.Errorf("sfu: listen tcp %s: %w", a, err)
		}
		n.tcp = append(n.tcp, &tcpPort{
			node: n, l: framed.Calm(l), local: udp.Plain(l.Addr().(*net.TCPAddr).AddrPort()), open: map[*stream]bool{},
		})
	}
	return nil
}

// run accepts until the listener is closed.
func (t *tcpPort) run() {
	defer t.done.Wait()
	for {
		c, err := t.l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			select { // no descriptors left: the next one may be luckier
			case <-t.node.stop:
				return
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		remote, _ := netip.ParseAddrPort(c.RemoteAddr().String())
		s := &stream{conn: framed.New(c), remote: udp.Plain(remote)}
		t.mu.Lock()
		if t.closed {
			_ = s.conn.Close()
		}
		t.open[s] = true
		t.mu.Unlock()
		t.done.Go(func() { t.serve(s) })
	}
}

func (t *tcpPort) serve(s *stream) {
	defer func() {
		_ = s.conn.Close()
		t.mu.Lock()
		delete(t.open, s)
		t.mu.Unlock()
	}()
	_ = s.conn.SetReadDeadline(time.Now().Add(firstCheck))
	proved := false
	var b [udp.MaxDatagram]byte
	for {
		size, err := s.conn.Receive(b[:])
		if err != nil {
			return
		}
		t.node.crew.lend(func(w *worker) {
			t.node.take(w, b[:size], path{stream: s})
			for range udp.Burst {
				if !s.conn.More() {
					return
				}
				if size, err = s.conn.Receive(b[:]); err != nil {
					return
				}
				t.node.take(w, b[:size], path{stream: s})
			}
		})
		if err != nil {
			return
		}
		if !proved && s.owner.Load() != nil {
			proved = true
			_ = s.conn.SetReadDeadline(time.Time{})
		}
	}
}

func (t *tcpPort) close() {
	_ = t.l.Close()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for s := range t.open {
		_ = s.conn.Close()
	}
}
