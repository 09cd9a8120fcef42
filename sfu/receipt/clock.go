package receipt

import "time"

// drift is how fast the estimate may rise: clocks of computers stay within 50
// millionths, and the least delay seen must not bind for ever.
const drift = 100e-6

// Clock translates one person's NTP clock into ours: the offset is the least of
// (arrival − sent) over their sender reports, which is the clocks' difference
// and the shortest way. All streams of a person share one Clock, so the
// translation never puts sound and picture out of step.
type Clock struct {
	known  bool
	offset time.Duration
	last   time.Time
}

// Hear takes the NTP time of a report that arrived now.
func (c *Clock) Hear(ntp uint64, now time.Time) {
	off := now.Sub(fromNTP(ntp))
	if c.known {
		c.offset += time.Duration(float64(now.Sub(c.last)) * drift)
	}
	if !c.known || off < c.offset || off > c.offset+time.Minute {
		c.offset = off // a minute late is a clock that was set
	}
	c.known, c.last = true, now
}

// Ours is when, by our clock, a person's clock showed ntp.
func (c *Clock) Ours(ntp uint64) time.Time { return fromNTP(ntp).Add(c.offset) }

func fromNTP(ntp uint64) time.Time {
	return time.Unix(int64(ntp>>32)-ntpEpoch, int64(ntp&0xffffffff*uint64(time.Second)>>32))
}

// Mapping is one stream's tie of RTP timestamps to our wall clock.
type Mapping struct {
	known bool
	rtp   uint32
	at    time.Time
}

// Set ties a timestamp to a time.
func (m *Mapping) Set(rtp uint32, at time.Time) { m.known, m.rtp, m.at = true, rtp, at }

// At is the timestamp at a time, for a clock of rate Hz. False: never Set.
func (m *Mapping) At(t time.Time, rate uint32) (uint32, bool) {
	return m.rtp + uint32(int64(t.Sub(m.at).Seconds()*float64(rate))), m.known
}

// Time is when the timestamp was, for a clock of rate Hz. False: never Set.
func (m *Mapping) Time(rtp uint32, rate uint32) (time.Time, bool) {
	return m.at.Add(time.Duration(int32(rtp-m.rtp)) * time.Second / time.Duration(rate)), m.known
}
