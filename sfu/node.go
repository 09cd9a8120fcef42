package sfu

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"
	"visavis/internal/clock"
)

// MaxPeers is how many peers a room takes: the client's offer has slots for the
// five others.
const MaxPeers = 6

// The errors of Offer. They say nothing about people and may be logged.
var (
	// ErrOffer: the SDP cannot be used (no BUNDLE, unknown sections, too many).
	ErrOffer = errors.New("sfu: offer refused")
	// ErrUnknownPeer: a restart of a PeerConnection that is not here.
	ErrUnknownPeer = errors.New("sfu: no such peer")
	// ErrRoomFull: MaxPeers are in the room.
	ErrRoomFull = errors.New("sfu: room full")
	// ErrClosed: the node is closing.
	ErrClosed = errors.New("sfu: node closed")
)

// Config is what a Node needs. Zero durations take the defaults named here.
type Config struct {
	// UDP addresses to listen on. An unspecified address (0.0.0.0, ::) stands
	// for each address of the machine of that family, on the same port; port 0
	// picks one.
	UDP []netip.AddrPort
	// TCP addresses for ICE-TCP (RFC 6544), same rules. None: no ICE-TCP.
	TCP []netip.AddrPort
	// Public are the addresses told to clients instead of the local ones, when
	// the machine stands behind a one-to-one NAT.
	Public []netip.Addr
	// Loopback tells clients the loopback addresses too: for a demonstration or
	// a test on one machine.
	Loopback bool
	// Handshake is how long ICE and DTLS may take after the answer. 15 s.
	Handshake time.Duration
	// Lost is the silence after which a peer's media counts as cut. 4 s.
	Lost time.Duration
	// Failed is the further silence after which the peer is dropped. 30 s.
	Failed time.Duration
	// Clock stamps events. System.
	Clock clock.Clock
	// Log gets technical lines without addresses. slog.Default.
	Log *slog.Logger
	// Events gets every Event in order, from one goroutine. Required.
	Events func(Event)
}

// Node is one media server: sockets, rooms, and the queue of events.
type Node struct {
	cfg    Config
	api    *engine
	ports  []*port
	tcp    ice.TCPMux
	udp    ice.UDPMux
	door   atomic.Pointer[sideDoor]
	events *queue
	work   sync.WaitGroup // peers being closed
	total  counters

	mu     sync.Mutex
	rooms  map[string]*room
	closed bool
}

// Open binds the sockets and starts the node.
func Open(cfg Config) (*Node, error) {
	cfg = cfg.withDefaults()
	if cfg.Events == nil {
		return nil, errors.New("sfu: Config.Events is required")
	}
	n := &Node{cfg: cfg, rooms: map[string]*room{}}
	if err := n.listen(); err != nil {
		n.closeSockets()
		return nil, err
	}
	eng, err := newEngine(cfg, n.udp, n.tcp)
	if err != nil {
		n.closeSockets()
		return nil, err
	}
	n.api = eng
	n.events = newQueue(cfg.Events)
	return n, nil
}

func (c Config) withDefaults() Config {
	if c.Handshake == 0 {
		c.Handshake = 15 * time.Second
	}
	if c.Lost == 0 {
		c.Lost = 4 * time.Second
	}
	if c.Failed == 0 {
		c.Failed = 30 * time.Second
	}
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c
}

func (n *Node) listen() error {
	addrs, err := expand(n.cfg.UDP, n.cfg.Loopback)
	if err != nil {
		return err
	}
	logs := logFactory{n.cfg.Log}
	var muxes []ice.UDPMux
	for _, a := range addrs {
		p, err := openPort(a, &n.door)
		if err != nil {
			return fmt.Errorf("sfu: listen udp %s: %w", a, err)
		}
		n.ports = append(n.ports, p)
		muxes = append(muxes, ice.NewUDPMuxDefault(ice.UDPMuxParams{Logger: logs.NewLogger("udp"), UDPConn: p}))
	}
	n.udp = ice.NewMultiUDPMuxDefault(muxes...)
	if len(n.ports) == 0 {
		return errors.New("sfu: no UDP address to listen on")
	}
	return n.listenTCP(logs)
}

