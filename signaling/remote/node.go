package remote

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"visavis/internal/care"
	"visavis/internal/control"
	"visavis/signaling"
)

// Carrier is what really carries media: signaling/local.
type Carrier interface {
	signaling.Media
	signaling.Relay
	Tell(to func(signaling.MediaEvent))
}

// warnBefore is how long before the end of a drain people are told (trust B12).
const warnBefore = 2 * time.Minute

// keptEvents is how many events a node can say again.
const keptEvents = 4096

// NodeConfig is what a Node needs.
type NodeConfig struct {
	// Addr is where the application finds it: unix:/path or host:port.
	Addr    string
	Key     control.Key
	Carrier Carrier
	// Keep is how long rooms go on without an application. 10 min.
	Keep time.Duration
	Log  *slog.Logger
}

// place is one seat of one encounter.
type place struct {
	encounter care.EncounterID
	seat      string
}

// Node answers for one media process.
type Node struct {
	cfg      NodeConfig
	run      string
	listener *control.Listener
	ledger   *ledger
	stop     chan struct{}
	closing  sync.Once
	working  sync.WaitGroup

	mu       sync.Mutex
	n        uint64
	ring     []event
	standing map[place]signaling.Standing
	app      *control.Conn // who was told everything so far
	since    time.Time     // without an application
	draining bool
	moveAt   time.Time     // when those that are here should move, if draining
	leaving  chan struct{} // closed when draining begins
	emptied  chan struct{} // closed when draining and nobody is here
}

// OpenNode listens for the application.
func OpenNode(cfg NodeConfig) (*Node, error) {
	if cfg.Keep == 0 {
		cfg.Keep = 10 * time.Minute
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	n := &Node{
		cfg: cfg, run: care.NewID(time.Now()), stop: make(chan struct{}), standing: map[place]signaling.Standing{},
		since: time.Now(), leaving: make(chan struct{}), emptied: make(chan struct{}),
	}
	n.ledger = newLedger(n.run)
	cfg.Carrier.Tell(n.heard)
	var err error
	n.listener, err = control.Listen(cfg.Addr, cfg.Key, func(c *control.Conn) control.Handler { return &caller{n, c} })
	if err != nil {
		return nil, err
	}
	n.working.Go(n.tend)
	n.working.Go(func() { n.ledger.run(n.stop) })
	return n, nil
}

// Addr is where the node is, as a Pool takes it.
func (n *Node) Addr() string { return n.listener.Addr() }

// Run names the life of this process.
func (n *Node) Run() string { return n.run }

// Drain takes no new room from now on and returns when nobody is left or ctx
// ends. For soft the calls that are here go on; then the application moves them
// to another node. Unless patient it returns at once when there is no
// application or no other node; who is patient goes on until then, for as long
// as it takes (trust B12). empty tells that nobody is left.
func (n *Node) Drain(ctx context.Context, soft time.Duration, patient bool) (empty bool) {
	n.mu.Lock()
	if !n.draining {
		close(n.leaving)
	}
	n.draining, n.moveAt = true, time.Now().Add(soft)
	app := n.app
	n.emptyLocked()
	n.mu.Unlock()
	var err error
	if app != nil {
		err = app.Ask(ctx, askDraining, draining{soft.Milliseconds()}, nil)
	}
	lost := make(<-chan struct{})
	if !patient {
		if app == nil || err != nil {
			return n.empty()
		}
		lost = app.Done()
	}
	var warn <-chan time.Time
	if end, ok := ctx.Deadline(); ok {
		warn = time.After(time.Until(end) - warnBefore)
	}
	for {
		select {
		case <-n.emptied:
		case <-lost:
		case <-ctx.Done():
		case <-warn:
			n.warn(ctx)
			continue
		}
		return n.empty()
	}
}

// warn has the application tell who is still here that it ends with ctx.
func (n *Node) warn(ctx context.Context) {
	n.mu.Lock()
	app := n.app
	n.mu.Unlock()
	if end, ok := ctx.Deadline(); ok && app != nil {
		_ = app.Tell(tellEnding, ending{int(time.Until(end).Round(time.Second).Seconds())}) // or nobody is there to tell
	}
}

func (n *Node) empty() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.standing) == 0
}

func (n *Node) opened() opened {
	n.mu.Lock()
	defer n.mu.Unlock()
	o := opened{Run: n.run, N: n.n, Draining: n.draining}
	if n.draining {
		o.MoveIn = max(0, time.Until(n.moveAt).Milliseconds())
	}
	return o
}

// Draining tells whether no new room is wanted.
func (n *Node) Draining() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.draining
}

func (n *Node) emptyLocked() {
	if !n.draining || len(n.standing) > 0 {
		return
	}
	select {
	case <-n.emptied:
	default:
		close(n.emptied)
	}
}

// Close hands over what is still to be written, for as long as ctx lives, and
// hangs up.
func (n *Node) Close(ctx context.Context) error {
	n.ledger.drain(ctx)
	n.closing.Do(func() { close(n.stop) })
	err := n.listener.Close()
	n.working.Wait()
	return err
}

