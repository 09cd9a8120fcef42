package remote

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"visavis/internal/care"
	"visavis/internal/control"
	"visavis/signaling"
)

// Live is who hears what the nodes tell: signaling.Service.
type Live interface {
	Heard(e signaling.MediaEvent)
	Flowed(ctx context.Context, run string, n uint64, list []signaling.EncounterFlows) error
	Reconcile(ctx context.Context, held []signaling.Standing, placed []care.EncounterID)
	Move(id care.EncounterID)
	Ending(id care.EncounterID, in int)
}

// The pool's rhythm.
const (
	lookEvery = 250 * time.Millisecond
	deadAfter = 1500 * time.Millisecond // a node away for longer loses its rooms to another, if there is one
	offerWait = 8 * time.Second         // for a node that can take an offer
	dropWait  = 2 * time.Second
	grantWait = time.Second
	findEvery = time.Second
	forgetFor = time.Hour // a room without seats keeps its node that long
)

// PoolConfig is what a Pool needs.
type PoolConfig struct {
	Key control.Key
	// Nodes are always tried.
	Nodes []string
	// Find gives further nodes that are registered now. Nil: none. An error means
	// that nobody knows, and changes nothing.
	Find func(ctx context.Context) ([]string, error)
	// Followed tells that another application took over: then no node is opened,
	// as a node belongs to whoever opened it last. Nil: never.
	Followed func(ctx context.Context) bool
	Log      *slog.Logger
}

// room is where an encounter is placed.
type room struct {
	on    *link
	used  time.Time
	moved time.Time // since when its clients go there from a node that stops; zero: all are there
}

// Pool is signaling's Media and Relay over the nodes that there are.
type Pool struct {
	cfg     PoolConfig
	live    Live
	ctx     context.Context
	cancel  context.CancelFunc
	working sync.WaitGroup

	mu      sync.Mutex
	links   map[string]*link // by address
	rooms   map[care.EncounterID]*room
	seats   map[place]*link // where the seat's connection is
	stays   map[place]*stay // and the one before it, on a node that stops
	changed chan struct{}   // closed and made anew when a node comes or goes
}

