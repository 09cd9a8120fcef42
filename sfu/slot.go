package sfu

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"visavis/sfu/congestion"
)

// slot is one receiving section of a peer: a local track under a fixed SSRC
// that carries one publication after another as one continuous stream.
type slot struct {
	peer  *peer
	kind  webrtc.RTPCodecType
	index int
	tr    *webrtc.RTPTransceiver
	cur   atomic.Pointer[publication]

	mu     sync.Mutex
	out    webrtc.TrackLocalWriter // nil until negotiated
	ssrc   uint32
	rtx    uint32
	types  map[string]uint8 // payload type by codec name, lower case
	rtxOf  map[uint8]uint8  // payload type of RTX by that of its codec
	level  uint8            // id of the level extension for this peer
	rate   uint32
	stream rewrite
	header rtp.Header
	again  []byte // scratch for RTX
	rtxSeq uint16
	sent   uint32
	octets uint32
	meter  flowMeter
	link   congestion.Loss // what this receiver's link carries, by its reports
	flows  []Flow
}

// rewrite maps a publication's sequence numbers and timestamps onto the slot's.
type rewrite struct {
	of       *publication
	seqOff   uint16
	tsOff    uint32
	started  bool // the slot has sent before
	lastSeq  uint16
	lastTS   uint32
	lastTime time.Time
}

// start lays the first packet of b behind what was sent. One sequence number is
// left out, so that a video decoder sees the break and waits for a key frame
// instead of painting one person over another.
func (r *rewrite) start(b *publication, p *packet, rate uint32, now time.Time) {
	if r.started {
		gap := uint32(now.Sub(r.lastTime).Seconds() * float64(rate))
		r.seqOff = r.lastSeq + 2 - p.seq
		r.tsOff = r.lastTS + max(gap, 1) - p.timestamp
	} else {
		r.seqOff, r.tsOff = 0, 0
	}
	r.of, r.started = b, true
	r.lastSeq, r.lastTS, r.lastTime = p.seq+r.seqOff, p.timestamp+r.tsOff, now
}

func (r *rewrite) next(p *packet, now time.Time) (seq uint16, ts uint32) {
	seq, ts = p.seq+r.seqOff, p.timestamp+r.tsOff
	if int16(seq-r.lastSeq) > 0 {
		r.lastSeq, r.lastTS, r.lastTime = seq, ts, now
	}
	return seq, ts
}

func newSlot(p *peer, kind webrtc.RTPCodecType, index int) *slot {
	s := &slot{peer: p, kind: kind, index: index, rate: 90000}
	if kind == webrtc.RTPCodecTypeAudio {
		s.rate = 48000
	}
	return s
}

// ID names the track in the answer.
func (s *slot) ID() string { return fmt.Sprintf("%s-%d", s.kind, s.index) }

// RID is empty: slots are not simulcast.
func (s *slot) RID() string { return "" }

// StreamID is shared by the sound and the picture of the same index, which
// clients then play in step.
func (s *slot) StreamID() string { return "slot-" + strconv.Itoa(s.index) }

// Kind is audio or video.
func (s *slot) Kind() webrtc.RTPCodecType { return s.kind }

// Bind is called by pion once the answer is made.
func (s *slot) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out, s.ssrc, s.rtx = c.WriteStream(), uint32(c.SSRC()), uint32(c.SSRCRetransmission())
	s.types, s.rtxOf = map[string]uint8{}, map[uint8]uint8{}
	var first *webrtc.RTPCodecParameters
	for _, k := range c.CodecParameters() {
		if sameMime(k.MimeType, mimeRTX) {
			if apt, err := strconv.ParseUint(strings.TrimPrefix(k.SDPFmtpLine, "apt="), 10, 7); err == nil {
				s.rtxOf[uint8(apt)] = uint8(k.PayloadType)
			}
			continue
		}
		name := strings.ToLower(k.MimeType)
		if _, ok := s.types[name]; !ok {
			s.types[name] = uint8(k.PayloadType)
		}
		if first == nil {
			first = &k
		}
	}
	if first == nil {
		return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
	}
	for _, x := range c.HeaderExtensions() {
		if x.URI == levelURI && s.kind == webrtc.RTPCodecTypeAudio {
			s.level = uint8(x.ID)
		}
	}
	go s.readReports(s.tr.Sender())
	return *first, nil
}

// Unbind is called by pion when the connection closes.
func (s *slot) Unbind(webrtc.TrackLocalContext) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = nil
	return nil
}

func (s *slot) source() *publication { return s.cur.Load() }

// bind puts b (or nobody) into the slot.
func (s *slot) bind(b *publication) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endMeterLocked()
	s.cur.Store(b)
}

func (s *slot) endMeterLocked() {
	if b := s.cur.Load(); b != nil && b.kind == webrtc.RTPCodecTypeVideo {
		if n := s.meter.take(); n > 0 {
			s.flows = append(s.flows, Flow{From: b.peer.id, To: s.peer.id, Source: b.source, Seconds: n})
		}
	}
	s.meter = flowMeter{}
}

