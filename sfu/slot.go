package sfu

import (
	"time"

	"visavis/sfu/cache"
	"visavis/sfu/congestion"
	"visavis/sfu/control"
	"visavis/sfu/packet"
	"visavis/sfu/proof"
	"visavis/sfu/receipt"
	"visavis/sfu/rewrite"
	"visavis/sfu/session"
	"visavis/sfu/splice"
	"visavis/sfu/srtp"
)

// slot is one receiving section of a peer: a stream under a fixed SSRC that
// carries one track after another as one continuous stream.
type slot struct {
	peer    *peer
	section *session.Section
	kind    session.Kind
	index   int
	ssrc    uint32
	rtx     uint32 // 0: no retransmissions

	track  *track       // who is in the slot
	want   *layer       // which layer of it is forwarded; nil: none, the link is too weak
	next   *layer       // which is to follow from its next key frame on; nil: none
	since  int64        // when next was chosen, ns
	point  splice.Point // where it begins
	paused bool
	hidden bool   // the client does not show it
	height int    // device pixels at which it is shown; 0: not said
	laid   *layer // which one stream follows now
	types  types

	stream    rewrite.Map
	window    srtp.Window // of ssrc
	rtxWindow srtp.Window
	rtxSeq    uint16
	again     [64]resent
	sealed    *cache.Ring // sound whose losses may be asked for: it has no RTX
	lastSeq   uint16      // of the last packet of a voice that is sent twice
	lastAt    int64       // 0: no copy is owed

	sent, octets uint32
	link         congestion.Loss // what this receiver's link carries, by its reports
	meter        proof.Meter
	flows        []Flow
}

// types is how the payload types of the track in the slot are written here.
type types struct {
	known  bool
	in     uint8
	out    uint8 // valid when taken
	rtx    uint8 // 0: none
	taken  bool  // this client knows the codec
	unwrap bool  // the track sends RED, which this client does not know or its link cannot carry
}

type resent struct {
	seq uint16
	at  int64
}

func newSlot(p *peer, sec *session.Section, index int, ssrc, rtx uint32) *slot {
	s := &slot{peer: p, section: sec, kind: sec.Kind, index: index, ssrc: ssrc, stream: rewrite.Map{Rate: sec.Codecs[0].Rate}}
	for _, c := range sec.Codecs {
		if c.RTX != 0 {
			s.rtx = rtx
		}
	}
	if c := sec.Codecs[0]; sec.Kind == session.Audio && c.NACK {
		s.sealed = cache.New(64, 16<<10)
	}
	return s
}

// bindLocked puts t (or nobody) into the slot.
func (s *slot) bindLocked(t *track) {
	s.endMeter()
	s.meter = proof.Meter{}
	s.track, s.want, s.next, s.point, s.laid, s.types, s.paused = t, nil, nil, splice.Point{}, nil, types{}, false
	if t != nil {
		s.want = t.layers[0]
	}
}

// showLocked notes how high a picture is shown. One that is shown again begins
// with a key frame.
func (s *slot) showLocked(height int, named bool) {
	if s.kind != session.Video {
		return
	}
	hidden := named && height <= 0
	s.height = max(height, 0)
	if hidden == s.hidden {
		return
	}
	s.hidden = hidden
	waited := s.paused
	if s.bindLocked(s.track); s.track != nil && !hidden {
		s.wantKeyFrame()
	}
	if waited {
		s.peer.tellSlotsLocked()
	}
}

// most is which of the living layers, the smallest first, a picture shown so
// high has a use for: the first that is not blown up. A screen is always worth
// its sharpness.
func (s *slot) most(living []*layer) int {
	if s.height != 0 && s.track.source == Camera {
		for i, l := range living {
			if l.height >= s.height {
				return i
			}
		}
	}
	return len(living) - 1
}

func (s *slot) endMeter() {
	if t := s.track; t != nil && s.kind == session.Video {
		if n := s.meter.Take(); n > 0 {
			s.flows = append(s.flows, Flow{From: t.peer.id, To: s.peer.id, Source: t.source, Seconds: n})
		}
	}
}

