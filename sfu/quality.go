package sfu

import (
	"slices"
	"time"

	"visavis/sfu/congestion"
	"visavis/sfu/control"
	"visavis/sfu/packet"
	"visavis/sfu/session"
	"visavis/sfu/splice"
)

// quality is what a peer's link carries, and how we find out.
type quality struct {
	carries congestion.Delay
	thin    bool  // too little for spare copies of voices
	hold    int64 // no step up before, ns
	probe   struct {
		until, every int64 // ns
		target       int   // bits per second, all in all
		sent         int   // bytes of padding
	}
}

const (
	alive               = time.Second             // a layer without packets is not sent any more
	aliveBeside         = 400 * time.Millisecond  // when others of the same camera are
	fresh               = 100 * time.Millisecond  // one that is sent now
	holdAfterCongestion = 2500 * time.Millisecond // before a larger layer is tried again
	holdAfterStep       = 500 * time.Millisecond  // between two steps up
	probeTime           = 400 * time.Millisecond  // long enough for the estimate to see it
	padding             = 255                     // bytes of one probing packet
)

// rateLocked measures the layers, then chooses for everybody.
func (r *room) rateLocked(w *worker) {
	for _, p := range r.peers {
		for _, t := range p.tracks {
			for _, l := range t.layers {
				rate := l.bytes * 8 * int(time.Second/rateEvery)
				if l.rate > 0 && w.ns-l.heard < int64(alive) { // a layer that begins counts at once
					rate = (3*l.rate + rate) / 4
				}
				l.rate, l.bytes = rate, 0
			}
		}
	}
	for _, p := range r.peers {
		if p.up {
			p.chooseLocked(w)
		}
	}
}

// living are the layers that are sent, the smallest first.
func (t *track) living(w *worker) []*layer {
	var list []*layer
	last := int64(0)
	for _, l := range t.layers {
		last = max(last, l.heard)
	}
	limit := alive
	if w.ns-last < int64(fresh) {
		limit = aliveBeside
	}
	for _, l := range t.layers {
		if l.ssrc != 0 && w.ns-l.heard < int64(limit) {
			list = append(list, l)
		}
	}
	slices.SortStableFunc(list, func(a, b *layer) int { return a.rate - b.rate })
	return list
}

// picture is a slot whose layer is to be chosen.
type picture struct {
	slot   *slot
	living []*layer
	most   int // the largest layer of any use
	now    int // the layer that it has, or goes over to; −1: none
	step   int // the chosen layer; −1: none
}

// pictures are the slots with a choice, screens before cameras, and what the
// link has left for them when everything else has gone first.
func (p *peer) pictures(w *worker, budget int) ([]picture, int) {
	var list []picture
	for _, s := range p.slots {
		if s.track == nil || s.hidden {
			continue
		}
		if s.kind == session.Audio || len(s.track.layers) == 1 {
			budget -= s.steadyRate()
			continue
		}
		living := s.track.living(w)
		x := picture{slot: s, living: living, most: s.most(living), now: slices.Index(living, s.want), step: -1}
		if s.next != nil {
			x.now = slices.Index(living, s.next)
		}
		switch {
		case len(x.living) == 0:
		case s.track.source == Screen:
			list = slices.Insert(list, 0, x)
		default:
			list = append(list, x)
		}
	}
	return list, budget
}

// plan shares the budget: the smallest layer of each picture, then one step up
// for each in turn. What a picture has it keeps while it is too large by a little
// only: a rate is measured with the key frame that began it, and each change makes
// the next one. wish is what the first thing that does not fit lacks; 0: everything
// fits.
func plan(list []picture, budget int) (wish int) {
	little := budget / 8
	lacks := func(need int, has bool) bool {
		if need <= budget || has && need <= budget+little {
			budget -= need
			return false
		}
		if wish == 0 {
			wish = need - budget
		}
		return true
	}
	for i := range list {
		x := &list[i]
		need := x.living[0].rate
		if x.slot.paused {
			need += need / 5 // not out of a pause by a hair
		}
		if !lacks(need, x.now >= 0) {
			x.step = 0
		}
	}
	for step := 1; step < session.MaxLayers; step++ {
		for i := range list {
			x := &list[i]
			if x.step == step-1 && step <= x.most && !lacks(x.living[step].rate-x.living[step-1].rate, step <= x.now) {
				x.step = step
			}
		}
	}
	return wish
}

// chooseLocked gives each picture of the peer the layer that its link carries:
// sound and retransmissions first. A picture in one layer is not touched: its
// sender is told a ceiling instead. What does not fit is wished for, and a probe
// finds out whether it would.
func (p *peer) chooseLocked(w *worker) {
	rate := p.carries.Rate()
	if rate == 0 {
		rate = congestion.Most
	}
	p.thinLocked(rate * 95 / 100)
	list, budget := p.pictures(w, rate*95/100)
	if len(list) == 0 {
		return
	}
	wish := plan(list, budget)
	told := false
	for _, x := range list {
		if x.step < 0 {
			told = x.slot.pause() || told
		} else {
			told = x.slot.aim(w, x.living, x.step) || told
		}
	}
	if told {
		p.tellSlotsLocked()
	}
	if wish > 0 && w.ns >= p.hold && p.probe.until == 0 {
		p.probe.until, p.probe.target, p.probe.sent = w.ns+int64(probeTime), max((rate+wish)*11/10, 2*rate), 0
	}
}

// On a link that loses more than lossy of its packets each packet of a voice goes
// out once more, spare packets later: behind a burst that its copy in the next one
// (RED) would be lost with, and without the receiver having to ask; not shortly
// after congestion, where copies are what fills the link (slot.write). Silence
// (DTX) has no next packets to come behind: there the copies wait for spareAfter.
const (
	lossy      = 0.03
	spare      = 3
	spareAfter = int64(50 * time.Millisecond)
)

