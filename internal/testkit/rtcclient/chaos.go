package rtcclient

import (
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Chaos is a bad network around one client: what it sends and gets is lost at
// random. The zero Chaos loses nothing.
type Chaos struct {
	mu   sync.Mutex
	loss float64
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
	net.PacketConn
	chaos *Chaos
}

// ReadFrom gives the next datagram that is not lost.
func (b *badConn) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		n, from, err := b.PacketConn.ReadFrom(p)
		if err != nil || !b.chaos.lost() {
			return n, from, err
		}
	}
}

// WriteTo sends a datagram, or loses it and says nothing.
func (b *badConn) WriteTo(p []byte, to net.Addr) (int, error) {
	if b.chaos.lost() {
		return len(p), nil
	}
	return b.PacketConn.WriteTo(p, to)
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

// Delays are how long each picture packet took since the last call, for Stamped
// senders on this machine.
func (c *Media) Delays() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.delays
	c.delays = nil
	return d
}

// First is when the first packet came; zero: none yet.
func (c *Media) First() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.first
}