func (s *slot) takeFlows() []Flow {
	s.endMeter()
	list := s.flows
	s.flows = nil
	return list
}

// translate finds how a payload type of the track is written here.
func (s *slot) translate(t *track, kind uint8) bool {
	s.types = types{known: true, in: kind}
	c, rtx := t.section.Codec(kind)
	if c == nil || rtx {
		return false
	}
	out := s.section.Named(c.Name)
	if c.Name == session.RED && (out == nil || s.peer.thin) {
		if opus := s.section.Named(session.Opus); opus != nil {
			out, s.types.unwrap = opus, true
		}
	}
	if out == nil {
		return false // a codec this client does not know
	}
	s.types.out, s.types.rtx, s.types.taken = out.Type, out.RTX, true
	return true
}

// write sends one packet of a layer to the peer: a new header, and the payload
// sealed from where it stands into the buffer that leaves.
func (s *slot) write(w *worker, l *layer, in *incoming) {
	q := s.peer
	if !q.up || s.hidden || !s.passes(w, l, in) {
		return
	}
	if (!s.types.known || s.types.in != in.kind) && !s.translate(l.track, in.kind) || !s.types.taken {
		return
	}
	payload := in.payload
	if s.types.unwrap {
		var ok bool
		if payload, ok = packet.Primary(payload); !ok {
			return
		}
	}
	if s.laid != l {
		s.lay(w, l, in)
	}
	seq, ts, ok := s.stream.Next(in.seq, in.timestamp, w.now)
	if !ok {
		return
	}
	buf := w.buffer(&q.at)
	wr := packet.Write(buf, s.types.out, in.marker, seq, ts, s.ssrc)
	if id := s.section.Ext.Level; id != 0 && in.hasLevel {
		wr.Extension(id, 1)[0] = in.level
	}
	if id := s.section.Ext.TWCC; id != 0 {
		n := q.history.Leave(len(payload)+32, w.ns)
		x := wr.Extension(id, 2)
		x[0], x[1] = byte(n>>8), byte(n)
	}
	head := wr.End()
	if head+len(payload)+srtp.Overhead > len(buf) {
		return
	}
	b, err := q.crypt.SealRTP(buf, head, payload, s.ssrc, seq, &s.window)
	if err != nil {
		return
	}
	w.commit(&q.at, len(b))
	if s.sealed != nil {
		s.sealed.Put(cache.Meta{Seq: seq}, b)
		if q.carries.Lost() > lossy && !q.thin && w.ns >= q.hold {
			s.resend(w, seq-spare)
			s.lastSeq, s.lastAt = seq, w.ns
		}
	}
	s.sent++
	s.octets += uint32(len(payload))
	q.room.node.total.out.Add(1)
	if s.kind == session.Video && len(payload) > 0 {
		s.meter.Frame(in.timestamp, w.now)
	}
}

// replay is more packets than come while the first of a picture is waited for.
const replay = 256

// passes says whether the packet is of the layer that is forwarded; one of the next
// may turn the stream to it.
func (s *slot) passes(w *worker, l *layer, in *incoming) bool {
	if l != s.want && l == s.next {
		s.follow(w, l, in)
		return false
	}
	return l == s.want
}

// follow lets the stream go over to its next layer when it can, and sends what came
// of the picture that it begins with: a key frame, where the client says so in the
// Dependency Descriptor; else the first picture after a key frame was asked for.
// Pictures before the key frame cannot be decoded and are passed over for a moment;
// had it come before the switch, the receiver would wait for it for seconds. The
// payload is not read.
func (s *slot) follow(w *worker, l *layer, in *incoming) {
	first, ok := s.begins(w, l, in)
	if !ok {
		return
	}
	s.want, s.next, s.point = l, nil, splice.Point{}
	if s.peer.hold < w.ns+int64(holdAfterStep) {
		s.peer.hold = w.ns + int64(holdAfterStep)
	}
	for seq := first; seq != first+replay; seq++ {
		if m, payload, ok := l.cache.Get(seq); ok {
			s.write(w, l, &incoming{seq: seq, timestamp: m.Timestamp, marker: m.Marker, kind: in.kind, payload: payload})
		}
	}
}

