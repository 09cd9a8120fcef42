package remote

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"slices"
	"syscall"
	"time"

	"visavis/internal/care"
	"visavis/internal/control"
	"visavis/signaling"
)

const (
	openWait = 2 * time.Second
	backOff  = 20 * time.Millisecond
	backMost = time.Second
	maxOrder = 10_000
)

// order is something that a node must do in its run, once it can be told.
type order struct {
	what string
	in   seatOrder
	done chan struct{}
}

// link is one node and the way to it. What is not said otherwise is under the
// pool's lock.
type link struct {
	pool   *Pool
	addr   string
	ctx    context.Context
	cancel context.CancelFunc

	conn     *control.Conn // nil: away
	away     time.Time     // since when
	gone     bool          // and nobody listens there: the process is dead, not the way to it
	run      string
	last     uint64 // the last event heard of the run
	draining bool
	moveAt   time.Time // when its rooms move, if it is draining
	settled  bool      // it has said what it holds
	todo     []*order
}

// errFollowed: the nodes belong to another application.
var errFollowed = errors.New("remote: another application took over")

// open tells whether it takes a room.
func (l *link) open() bool { return l.conn != nil && !l.draining && l.settled }

// dial opens a connection and puts it to use.
func (l *link) dial() (conn *control.Conn, lost <-chan struct{}, err error) {
	if f := l.pool.cfg.Followed; f != nil && f(l.ctx) {
		return nil, nil, errFollowed
	}
	conn, err = control.Dial(l.ctx, l.addr, l.pool.cfg.Key, func(*control.Conn) control.Handler { return l })
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(l.ctx, openWait)
	defer cancel()
	var o opened
	if err := conn.Ask(ctx, askOpen, nil, &o); err != nil {
		conn.Close()
		return nil, nil, err
	}
	l.enter(conn, o)
	return conn, conn.Done(), nil
}

// loop connects again and again.
func (l *link) loop() {
	wait := backOff
	for l.ctx.Err() == nil {
		conn, lost, err := l.dial()
		if err == nil {
			wait = backOff
			select {
			case <-lost:
			case <-l.ctx.Done():
				conn.Close()
			}
			l.leave(conn)
			conn.Wait()
			continue
		}
		l.missed(err)
		select {
		case <-time.After(wait):
			wait = min(2*wait, backMost)
		case <-l.ctx.Done():
		}
	}
}

// missed notes why nobody could be reached.
func (l *link) missed(err error) {
	if !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, os.ErrNotExist) {
		return
	}
	p := l.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if !l.gone {
		l.gone = true
		p.tellLocked()
	}
}

// deadLocked: its rooms should stand elsewhere.
func (l *link) deadLocked(now time.Time) bool {
	return l.conn == nil && (l.gone || now.Sub(l.away) > deadAfter)
}

// enter says again what was not answered, in its order, then asks what was
// missed. In another run nothing of before is there.
func (l *link) enter(conn *control.Conn, o opened) {
	p := l.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.run != o.Run {
		for _, x := range l.todo {
			close(x.done)
		}
		l.run, l.last, l.todo = o.Run, o.N, nil
	}
	l.conn, l.gone, l.draining, l.settled = conn, false, o.Draining, false
	l.moveAt = time.Now().Add(time.Duration(o.MoveIn) * time.Millisecond)
	for _, x := range l.todo {
		l.sayLocked(x)
	}
	pending, err := conn.Begin(askBegin, begin{Last: l.last})
	if err == nil {
		p.working.Go(func() {
			ctx, cancel := context.WithTimeout(l.ctx, openWait)
			defer cancel()
			if pending.Wait(ctx, nil) != nil {
				conn.Close()
			}
		})
	}
	p.tellLocked()
}

func (l *link) leave(conn *control.Conn) {
	p := l.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.conn == conn {
		l.conn, l.away = nil, time.Now()
	}
	p.tellLocked()
}

// lostNow notes that conn was found closed, and gives what to wait for: what is
// closed already when there is another.
func (l *link) lostNow(conn *control.Conn) chan struct{} {
	p := l.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.conn == conn {
		l.conn, l.away = nil, time.Now()
	}
	if l.conn == nil {
		return p.changed
	}
	now := make(chan struct{})
	close(now)
	return now
}

// order has something done in this run of the node; the channel is closed when
// it is, or when there is no such run any more.
func (l *link) order(what string, in seatOrder) <-chan struct{} {
	p := l.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	x := &order{what: what, in: in, done: make(chan struct{})}
	if l.conn == nil && l.run == "" || len(l.todo) >= maxOrder {
		close(x.done)
		return x.done
	}
	l.todo = append(l.todo, x)
	if l.conn != nil {
		l.sayLocked(x)
	}
	return x.done
}

