package sfu

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"visavis/internal/clock"
	"visavis/sfu/handshake"
	"visavis/sfu/session"
)

// MaxPeers is how many peers a room takes: the client's offer has slots for the
// five others.
const MaxPeers = 6

// The errors of Offer. They say nothing about people and may be logged.
var (
	// ErrOffer: the SDP cannot be used (no BUNDLE, unknown sections, too many).
	ErrOffer = session.ErrOffer
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
	dtls   *handshake.Server
	ports  []*port
	tcp    []*tcpPort
	door   atomic.Pointer[sideDoor]
	events *queue
	work   sync.WaitGroup // goroutines of peers
	loops  sync.WaitGroup // goroutines of sockets, and the rhythm
	stop   chan struct{}
	epoch  time.Time
	total  counters
	shakes handshakes

	crew crew

	names struct {
		sync.RWMutex
		peers map[string]*peer // by our ICE user fragment
	}

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
	dtls, err := handshake.NewServer(cfg.Log)
	if err != nil {
		return nil, err
	}
	n := &Node{cfg: cfg, dtls: dtls, rooms: map[string]*room{}, stop: make(chan struct{}), epoch: time.Now()}
	n.names.peers = map[string]*peer{}
	if err := n.listen(); err != nil {
		n.closeSockets()
		return nil, err
	}
	n.events = newQueue(cfg.Events)
	n.crew.node = n
	for _, p := range n.ports {
		n.loops.Go(p.run)
	}
	for _, t := range n.tcp {
		n.loops.Go(t.run)
	}
	n.loops.Go(n.rhythm)
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

// Close ends every room and frees the sockets. It returns when every goroutine
// of the node is gone or ctx is done.
func (n *Node) Close(ctx context.Context) error {
	n.mu.Lock()
	already := n.closed
	n.closed = true
	rooms := make([]*room, 0, len(n.rooms))
	for _, r := range n.rooms {
		rooms = append(rooms, r)
	}
	n.mu.Unlock()
	if already {
		return nil
	}
	for _, r := range rooms {
		r.dropAll(CauseShutdown)
	}
	done := make(chan struct{})
	go func() {
		n.work.Wait()
		close(n.stop)
		n.closeSockets()
		n.loops.Wait()
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
	for _, p := range n.ports {
		_ = p.sock.Close()
	}
	for _, t := range n.tcp {
		t.close()
	}
}

// counters add up over the life of the node.
type counters struct{ in, out, nack, rtx, pli atomic.Uint64 }

// Stats are sums since the node opened, and what is there now. They name
// nobody.
type Stats struct {
	Rooms, Peers       int
	PacketsIn          uint64
	PacketsOut         uint64
	Nacks, Retransmits uint64
	KeyFrameRequests   uint64
}

// Stats reads the counters.
func (n *Node) Stats() Stats {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := Stats{
		Rooms: len(n.rooms), PacketsIn: n.total.in.Load(), PacketsOut: n.total.out.Load(),
		Nacks: n.total.nack.Load(), Retransmits: n.total.rtx.Load(), KeyFrameRequests: n.total.pli.Load(),
	}
	for _, r := range n.rooms {
		r.mu.Lock()
		s.Peers += len(r.peers)
		r.mu.Unlock()
	}
	return s
}

// emit queues an event stamped with now.
func (n *Node) emit(e Event) {
	e.At = n.cfg.Clock.Now()
	n.events.put(e)
}

// ns is the monotonic time since the node opened.
func (n *Node) ns() int64 { return int64(time.Since(n.epoch)) }
