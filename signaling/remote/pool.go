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
	movesEach = 2         // rooms that leave a draining node at one look: their clients join again, and all at once would wait for each other
)

// PoolConfig is what a Pool needs.
type PoolConfig struct {
	Key control.Key
	// Nodes are always tried.
	Nodes []string
	// Find gives further nodes that are registered now. Nil: none. An error means
	// that nobody knows, and changes nothing.
	Find func(ctx context.Context) ([]string, error)
	Log  *slog.Logger
}

// room is where an encounter is placed.
type room struct {
	on   *link
	used time.Time
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
	changed chan struct{}   // closed and made anew when a node comes or goes
}

// NewPool makes a pool that reaches nobody before Start.
func NewPool(cfg PoolConfig) *Pool {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	p := &Pool{cfg: cfg, links: map[string]*link{}, rooms: map[care.EncounterID]*room{}, seats: map[place]*link{}, changed: make(chan struct{})}
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

// tend moves rooms away from nodes that are dead or about to stop.
func (p *Pool) tend() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	found := time.Now()
	for {
		select {
		case <-p.ctx.Done():
			return
		case now := <-tick.C:
			if now.Sub(found) >= findEvery {
				found = now
				p.find(p.ctx)
			}
			lost, moved := p.rehouse(now)
			if len(lost) > 0 {
				p.cfg.Log.Warn("media: rooms of a dead node stand elsewhere now", "rooms", len(lost))
				p.live.Reconcile(p.ctx, nil, lost)
			}
			for _, id := range moved {
				p.live.Move(id)
			}
		}
	}
}

// rehouse gives another node to rooms whose node is dead (lost) or about to stop
// (moved), when there is one.
func (p *Pool) rehouse(now time.Time) (lost, moved []care.EncounterID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	busy := map[care.EncounterID]bool{}
	for at := range p.seats {
		busy[at.encounter] = true
	}
	for id, r := range p.rooms {
		if !busy[id] && now.Sub(r.used) > forgetFor {
			delete(p.rooms, id)
			continue
		}
		dead := r.on.conn == nil && now.Sub(r.on.away) > deadAfter
		if !dead && (!r.on.draining || len(moved) == movesEach) {
			continue
		}
		to := p.leastLocked()
		if to == nil {
			continue
		}
		if from := r.on; dead {
			lost = append(lost, id)
			maps.DeleteFunc(p.seats, func(at place, l *link) bool { return at.encounter == id && l == from })
		} else {
			moved = append(moved, id)
		}
		r.on = to
	}
	return lost, moved
}

// leastLocked is the node with the fewest rooms that takes more; nil: none.
func (p *Pool) leastLocked() (best *link) {
	count := map[*link]int{}
	for _, r := range p.rooms {
		count[r.on]++
	}
	for _, addr := range slices.Sorted(maps.Keys(p.links)) {
		if l := p.links[addr]; l.open() && (best == nil || count[l] < count[best]) {
			best = l
		}
	}
	return best
}

// placeLocked gives the node of an encounter, and chooses one when it has none; nil:
// there is none now.
func (p *Pool) placeLocked(id care.EncounterID) *link {
	r := p.rooms[id]
	if r == nil {
		to := p.leastLocked()
		if to == nil {
			return nil
		}
		r = &room{on: to}
		p.rooms[id] = r
	}
	r.used = time.Now()
	return r.on
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

// seated notes where a seat's connection is, and ends the one it had elsewhere.
func (p *Pool) seated(at place, l *link) {
	p.mu.Lock()
	old := p.seats[at]
	p.seats[at] = l
	p.mu.Unlock()
	if old != nil && old != l {
		old.order(askDrop, seatOrder{Encounter: at.encounter, Seat: at.seat})
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

// at orders where a seat's connection is; nowhere when it has none.
func (p *Pool) at(what string, o seatOrder) {
	p.mu.Lock()
	l := p.seats[place{o.Encounter, o.Seat}]
	p.mu.Unlock()
	if l != nil {
		l.order(what, o)
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
