package sfu

import (
	"slices"
	"time"

	"visavis/sfu/cache"
	"visavis/sfu/control"
	"visavis/sfu/nack"
	"visavis/sfu/packet"
	"visavis/sfu/receipt"
	"visavis/sfu/session"
	"visavis/sfu/srtp"
)

// The cache of one layer: a second and a half at 1.2 Mbit/s, and packets for as
// long at thirty pictures of nine packets.
const (
	cachePackets = 512
	cacheBytes   = 224 << 10
)

// maxStreams is how many SSRCs a peer may send under: layers, retransmissions,
// and some to change.
const maxStreams = 24

// keyFrameEvery is the least time between two key frames asked of one layer.
const keyFrameEvery = time.Second

// keyFrameApart is the least time between two requests to one encoder, whichever
// layers they name: libwebrtc answers each with a key frame of every layer, and
// passes over one that comes within 300 ms of the last.
const keyFrameApart = 320 * time.Millisecond

// track is what a peer sends in one section, and who receives it.
type track struct {
	peer      *peer
	section   *session.Section
	source    Source
	on        bool // the owner says that it is on
	published bool
	layers    []*layer
	subs      []*slot
	limited   bool  // its sender was told a ceiling
	keyAsked  int64 // ns, of any layer
	clock     uint32
}

// layer is one encoding of a track.
type layer struct {
	track   *track
	name    string // of simulcast; empty: the only one
	height  int    // pixels, as far as can be known without reading the payload
	ssrc    uint32 // 0: not seen yet
	missing nack.Tracker
	got     receipt.Stream
	mapping receipt.Mapping
	cache   *cache.Ring // video, from its first packet on

	keyWanted bool
	keyAsked  int64  // ns
	keyTwice  bool   // the request is to go out once more
	bytes     int    // since rated
	rate      int    // bits per second
	heard     int64  // ns
	said      uint64 // NTP time of the last sender report
	saidAs    uint32 // its RTP time
}

// fullHeight is what the last layer of an offer is taken to be high, pixels; each
// one before it is half of the next (docs/signaling.md §6.2).
const fullHeight = 720

// source is one SSRC that a peer sends under.
type source struct {
	window srtp.Window
	layer  *layer // nil: not known yet whose it is
	rtx    bool
}

// incoming is one packet of a layer, a view of the datagram that it came in.
type incoming struct {
	seq       uint16
	timestamp uint32
	marker    bool
	kind      uint8 // payload type
	payload   []byte
	level     uint8 // of RFC 6464, as on the wire (voice flag and level)
	hasLevel  bool
	key       bool // the first packet of a key frame, by its Dependency Descriptor
	described bool // there is a Dependency Descriptor
}

func newTrack(p *peer, sec *session.Section, src Source) *track {
	t := &track{peer: p, section: sec, source: src, clock: sec.Codecs[0].Rate}
	names := sec.Layers
	if len(names) == 0 {
		names = []string{""}
	}
	for i, name := range names {
		l := &layer{track: t, name: name, height: fullHeight >> (len(names) - 1 - i), got: receipt.Stream{Rate: t.clock}}
		t.layers = append(t.layers, l)
	}
	return t
}

// rtpLocked opens a packet of the client and carries it on.
func (p *peer) rtpLocked(w *worker, b []byte, from *path) {
	h, ok := packet.Parse(b)
	if !ok || p.crypt == nil || p.gone {
		return
	}
	src := p.streams[h.SSRC]
	if src == nil {
		if len(p.streams) == maxStreams {
			return
		}
		src = &source{}
	}
	b, err := p.crypt.OpenRTP(b, &h, &src.window)
	if err != nil {
		return
	}
	p.heardLocked(w)
	p.carried(from, w.ns)
	if src.layer == nil {
		p.streams[h.SSRC] = src
		if p.identify(src, &h, b); src.layer == nil {
			return
		}
	}
	p.room.node.total.in.Add(1)
	sec := src.layer.track.section
	if x := h.Extension(b, sec.Ext.TWCC); len(x) == 2 {
		p.arrivals.Add(uint16(x[0])<<8|uint16(x[1]), w.ns)
	}
	end, ok := h.Payload(b)
	if !ok {
		return
	}
	in := incoming{seq: h.Seq, timestamp: h.Timestamp, marker: h.Marker, kind: h.Type, payload: b[h.Size:end]}
	if src.rtx {
		c, rtx := sec.Codec(h.Type)
		if !rtx || len(in.payload) < 2 {
			return // padding that probes the link
		}
		in.seq, in.kind, in.payload = uint16(in.payload[0])<<8|uint16(in.payload[1]), c.Type, in.payload[2:]
	} else {
		src.layer.got.Add(h.Seq, h.Timestamp, w.now)
	}
	if x := h.Extension(b, sec.Ext.Level); len(x) == 1 {
		in.level, in.hasLevel = x[0], true
	}
	if x := h.Extension(b, sec.Ext.Frame); len(x) >= 3 {
		// Start of frame, and a dependency structure, which key frames carry.
		in.described, in.key = true, x[0]&0x80 != 0 && len(x) > 3 && x[3]&0x80 != 0
	}
	src.layer.take(w, &in)
}