// spareLocked sends the copies that no later packet brought.
func (s *slot) spareLocked(w *worker) {
	if s.lastAt == 0 || w.ns-s.lastAt < spareAfter {
		return
	}
	s.lastAt = 0
	for n := uint16(spare); n > 0; n-- {
		s.resend(w, s.lastSeq-n+1)
	}
}

// A voice that falls silent sends its last packets before a pause (DTX): were they
// lost, nothing behind them would say so until it sends again.
const (
	pauseBegins = int64(60 * time.Millisecond)
	pauseBegun  = int64(160 * time.Millisecond)
	tail        = 3
)

// askTail asks for what may have been lost at the beginning of a pause.
func (l *layer) askTail(w *worker) {
	t := l.track
	silent := w.ns - l.heard
	if !t.peer.loses || t.section.Kind != session.Audio || !t.section.Codecs[0].NACK || l.ssrc == 0 || !t.on || silent < pauseBegins || silent > pauseBegun {
		return
	}
	w.seqs = l.missing.Next(w.seqs[:0], tail)
	t.peer.sendControl(w, control.PutNACK(w.control[:0], t.peer.ssrc, l.ssrc, w.seqs))
}

// thinLocked leaves the spare copies of voices (RED, RFC 2198) out where the
// link carries no more than the voices themselves: copies that fill the link lose
// more than they mend.
func (p *peer) thinLocked(budget int) {
	sound := 0
	for _, s := range p.slots {
		if s.track != nil && s.kind == session.Audio {
			sound += s.track.layers[0].rate
		}
	}
	thin := budget < sound*7/10 || p.thin && budget < sound*9/10
	if thin == p.thin {
		return
	}
	p.thin = thin
	for _, s := range p.slots {
		if s.kind == session.Audio {
			s.types = types{}
		}
	}
}

// steadyRate is what a stream without a choice of layers takes, bits per second.
func (s *slot) steadyRate() int {
	rate := s.track.layers[0].rate
	if s.types.unwrap {
		rate = rate * 6 / 10 // the copy is gone, the headers are not
	}
	return rate
}

// pause stops a picture; true when that is new.
func (s *slot) pause() bool {
	was := s.paused
	s.want, s.next, s.paused = nil, nil, true
	return !was
}

// aim chooses a layer: down at once, up one step after another. True when a
// pause has ended.
func (s *slot) aim(w *worker, living []*layer, step int) bool {
	now := slices.Index(living, s.want) // −1: out of a pause, with the smallest
	if s.want == nil && s.next != nil {
		now = slices.Index(living, s.next)
	}
	if step > now {
		step = now + 1
		if now >= 0 && w.ns < s.peer.hold {
			step = now
		}
	}
	l := living[step]
	was := s.paused
	s.paused = false
	switch {
	case l == s.want:
		s.next = nil
	case l != s.next:
		s.next, s.since, s.point = l, w.ns, splice.Point{}
		l.keyWanted = true
		l.askKeyFrame(w)
	}
	return was
}

// cutLocked ends what is too large at once, also before the smaller layer's key
// frame is here: a picture may stand for a moment, a voice may not wait behind it.
func (p *peer) cutLocked() {
	for _, s := range p.slots {
		if s.want != nil && s.next != nil && s.next.rate < s.want.rate {
			s.want = nil
		}
	}
}

// probeLocked sends what is missing to the rate that is tried as padding, on the
// retransmission stream of a picture (RFC 4588 packets without a packet).
func (p *peer) probeLocked(w *worker) {
	if p.probe.until == 0 {
		return
	}
	var via *slot
	out := 0
	for _, s := range p.slots {
		if s.track == nil || s.hidden {
			continue
		}
		if s.want != nil {
			out += s.want.rate
		}
		if s.rtx != 0 && s.probeType() != 0 && s.section.Ext.TWCC != 0 {
			via = s
		}
	}
	if via == nil || w.ns >= p.probe.until {
		p.probe.until = 0
		// The next one later, unless this one is believed.
		p.hold = max(p.hold, w.ns+int64(holdAfterStep))
		return
	}
	done := int64(probeTime) - (p.probe.until - w.ns)
	due := int((p.probe.target - out) / 8 * int(done/int64(time.Millisecond)) / 1000)
	for n := 0; p.probe.sent < due && n < 40; n++ {
		p.probe.sent += via.pad(w)
	}
}

// probeType is the payload type of RTX here, by the track or by the offer.
func (s *slot) probeType() uint8 {
	if s.types.rtx != 0 {
		return s.types.rtx
	}
	return s.section.Codecs[0].RTX
}

// pad sends one packet of padding and gives its size.
func (s *slot) pad(w *worker) int {
	q := s.peer
	buf := w.buffer(&q.at)
	wr := packet.Write(buf, s.probeType(), false, s.rtxSeq, s.stream.Now(w.now), s.rtx)
	n := q.history.Leave(padding+40, w.ns)
	x := wr.Extension(s.section.Ext.TWCC, 2)
	x[0], x[1] = byte(n>>8), byte(n)
	head := wr.End()
	buf[0] |= 0x20
	clear(w.scratch[:padding])
	w.scratch[padding-1] = padding
	b, err := q.crypt.SealRTP(buf, head, w.scratch[:padding], s.rtx, s.rtxSeq, &s.rtxWindow)
	s.rtxSeq++
	if err == nil {
		w.commit(&q.at, len(b))
	}
	return padding + 40
}