func (n *Node) listenTCP(logs logFactory) error {
	addrs, err := expand(n.cfg.TCP, n.cfg.Loopback)
	if err != nil || len(addrs) == 0 {
		return err
	}
	var muxes []ice.TCPMux
	for _, a := range addrs {
		l, err := net.Listen("tcp", a.String())
		if err != nil {
			return errors.Join(fmt.Errorf("sfu: listen tcp %s: %w", a, err), closeTCP(muxes))
		}
		muxes = append(muxes, ice.NewTCPMuxDefault(ice.TCPMuxParams{
			Listener:             &calmListener{Listener: l, perHost: map[string]int{}},
			Logger:               logs.NewLogger("tcp"),
			ReadBufferSize:       64,
			WriteBufferSize:      1 << 20,
			FirstStunBindTimeout: 10 * time.Second,
		}))
	}
	n.tcp = ice.NewMultiTCPMuxDefault(muxes...)
	return nil
}

func closeTCP(muxes []ice.TCPMux) error {
	var err error
	for _, m := range muxes {
		err = errors.Join(err, m.Close())
	}
	return err
}

// expand replaces unspecified addresses by those of the interfaces.
func expand(addrs []netip.AddrPort, loopback bool) ([]netip.AddrPort, error) {
	var out []netip.AddrPort
	seen := map[netip.AddrPort]bool{}
	add := func(a netip.AddrPort) {
		if a = plain(a); !seen[a] {
			seen[a] = true
			out = append(out, a)
		}
	}
	for _, a := range addrs {
		if !a.Addr().IsUnspecified() {
			add(a)
			continue
		}
		ifs, err := net.InterfaceAddrs()
		if err != nil {
			return nil, fmt.Errorf("sfu: list interfaces: %w", err)
		}
		for _, i := range ifs {
			p, err := netip.ParsePrefix(i.String())
			if err != nil || p.Addr().IsLinkLocalUnicast() || p.Addr().Is4() != a.Addr().Is4() {
				continue
			}
			if !p.Addr().IsLoopback() || loopback {
				add(netip.AddrPortFrom(p.Addr(), a.Port()))
			}
		}
	}
	return out, nil
}

// Addresses are the UDP addresses under which clients reach this node: what a
// closed relay may send to.
func (n *Node) Addresses() []netip.AddrPort {
	var out []netip.AddrPort
	for _, p := range n.ports {
		if len(n.cfg.Public) == 0 {
			out = append(out, p.local)
			continue
		}
		for _, pub := range n.cfg.Public {
			if pub.Unmap().Is4() == p.local.Addr().Is4() {
				out = append(out, netip.AddrPortFrom(pub.Unmap(), p.local.Port()))
			}
		}
	}
	return out
}

// Enter brings in a datagram of a relayed client: from is its virtual address,
// to one of Addresses. False: to is not ours, or the door is full.
func (n *Node) Enter(b []byte, from, to netip.AddrPort) bool {
	to = plain(to)
	if len(b) > maxDatagram {
		return false
	}
	for _, p := range n.ports {
		if p.local == to {
			return p.enter(b, from)
		}
	}
	for _, pub := range n.cfg.Public {
		for _, p := range n.ports {
			if to == netip.AddrPortFrom(pub.Unmap(), p.local.Port()) && pub.Unmap().Is4() == p.local.Addr().Is4() {
				return p.enter(b, from)
			}
		}
	}
	return false
}

// Leave sends what goes to an address inside prefix to exit instead of the
// network. The from given to exit is one of Addresses.
func (n *Node) Leave(prefix netip.Prefix, exit Exit) {
	n.door.Store(&sideDoor{prefix: prefix, exit: func(b []byte, from, to netip.AddrPort) {
		exit(b, n.advertised(from), to)
	}})
}

func (n *Node) advertised(local netip.AddrPort) netip.AddrPort {
	for _, pub := range n.cfg.Public {
		if pub.Unmap().Is4() == local.Addr().Is4() {
			return netip.AddrPortFrom(pub.Unmap(), local.Port())
		}
	}
	return local
}

// Close ends every room and frees the sockets. It returns when every goroutine
// of the node is gone or ctx is done.
func (n *Node) Close(ctx context.Context) error {
	n.mu.Lock()
	n.closed = true
	rooms := make([]*room, 0, len(n.rooms))
	for _, r := range n.rooms {
		rooms = append(rooms, r)
	}
	n.mu.Unlock()
	for _, r := range rooms {
		r.dropAll(CauseShutdown)
	}
	done := make(chan struct{})
	go func() {
		n.work.Wait()
		n.closeSockets()
		n.events.close()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (n *Node) closeSockets() {
	if n.udp != nil {
		_ = n.udp.Close()
	}
	for _, p := range n.ports {
		_ = p.Close()
	}
	if n.tcp != nil {
		_ = n.tcp.Close()
	}
}

var _ webrtc.TrackLocal = (*slot)(nil)