// identify finds whose an SSRC is: said in the offer, or in the packet (RFC 9143
// §9.2, RFC 8852).
func (p *peer) identify(src *source, h *packet.Header, b []byte) {
	for _, t := range p.tracks {
		s := t.section
		if len(s.Layers) > 0 {
			continue // an SSRC that is said does not tell of which layer it is
		}
		if h.SSRC == s.SSRC && s.SSRC != 0 {
			src.layer = t.layers[0]
		} else if h.SSRC == s.RTX && s.RTX != 0 {
			src.layer, src.rtx = t.layers[0], true
		}
	}
	for _, t := range p.tracks {
		s := t.section
		if src.layer != nil || string(h.Extension(b, s.Ext.Mid)) != s.Mid {
			continue
		}
		_, src.rtx = s.Codec(h.Type)
		name := h.Extension(b, s.Ext.RID)
		if src.rtx {
			name = h.Extension(b, s.Ext.RRID)
		}
		for _, l := range t.layers {
			if l.name == string(name) {
				src.layer = l
			}
		}
	}
	if src.layer != nil && !src.rtx {
		src.layer.ssrc = h.SSRC
	}
}

// take carries one packet to everybody who receives the layer. It is the
// forwarding path.
func (l *layer) take(w *worker, in *incoming) {
	t := l.track
	if !l.missing.Add(in.seq, w.ns) {
		return
	}
	l.heard = w.ns
	l.bytes += len(in.payload) + 40 // with headers
	if l.missing.Missing() {
		l.askMissing(w)
	}
	if !t.on {
		return
	}
	if !t.published {
		if len(in.payload) == 0 {
			return
		}
		t.published = true
		t.peer.room.bindLocked()
	}
	if in.hasLevel && t.source == Voice && t.peer.room.speech.Heard(t.peer.id, in.level&0x7f, w.now) {
		t.peer.room.tellSpeaking()
	}
	if t.section.Kind == session.Video {
		if l.cache == nil {
			l.cache = cache.New(cachePackets, cacheBytes)
		}
		l.cache.Put(cache.Meta{Seq: in.seq, Timestamp: in.timestamp, Marker: in.marker}, in.payload)
	}
	for _, s := range t.subs {
		s.write(w, l, in)
	}
}

// askMissing asks the publisher for what is missing and due, once for all
// receivers.
func (l *layer) askMissing(w *worker) {
	p := l.track.peer
	if !l.track.section.Codecs[0].NACK || l.ssrc == 0 {
		return
	}
	retry := max(p.rtt+p.rtt/2, int64(20*time.Millisecond))
	if p.rtt == 0 {
		retry = int64(100 * time.Millisecond)
	}
	if w.seqs = l.missing.Due(w.seqs[:0], w.ns, retry); len(w.seqs) > 0 {
		p.sendControl(w, control.PutNACK(w.control[:0], p.ssrc, l.ssrc, w.seqs))
	}
}

// received says whether somebody gets the layer.
func (l *layer) received() bool {
	return slices.ContainsFunc(l.track.subs, func(s *slot) bool { return s.want == l && !s.hidden })
}

// wantKeyFrame asks for a key frame of every layer that somebody receives: many
// receivers, one request (askKeyFrame).
func (t *track) wantKeyFrame() {
	for _, s := range t.subs {
		s.wantKeyFrame()
	}
}

// wantKeyFrame asks for a key frame of what the slot carries.
func (s *slot) wantKeyFrame() {
	for _, l := range [...]*layer{s.want, s.next} {
		if l != nil && s.kind == session.Video {
			l.keyWanted = true
		}
	}
}

// askKeyFrame sends the request that is wanted, if keyFrameEvery and
// keyFrameApart have passed; where packets are lost once more a beat later, which
// encoders answer by one picture.
func (l *layer) askKeyFrame(w *worker) {
	p := l.track.peer
	if l.keyTwice && w.ns-l.keyAsked >= int64(beat) {
		l.keyTwice = false
		p.sendControl(w, control.PutPLI(w.control[:0], p.ssrc, l.ssrc))
	}
	if !l.keyWanted || l.ssrc == 0 || !l.track.on || l.keyAsked != 0 && w.ns-l.keyAsked < int64(keyFrameEvery) {
		return
	}
	if l.track.keyAsked != 0 && w.ns-l.track.keyAsked < int64(keyFrameApart) {
		return // the next beat asks
	}
	l.keyWanted, l.keyAsked, l.keyTwice, l.track.keyAsked = false, w.ns, p.loses, w.ns
	p.room.node.total.pli.Add(1)
	p.sendControl(w, control.PutPLI(w.control[:0], p.ssrc, l.ssrc))
}

// turnLocked switches a track on or off. Receivers' streams go on without a hole
// when it comes back.
func (t *track) turnLocked(on bool) {
	if on == t.on {
		return
	}
	t.on = on
	if on {
		for _, s := range t.subs {
			s.laid = nil
		}
		t.wantKeyFrame()
	}
}
