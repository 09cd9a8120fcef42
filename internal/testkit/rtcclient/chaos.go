package rtcclient

import (
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/pion/ice/v4"
)

// Chaos is a bad network around one client: what it sends and gets is lost at
// random, and what it gets comes through a narrow place with a queue of 300 ms.
// The zero Chaos is a perfect network.
type Chaos struct {
	mu   sync.Mutex
	loss float64
	rate float64
	late time.Duration
	free time.Time
	conn *badConn
}

// Move takes the client to another network: from now on it sends from another
// port, and what goes to the one before is lost.
func (c *Chaos) Move() error {
	next, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	c.mu.Lock()
	conn := c.conn
	c.mu.Unlock()
	return conn.move(next)
}

// queue is how much waits before a narrow place.
const queue = 300 * time.Millisecond

// Narrow lets no more than rate bits per second through to the client; 0: all.
func (c *Chaos) Narrow(rate int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rate = float64(rate)
}

// through says when a datagram that comes now is through; false: never.
func (c *Chaos) through(size int) (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if c.rate == 0 {
		c.free = now
		return now.Add(c.late), true
	}
	if c.free.Before(now) {
		c.free = now
	}
	if c.free.Sub(now) > queue {
		return now, false
	}
	c.free = c.free.Add(time.Duration(float64(size+28) * 8 / c.rate * 1e9))
	return c.free.Add(c.late), true
}

// Delay lets what comes to the client come later: a round trip takes d more.
func (c *Chaos) Delay(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.late = d
}

// Lose sets the fraction (0…1) of datagrams that is lost, each way.
func (c *Chaos) Lose(fraction float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loss = fraction
}

func (c *Chaos) lost() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.loss > 0 && rand.Float64() < c.loss
}

// badConn is a socket on a Chaos.
type badConn struct {
	chaos *Chaos
	in    chan delayed
	here  net.Addr // the address that the client believes it has

	mu     sync.Mutex
	socket net.PacketConn
	closed bool
}

type delayed struct {
	b    []byte
	from net.Addr
	at   time.Time
	err  error
}

// mux is a socket of our own, where the options ask for one.
func (o Options) mux() (ice.UDPMux, error) {
	switch {
	case o.Chaos != nil:
		udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		return ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: newBadConn(udp, o.Chaos)}), nil
	case o.IPv6: // pion does not find ::1 by itself
		udp, err := net.ListenPacket("udp6", "[::1]:0")
		if err != nil {
			return nil, err
		}
		return ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: udp}), nil
	}
	return nil, nil
}

func newBadConn(c net.PacketConn, chaos *Chaos) *badConn {
	b := &badConn{chaos: chaos, in: make(chan delayed, 4096), here: c.LocalAddr(), socket: c}
	chaos.mu.Lock()
	chaos.conn = b
	chaos.mu.Unlock()
	go b.pump(c)
	return b
}

func (b *badConn) pump(c net.PacketConn) {
	buf := make([]byte, 2000)
	for {
		n, from, err := c.ReadFrom(buf)
		if err != nil {
			if b.current() == c {
				b.in <- delayed{err: err}
			}
			return
		}
		if at, ok := b.chaos.through(n); ok && !b.chaos.lost() {
			b.in <- delayed{append([]byte(nil), buf[:n]...), from, at, nil}
		}
	}
}

func (b *badConn) current() net.PacketConn {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.socket
}

func (b *badConn) move(to net.PacketConn) error {
	b.mu.Lock()
	old := b.socket
	if b.closed {
		b.mu.Unlock()
		return to.Close()
	}
	b.socket = to
	b.mu.Unlock()
	go b.pump(to)
	return old.Close()
}

// LocalAddr is where the client began.
func (b *badConn) LocalAddr() net.Addr { return b.here }

// Close ends the socket of now.
func (b *badConn) Close() error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	return b.current().Close()
}

// SetDeadline does nothing: nobody here has one.
func (b *badConn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (b *badConn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (b *badConn) SetWriteDeadline(time.Time) error { return nil }

// ReadFrom gives the next datagram that is not lost, when it is through.
func (b *badConn) ReadFrom(p []byte) (int, net.Addr, error) {
	d := <-b.in
	if d.err != nil {
		b.in <- d // for whoever asks again
		return 0, nil, d.err
	}
	if wait := time.Until(d.at); wait > 0 {
		<-time.After(wait)
	}
	return copy(p, d.b), d.from, nil
}

// WriteTo sends a datagram, or loses it and says nothing.
func (b *badConn) WriteTo(p []byte, to net.Addr) (int, error) {
	if b.chaos.lost() {
		return len(p), nil
	}
	return b.current().WriteTo(p, to)
}

// arrival is when a packet of a section came first.
type arrival struct {
	seq int // unwrapped
	at  time.Time
}

// Quality is what a receiver would have seen and heard of a section.
type Quality struct {
	Received int
	Missing  int           // between the first and the last, never recovered
	Freeze   time.Duration // the longest wait for the next packet in order
}

// Quality sums up a section of a client made with Options.Trace, leaving out
// the last margin of packets, which may still be on their way. What is missing
// is passed over after it was waited for for a second, as a decoder does.
func (c *Media) Quality(mid string, margin int) Quality {
	c.mu.Lock()
	list := append([]arrival(nil), c.trace[mid]...)
	c.mu.Unlock()
	var q Quality
	if len(list) == 0 {
		return q
	}
	at := map[int]time.Time{}
	first, last := list[0].seq, list[0].seq
	for _, a := range list {
		if _, twice := at[a.seq]; !twice {
			at[a.seq] = a.at
		}
		first, last = min(first, a.seq), max(last, a.seq)
	}
	shown := at[first]
	for seq := first; seq <= last-margin; seq++ {
		t, ok := at[seq]
		if !ok {
			q.Missing++
			continue
		}
		q.Received++
		if t.After(shown) {
			q.Freeze = max(q.Freeze, t.Sub(shown))
			shown = t
		}
	}
	return q
}

// First is when the first packet came; zero: none yet.
func (c *Media) First() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.first
}

// Ceiling is the last bit rate that the server asked not to pass; 0: none.
func (c *Media) Ceiling() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ceiling
}

// Last is when the last packet came; zero: none yet.
func (c *Media) Last() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}
