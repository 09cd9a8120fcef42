package remote

import (
	"maps"
	"slices"
	"time"

	"visavis/internal/care"
	"visavis/signaling"
)

// The rhythm of moving.
const (
	movesEach = 2                      // rooms that move at once away from nodes that stop: their clients join again, and all at once would wait for each other
	moveMost  = 8 * time.Second        // a room whose clients do not come holds up the next ones no longer
	stayOn    = 500 * time.Millisecond // old connections, once every seat's new one carries: until its first picture is there
	stayMost  = 5 * time.Second        // an old connection, once its seat's new one carries
)

// stay is the connection that a seat has still on a node that stops, beside its
// new one: what the others send is heard on one of the two.
type stay struct {
	on *link
	up time.Time // since when the new one carries; zero: it does not yet
}

// tend moves rooms away from nodes that are dead or about to stop.
func (p *Pool) tend() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	found := time.Now()
	for {
		p.mu.Lock()
		changed := p.changed
		p.mu.Unlock()
		select {
		case <-p.ctx.Done():
			return
		case <-changed:
		case <-tick.C:
		}
		now := time.Now()
		if now.Sub(found) >= findEvery {
			found = now
			p.find(p.ctx)
		}
		p.part(now)
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

// rehouse gives another node to rooms whose node is dead (lost) or about to stop
// (moved), when there is one.
func (p *Pool) rehouse(now time.Time) (lost, moved []care.EncounterID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	busy := p.busyLocked()
	moving := 0
	for _, r := range p.rooms {
		if !r.moved.IsZero() && now.Sub(r.moved) < moveMost {
			moving++
		}
	}
	for id, r := range p.rooms {
		if !busy[id] && now.Sub(r.used) > forgetFor {
			delete(p.rooms, id)
			continue
		}
		dead := r.on.deadLocked(now)
		if !dead && (!r.on.draining || now.Before(r.on.moveAt) || moving >= movesEach) {
			continue
		}
		to := p.leastLocked()
		if to == nil {
			continue
		}
		if from := r.on; dead {
			lost = append(lost, id)
			maps.DeleteFunc(p.seats, func(at place, l *link) bool { return at.encounter == id && l == from })
		} else if busy[id] {
			moved = append(moved, id)
			moving++
			r.moved = now
		}
		r.on = to
	}
	return lost, moved
}

// busyLocked tells which encounters have a connection anywhere.
func (p *Pool) busyLocked() map[care.EncounterID]bool {
	busy := map[care.EncounterID]bool{}
	for at := range p.seats {
		busy[at.encounter] = true
	}
	return busy
}

// part ends the old connections that are not needed any more, and finds the
// rooms that have moved.
func (p *Pool) part(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rest := map[care.EncounterID]bool{} // somebody is not there yet
	for at, l := range p.seats {
		if r := p.rooms[at.encounter]; r != nil && r.on != l {
			rest[at.encounter] = true
		}
	}
	for at, was := range p.stays {
		if was.up.IsZero() {
			rest[at.encounter] = true
		}
	}
	for id, r := range p.rooms {
		if !rest[id] {
			r.moved = time.Time{}
		}
	}
	for at, was := range p.stays {
		carried := now.Sub(was.up)
		switch {
		case was.on.deadLocked(now):
		case was.up.IsZero(), carried < stayOn, rest[at.encounter] && carried < stayMost:
			continue
		default:
			p.partLocked(at, was.on)
		}
		delete(p.stays, at)
	}
}

// partLocked has a connection ended; that is not waited for.
func (p *Pool) partLocked(at place, on *link) {
	p.working.Go(func() { on.order(askDrop, seatOrder{Encounter: at.encounter, Seat: at.seat}) })
}

// stayedLocked takes what a node tells of a seat that has an old connection.
func (p *Pool) stayedLocked(at place, was *stay, l *link, e signaling.MediaEvent) {
	switch {
	case l == was.on && e.Gone: // its client needs it no more
		delete(p.stays, at)
	case l == p.seats[at] && e.Link == signaling.LinkUp && was.up.IsZero():
		was.up = time.Now()
	default:
		return
	}
	p.tellLocked()
}

// seated notes where a seat's connection is. The one that it had elsewhere
// stays for a while when its node is about to stop, and ends otherwise.
func (p *Pool) seated(at place, l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old, was := p.seats[at], p.stays[at]
	p.seats[at] = l
	switch {
	case was != nil && was.on == l: // back: the node has replaced it
		delete(p.stays, at)
	case was != nil:
		was.up = time.Time{} // another attempt
	}
	switch {
	case old == nil, old == l, was != nil && old == was.on:
	case old.draining && old.conn != nil && was == nil:
		p.stays[at] = &stay{on: old}
	default:
		p.partLocked(at, old)
	}
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

// placeLocked gives the node of an encounter, and chooses one when it has none, or
// none of its people is there and the node is about to stop; nil: there is none
// now.
func (p *Pool) placeLocked(id care.EncounterID) *link {
	r := p.rooms[id]
	if r == nil || r.on.draining && !p.busyLocked()[id] {
		to := p.leastLocked()
		if to == nil && r == nil {
			return nil
		}
		if r == nil {
			r = &room{}
			p.rooms[id] = r
		}
		if to != nil {
			r.on = to
		}
	}
	r.used = time.Now()
	return r.on
}
