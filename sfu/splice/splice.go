// Package splice finds where a stream may go over to another layer of the same
// picture: at the first packet of one, which on a bad network is not the first of
// its packets to come. What a receiver gets without its beginning it cannot decode,
// and waits for seconds.
package splice

import (
	"time"

	"visavis/sfu/cache"
)

// Patience is how long the first packet of a picture is waited for: as long as it
// takes to ask for it and to get it again.
const Patience = 150 * time.Millisecond

// Point is where a stream goes over. The zero Point knows nothing. It is used by
// one goroutine at a time.
type Point struct {
	seen   bool   // a picture that came too early, up to passed
	passed uint32 // its timestamp

	found     bool   // the picture to begin with
	timestamp uint32 // of that picture
	lowest    uint16 // of its packets that came
	since     int64  // ns
}

// Pass notes a picture that came before what is waited for was asked for: what
// comes late of it, or of those before it, begins nothing.
func (p *Point) Pass(timestamp uint32) {
	if !p.seen || int32(timestamp-p.passed) > 0 {
		p.seen, p.passed = true, timestamp
	}
}

// Begins takes a packet of the layer that came at now (ns) and is in its cache, and
// gives the sequence number to begin with once it came, or after Patience.
func (p *Point) Begins(c *cache.Ring, seq uint16, timestamp uint32, now int64) (first uint16, ok bool) {
	if p.seen && int32(timestamp-p.passed) <= 0 {
		return 0, false
	}
	if !p.found {
		p.found, p.timestamp, p.lowest, p.since = true, timestamp, seq, now
	}
	if int16(seq-p.lowest) < 0 { // of the same picture, or of one that was overtaken as a whole
		p.timestamp, p.lowest = timestamp, seq
	}
	for {
		m, _, came := c.Get(p.lowest - 1)
		switch {
		case !came:
			return p.lowest, now-p.since > int64(Patience)
		case m.Timestamp != p.timestamp:
			return p.lowest, true
		}
		p.lowest--
	}
}
