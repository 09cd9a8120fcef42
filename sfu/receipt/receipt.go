// Package receipt counts what came of one stream, for the reception report that
// its sender gets (RFC 3550 §6.4.1, appendix A.3 and A.8), and translates the
// sender's clock into ours, so that every receiver plays the sound and the
// picture of one person in step and measures a true round trip.
package receipt

import (
	"time"

	"visavis/sfu/control"
)

// ntpEpoch is the offset of NTP's era 0 from Unix time, in seconds (RFC 5905).
const ntpEpoch = 2208988800

// NTP is a wall-clock time in the 64-bit format of RFC 5905.
func NTP(t time.Time) uint64 {
	return uint64(t.Unix()+ntpEpoch)<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}

// Stream counts one received SSRC. The zero Stream needs Rate before its first
// packet.
type Stream struct {
	Rate uint32 // of the RTP clock, in Hz

	started     bool
	first       uint32
	high        uint32 // extended
	received    uint32
	wasExpected uint32
	wasReceived uint32
	transit     int64
	jitter      float64
	lastSR      uint32 // the middle of its NTP time
	lastSRAt    time.Time
}

// Add takes a packet that arrived now; a packet of a retransmission stream does
// not count.
func (s *Stream) Add(seq uint16, timestamp uint32, now time.Time) {
	s.received++
	if !s.started {
		s.started, s.first, s.high = true, uint32(seq), uint32(seq)
		s.transit = s.arrival(now) - int64(timestamp)
		return
	}
	d := int16(seq - uint16(s.high))
	if d <= 0 {
		return // late: it says nothing about jitter (RFC 3550 A.8 counts it; browsers do not)
	}
	s.high += uint32(d)
	transit := s.arrival(now) - int64(timestamp)
	diff := int64(int32(transit - s.transit))
	s.transit = transit
	if diff < 0 {
		diff = -diff
	}
	s.jitter += (float64(diff) - s.jitter) / 16
}

func (s *Stream) arrival(now time.Time) int64 {
	return now.Unix()*int64(s.Rate) + int64(now.Nanosecond())*int64(s.Rate)/int64(time.Second)
}

// Heard takes the NTP time of a sender report that arrived now.
func (s *Stream) Heard(ntp uint64, now time.Time) { s.lastSR, s.lastSRAt = uint32(ntp>>16), now }

// Report makes the report about the time since the last Report. False: nothing
// came yet.
func (s *Stream) Report(ssrc uint32, now time.Time) (control.Block, bool) {
	if !s.started {
		return control.Block{}, false
	}
	expected := s.high - s.first + 1
	lost := uint32(max(0, int64(expected)-int64(s.received)))
	r := control.Block{
		SSRC: ssrc, Lost: min(lost, 1<<23-1), High: s.high, Jitter: uint32(s.jitter), LSR: s.lastSR,
	}
	interval, got := expected-s.wasExpected, s.received-s.wasReceived
	s.wasExpected, s.wasReceived = expected, s.received
	if interval > got {
		r.Fraction = uint8(min(255, (interval-got)*256/interval))
	}
	if !s.lastSRAt.IsZero() {
		r.DLSR = uint32(now.Sub(s.lastSRAt).Seconds() * 65536)
	}
	return r, true
}
