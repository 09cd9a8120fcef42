package sfu

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"visavis/sfu/udp"
)

// port is one UDP socket, with one goroutine that reads it and carries each
// packet all the way, and who stands at which address.
type port struct {
	node  *Node
	index int
	sock  *udp.Socket
	local netip.AddrPort
	known []netip.AddrPort // what clients are told for local

	mu    sync.Mutex // of who changes the table
	table atomic.Pointer[map[netip.AddrPort]*peer]
}

// path is where a datagram came from, and goes to.
type path struct {
	port   *port
	addr   netip.AddrPort
	side   bool    // behind the side door
	stream *stream // over TCP; then nothing else is set
}

// remote is the address of the other end.
func (x *path) remote() netip.AddrPort {
	if x.stream != nil {
		return x.stream.remote
	}
	return x.addr
}

func (p *port) owner(a netip.AddrPort) *peer { return (*p.table.Load())[a] }

// claim notes that a peer has proved to be at an address: its own check came
// from there. The table is copied, so that its readers take no lock.
func (p *port) claim(a netip.AddrPort, owner *peer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := maps.Clone(*p.table.Load())
	next[a] = owner
	p.table.Store(&next)
}

func (p *port) release(a netip.AddrPort, owner *peer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := maps.Clone(*p.table.Load())
	if next[a] == owner {
		delete(next, a)
	}
	p.table.Store(&next)
}

// run reads until the socket is closed.
func (p *port) run() {
	w := p.node.crew.hire()
	in := udp.NewIn()
	for {
		n, err := p.sock.Read(in)
		if err != nil {
			return
		}
		w.begin()
		for i := range n {
			b, from := in.At(i)
			p.node.take(w, b, path{port: p, addr: from})
		}
		w.end()
	}
}

func (n *Node) listen() error {
	addrs, err := udp.Expand(n.cfg.UDP, n.cfg.Loopback)
	if err != nil {
		return fmt.Errorf("sfu: %w", err)
	}
	for i, a := range addrs {
		s, err := udp.Listen(a)
		if err != nil {
			return fmt.Errorf("sfu: listen udp %s: %w", a, err)
		}
		p := &port{node: n, index: i, sock: s, local: s.Local(), known: n.public([]netip.AddrPort{s.Local()})}
		p.table.Store(&map[netip.AddrPort]*peer{})
		n.ports = append(n.ports, p)
	}
	if len(n.ports) == 0 {
		return errors.New("sfu: no UDP address to listen on")
	}
	return n.listenTCP()
}

// public gives the addresses that clients are told for local ones.
func (n *Node) public(locals []netip.AddrPort) (out []netip.AddrPort) {
	for _, l := range locals {
		if len(n.cfg.Public) == 0 {
			out = append(out, l)
		}
		for _, pub := range n.cfg.Public {
			if a := netip.AddrPortFrom(pub.Unmap(), l.Port()); a.Addr().Is4() == l.Addr().Is4() {
				out = append(out, a)
			}
		}
	}
	return out
}

// Addresses are the UDP addresses under which clients reach this node: what a
// closed relay may send to.
func (n *Node) Addresses() []netip.AddrPort {
	var all []netip.AddrPort
	for _, p := range n.ports {
		all = append(all, p.known...)
	}
	return all
}

// Exit takes a datagram that leaves through the side door to a virtual address.
// The slice is the caller's again when Exit returns.
type Exit = func(b []byte, from, to netip.AddrPort)

// Entry brings in a datagram of a relayed client and carries it all the way: from
// is its virtual address, to one of Addresses. b is opened in place. False: to is
// not ours.
type Entry = func(b []byte, from, to netip.AddrPort) bool

// sideDoor says which addresses are not on the network but behind Exit.
type sideDoor struct {
	prefix netip.Prefix
	exit   Exit
	done   func()
}

// Enter is Burst for one datagram.
func (n *Node) Enter(b []byte, from, to netip.AddrPort) (ours bool) {
	n.Burst(func(enter Entry) { ours = enter(b, from, to) })
	return ours
}

// Burst lets many datagrams in at once, on the caller's goroutine: what they
// make leaves together when do returns.
func (n *Node) Burst(do func(enter Entry)) { n.crew.lend(func(w *worker) { do(w.enter) }) }

// entry is what a worker lets datagrams in by.
func (n *Node) entry(w *worker) Entry {
	return func(b []byte, from, to netip.AddrPort) bool {
		to = udp.Plain(to)
		for _, p := range n.ports {
			if slices.Contains(p.known, to) && len(b) <= udp.MaxDatagram {
				n.take(w, b, path{port: p, addr: from, side: true})
				return true
			}
		}
		return false
	}
}

// Leave sends what goes to an address inside prefix to exit instead of the
// network, and calls done after the last one of a burst. The from given to exit
// is one of Addresses.
func (n *Node) Leave(prefix netip.Prefix, exit Exit, done func()) {
	n.door.Store(&sideDoor{prefix: prefix, exit: exit, done: done})
}
