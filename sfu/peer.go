package sfu

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"visavis/sfu/receipt"
	"visavis/sfu/session"
	"visavis/sfu/twcc"
)

// peer is one client's PeerConnection in a room. All of it is under the room's
// lock, except what never changes.
type peer struct {
	room *room
	id   string
	pc   int
	born int64 // ns

	transport
	answer  session.Answer
	ssrc    uint32 // under which our reports go
	slots   []*slot
	tracks  []*track
	streams map[uint32]*source // by SSRC

	sources Sources
	link    Link
	up      bool // negotiated and not silent
	ready   bool // answered
	gone    bool
	once    sync.Once

	wall     receipt.Clock // the client's, in ours
	arrivals twcc.Recorder // what came from the client
	history  twcc.History  // what went to it
	rtt      int64         // ns; 0: not known
	loses    bool          // what comes from the client is lost on the way, by our last report
	quality
	next struct{ feedback, reports, flows, consent int64 }
}

// newPeer makes what an offer asks for; nothing of it is known to anybody yet.
func newPeer(r *room, o Offer, offer *session.Offer) (*peer, error) {
	p := &peer{room: r, id: o.Peer, pc: o.PC, born: r.node.ns(), streams: map[uint32]*source{}}
	var err error
	if p.ufrag, p.pwd, err = credentials(); err != nil {
		return nil, fmt.Errorf("sfu: credentials: %w", err)
	}
	p.theirs, p.theirPwd, p.print = offer.Ufrag, offer.Pwd, offer.Print
	var random [8 + 4*(1+4*session.MaxSlots)]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, fmt.Errorf("sfu: numbers: %w", err)
	}
	numbers := random[8:]
	draw := func() (n uint32) {
		n, numbers = binary.BigEndian.Uint32(numbers), numbers[4:]
		return n
	}
	p.ssrc = draw()
	p.answer = session.Answer{ID: binary.BigEndian.Uint64(random[:]) >> 2, Print: r.node.dtls.Fingerprint(), Slots: map[string]session.Slot{}}
	p.sections(offer, draw)
	phase := int64(p.ssrc%1000) * int64(time.Millisecond)
	p.next.reports, p.next.flows = p.born+phase, p.born+int64(flowEvery)
	return p, nil
}

func (p *peer) sections(offer *session.Offer, draw func() uint32) {
	sends, slots := map[session.Kind]int{}, map[session.Kind]int{}
	names := map[session.Kind][session.MaxSending]Source{session.Audio: {Voice, Sound}, session.Video: {Camera, Screen}}
	for i := range offer.Sections {
		sec := &offer.Sections[i]
		if sec.Sends {
			if src := names[sec.Kind][sends[sec.Kind]]; len(sec.Codecs) > 0 {
				p.tracks = append(p.tracks, newTrack(p, sec, src))
			}
			sends[sec.Kind]++
		}
		if sec.Slot {
			if len(sec.Codecs) > 0 {
				s := newSlot(p, sec, slots[sec.Kind], draw(), draw())
				p.slots = append(p.slots, s)
				p.answer.Slots[sec.Mid] = session.Slot{
					SSRC: s.ssrc, RTX: s.rtx, Stream: "slot-" + strconv.Itoa(s.index), Track: fmt.Sprintf("%s-%d", s.kind, s.index),
				}
			}
			slots[sec.Kind]++
		}
	}
}

// describe writes the answer of now.
func (p *peer) describe(offer *session.Offer) string {
	n := p.room.node
	p.answer.Version++
	p.answer.Ufrag, p.answer.Pwd = p.ufrag, p.pwd
	p.answer.UDP = n.candidates(n.Addresses())
	var tcp []netip.AddrPort
	for _, t := range n.tcp {
		tcp = append(tcp, t.local)
	}
	p.answer.TCP = n.candidates(n.public(tcp))
	return p.answer.Write(offer)
}

// candidates leaves out what a client elsewhere cannot reach.
func (n *Node) candidates(list []netip.AddrPort) (out []netip.AddrPort) {
	for _, a := range list {
		if n.cfg.Loopback || !a.Addr().IsLoopback() {
			out = append(out, a)
		}
	}
	return out
}

// restart answers an ICE restart: keys, SSRCs, slots and caches stay.
func (p *peer) restart(offer *session.Offer) (string, error) {
	ufrag, pwd, err := credentials()
	if err != nil {
		return "", fmt.Errorf("sfu: credentials: %w", err)
	}
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	if p.gone {
		return "", ErrUnknownPeer
	}
	if offer.Print != p.print {
		return "", fmt.Errorf("%w: another certificate", ErrOffer)
	}
	if p.oldPwd != "" { // the last restart was never used: what is in use is older still
		p.room.node.unname(p.ufrag)
	} else {
		p.oldUfrag, p.oldPwd = p.ufrag, p.pwd
	}
	p.ufrag, p.pwd, p.theirs, p.theirPwd, p.nominated = ufrag, pwd, offer.Ufrag, offer.Pwd, false
	p.room.node.name(ufrag, p)
	return p.describe(offer), nil
}

// update takes what the peer means to send.
func (p *peer) update(s Sources) {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	held := p.sources.Held != s.Held
	p.sources = s
	for _, t := range p.tracks {
		t.turnLocked(s.allows(t.source))
	}
	if held {
		p.room.bindLocked()
	}
	if !s.allows(Voice) && p.room.speech.Quiet(p.id) {
		p.room.tellSpeaking()
	}
}

func (p *peer) tellFlowsLocked() {
	var list []Flow
	for _, s := range p.slots {
		list = append(list, s.takeFlows()...)
	}
	if len(list) > 0 {
		p.room.node.emit(Event{Room: p.room.id, Flows: list})
	}
}

func (p *peer) tellSlotsLocked() {
	table := []Binding{}
	for _, s := range p.slots {
		if s.track != nil {
			table = append(table, Binding{Mid: s.section.Mid, Peer: s.track.peer.id, Source: s.track.source, Paused: s.paused})
		}
	}
	p.room.node.emit(Event{Room: p.room.id, Peer: p.id, PC: p.pc, Slots: table})
}

// drop ends the peer. No packet of it or for it is forwarded after drop
// returns; its DTLS says goodbye behind it.
func (p *peer) drop(c Cause) {
	p.once.Do(func() {
		n := p.room.node
		n.mu.Lock()
		p.room.mu.Lock()
		p.gone, p.up = true, false
		p.tellFlowsLocked()
		p.room.leaveLocked(p)
		for _, s := range p.slots {
			s.bindLocked(nil)
		}
		p.setLinkLocked(LinkClosed, c)
		n.unname(p.ufrag, p.oldUfrag)
		if p.dtls != nil {
			p.dtls.Close() // shake forgets the addresses when the goodbye is sent
		} else {
			p.forgetLocked()
		}
		p.room.mu.Unlock()
		n.mu.Unlock()
		n.crew.settle()
		n.work.Done()
	})
}

// forgetLocked frees the addresses.
func (p *peer) forgetLocked() {
	for _, x := range p.paths {
		p.unlearn(x)
	}
	p.paths, p.known = nil, false
}
