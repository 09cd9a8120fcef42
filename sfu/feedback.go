package sfu

import (
	"time"

	"visavis/sfu/congestion"
	"visavis/sfu/control"
	"visavis/sfu/receipt"
	"visavis/sfu/session"
)

// maxAsked is how many packets one NACK may ask for.
const maxAsked = 200

// sendControl seals an RTCP packet for the peer. plain is a scratch of the
// worker's, which may have grown.
func (p *peer) sendControl(w *worker, plain []byte) {
	w.control = plain[:0]
	if !p.known || p.crypt == nil {
		return
	}
	buf := w.buffer(&p.at)
	if len(plain)+controlOverhead > len(buf) {
		return
	}
	if b, err := p.crypt.SealRTCP(buf, plain); err == nil {
		w.commit(&p.at, len(b))
	}
}

// controlOverhead is more than SRTCP adds to a packet.
const controlOverhead = 32

// rtcpLocked takes what the client says about its own streams and about ours.
func (p *peer) rtcpLocked(w *worker, b []byte, from *path) {
	if p.crypt == nil || p.gone {
		return
	}
	plain, err := p.crypt.OpenRTCP(b)
	if err != nil {
		return
	}
	p.heardLocked(w)
	p.carried(from, w.ns)
	for m, rest, ok := control.Next(plain); ok; m, rest, ok = control.Next(rest) {
		p.said(w, m)
	}
}

func (p *peer) said(w *worker, m control.Packet) {
	switch m.Type {
	case control.SenderReport:
		if ntp, rtp, ok := m.Times(); ok {
			p.clockSaid(w, m.Sender(), ntp, rtp)
		}
		p.receptionSaid(w, m)
	case control.ReceiverReport:
		p.receptionSaid(w, m)
	case control.Transport:
		switch m.Format {
		case control.FormatNACK:
			p.asked(w, m)
		case control.FormatTWCC:
			p.arrived(w, m)
		}
	case control.Payload:
		w.ssrcs = m.Pictures(w.ssrcs[:0])
		for _, ssrc := range w.ssrcs {
			if s := p.slotOf(ssrc); s != nil && s.want != nil && s.kind == session.Video {
				s.want.keyWanted = true
				s.want.askKeyFrame(w)
			}
		}
	}
}

// clockSaid ties a stream's timestamps to our clock.
func (p *peer) clockSaid(w *worker, ssrc uint32, ntp uint64, rtp uint32) {
	src := p.streams[ssrc]
	if src == nil || src.layer == nil || src.rtx {
		return
	}
	p.wall.Hear(ntp, w.now)
	src.layer.got.Heard(ntp, w.now)
	src.layer.said, src.layer.saidAs = ntp, rtp
	// A better estimate of the clock moves every stream of the person alike.
	for _, t := range p.tracks {
		for _, l := range t.layers {
			if l.said != 0 {
				l.mapping.Set(l.saidAs, p.wall.Ours(l.said))
			}
		}
	}
}

func (p *peer) receptionSaid(w *worker, m control.Packet) {
	for i := 0; ; i++ {
		b, ok := m.Block(i)
		if !ok {
			return
		}
		s := p.slotOf(b.SSRC)
		if s == nil {
			continue
		}
		s.link.Report(float64(b.Fraction)/256, w.now)
		if b.LSR != 0 {
			if d := uint32(receipt.NTP(w.now)>>16) - b.LSR - b.DLSR; d < 1<<18 { // 4 s
				p.rtt = int64(time.Duration(d) * time.Second / 65536)
			}
		}
	}
}

func (p *peer) asked(w *worker, m control.Packet) {
	s := p.slotOf(m.Media())
	if s == nil || !p.up {
		return
	}
	w.seqs = m.Missing(w.seqs[:0], maxAsked)
	p.room.node.total.nack.Add(uint64(len(w.seqs)))
	for _, seq := range w.seqs {
		s.resend(w, seq)
	}
}

// arrived takes transport-wide feedback.
func (p *peer) arrived(w *worker, m control.Packet) {
	w.sent, _ = p.history.Read(w.sent[:0], m.Raw)
	p.carries.Feed(w.sent, w.ns)
	if p.carries.Congested() {
		p.probe.until = 0
		p.hold = w.ns + int64(holdAfterCongestion)
		p.chooseLocked(w)
		p.cutLocked()
	}
}

func (p *peer) slotOf(ssrc uint32) *slot {
	for _, s := range p.slots {
		if s.ssrc == ssrc {
			return s
		}
	}
	return nil
}

// sendFeedback tells the client when its packets came.
func (p *peer) sendFeedback(w *worker) {
	if !p.arrivals.Pending() {
		return
	}
	var media uint32
	for _, t := range p.tracks {
		for _, l := range t.layers {
			media = max(media, l.ssrc)
		}
	}
	if size := p.arrivals.Feedback(w.scratch[:], p.ssrc, media); size > 0 {
		w.control = append(w.control[:0], w.scratch[:size]...)
		p.sendControl(w, w.control)
	}
}

// sendReports tells the client what it gets (sender reports) and what came from
// it (a receiver report, and a ceiling when a receiver is short).
func (p *peer) sendReports(w *worker) {
	b := w.control[:0]
	for _, s := range p.slots {
		b = s.report(w, b)
	}
	var blocks [session.MaxLayers * 2 * session.MaxSending]control.Block
	list := blocks[:0]
	p.loses = false
	for _, t := range p.tracks {
		for _, l := range t.layers {
			if x, ok := l.got.Report(l.ssrc, w.now); ok {
				list = append(list, x)
				p.loses = p.loses || float64(x.Fraction)/256 > lossy
			}
		}
	}
	b = control.PutReceiver(b, p.ssrc, list)
	for _, t := range p.tracks {
		if rate, ok := t.ceiling(); ok {
			b = control.PutREMB(b, p.ssrc, rate+p.besides(t), t.layers[0].ssrc)
		}
	}
	p.sendControl(w, b)
}

// ceiling is what the weakest of the receivers can take, once a second while one
// is short and once more when none is any more (REMB; browsers take it as a
// ceiling beside their own estimate). Without it a weak phone would lose its
// sound to a picture that is too large for its link. Of layers each receiver gets
// the one that fits: there one weak phone costs nobody else a picture.
func (t *track) ceiling() (int, bool) {
	if t.section.Kind != session.Video || len(t.layers) > 1 || !t.on || t.layers[0].ssrc == 0 {
		return 0, false
	}
	rate, short := congestion.Most, false
	for _, s := range t.subs {
		if s.link.Limited() {
			rate, short = min(rate, s.link.Rate()), true
		}
	}
	if !short && !t.limited {
		return 0, false
	}
	t.limited = short
	return rate, true
}

// besides is what a peer sends besides t, bits per second: a ceiling is of the
// whole connection.
func (p *peer) besides(t *track) (rate int) {
	for _, other := range p.tracks {
		for _, l := range other.layers {
			if other != t {
				rate += l.rate
			}
		}
	}
	return rate
}
