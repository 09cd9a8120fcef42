package sfu

import (
	"context"
	"slices"
	"sync"
)

// Offer is one client's offer. PC numbers its PeerConnections; Restart says
// that this is an ICE restart of the one that is there.
type Offer struct {
	Room, Peer string
	PC         int
	Restart    bool
	SDP        string
}

// Sources says what a peer means to send now: what is false is not forwarded,
// whatever arrives.
type Sources struct{ Mic, Camera, Screen bool }

func (s Sources) allows(src Source) bool {
	switch src {
	case Voice:
		return s.Mic
	case Camera:
		return s.Camera
	default:
		return s.Screen
	}
}

// room is who is here and what is bound to what.
type room struct {
	node *Node
	id   string

	mu     sync.Mutex
	peers  []*peer // in the order they came
	pubs   []*publication
	speech *speech
	gone   bool
}

// Offer answers a client's offer: it makes the room and the peer if they are
// not there, replaces a peer of the same name, or restarts its ICE. The answer
// holds every candidate. Errors: ErrOffer, ErrUnknownPeer, ErrRoomFull,
// ErrClosed, or ctx's.
func (n *Node) Offer(ctx context.Context, o Offer) (string, error) {
	if o.Restart {
		p := n.find(o.Room, o.Peer)
		if p == nil || p.pc != o.PC {
			return "", ErrUnknownPeer
		}
		return p.restart(ctx, o.SDP)
	}
	shape, err := readOffer(o.SDP)
	if err != nil {
		return "", err
	}
	if old := n.find(o.Room, o.Peer); old != nil {
		old.drop(CauseReplaced)
	}
	r, err := n.roomFor(o.Room)
	if err != nil {
		return "", err
	}
	p, err := r.join(o, shape)
	if err != nil {
		return "", err
	}
	answer, err := p.answer(ctx, o.SDP)
	if err != nil {
		p.drop(CauseDropped)
		return "", err
	}
	r.ready(p)
	return answer, nil
}

// Update says what a peer means to send now. Unknown peers are ignored: the
// same is said again at the next Offer.
func (n *Node) Update(roomID, peerID string, s Sources) {
	if p := n.find(roomID, peerID); p != nil {
		p.update(s)
	}
}

// Drop closes the PeerConnection of one peer, or of everybody in the room when
// peerID is empty. When it returns no packet is forwarded any more.
func (n *Node) Drop(roomID, peerID string) {
	if peerID != "" {
		if p := n.find(roomID, peerID); p != nil {
			p.drop(CauseDropped)
		}
		return
	}
	n.mu.Lock()
	r := n.rooms[roomID]
	n.mu.Unlock()
	if r != nil {
		r.dropAll(CauseDropped)
	}
}

func (n *Node) find(roomID, peerID string) *peer {
	n.mu.Lock()
	r := n.rooms[roomID]
	n.mu.Unlock()
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.peers {
		if p.id == peerID {
			return p
		}
	}
	return nil
}

func (n *Node) roomFor(id string) (*room, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, ErrClosed
	}
	if r := n.rooms[id]; r != nil {
		return r, nil
	}
	r := &room{node: n, id: id}
	r.speech = newSpeech(r)
	n.rooms[id] = r
	return r, nil
}

func (r *room) join(o Offer, shape offerShape) (*peer, error) {
	p, err := newPeer(r, o, shape)
	if err != nil {
		return nil, err
	}
	// Node first, room second: a room that empties is removed under both.
	r.node.mu.Lock()
	r.mu.Lock()
	full := len(r.peers) >= MaxPeers
	closed := r.node.closed
	if !full && !closed {
		if r.gone {
			r.gone = false
			r.node.rooms[r.id] = r
		}
		r.peers = append(r.peers, p)
		r.node.work.Add(1)
	}
	r.mu.Unlock()
	r.node.mu.Unlock()
	if full || closed {
		_ = p.conn.Close()
		if closed {
			return nil, ErrClosed
		}
		return nil, ErrRoomFull
	}
	p.start()
	return p, nil
}

// ready binds what is published already to a peer whose slots have names now.
func (r *room) ready(p *peer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.ready = true
	r.bindLocked()
}

// leave takes a peer and what it published out of the room.
func (r *room) leave(p *peer) {
	r.node.mu.Lock()
	r.mu.Lock()
	r.peers = slices.DeleteFunc(r.peers, func(q *peer) bool { return q == p })
	r.pubs = slices.DeleteFunc(r.pubs, func(b *publication) bool { return b.peer == p })
	r.bindLocked()
	if len(r.peers) == 0 {
		r.gone = true
		delete(r.node.rooms, r.id)
	}
	r.mu.Unlock()
	r.node.mu.Unlock()
	r.speech.quiet(p.id)
}

func (r *room) dropAll(c Cause) {
	r.mu.Lock()
	peers := slices.Clone(r.peers)
	r.mu.Unlock()
	for _, p := range peers {
		p.drop(c)
	}
}

// publish adds a track whose first packet has come.
func (r *room) publish(b *publication) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if b.peer.dropped.Load() || slices.Contains(r.pubs, b) {
		return
	}
	r.pubs = append(r.pubs, b)
	r.bindLocked()
}

func (r *room) unpublish(b *publication) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.pubs, b); i >= 0 {
		r.pubs = slices.Delete(r.pubs, i, i+1)
		r.bindLocked()
	}
}

// bindLocked gives each publication a slot at each other peer, the earliest
// peers first, keeps what is bound, frees what is not published any more, and
// tells the peers whose table changed.
func (r *room) bindLocked() {
	order := slices.Clone(r.pubs)
	rank := func(b *publication) int { return slices.Index(r.peers, b.peer) }
	slices.SortStableFunc(order, func(a, b *publication) int { return rank(a) - rank(b) })
	subs := map[*publication][]*slot{}
	for _, p := range r.peers {
		if !p.ready {
			continue
		}
		changed := false
		for _, s := range p.slots {
			if cur := s.source(); cur != nil && !slices.Contains(r.pubs, cur) {
				s.bind(nil)
				changed = true
			}
		}
		for _, b := range order {
			if b.peer == p {
				continue
			}
			s := p.slotOf(b)
			if s == nil {
				if s = p.freeSlot(b); s == nil {
					continue
				}
				s.bind(b)
				b.askKeyFrame()
				changed = true
			}
			subs[b] = append(subs[b], s)
		}
		if changed {
			p.tellSlots()
		}
	}
	for _, b := range r.pubs {
		list := subs[b]
		b.subs.Store(&list)
	}
}

// emit queues an event stamped with now.
func (n *Node) emit(e Event) {
	e.At = n.cfg.Clock.Now()
	n.events.put(e)
}
