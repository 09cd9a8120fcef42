// Package rewrite lays the packets of one source after another onto one outgoing
// stream (RFC 3550 §5.1): sequence numbers and timestamps run on when the source
// or its layer changes, so that a receiver sees one continuous stream.
package rewrite

import "time"

// Map is where the current source lies on the stream. The zero Map has sent
// nothing. It is used by one goroutine at a time.
type Map struct {
	Rate uint32 // of the RTP clock, in Hz

	started  bool
	floor    uint16 // the oldest sequence number of the source that belongs here
	high     uint16 // the newest of the source
	seqOff   uint16
	tsOff    uint32
	lastSeq  uint16
	lastTS   uint32
	lastTime time.Time
}

// reach is how far a packet may come late, in packets.
const reach = 1024

// Start lays a new source, whose first packet this is, behind what was sent.
// One sequence number is left out, so that a video decoder sees the break and
// waits for a key frame instead of painting one person over another.
func (m *Map) Start(seq uint16, ts uint32, now time.Time) {
	if m.started {
		gap := uint32(now.Sub(m.lastTime).Seconds() * float64(m.Rate))
		m.start(seq, ts, m.lastTS+max(gap, 1), now)
		return
	}
	// Not above half, so that late packets before the first need no rollover
	// counter below zero (RFC 3711 §3.3.1).
	m.started, m.floor, m.high = true, seq, seq
	m.seqOff = seq&0x7fff - seq
	m.lastSeq, m.lastTS, m.lastTime = seq+m.seqOff, ts, now
}

// Switch is Start for another layer of the same picture: ts is known to be the
// moment when the layer before had the timestamp same.
func (m *Map) Switch(seq uint16, ts, same uint32, now time.Time) {
	if !m.started {
		m.Start(seq, ts, now)
		return
	}
	out := same + m.tsOff
	if int32(out-m.lastTS) <= 0 {
		out = m.lastTS + 1
	}
	m.start(seq, ts, out, now)
}

func (m *Map) start(seq uint16, ts, out uint32, now time.Time) {
	m.seqOff, m.tsOff = m.lastSeq+2-seq, out-ts
	m.floor, m.high = seq, seq
	m.lastSeq, m.lastTS, m.lastTime = seq+m.seqOff, out, now
}

// Next gives a packet's place. False: it is older than the source's first one
// here, and its place belongs to somebody else.
func (m *Map) Next(seq uint16, ts uint32, now time.Time) (outSeq uint16, outTS uint32, ok bool) {
	if int16(seq-m.floor) < 0 {
		return 0, 0, false
	}
	if int16(seq-m.high) > 0 {
		m.high = seq
		if m.high-m.floor > 2*reach {
			m.floor = m.high - reach
		}
	}
	outSeq, outTS = seq+m.seqOff, ts+m.tsOff
	if int16(outSeq-m.lastSeq) > 0 {
		m.lastSeq, m.lastTS, m.lastTime = outSeq, outTS, now
	}
	return outSeq, outTS, true
}

// Started says whether anything was sent.
func (m *Map) Started() bool { return m.started }

// Source gives the source's sequence number of one of ours. False: it belongs to
// an earlier source.
func (m *Map) Source(outSeq uint16) (uint16, bool) {
	seq := outSeq - m.seqOff
	return seq, m.started && int16(seq-m.floor) >= 0 && int16(seq-m.high) <= 0
}

// Timestamp translates a timestamp of the source.
func (m *Map) Timestamp(ts uint32) uint32 { return ts + m.tsOff }

// Now is what the timestamp would be at a time, going by when the last packet
// went.
func (m *Map) Now(now time.Time) uint32 {
	return m.lastTS + uint32(now.Sub(m.lastTime).Seconds()*float64(m.Rate))
}
