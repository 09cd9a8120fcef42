package sfu

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// peer is one client's PeerConnection in a room.
type peer struct {
	room  *room
	id    string
	pc    int
	conn  *webrtc.PeerConnection
	sends map[string]Source
	slots []*slot
	ready bool // negotiated; under room.mu

	dropped atomic.Bool
	up      atomic.Bool
	once    sync.Once
	stop    chan struct{}

	mu      sync.Mutex
	sources Sources
	pubs    []*publication
	link    Link

	sdpMu sync.Mutex // one negotiation at a time
}

func newPeer(r *room, o Offer, shape offerShape) (*peer, error) {
	conn, err := r.node.api.connection()
	if err != nil {
		return nil, fmt.Errorf("sfu: new connection: %w", err)
	}
	p := &peer{room: r, id: o.Peer, pc: o.PC, conn: conn, sends: shape.sends, stop: make(chan struct{})}
	for i := range shape.audio {
		err = p.addSlot(webrtc.RTPCodecTypeAudio, i, err)
	}
	for i := range shape.video {
		err = p.addSlot(webrtc.RTPCodecTypeVideo, i, err)
	}
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("sfu: slots: %w", err)
	}
	return p, nil
}

func (p *peer) addSlot(kind webrtc.RTPCodecType, i int, before error) error {
	if before != nil {
		return before
	}
	s := newSlot(p, kind, i)
	tr, err := p.conn.AddTransceiverFromTrack(s, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return err
	}
	s.tr = tr
	p.slots = append(p.slots, s)
	return nil
}

// start hangs the callbacks on; the peer is in the room already.
func (p *peer) start() {
	p.conn.OnTrack(p.onTrack)
	p.conn.OnConnectionStateChange(p.onState)
	p.setLink(LinkConnecting, "")
	go p.tend()
}

// answer negotiates, once for the life of the PeerConnection.
func (p *peer) answer(ctx context.Context, offer string) (string, error) {
	p.sdpMu.Lock()
	defer p.sdpMu.Unlock()
	if err := p.conn.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: withoutCandidates(offer)}); err != nil {
		return "", fmt.Errorf("%w: %w", ErrOffer, err)
	}
	a, err := p.conn.CreateAnswer(nil)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrOffer, err)
	}
	gathered := webrtc.GatheringCompletePromise(p.conn)
	if err := p.conn.SetLocalDescription(a); err != nil {
		return "", fmt.Errorf("%w: %w", ErrOffer, err)
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	return p.conn.LocalDescription().SDP, nil
}

// restart answers an ICE restart: SSRCs, slots and caches stay.
func (p *peer) restart(ctx context.Context, offer string) (string, error) {
	if p.dropped.Load() {
		return "", ErrUnknownPeer
	}
	return p.answer(ctx, offer)
}

func (p *peer) update(s Sources) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sources = s
	for _, b := range p.pubs {
		on := s.allows(b.source)
		if was := b.on.Swap(on); on && !was {
			b.askKeyFrame()
		}
	}
	if !s.Mic {
		p.room.speech.quiet(p.id)
	}
}

func (p *peer) onTrack(track *webrtc.TrackRemote, recv *webrtc.RTPReceiver) {
	var src Source
	for _, t := range p.conn.GetTransceivers() {
		if t.Receiver() == recv {
			src = p.sends[t.Mid()]
		}
	}
	if src == "" {
		return
	}
	b := newPublication(p, track, recv, src)
	p.mu.Lock()
	b.on.Store(p.sources.allows(src))
	p.pubs = append(p.pubs, b)
	p.mu.Unlock()
	b.run()
}

func (p *peer) onState(s webrtc.PeerConnectionState) {
	switch s {
	case webrtc.PeerConnectionStateConnected:
		p.up.Store(true)
		p.setLink(LinkUp, "")
		for _, s := range p.slots {
			if b := s.source(); b != nil {
				b.askKeyFrame()
			}
		}
	case webrtc.PeerConnectionStateDisconnected:
		p.up.Store(false)
		p.setLink(LinkLost, "")
	case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
		p.drop(CauseFailed)
	}
}

