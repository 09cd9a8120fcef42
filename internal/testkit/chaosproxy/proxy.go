// Package chaosproxy is a bad network as a process sees it: a UDP relay between
// clients that nobody can change, such as browsers, and a server. It loses,
// delays, narrows and cuts what passes, both ways (trust.md §B13).
package chaosproxy

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Weather is what a datagram meets, each way on its own.
type Weather struct {
	// Loss is the share (0…1) that is lost: one by one, or in bursts when Burst
	// is more than 1.
	Loss float64
	// Burst is the mean number of datagrams lost together (Gilbert–Elliott with a
	// good state that loses nothing and a bad one that loses everything).
	Burst float64
	// Delay is the least that everything takes; Jitter is added to it at random,
	// up to its value: with more jitter than the time between two datagrams they
	// overtake each other.
	Delay, Jitter time.Duration
	// Rate is bits per second, 0: as fast as it comes. What waits for more than
	// 300 ms is lost.
	Rate int
	// Twice is the share (0…1) that comes twice.
	Twice float64
}

// queue is how much waits before a narrow place.
const queue = 300 * time.Millisecond

// Proxy relays between whoever sends to it and one server.
type Proxy struct {
	front  *net.UDPConn
	server *net.UDPAddr

	mu      sync.Mutex
	weather Weather
	clients map[netip.AddrPort]*client
	closed  bool
	work    sync.WaitGroup
}

type client struct {
	back     *net.UDPConn
	up, down way
}

// way is one direction of one client.
type way struct {
	free time.Time // when the narrow place is free again
	bad  bool      // in a burst
}

// Open listens on front and relays to server.
func Open(front, server netip.AddrPort) (*Proxy, error) {
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(front))
	if err != nil {
		return nil, err
	}
	p := &Proxy{front: c, server: net.UDPAddrFromAddrPort(server), clients: map[netip.AddrPort]*client{}}
	p.work.Go(p.listen)
	return p, nil
}

// Set changes the weather, for what passes from now on.
func (p *Proxy) Set(w Weather) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.weather = w
}

// Close ends the relay and frees its sockets.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	err := p.front.Close()
	for _, c := range p.clients {
		err = errors.Join(err, c.back.Close())
	}
	p.mu.Unlock()
	p.work.Wait()
	return err
}

func (p *Proxy) listen() {
	buf := make([]byte, 2048)
	for {
		n, from, err := p.front.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		c := p.clientOf(from)
		if c == nil {
			return
		}
		p.pass(&c.up, buf[:n], func(b []byte) { _, _ = c.back.Write(b) })
	}
}

func (p *Proxy) clientOf(from netip.AddrPort) *client {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.clients[from]; c != nil {
		return c
	}
	back, err := net.DialUDP("udp", nil, p.server)
	if err != nil || p.closed {
		return nil
	}
	c := &client{back: back}
	p.clients[from] = c
	p.work.Go(func() {
		buf := make([]byte, 2048)
		for {
			n, err := back.Read(buf)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil { // an ICMP error is the server's silence
				p.pass(&c.down, buf[:n], func(b []byte) { _, _ = p.front.WriteToUDPAddrPort(b, from) })
			}
		}
	})
	return c
}

// pass lets a datagram through when its time has come, or not.
func (p *Proxy) pass(w *way, b []byte, send func([]byte)) {
	p.mu.Lock()
	copies, at := p.fate(w, len(b))
	p.mu.Unlock()
	wait := time.Until(at)
	if copies == 1 && wait <= 0 {
		send(b)
		return
	}
	kept := append([]byte(nil), b...)
	for range copies {
		time.AfterFunc(wait, func() { send(kept) })
	}
}

// fate is how often a datagram arrives, and when.
func (p *Proxy) fate(w *way, size int) (copies int, at time.Time) {
	now, x := time.Now(), p.weather
	at = now.Add(x.Delay)
	if x.Jitter > 0 {
		at = at.Add(rand.N(x.Jitter))
	}
	if x.Rate > 0 {
		if w.free.Before(now) {
			w.free = now
		}
		if w.free.Sub(now) > queue {
			return 0, at
		}
		w.free = w.free.Add(time.Duration(float64(size+28) * 8 / float64(x.Rate) * 1e9))
		at = at.Add(w.free.Sub(now))
	}
	if x.lost(w) {
		return 0, at
	}
	if rand.Float64() < x.Twice {
		return 2, at
	}
	return 1, at
}

func (x Weather) lost(w *way) bool {
	if x.Loss <= 0 || x.Burst <= 1 || x.Loss >= 1 {
		w.bad = false
		return rand.Float64() < x.Loss
	}
	leave := 1 / x.Burst // of the bad state; the share of time in it is Loss
	if w.bad {
		w.bad = rand.Float64() >= leave
	} else {
		w.bad = rand.Float64() < leave*x.Loss/(1-x.Loss)
	}
	return w.bad
}
