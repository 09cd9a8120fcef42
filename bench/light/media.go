//go:build linux

package light

import (
	crand "crypto/rand"
	"encoding/binary"
	"time"

	"visavis/sfu/control"
	"visavis/sfu/nack"
	"visavis/sfu/packet"
	"visavis/sfu/receipt"
	"visavis/sfu/srtp"
)

// PerPicture is how many packets a picture has: 1.2 Mbit/s at 30/s.
const PerPicture = 5

// stamped is what a payload with a time in it is larger than, bytes.
const stamped = 500

// level is how loud everybody is (RFC 6464): a voice, 20 dB below the most.
const level = 0x80 | 20

// sending is a stream of ours.
type sending struct {
	ssrc    uint32
	kind    uint8 // payload type
	every   time.Duration
	step    uint32 // of the timestamp
	packets int
	size    int // bytes of payload

	seq          uint16
	ts           uint32
	window       srtp.Window
	sent, octets uint32
	number       uint16 // transport-wide, of the client's first stream
}

// coming is a stream of somebody else.
type coming struct {
	ssrc    uint32
	picture bool
	window  srtp.Window
	missing nack.Tracker
	got     receipt.Stream
	repair  bool
}

func (c *Client) voiceAndPicture() error {
	var b [8]byte
	if _, err := crand.Read(b[:]); err != nil {
		return err
	}
	c.sends = []*sending{
		{ssrc: binary.BigEndian.Uint32(b[:]) | 1, kind: opus, every: 20 * time.Millisecond, step: 960, packets: 1, size: 80, seq: 100, ts: 5000},
		{ssrc: binary.BigEndian.Uint32(b[4:])&^1 | 2, kind: vp8, every: time.Second / 30, step: 3000, packets: PerPicture, size: 1000, seq: 100, ts: 5000},
	}
	return nil
}

// send sends the next frame, one datagram a call, as browsers do.
func (c *Client) send(s *sending, _ int64) {
	for i := range s.packets {
		wr := packet.Write(c.e.sealed[:], s.kind, i == s.packets-1 && s.kind == vp8, s.seq, s.ts, s.ssrc)
		if s.kind == opus {
			wr.Extension(extLevel, 1)[0] = level
		}
		binary.BigEndian.PutUint16(wr.Extension(extTWCC, 2), c.sends[0].number)
		c.sends[0].number++
		head := wr.End()
		payload := c.e.plain[:s.size]
		binary.BigEndian.PutUint64(payload[1:], uint64(time.Now().UnixNano()))
		b, err := c.keys.SealRTP(c.e.sealed[:], head, payload, s.ssrc, s.seq, &s.window)
		if err != nil {
			return
		}
		c.write(b)
		s.seq++
		s.sent++
		s.octets += uint32(s.size)
	}
	s.ts += s.step
}

// take reads what waits on a client's socket.
func (e *Engine) take(c *Client) {
	n := e.in.read(c.fd)
	for i := range n {
		b, came := e.in.at(i)
		switch {
		case len(b) < 12:
		case b[0] < 4:
			c.stun(b)
		case b[0] >= 20 && b[0] <= 63:
			_, _ = c.dtls.Write(b)
		case !packet.Is(b) || c.keys == nil:
		case packet.IsRTCP(b):
			c.rtcp(b)
		default:
			c.rtp(b, came)
		}
	}
}

func (c *Client) rtp(b []byte, came int64) {
	h, ok := packet.Parse(b)
	if !ok {
		return
	}
	s := c.known(h.SSRC)
	fresh := s == nil
	if fresh {
		s = &coming{ssrc: h.SSRC, picture: h.Type == vp8, repair: h.Type == rtx, got: receipt.Stream{Rate: 90000}}
	}
	b, err := c.keys.OpenRTP(b, &h, &s.window)
	if err != nil {
		return
	}
	if fresh {
		c.begin(s, h.Type)
	}
	now := time.Now()
	ns := int64(now.Sub(c.e.epoch))
	if x := h.Extension(b, extTWCC); len(x) == 2 {
		c.arrivals.Add(binary.BigEndian.Uint16(x), ns)
	}
	end, ok := h.Payload(b)
	if !ok || end == h.Size {
		return
	}
	payload, seq := b[h.Size:end], h.Seq
	if s.repair {
		if s = c.known(c.repairs[s.ssrc]); s == nil || len(payload) < 2 {
			return
		}
		seq, payload = binary.BigEndian.Uint16(payload), payload[2:]
	} else {
		s.got.Add(seq, h.Timestamp, now)
	}
	if !s.missing.Add(seq, ns) {
		return
	}
	c.packets++
	if c.first.IsZero() {
		c.first = now
		close(c.some)
	}
	if len(payload) > stamped {
		left := int64(binary.BigEndian.Uint64(payload[1:]))
		c.e.delays = append(c.e.delays, float64(now.UnixNano()-left)/1e6)
		if came != 0 {
			c.e.reached = append(c.e.reached, float64(came-left)/1e6)
		}
	}
}

func (c *Client) known(ssrc uint32) *coming {
	for _, s := range c.comes {
		if s.ssrc == ssrc {
			return s
		}
	}
	return nil
}

// begin counts a stream that begins.
func (c *Client) begin(s *coming, kind uint8) {
	if kind == opus {
		s.got.Rate = 48000
	}
	c.comes = append(c.comes, s)
	if s.repair {
		return
	}
	if c.streams++; c.streams == c.wants {
		close(c.full)
	}
}

func (c *Client) rtcp(b []byte) {
	b, err := c.keys.OpenRTCP(b)
	if err != nil {
		return
	}
	for p, rest, ok := control.Next(b); ok; p, rest, ok = control.Next(rest) {
		if ntp, _, ok := p.Times(); ok {
			if s := c.known(p.Sender()); s != nil {
				s.got.Heard(ntp, time.Now())
			}
		}
	}
}

// beat is ten times a second: when packets came, and what is missing; once a
// second the reports, and every five a check (RFC 7675).
func (c *Client) beat(now int64) {
	from := c.sends[0].ssrc
	if n := c.arrivals.Feedback(c.e.plain[:], from, c.sends[1].ssrc); n > 0 {
		c.control(c.e.plain[:n])
	}
	for _, s := range c.comes {
		if s.picture && s.missing.Missing() {
			if list := s.missing.Due(nil, now, int64(100*time.Millisecond)); len(list) > 0 {
				c.control(control.PutNACK(nil, from, s.ssrc, list))
			}
		}
	}
	if c.beats++; c.beats%10 == 0 {
		c.reports(time.Now())
	}
	if c.beats%50 == 0 {
		_ = c.check()
	}
}

func (c *Client) reports(now time.Time) {
	var b []byte
	for _, s := range c.sends {
		b = control.PutSender(b, s.ssrc, receipt.NTP(now), s.ts, s.sent, s.octets)
	}
	var blocks []control.Block
	for _, s := range c.comes {
		if x, ok := s.got.Report(s.ssrc, now); ok {
			blocks = append(blocks, x)
		}
	}
	c.control(control.PutReceiver(b, c.sends[0].ssrc, blocks))
}

func (c *Client) control(plain []byte) {
	var out [1600]byte
	if b, err := c.keys.SealRTCP(out[:], plain); err == nil {
		c.write(b)
	}
}