func (p *peer) setLink(l Link, c Cause) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.link == l || p.link == LinkClosed {
		return
	}
	p.link = l
	p.room.node.emit(Event{Room: p.room.id, Peer: p.id, PC: p.pc, Link: l, Cause: c})
}

// The rhythm of a peer.
const (
	reportEvery = time.Second      // sender reports, speech
	flowEvery   = 15 * time.Second // Flow events
)

// tend is the peer's own goroutine: handshake deadline, sender reports, the end
// of silence, and the proof that video flowed.
func (p *peer) tend() {
	handshake := time.NewTimer(p.room.node.cfg.Handshake)
	defer handshake.Stop()
	report := time.NewTicker(reportEvery)
	defer report.Stop()
	flows := time.NewTicker(flowEvery)
	defer flows.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-handshake.C:
			p.mu.Lock()
			late := p.link == LinkConnecting
			p.mu.Unlock()
			if late {
				p.drop(CauseHandshake)
			}
		case <-report.C:
			p.sendReports(time.Now())
			p.room.speech.tick(time.Now())
		case <-flows.C:
			p.tellFlows()
		}
	}
}

func (p *peer) sendReports(now time.Time) {
	if !p.up.Load() {
		return
	}
	var list []rtcp.Packet
	for _, s := range p.slots {
		if sr := s.report(now); sr != nil {
			list = append(list, sr)
		}
	}
	p.mu.Lock()
	for _, b := range p.pubs {
		if l := b.limit(); l != nil {
			list = append(list, l)
		}
	}
	p.mu.Unlock()
	if len(list) > 0 {
		_ = p.conn.WriteRTCP(list) // a closed connection says so by its state
	}
}

func (p *peer) tellFlows() {
	var list []Flow
	for _, s := range p.slots {
		list = append(list, s.takeFlows()...)
	}
	if len(list) > 0 {
		p.room.node.emit(Event{Room: p.room.id, Flows: list})
	}
}

func (p *peer) tellSlots() {
	table := []Binding{}
	for _, s := range p.slots {
		if b := s.source(); b != nil {
			table = append(table, Binding{Mid: s.tr.Mid(), Peer: b.peer.id, Source: b.source})
		}
	}
	p.room.node.emit(Event{Room: p.room.id, Peer: p.id, PC: p.pc, Slots: table})
}

func (p *peer) slotOf(b *publication) *slot {
	for _, s := range p.slots {
		if s.source() == b {
			return s
		}
	}
	return nil
}

// freeSlot picks a slot for b: beside the publisher's other half, so that sound
// and picture share a stream and are played in step; screens from the far end.
func (p *peer) freeSlot(b *publication) *slot {
	var free []*slot
	for _, s := range p.slots {
		if s.kind == b.kind && s.source() == nil {
			free = append(free, s)
		}
	}
	if len(free) == 0 {
		return nil
	}
	if b.source == Screen || b.source == Sound {
		return free[len(free)-1]
	}
	for _, s := range p.slots {
		if other := s.source(); other != nil && other.peer == b.peer && s.kind != b.kind && (other.source == Voice || other.source == Camera) {
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
		if s.index == index && s.source() != nil {
			return true
		}
	}
	return false
}

// drop ends the peer. No packet of it or for it is forwarded after drop
// returns; the PeerConnection closes behind it.
func (p *peer) drop(c Cause) {
	p.once.Do(func() {
		p.dropped.Store(true)
		p.up.Store(false)
		close(p.stop)
		p.tellFlows()
		p.room.leave(p)
		for _, s := range p.slots {
			s.bind(nil)
		}
		p.setLink(LinkClosed, c)
		go func() {
			defer p.room.node.work.Done()
			_ = p.conn.GracefulClose()
		}()
	})
}