func (l *link) sayLocked(x *order) {
	pending, err := l.conn.Begin(x.what, x.in)
	if err != nil {
		return // said again by the next enter
	}
	run, conn := l.run, l.conn
	l.pool.working.Go(func() {
		if pending.Wait(l.ctx, nil) == control.ErrClosed || l.ctx.Err() != nil {
			return
		}
		l.answered(run, conn, x)
	})
}

func (l *link) answered(run string, conn *control.Conn, x *order) {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	if l.run != run || l.conn != conn {
		return
	}
	for i, y := range l.todo {
		if y == x {
			l.todo = append(l.todo[:i:i], l.todo[i+1:]...)
			close(x.done)
			return
		}
	}
}

// Asked implements control.Handler.
func (l *link) Asked(ctx context.Context, what string, body json.RawMessage) (any, error) {
	switch what {
	case askFlows:
	case askDraining:
		var d draining
		if err := json.Unmarshal(body, &d); err != nil {
			return nil, err
		}
		return nil, l.drained(d)
	default:
		return nil, &control.Refusal{Code: control.CodeUnknown}
	}
	var f flows
	if err := json.Unmarshal(body, &f); err != nil {
		return nil, err
	}
	return nil, l.pool.live.Flowed(ctx, f.Run, f.N, f.List)
}

// Told implements control.Handler.
func (l *link) Told(what string, body json.RawMessage) {
	p := l.pool
	switch what {
	case tellEvent:
		var e event
		if json.Unmarshal(body, &e) != nil || !l.fresh(e) {
			return
		}
		p.live.Heard(e.MediaEvent)
	case tellEnding:
		var e ending
		if json.Unmarshal(body, &e) == nil {
			for _, id := range l.here() {
				p.live.Ending(id, e.In)
			}
		}
	case tellStanding:
		var list []signaling.Standing
		if json.Unmarshal(body, &list) == nil {
			p.reconcile(l, list)
		}
	}
}

// here gives the encounters that have a connection there.
func (l *link) here() []care.EncounterID {
	p := l.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	ids := map[care.EncounterID]bool{}
	for at, on := range p.seats {
		if on == l {
			ids[at.encounter] = true
		}
	}
	return slices.Collect(maps.Keys(ids))
}

// drained takes no more rooms there. Those that are there move in their time, as
// soon as there is somewhere to go.
func (l *link) drained(d draining) error {
	p := l.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	l.draining, l.moveAt = true, time.Now().Add(time.Duration(d.MoveIn)*time.Millisecond)
	p.tellLocked()
	if p.leastLocked() == nil {
		return &control.Refusal{Code: nowhere}
	}
	return nil
}

// fresh counts an event; false: it was heard before.
func (l *link) fresh(e event) bool {
	p := l.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.N <= l.last {
		return false
	}
	l.last = e.N
	at := place{e.Encounter, e.Seat}
	if e.Gone && p.seats[at] == l && e.Link != signaling.LinkNone {
		delete(p.seats, at)
	}
	if was := p.stays[at]; was != nil {
		p.stayedLocked(at, was, l, e.MediaEvent)
	}
	return true
}

// reconcile compares what a node holds with where rooms are placed. What stands
// elsewhere by now is dropped here.
func (p *Pool) reconcile(l *link, list []signaling.Standing) {
	var keep []signaling.Standing
	var away []place
	var placed []care.EncounterID
	p.mu.Lock()
	for at, on := range p.seats {
		if on == l {
			delete(p.seats, at)
		}
	}
	stayed := map[place]bool{}
	for at, was := range p.stays {
		if was.on == l {
			stayed[at] = true
			delete(p.stays, at)
		}
	}
	for _, s := range list {
		at := place{s.Encounter, s.Seat}
		if stayed[at] {
			away = append(away, at) // its new connection stands, or is asked for again
			continue
		}
		r := p.rooms[s.Encounter]
		if r == nil {
			r = &room{on: l, used: time.Now()}
			p.rooms[s.Encounter] = r
		}
		if r.on != l && (p.seats[at] != nil || !l.draining) {
			away = append(away, at)
			continue
		}
		p.seats[at] = l
		keep = append(keep, s)
	}
	for id, r := range p.rooms {
		if r.on == l {
			placed = append(placed, id)
		}
	}
	p.mu.Unlock()
	for _, at := range away {
		l.order(askDrop, seatOrder{Encounter: at.encounter, Seat: at.seat})
	}
	p.live.Reconcile(p.ctx, keep, placed)
	p.cfg.Log.Info("media: a node is here", "node", l.addr, "connections", len(keep), "elsewhere", len(away))
	p.mu.Lock()
	l.settled = true
	p.tellLocked()
	p.mu.Unlock()
}