func (s *slot) takeFlows() []Flow {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.cur.Load(); b != nil && b.kind == webrtc.RTPCodecTypeVideo {
		if n := s.meter.take(); n > 0 {
			s.flows = append(s.flows, Flow{From: b.peer.id, To: s.peer.id, Source: b.source, Seconds: n})
		}
	}
	list := s.flows
	s.flows = nil
	return list
}

// write sends one packet of b to the peer.
func (s *slot) write(b *publication, p *packet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cur.Load() != b || s.out == nil || !s.peer.up.Load() {
		return
	}
	pt, ok := s.types[b.mime]
	if !ok {
		if pt, ok = s.types[strings.ToLower(b.mime)]; !ok {
			return // a codec this client does not know
		}
		s.types[b.mime] = pt
	}
	now := time.Now()
	if s.stream.of != b {
		s.stream.start(b, p, s.rate, now)
	}
	seq, ts := s.stream.next(p, now)
	h := &s.header
	h.Version, h.PayloadType, h.SSRC = 2, pt, s.ssrc
	h.SequenceNumber, h.Timestamp, h.Marker = seq, ts, p.marker
	h.Extension, h.Extensions = false, h.Extensions[:0]
	if s.level != 0 && p.hasLevel {
		_ = h.SetExtension(s.level, []byte{p.level})
	}
	if _, err := s.out.WriteRTP(h, p.payload); err != nil {
		return
	}
	s.sent++
	s.octets += uint32(len(p.payload))
	total := &s.peer.room.node.total
	total.out.Add(1)
	if s.kind == webrtc.RTPCodecTypeVideo {
		s.meter.frame(p.timestamp, now)
	}
}

// resend answers a NACK from the publication's cache by RTX (RFC 4588). It
// never sends the same packet under the same SRTP index twice with another
// header: with AES-GCM that would give the key away.
func (s *slot) resend(seq uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.cur.Load()
	if b == nil || b.cache == nil || s.stream.of != b || s.out == nil || s.rtx == 0 || !b.on.Load() {
		return
	}
	rtxType, ok := s.rtxOf[s.types[b.mime]]
	if !ok {
		return
	}
	s.again = append(s.again[:0], byte(seq>>8), byte(seq))
	payload, ts, marker, ok := b.cache.get(seq-s.stream.seqOff, s.again)
	if !ok {
		return
	}
	s.again = payload
	s.rtxSeq++
	h := rtp.Header{
		Version: 2, PayloadType: rtxType, SSRC: s.rtx, SequenceNumber: s.rtxSeq,
		Timestamp: ts + s.stream.tsOff, Marker: marker,
	}
	if _, err := s.out.WriteRTP(&h, payload); err == nil {
		s.peer.room.node.total.rtx.Add(1)
	}
}

// readReports takes what the peer says about this slot, until it is gone.
func (s *slot) readReports(sender *webrtc.RTPSender) {
	buf := make([]byte, maxDatagram)
	for {
		n, _, err := sender.Read(buf)
		if err != nil {
			return
		}
		list, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		for _, r := range list {
			s.take(r)
		}
	}
}

func (s *slot) take(r rtcp.Packet) {
	switch m := r.(type) {
	case *rtcp.TransportLayerNack:
		if m.MediaSSRC != s.ssrc {
			return
		}
		for _, pair := range m.Nacks {
			for _, seq := range pair.PacketList() {
				s.peer.room.node.total.nack.Add(1)
				s.resend(seq)
			}
		}
	case *rtcp.ReceiverReport:
		s.reported(m.Reports)
	case *rtcp.SenderReport:
		s.reported(m.Reports)
	case *rtcp.PictureLossIndication:
		s.keyFrame(m.MediaSSRC)
	case *rtcp.FullIntraRequest:
		for _, e := range m.FIR {
			s.keyFrame(e.SSRC)
		}
	}
}

// reported takes what the receiver lost of this slot.
func (s *slot) reported(list []rtcp.ReceptionReport) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range list {
		if r.SSRC == s.ssrc {
			s.link.Report(float64(r.FractionLost)/256, time.Now())
		}
	}
}

// carries is what the receiver's link is believed to carry, in bits/s; false
// when nothing says that it is short.
func (s *slot) carries() (int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.link.Rate(), s.link.Limited()
}

func (s *slot) keyFrame(ssrc uint32) {
	if b := s.source(); b != nil && ssrc == s.ssrc {
		b.askKeyFrame()
	}
}

// ntpEpoch is the offset of NTP's era 0 from Unix time, in seconds (RFC 5905).
const ntpEpoch = 2208988800

// report makes the sender report of the slot (RFC 3550 §6.4.1); nil when it has
// sent nothing yet.
func (s *slot) report(now time.Time) *rtcp.SenderReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stream.started || s.cur.Load() == nil {
		return nil
	}
	ahead := uint32(now.Sub(s.stream.lastTime).Seconds() * float64(s.rate))
	frac := uint64(now.Nanosecond()) << 32 / 1e9
	return &rtcp.SenderReport{
		SSRC: s.ssrc, NTPTime: uint64(now.Unix()+ntpEpoch)<<32 | frac,
		RTPTime: s.stream.lastTS + ahead, PacketCount: s.sent, OctetCount: s.octets,
	}
}
