package twcc

import (
	"encoding/binary"
	"errors"
	"time"
)

// historySize is how many packets on their way are known: three seconds of a
// room of six.
const historySize = 2048

// ErrFeedback: the feedback is not well-formed.
var ErrFeedback = errors.New("twcc: malformed feedback")

// Sent is one packet that left, and what became of it.
type Sent struct {
	Seq      uint16
	Size     int   // bytes with all headers up to UDP's payload
	Left     int64 // ns, our clock
	Arrived  int64 // ns, the receiver's clock, from an origin of its own
	Received bool
}

type departure struct {
	valid   bool
	missing bool // by the last feedback that tells of it
	seq     uint16
	size    uint16
	at      int64
}

// overtaken is for how long a packet that is said to be missing may still come: it
// is lost when one came that left so much later. Feedback is made in the middle of
// what a link delivers out of order.
const overtaken = int64(120 * time.Millisecond)

// hole is for how long nothing comes when a link is cut rather than full.
const hole = int64(time.Second)

// History notes what left towards one receiver. It is used by one goroutine at a
// time.
type History struct {
	next    uint16
	settled uint16                     // before it, all was told
	latest  int64                      // when the last of those that came left, ns
	came    int64                      // when the last of the settled that came left, ns
	run     struct{ known, hole bool } // of packets that did not come
	ring    []departure
}

// Leave gives the next packet its transport-wide number. size is in bytes, now
// in ns.
func (h *History) Leave(size int, now int64) uint16 {
	if h.ring == nil {
		h.ring = make([]departure, historySize)
	}
	seq := h.next
	h.next++
	if h.next-h.settled > historySize {
		h.settled = h.next - historySize
	}
	h.ring[seq%historySize] = departure{valid: true, seq: seq, size: uint16(size), at: now}
	return seq
}

// Read takes one feedback packet, the whole RTCP packet with its header, and
// appends to dst what it says about packets that are known: each is told once, one
// that comes after it was given up for lost once more.
func (h *History) Read(dst []Sent, b []byte) ([]Sent, error) {
	if len(b) < 20 || b[0]&0x1f != 15 || b[1] != 205 {
		return dst, ErrFeedback
	}
	base, count := binary.BigEndian.Uint16(b[12:]), int(binary.BigEndian.Uint16(b[14:]))
	at := int64(binary.BigEndian.Uint32(b[16:])>>8) * reference
	chunks := b[20:]
	deltas, err := skipChunks(chunks, count)
	if err != nil {
		return dst, err
	}
	for i := 0; i < count; {
		chunk := binary.BigEndian.Uint16(chunks)
		chunks = chunks[2:]
		n, symbol := unpack(chunk)
		for k := 0; k < n && i < count; k++ {
			switch s := symbol(k); {
			case s == small && len(deltas) >= 1:
				at += int64(deltas[0]) * tick
				deltas = deltas[1:]
				dst = h.tell(dst, base+uint16(i), at, true)
			case s == large && len(deltas) >= 2:
				at += int64(int16(binary.BigEndian.Uint16(deltas))) * tick
				deltas = deltas[2:]
				dst = h.tell(dst, base+uint16(i), at, true)
			case s == lost:
				dst = h.tell(dst, base+uint16(i), 0, false)
			default:
				return dst, ErrFeedback
			}
			i++
		}
	}
	return h.settle(dst), nil
}

// settle tells which of the missing are lost. Of those lost in a hole nothing is
// told: a link that was cut is not one that carries less.
func (h *History) settle(dst []Sent) []Sent {
	for ; h.ring != nil && h.settled != h.next; h.settled++ {
		d := &h.ring[h.settled%historySize]
		if d.at > h.latest-overtaken {
			break
		}
		switch {
		case !d.valid:
			h.came, h.run.known = d.at, false
		case d.missing && !h.inHole():
			dst = append(dst, Sent{Seq: d.seq, Size: int(d.size), Left: d.at})
		}
	}
	return dst
}

// inHole says whether nothing came for long of what left around the first packet
// that is not settled.
func (h *History) inHole() bool {
	if !h.run.known {
		end := h.settled
		for end != h.next && h.ring[end%historySize].valid {
			end++
		}
		h.run.known, h.run.hole = true, end != h.next && h.ring[end%historySize].at-h.came > hole
	}
	return h.run.hole
}

// skipChunks gives what stands behind the chunks.
func skipChunks(b []byte, count int) ([]byte, error) {
	for count > 0 {
		if len(b) < 2 {
			return nil, ErrFeedback
		}
		n, _ := unpack(binary.BigEndian.Uint16(b))
		if n == 0 {
			return nil, ErrFeedback
		}
		count -= n
		b = b[2:]
	}
	return b, nil
}

// unpack gives how many symbols a chunk holds, and each.
func unpack(chunk uint16) (int, func(k int) uint16) {
	switch {
	case chunk&0x8000 == 0:
		return int(chunk & 0x1fff), func(int) uint16 { return chunk >> 13 & 3 }
	case chunk&0x4000 == 0:
		return 14, func(k int) uint16 { return chunk >> (13 - k) & 1 }
	default:
		return 7, func(k int) uint16 { return chunk >> (12 - 2*k) & 3 }
	}
}

func (h *History) tell(dst []Sent, seq uint16, at int64, received bool) []Sent {
	if h.ring == nil {
		return dst
	}
	d := &h.ring[seq%historySize]
	if !d.valid || d.seq != seq {
		return dst
	}
	if d.missing = !received; d.missing {
		return dst
	}
	d.valid, h.latest = false, max(h.latest, d.at)
	return append(dst, Sent{Seq: seq, Size: int(d.size), Left: d.at, Arrived: at, Received: true})
}
