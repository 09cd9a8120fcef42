package turn

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Door is the way into the SFU without a network.
type Door interface {
	// Addresses are those that clients know the SFU by.
	Addresses() []netip.AddrPort
	// Burst lets datagrams in as if they came from the network, while do runs.
	Burst(do func(enter Entry))
	// Leave sends what goes to an address of prefix to exit, and calls done after
	// the last one of a burst.
	Leave(prefix netip.Prefix, exit func(b []byte, from, to netip.AddrPort), done func())
}

// Entry lets one datagram in, from a virtual address. b may be changed.
type Entry = func(b []byte, from, to netip.AddrPort) bool

// virtualPrefix is TEST-NET-3 (RFC 5737): never routed, so a mistake cannot
// reach anyone.
func virtualPrefix() netip.Prefix { return netip.MustParsePrefix("203.0.113.0/24") }

// waiting is how many datagrams may wait for one relayed client.
const waiting = 256

// errNoAddress: all virtual addresses that were tried are taken.
var errNoAddress = errors.New("turn: no relay address free")

// relays are the virtual sockets by address.
type relays struct {
	door   Door
	max    int           // trust B4: above it, error 508
	wish   atomic.Uint32 // port of the next open: the other half of a pair
	mu     sync.RWMutex
	byAddr map[netip.AddrPort]*relayConn
	closed func(*relayConn)
	wires  []wire // sockets of clients, flushed after each burst
}

func newRelays(d Door, max int) *relays {
	return &relays{door: d, max: max, byAddr: map[netip.AddrPort]*relayConn{}}
}

// begin takes from now on what the SFU sends.
func (r *relays) begin(wires []wire) {
	r.wires = wires
	r.door.Leave(virtualPrefix(), r.arrive, r.flush)
}

func (r *relays) flush() {
	for _, w := range r.wires {
		w.flush()
	}
}

// open makes a virtual socket under a random port; port, when not 0, is the one
// that is wished (EVEN-PORT).
func (r *relays) open(port int) (*relayConn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.byAddr) >= r.max {
		return nil, errNoAddress
	}
	for range 32 {
		var b [2]byte
		if _, err := rand.Read(b[:]); err != nil {
			return nil, err
		}
		a := netip.AddrPortFrom(virtualPrefix().Addr().Next(), binary.BigEndian.Uint16(b[:])|0x8000)
		if port == 0 {
			port = int(r.wish.Swap(0))
		}
		if port != 0 {
			a = netip.AddrPortFrom(a.Addr(), uint16(port))
		}
		if r.byAddr[a] != nil {
			continue
		}
		c := &relayConn{
			all: r, addr: a, in: make(chan *arrived, waiting), done: make(chan struct{}),
		}
		c.limit.Store(newBudget())
		c.used.Store(time.Now().UnixNano())
		r.byAddr[a] = c
		return c, nil
	}
	return nil, errNoAddress
}

// arrive takes what the SFU sends to a virtual address: where a channel is bound
// it goes straight to the client's socket, else by pion.
func (r *relays) arrive(b []byte, from, to netip.AddrPort) {
	r.mu.RLock()
	c := r.byAddr[to]
	r.mu.RUnlock()
	now := time.Now()
	if c == nil || !c.limit.Load().down.AllowN(now, len(b)) {
		return
	}
	if back := c.back.Load(); back != nil {
		if number := back.channel(from, now); number != 0 {
			c.used.Store(now.UnixNano())
			back.wire.put(number, b, back.client)
			return
		}
	}
	select {
	case c.in <- &arrived{append([]byte(nil), b...), from}:
		c.used.Store(now.UnixNano())
	default: // the client's link is full: drop, as a socket would
	}
}

func (r *relays) find(a netip.AddrPort) *relayConn {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.byAddr[a]
}

