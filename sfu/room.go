package sfu

import (
	"context"
	"slices"
	"sync"

	"visavis/sfu/handshake"
	"visavis/sfu/packet"
	"visavis/sfu/session"
	"visavis/sfu/speech"
	"visavis/sfu/stun"
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
// whatever arrives. Who is Held neither sends nor receives anything until it is
// not: a private hold.
type Sources struct{ Mic, Camera, Screen, Held bool }

func (s Sources) allows(src Source) bool {
	if s.Held {
		return false
	}
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

	mu         sync.Mutex
	peers      []*peer // in the order they came
	speech     *speech.Room
	nextSpeech int64
	nextRates  int64
	gone       bool
}

// take carries one datagram, in place, as far as it goes.
func (n *Node) take(w *worker, b []byte, from path) {
	if stun.Is(b) {
		n.check(w, b, from)
		return
	}
	var p *peer
	if from.stream != nil {
		p = from.stream.owner.Load()
	} else {
		p = from.port.owner(from.addr)
	}
	if p == nil {
		return // nobody has proved to be there
	}
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	switch {
	case packet.Is(b):
		if packet.IsRTCP(b) {
			p.rtcpLocked(w, b, &from)
		} else {
			p.rtpLocked(w, b, &from)
		}
	case handshake.Is(b):
		p.feedLocked(w, b, from)
	}
}

// Offer answers a client's offer: it makes the room and the peer if they are
// not there, replaces a peer of the same name, or restarts its ICE. The answer
// holds every candidate. Errors: ErrOffer, ErrUnknownPeer, ErrRoomFull,
// ErrClosed, or ctx's.
func (n *Node) Offer(ctx context.Context, o Offer) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	old := n.find(o.Room, o.Peer)
	if o.Restart && (old == nil || old.pc != o.PC) {
		return "", ErrUnknownPeer
	}
	offer, err := session.Read(o.SDP)
	if err != nil {
		return "", err
	}
	if o.Restart {
		return old.restart(offer)
	}
	if old != nil {
		old.drop(CauseReplaced)
	}
	r, err := n.roomFor(o.Room)
	if err != nil {
		return "", err
	}
	p, err := r.join(o, offer)
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	answer := p.describe(offer)
	p.ready = true
	r.bindLocked()
	return answer, nil
}

// Update says what a peer means to send now. Unknown peers are ignored: the
// same is said again at the next Offer.
func (n *Node) Update(roomID, peerID string, s Sources) {
	if p := n.find(roomID, peerID); p != nil {
		p.update(s)
	}
}

// View says how high, in device pixels, a peer shows each of its receive
// sections now, by mid. A picture is sent no larger than it is shown, and one of
// height 0 not at all; what is not named is sent as the link allows. Unknown
// peers and mids are ignored; a new PeerConnection begins with everything shown.
func (n *Node) View(roomID, peerID string, heights map[string]int) {
	p := n.find(roomID, peerID)
	if p == nil {
		return
	}
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	for _, s := range p.slots {
		h, named := heights[s.section.Mid]
		s.showLocked(h, named)
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
	r := &room{node: n, id: id, speech: speech.New()}
	n.rooms[id] = r
	return r, nil
}

func (r *room) join(o Offer, offer *session.Offer) (*peer, error) {
	p, err := newPeer(r, o, offer)
	if err != nil {
		return nil, err
	}
	// Node first, room second: a room that empties is removed under both.
	r.node.mu.Lock()
	defer r.node.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.node.closed {
		return nil, ErrClosed
	}
	if len(r.peers) >= MaxPeers {
		return nil, ErrRoomFull
	}
	if r.gone {
		r.gone = false
		r.node.rooms[r.id] = r
	}
	r.peers = append(r.peers, p)
	r.node.work.Add(1)
	r.node.name(p.ufrag, p)
	p.setLinkLocked(LinkConnecting, "")
	return p, nil
}

// leaveLocked takes a peer and what it published out of the room; the node's
// lock is held too.
func (r *room) leaveLocked(p *peer) {
	r.peers = slices.DeleteFunc(r.peers, func(q *peer) bool { return q == p })
	for _, t := range p.tracks {
		t.on, t.published = false, false
	}
	r.bindLocked()
	if len(r.peers) == 0 {
		r.gone = true
		delete(r.node.rooms, r.id)
	}
	if r.speech.Quiet(p.id) {
		r.tellSpeaking()
	}
}

func (r *room) dropAll(c Cause) {
	r.mu.Lock()
	peers := slices.Clone(r.peers)
	r.mu.Unlock()
	for _, p := range peers {
		p.drop(c)
	}
}

func (r *room) tellSpeaking() {
	r.node.emit(Event{Room: r.id, Speaking: r.speech.Speaking()})
}

// bindLocked gives each published track a slot at each other peer, the earliest
// peers first, keeps what is bound, frees what is not published any more, and
// tells the peers whose table changed.
func (r *room) bindLocked() {
	subs := map[*track][]*slot{}
	for _, p := range r.peers {
		if !p.ready {
			continue
		}
		changed := false
		for _, s := range p.slots {
			if s.track != nil && (!s.track.published || p.apart(s.track.peer)) {
				s.bindLocked(nil)
				changed = true
			}
		}
		for _, q := range r.peers {
			for _, t := range q.tracks {
				if q == p || !t.published || p.apart(q) {
					continue
				}
				s := p.slotFor(t)
				if s == nil {
					continue
				}
				if s.track != t {
					s.bindLocked(t)
					if p.up { // else when it is: what is asked now would pass before
						s.wantKeyFrame()
					}
					changed = true
				}
				subs[t] = append(subs[t], s)
			}
		}
		if changed {
			p.tellSlotsLocked()
		}
	}
	for _, p := range r.peers {
		for _, t := range p.tracks {
			t.subs = subs[t]
		}
	}
}

// apart says whether nothing passes between two peers: one of them is held.
func (p *peer) apart(q *peer) bool { return p.sources.Held || q.sources.Held }

// slotFor finds the slot that t has, or picks one: beside the publisher's other
// half, so that sound and picture share a stream and are played in step;
// screens from the far end. Nil: none is free.
func (p *peer) slotFor(t *track) *slot {
	var free []*slot
	for _, s := range p.slots {
		if s.track == t {
			return s
		}
		if s.kind == t.section.Kind && s.track == nil {
			free = append(free, s)
		}
	}
	if len(free) == 0 {
		return nil
	}
	if t.source == Screen || t.source == Sound {
		return free[len(free)-1]
	}
	for _, s := range p.slots {
		if other := s.track; other != nil && other.peer == t.peer && s.kind != t.section.Kind && (other.source == Voice || other.source == Camera) {
			for _, f := range free {
				if f.index == s.index {
					return f
				}
			}
		}
	}
	for _, f := range free {
		if !p.taken(f.index) {
			return f
		}
	}
	return free[0]
}

func (p *peer) taken(index int) bool {
	for _, s := range p.slots {
		if s.index == index && s.track != nil {
			return true
		}
	}
	return false
}
