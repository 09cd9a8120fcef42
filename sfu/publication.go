package sfu

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"visavis/sfu/congestion"
)

// keyFrameEvery is the least time between two key frames asked of one track.
const keyFrameEvery = time.Second

// publication is one track that a peer sends, and who receives it.
type publication struct {
	peer    *peer
	track   *webrtc.TrackRemote
	recv    *webrtc.RTPReceiver
	source  Source
	kind    webrtc.RTPCodecType
	mime    string
	on      atomic.Bool // the owner says that it is on
	subs    atomic.Pointer[[]*slot]
	cache   *cache // video only
	limited bool   // of limit: its peer's goroutine

	keyMu    sync.Mutex
	keyLast  time.Time
	keyTimer *time.Timer
}

func newPublication(p *peer, track *webrtc.TrackRemote, recv *webrtc.RTPReceiver, src Source) *publication {
	b := &publication{peer: p, track: track, recv: recv, source: src, kind: track.Kind(), mime: track.Codec().MimeType}
	if b.kind == webrtc.RTPCodecTypeVideo {
		b.cache = newCache()
	}
	b.subs.Store(&[]*slot{})
	return b
}

// packet is one received packet: its header fields and a view of its payload,
// valid until the next one is read.
type packet struct {
	seq       uint16
	timestamp uint32
	marker    bool
	payload   []byte
	level     uint8 // of RFC 6464, as on the wire (voice flag and level)
	hasLevel  bool
}

// run reads the track until it ends. It is the forwarding path: one goroutine
// from the receiving stream to every subscriber's socket.
func (b *publication) run() {
	go b.readReports()
	defer b.end()
	levelID := b.extension(levelURI)
	total := &b.peer.room.node.total
	buf := make([]byte, maxDatagram)
	var h rtp.Header
	published := false
	for {
		n, _, err := b.track.Read(buf)
		if err != nil {
			return
		}
		at, err := h.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		end := n
		if h.Padding && n > at {
			end = n - int(buf[n-1])
		}
		total.in.Add(1)
		if !b.on.Load() || end <= at {
			continue // off, or probing padding
		}
		if !published {
			b.peer.room.publish(b)
			published = true
		}
		p := packet{seq: h.SequenceNumber, timestamp: h.Timestamp, marker: h.Marker, payload: buf[at:end]}
		if levelID != 0 {
			if x := h.GetExtension(levelID); len(x) == 1 {
				p.level, p.hasLevel = x[0], true
				if b.source == Voice {
					b.peer.room.speech.heard(b.peer.id, x[0]&0x7f, time.Now())
				}
			}
		}
		b.forward(&p)
	}
}

func (b *publication) forward(p *packet) {
	if b.cache != nil {
		b.cache.put(p)
	}
	for _, s := range *b.subs.Load() {
		s.write(b, p)
	}
}

func (b *publication) extension(uri string) uint8 {
	for _, x := range b.recv.GetParameters().HeaderExtensions {
		if x.URI == uri {
			return uint8(x.ID)
		}
	}
	return 0
}

// readReports lets pion see the publisher's RTCP; nothing in it is for us.
func (b *publication) readReports() {
	buf := make([]byte, maxDatagram)
	for {
		if _, _, err := b.recv.Read(buf); err != nil {
			return
		}
	}
}

// askKeyFrame asks for a key frame now, or as soon as keyFrameEvery has passed
// since the last was asked: many receivers, one request.
func (b *publication) askKeyFrame() {
	if b.kind != webrtc.RTPCodecTypeVideo {
		return
	}
	b.keyMu.Lock()
	defer b.keyMu.Unlock()
	if b.keyTimer != nil {
		return
	}
	wait := keyFrameEvery - time.Since(b.keyLast)
	if wait <= 0 {
		b.keyLast = time.Now()
		go b.sendPLI()
		return
	}
	b.keyTimer = time.AfterFunc(wait, func() {
		b.keyMu.Lock()
		b.keyTimer, b.keyLast = nil, time.Now()
		b.keyMu.Unlock()
		b.sendPLI()
	})
}

func (b *publication) sendPLI() {
	if b.peer.dropped.Load() || !b.on.Load() {
		return
	}
	b.peer.room.node.total.pli.Add(1)
	_ = b.peer.conn.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(b.track.SSRC())}})
}

// limit tells the publisher what the weakest of its receivers can take, once a
// second while one is short and once more when none is any more (REMB,
// draft-alvestrand-rmcat-remb; browsers take it as a ceiling beside their own
// estimate). Without it a weak phone would lose its sound to a picture that is
// too large for its link.
func (b *publication) limit() *rtcp.ReceiverEstimatedMaximumBitrate {
	if b.kind != webrtc.RTPCodecTypeVideo || !b.on.Load() {
		return nil
	}
	rate, short := congestion.Most, false
	for _, s := range *b.subs.Load() {
		if r, limited := s.carries(); limited {
			rate, short = min(rate, r), true
		}
	}
	if !short && !b.limited {
		return nil
	}
	b.limited = short
	return &rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: float32(rate), SSRCs: []uint32{uint32(b.track.SSRC())}}
}

func (b *publication) end() {
	b.keyMu.Lock()
	if b.keyTimer != nil {
		b.keyTimer.Stop()
	}
	b.keyMu.Unlock()
	b.peer.room.unpublish(b)
}