// idle closes what nobody used since before.
func (r *relays) idle(before time.Time) {
	r.mu.RLock()
	var old []*relayConn
	for _, c := range r.byAddr {
		if c.used.Load() < before.UnixNano() {
			old = append(old, c)
		}
	}
	r.mu.RUnlock()
	for _, c := range old {
		_ = c.Close()
	}
}

// reaches says whether a is an address of our SFU: address and port.
func (r *relays) reaches(a netip.AddrPort) bool {
	for _, x := range r.door.Addresses() {
		if x == a {
			return true
		}
	}
	return false
}

func (r *relays) reachesIP(ip netip.Addr) bool {
	for _, x := range r.door.Addresses() {
		if x.Addr() == ip {
			return true
		}
	}
	return false
}

type arrived struct {
	b    []byte
	from netip.AddrPort
}

// relayConn is the relay side of one allocation: a net.PacketConn that exists
// in memory only.
type relayConn struct {
	all  *relays
	addr netip.AddrPort
	in   chan *arrived
	done chan struct{}
	once sync.Once
	used atomic.Int64
	back atomic.Pointer[wayBack] // nil: by pion only

	limit atomic.Pointer[budget]
}

// budget is what a participant may send and be sent, with all allocations.
type budget struct{ up, down *rate.Limiter }

func newBudget() *budget {
	return &budget{rate.NewLimiter(participantRate, participantBurst), rate.NewLimiter(participantRate, participantBurst)}
}

// wayBack is how what the SFU sends reaches a client by channels.
type wayBack struct {
	wire     wire
	client   netip.AddrPort
	channels []channel
}

// channel is the number bound to a peer, 0 for none.
func (k *wayBack) channel(peer netip.AddrPort, now time.Time) uint16 {
	for i := range k.channels {
		if c := &k.channels[i]; c.peer == peer && now.Before(c.until) {
			return c.number
		}
	}
	return 0
}

// carry hands a client's data to the SFU, within the participant's rate.
func (c *relayConn) carry(b []byte, peer netip.AddrPort, now time.Time, enter Entry) {
	if c.limit.Load().up.AllowN(now, len(b)) {
		c.used.Store(now.UnixNano())
		enter(b, c.addr, peer)
	}
}

// share makes the connection count against its participant's budget.
func (c *relayConn) share(l *budget) { c.limit.Store(l) }

// ReadFrom gives what the SFU sent.
func (c *relayConn) ReadFrom(p []byte) (int, net.Addr, error) {
	select {
	case a := <-c.in:
		return copy(p, a.b), net.UDPAddrFromAddrPort(a.from), nil
	case <-c.done:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo hands a client's datagram to the SFU. To any other address it is
// lost, and the caller is told that it was sent: a probe learns nothing.
func (c *relayConn) WriteTo(p []byte, to net.Addr) (int, error) {
	select {
	case <-c.done:
		return 0, net.ErrClosed
	default:
	}
	u, ok := to.(*net.UDPAddr)
	if !ok {
		return len(p), nil
	}
	dst := u.AddrPort()
	dst = netip.AddrPortFrom(dst.Addr().Unmap(), dst.Port())
	if c.all.reaches(dst) {
		c.all.door.Burst(func(enter Entry) { c.carry(p, dst, time.Now(), enter) })
	}
	return len(p), nil
}

// Close frees the address; pion then deletes the allocation.
func (c *relayConn) Close() error {
	c.once.Do(func() {
		c.all.mu.Lock()
		delete(c.all.byAddr, c.addr)
		c.all.mu.Unlock()
		close(c.done)
		if c.all.closed != nil {
			c.all.closed(c)
		}
	})
	return nil
}

// LocalAddr is the virtual address.
func (c *relayConn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(c.addr) }

// SetDeadline is not needed by the relay.
func (c *relayConn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline is not needed by the relay.
func (c *relayConn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline is not needed by the relay.
func (c *relayConn) SetWriteDeadline(time.Time) error { return nil }