// NewPool makes a pool that reaches nobody before Start.
func NewPool(cfg PoolConfig) *Pool {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	p := &Pool{cfg: cfg, links: map[string]*link{}, rooms: map[care.EncounterID]*room{}, seats: map[place]*link{}, stays: map[place]*stay{}, changed: make(chan struct{})}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// Start reaches out, and returns when every node that is known now has said what
// it holds, or ctx ends: until then nobody should be let in, or who has a
// connection there would be given a new one.
func (p *Pool) Start(ctx context.Context, live Live) {
	p.live = live
	p.find(ctx)
	p.working.Go(p.tend)
	for {
		p.mu.Lock()
		settled := len(p.links) > 0
		for _, l := range p.links {
			settled = settled && l.settled
		}
		changed := p.changed
		p.mu.Unlock()
		if settled {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// Close hangs up. Media goes on.
func (p *Pool) Close() {
	p.cancel()
	p.working.Wait()
}

// Ready tells how many nodes take rooms now.
func (p *Pool) Ready() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.links {
		if l.open() {
			n++
		}
	}
	return n
}

func (p *Pool) tellLocked() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// find adds the nodes that are known now, and forgets those that are not and
// do not answer either.
func (p *Pool) find(ctx context.Context) {
	known := slices.Clone(p.cfg.Nodes)
	if p.cfg.Find != nil {
		ctx, cancel := context.WithTimeout(ctx, findEvery)
		more, err := p.cfg.Find(ctx)
		cancel()
		if err != nil {
			known = append(known, p.addresses()...)
		}
		known = append(known, more...)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, addr := range known {
		if p.links[addr] == nil {
			l := &link{pool: p, addr: addr, away: time.Now()}
			l.ctx, l.cancel = context.WithCancel(p.ctx)
			p.links[addr] = l
			p.working.Go(l.loop)
		}
	}
	for addr, l := range p.links {
		if !slices.Contains(known, addr) && l.conn == nil && time.Since(l.away) > 4*deadAfter {
			l.cancel()
			delete(p.links, addr)
			p.tellLocked()
		}
	}
}

func (p *Pool) addresses() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Keys(p.links))
}

// Offer implements signaling.Media. It waits for a node while there is none.
func (p *Pool) Offer(ctx context.Context, o signaling.Offer) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, offerWait)
	defer cancel()
	at := place{o.Encounter, o.Seat}
	for {
		p.mu.Lock()
		l := p.placeLocked(o.Encounter)
		if o.Restart {
			l = p.seats[at]
		}
		changed := p.changed
		var conn *control.Conn
		if l != nil && l.settled {
			conn = l.conn
		}
		p.mu.Unlock()
		if o.Restart && l == nil {
			return "", signaling.ErrPCUnknown
		}
		if conn != nil {
			var out answered
			err := conn.Ask(ctx, askOffer, o, &out)
			if err == nil {
				p.seated(at, l)
				return out.SDP, nil
			}
			if !errors.Is(err, control.ErrClosed) {
				return "", refused(err)
			}
			changed = l.lostNow(conn)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// Update implements signaling.Media.
func (p *Pool) Update(id care.EncounterID, seat string, s signaling.Sources) {
	p.at(askUpdate, seatOrder{Encounter: id, Seat: seat, Sources: s})
}

// View implements signaling.Media.
func (p *Pool) View(id care.EncounterID, seat string, heights map[string]int) {
	p.at(askView, seatOrder{Encounter: id, Seat: seat, Heights: heights})
}

// at orders where a seat's connection is; nowhere when it has none. What it
// means to send counts for the one that it leaves too: who is held is nowhere
// heard.
func (p *Pool) at(what string, o seatOrder) {
	at := place{o.Encounter, o.Seat}
	p.mu.Lock()
	l, was := p.seats[at], p.stays[at]
	p.mu.Unlock()
	if l != nil {
		l.order(what, o)
	}
	if was != nil && what == askUpdate {
		was.on.order(what, o)
	}
}

// Drop implements signaling.Media.
func (p *Pool) Drop(id care.EncounterID, seat string) {
	p.mu.Lock()
	var on []*link
	if r := p.rooms[id]; r != nil { // an offer may be on its way there
		on = append(on, r.on)
	}
	for at, l := range p.seats {
		if at.encounter == id && (at.seat == seat || seat == "") {
			delete(p.seats, at)
			on = append(on, l)
		}
	}
	for at, was := range p.stays {
		if at.encounter == id && (at.seat == seat || seat == "") {
			delete(p.stays, at)
			on = append(on, was.on)
		}
	}
	p.mu.Unlock()
	p.each(on, askDrop, seatOrder{Encounter: id, Seat: seat})
}

// each orders and waits until it is done where somebody can be reached.
func (p *Pool) each(on []*link, what string, o seatOrder) {
	ctx, cancel := context.WithTimeout(p.ctx, dropWait)
	defer cancel()
	slices.SortFunc(on, func(a, b *link) int { return strings.Compare(a.addr, b.addr) })
	var done []<-chan struct{}
	for _, l := range slices.Compact(on) {
		done = append(done, l.order(what, o))
	}
	for _, d := range done {
		select {
		case <-d:
		case <-ctx.Done():
		}
	}
}

// Grant implements signaling.Relay: the TURN of the node where the room is. When
// none can be asked there are no servers, and rejoin will bring some.
func (p *Pool) Grant(id care.EncounterID, seat string) signaling.ICE {
	p.mu.Lock()
	l := p.placeLocked(id)
	var conn *control.Conn
	if l != nil {
		conn = l.conn
	}
	p.mu.Unlock()
	ice := signaling.ICE{Servers: []signaling.ICEServer{}, ExpiresAt: time.Now().UTC(), Policy: "all"}
	if conn == nil {
		return ice
	}
	ctx, cancel := context.WithTimeout(p.ctx, grantWait)
	defer cancel()
	var got signaling.ICE
	if err := conn.Ask(ctx, askGrant, seatOrder{Encounter: id, Seat: seat}, &got); err != nil {
		return ice
	}
	return got
}

// Revoke implements signaling.Relay, everywhere: what was granted is good at
// each node.
func (p *Pool) Revoke(id care.EncounterID, seat string) {
	p.mu.Lock()
	links := slices.Collect(maps.Values(p.links))
	p.mu.Unlock()
	for _, l := range links {
		l.order(askRevoke, seatOrder{Encounter: id, Seat: seat})
	}
}
