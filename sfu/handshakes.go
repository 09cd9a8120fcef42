package sfu

import (
	"net/netip"
	"sync"
	"time"
)

// What a handshake may cost us (trust.md B10): it is the one thing here that
// takes real work before anybody has proved more than an address.
const (
	handshakesASecond = 50  // begun by one source
	handshakesOpen    = 500 // not done yet, of everybody
	sourcesKept       = 4096
	handshakeTime     = 10 * time.Second
)

// handshakes says which may begin. What may not is dropped: a client that is
// honest says hello again.
type handshakes struct {
	mu      sync.Mutex
	open    int
	sources map[netip.Prefix]int64 // when the source has paid for what it began, ns
}

// begin takes a place for a handshake of a source; every true wants a done.
func (h *handshakes) begin(from netip.Addr, now int64) bool {
	const price = int64(time.Second) / handshakesASecond
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open == handshakesOpen {
		return false
	}
	key := sourceOf(from)
	paid := max(h.sources[key], now)
	if paid-now > int64(time.Second)-price {
		return false
	}
	if len(h.sources) >= sourcesKept {
		for k, at := range h.sources {
			if at <= now {
				delete(h.sources, k)
			}
		}
		if len(h.sources) >= sourcesKept {
			return false
		}
	}
	if h.sources == nil {
		h.sources = map[netip.Prefix]int64{}
	}
	h.sources[key] = paid + price
	h.open++
	return true
}

func (h *handshakes) done() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open--
}

// sourceOf is an IPv4 address, or the network that one IPv6 subscriber has.
func sourceOf(a netip.Addr) netip.Prefix {
	bits := 64
	if a = a.Unmap(); a.Is4() {
		bits = 32
	}
	p, _ := a.Prefix(bits) // fails for an address without bits, of which there is none
	return p
}
