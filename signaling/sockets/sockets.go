// Package sockets counts the open WebSockets, so that no person and no network
// takes the memory of everybody (issue 9, C5).
package sockets

import (
	"sync"

	"visavis/internal/limit"
)

// Limits are the most sockets that may be open at once. Zero means the default.
type Limits struct {
	All     int // of this process
	Network int // of one address: a /32 of IPv4, a /64 of IPv6
	Session int // of one sign-in
}

// Default leaves room for a hospital that reaches us from one address: 1,000
// people at once behind it. A socket in use costs about 40 kB.
func Default() Limits { return Limits{All: 10_000, Network: 1_000, Session: 10} }

// Over is the limit that a further socket would break.
type Over string

// The limits by name; None: there is room.
const (
	None    Over = ""
	All     Over = "all"
	Network Over = "network"
	Session Over = "session"
)

// Counter counts. Its methods may be called by several goroutines.
type Counter struct {
	limits Limits

	mu       sync.Mutex
	all      int
	networks map[string]int
	sessions map[string]int
}

// New returns a counter without sockets.
func New(l Limits) *Counter {
	d := Default()
	if l.All <= 0 {
		l.All = d.All
	}
	if l.Network <= 0 {
		l.Network = d.Network
	}
	if l.Session <= 0 {
		l.Session = d.Session
	}
	return &Counter{limits: l, networks: map[string]int{}, sessions: map[string]int{}}
}

// Open counts one more socket of an address and a sign-in. The caller calls release
// when the socket ends; further calls do nothing. When over names a limit, release
// is nil and nothing was counted.
func (c *Counter) Open(address, session string) (release func(), over Over) {
	network := limit.Network(address)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.sessions[session] >= c.limits.Session:
		return nil, Session
	case c.networks[network] >= c.limits.Network:
		return nil, Network
	case c.all >= c.limits.All:
		return nil, All
	}
	c.all++
	c.networks[network]++
	c.sessions[session]++
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.all--
		drop(c.networks, network)
		drop(c.sessions, session)
	}), None
}

// drop counts one less, and deletes an entry that reaches zero.
func drop(counts map[string]int, key string) {
	if counts[key]--; counts[key] <= 0 {
		delete(counts, key)
	}
}