// begins finds the first packet of the picture to begin with.
func (s *slot) begins(w *worker, l *layer, in *incoming) (first uint16, ok bool) {
	switch {
	case in.described && in.key:
		return in.seq, true
	case in.described && w.ns-s.since > int64(keyFrameEvery):
		s.since, l.keyWanted = w.ns, true
		return 0, false
	case in.described:
		return 0, false
	case l.keyAsked < s.since:
		s.point.Pass(in.timestamp)
		return 0, false
	}
	return s.point.Begins(l.cache, in.seq, in.timestamp, w.ns)
}

// lay lets the stream follow another layer, or another track.
func (s *slot) lay(w *worker, l *layer, in *incoming) {
	if old := s.laid; old != nil && old.track == l.track {
		at, a := l.mapping.Time(in.timestamp, l.track.clock)
		if same, b := old.mapping.At(at, l.track.clock); a && b {
			s.stream.Switch(in.seq, in.timestamp, same, w.now)
			s.laid = l
			return
		}
	}
	s.stream.Start(in.seq, in.timestamp, w.now)
	s.laid = l
}

// resend answers a NACK: a picture from the layer's cache by RTX (RFC 4588),
// sound by the very packet that was sealed before. Nothing is sealed twice under
// one index: with AES-GCM that would give the key away.
func (s *slot) resend(w *worker, seq uint16) {
	q := s.peer
	if s.sealed != nil {
		if _, b, ok := s.sealed.Get(seq); ok && s.mayResend(w, seq) {
			w.commit(&q.at, copy(w.buffer(&q.at), b))
			q.room.node.total.rtx.Add(1)
		}
		return
	}
	src, ok := s.stream.Source(seq)
	if !ok || s.laid == nil || s.laid.cache == nil || s.rtx == 0 || s.types.rtx == 0 || !s.laid.track.on || !s.mayResend(w, seq) {
		return
	}
	m, payload, ok := s.laid.cache.Get(src)
	if !ok {
		return
	}
	buf := w.buffer(&q.at)
	wr := packet.Write(buf, s.types.rtx, m.Marker, s.rtxSeq, s.stream.Timestamp(m.Timestamp), s.rtx)
	if id := s.section.Ext.TWCC; id != 0 {
		n := q.history.Leave(len(payload)+34, w.ns)
		x := wr.Extension(id, 2)
		x[0], x[1] = byte(n>>8), byte(n)
	}
	head := wr.End()
	plain := append(w.scratch[:0], byte(seq>>8), byte(seq))
	plain = append(plain, payload...)
	if head+len(plain)+srtp.Overhead > len(buf) {
		return
	}
	b, err := q.crypt.SealRTP(buf, head, plain, s.rtx, s.rtxSeq, &s.rtxWindow)
	s.rtxSeq++
	if err != nil {
		return
	}
	w.commit(&q.at, len(b))
	q.room.node.total.rtx.Add(1)
}

// mayResend refuses what was sent again a moment ago: a receiver that asks
// without end must not make us flood its link.
func (s *slot) mayResend(w *worker, seq uint16) bool {
	r := &s.again[seq%uint16(len(s.again))]
	if r.seq == seq && r.at != 0 && w.ns-r.at < max(s.peer.rtt/2, int64(10*time.Millisecond)) {
		return false
	}
	*r = resent{seq, w.ns}
	return true
}

// report appends the sender report of the slot (RFC 3550 §6.4.1): our wall
// clock, and what the stream's timestamp is now by the publisher's own clock.
func (s *slot) report(w *worker, dst []byte) []byte {
	if !s.stream.Started() || s.laid == nil {
		return dst
	}
	ts, known := s.laid.mapping.At(w.now, s.laid.track.clock)
	if ts = s.stream.Timestamp(ts); !known {
		ts = s.stream.Now(w.now)
	}
	return control.PutSender(dst, s.ssrc, receipt.NTP(w.now), ts, s.sent, s.octets)
}