// heard takes what the carrier tells, in order.
func (n *Node) heard(e signaling.MediaEvent) {
	if len(e.Flows) > 0 {
		n.ledger.add(e.Encounter, e.Flows)
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	at := place{e.Encounter, e.Seat}
	if s, ok := n.standing[at]; ok && s.PC == e.PC && e.Speaking == nil {
		switch {
		case e.Gone:
			delete(n.standing, at)
		case e.Slots != nil:
			s.Slots = e.Slots
			n.standing[at] = s
		default:
			s.Link = e.Link
			n.standing[at] = s
		}
		n.emptyLocked()
	}
	n.n++
	if len(n.ring) == keptEvents {
		n.ring = append(n.ring[:0:0], n.ring[keptEvents/4:]...)
	}
	n.ring = append(n.ring, event{n.n, e})
	if n.app != nil && n.app.Tell(tellEvent, event{n.n, e}) != nil {
		n.leftLocked()
	}
}

func (n *Node) leftLocked() {
	n.app, n.since = nil, time.Now()
	n.ledger.to(nil)
}

// begin tells a connection what it missed and what there is; from then on it
// hears everything.
func (n *Node) begin(c *control.Conn, last uint64) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.app != nil && n.app != c {
		n.app.Close()
	}
	if len(n.ring) > 0 && last+1 >= n.ring[0].N {
		for _, e := range n.ring {
			if e.N <= last {
				continue
			}
			if err := c.Tell(tellEvent, e); err != nil {
				return err
			}
		}
	}
	list := make([]signaling.Standing, 0, len(n.standing))
	for _, s := range n.standing {
		list = append(list, s)
	}
	if err := c.Tell(tellStanding, list); err != nil {
		return err
	}
	n.app = c
	n.ledger.to(c)
	return nil
}

// tend notices that the application is gone, and ends what nobody answers for.
func (n *Node) tend() {
	tick := time.NewTicker(min(time.Second, n.cfg.Keep/4))
	defer tick.Stop()
	for {
		select {
		case <-n.stop:
			return
		case <-tick.C:
		}
		n.mu.Lock()
		if n.app != nil {
			select {
			case <-n.app.Done():
				n.leftLocked()
			default:
			}
		}
		var rooms []care.EncounterID
		if n.app == nil && time.Since(n.since) > n.cfg.Keep {
			for at := range n.standing {
				rooms = append(rooms, at.encounter)
				delete(n.standing, at)
			}
			n.emptyLocked()
		}
		n.mu.Unlock()
		for _, id := range rooms {
			n.cfg.Log.Warn("media: a room ended, its application is away for too long")
			n.cfg.Carrier.Drop(id, "")
		}
	}
}

// caller is one connection of an application.
type caller struct {
	node *Node
	conn *control.Conn
}

// Told implements control.Handler: an application tells nothing yet.
func (*caller) Told(string, json.RawMessage) {}

// Asked implements control.Handler.
func (c *caller) Asked(ctx context.Context, what string, body json.RawMessage) (any, error) {
	var o seatOrder
	switch what {
	case askOpen:
		return c.node.opened(), nil
	case askBegin:
		var b begin
		if err := json.Unmarshal(body, &b); err != nil {
			return nil, err
		}
		return nil, c.node.begin(c.conn, b.Last)
	case askOffer:
		var o signaling.Offer
		if err := json.Unmarshal(body, &o); err != nil {
			return nil, err
		}
		return c.node.offer(ctx, o)
	case askUpdate, askView, askDrop, askGrant, askRevoke:
		if err := json.Unmarshal(body, &o); err != nil {
			return nil, err
		}
	default:
		return nil, &control.Refusal{Code: control.CodeUnknown}
	}
	return c.node.obey(what, o), nil
}

func (n *Node) obey(what string, o seatOrder) any {
	at := place{o.Encounter, o.Seat}
	switch what {
	case askUpdate:
		n.mu.Lock()
		if s, ok := n.standing[at]; ok {
			s.Sources = o.Sources
			n.standing[at] = s
		}
		n.mu.Unlock()
		n.cfg.Carrier.Update(o.Encounter, o.Seat, o.Sources)
	case askView:
		n.cfg.Carrier.View(o.Encounter, o.Seat, o.Heights)
	case askDrop:
		n.mu.Lock()
		for x := range n.standing {
			if x.encounter == o.Encounter && (x.seat == o.Seat || o.Seat == "") {
				delete(n.standing, x)
			}
		}
		n.emptyLocked()
		n.mu.Unlock()
		n.cfg.Carrier.Drop(o.Encounter, o.Seat)
	case askGrant:
		return n.cfg.Carrier.Grant(o.Encounter, o.Seat)
	case askRevoke:
		n.cfg.Carrier.Revoke(o.Encounter, o.Seat)
	}
	return nil
}

func (n *Node) offer(ctx context.Context, o signaling.Offer) (any, error) {
	at := place{o.Encounter, o.Seat}
	if !o.Restart {
		n.mu.Lock()
		n.standing[at] = signaling.Standing{Encounter: o.Encounter, Seat: o.Seat, PC: o.PC, Note: o.Note, Link: signaling.LinkConnecting}
		n.mu.Unlock()
	}
	sdp, err := n.cfg.Carrier.Offer(ctx, o)
	if err != nil {
		n.mu.Lock()
		if s := n.standing[at]; !o.Restart && s.PC == o.PC {
			delete(n.standing, at)
			n.emptyLocked()
		}
		n.mu.Unlock()
		if no := refuse(err); !errors.Is(no, err) {
			return nil, no
		}
		n.cfg.Log.Warn("media: offer failed", "err", err)
		return nil, err
	}
	return answered{sdp}, nil
}
