package congestion

import (
	"time"

	"visavis/sfu/twcc"
)

// The constants of the delay-based controller (draft-ietf-rmcat-gcc-02 §4, §5,
// with the trend line that browsers use instead of the Kalman filter).
const (
	burst      = int64(5 * time.Millisecond) // packets sent so close are one group
	points     = 20
	smoothing  = 0.9
	gain       = 4.0
	firstLimit = 12.5 // ms
	least      = 6.0
	mostLimit  = 600.0
	rising     = 0.0087
	falling    = 0.039
	backOff    = 0.85
	growPerSec = 1.08
	overFor    = 10.0 // ms of overuse before it counts
	window     = int64(500 * time.Millisecond)
	drain      = int64(500 * time.Millisecond)
	wild       = int64(10 * time.Millisecond) // a link on which delay alone says nothing
	standing   = int64(25 * time.Millisecond) // a queue worth the name: what even the quickest packets waited
	growing    = int64(5 * time.Millisecond)  // a queue that begins, on a link where delay says something
	flood      = 0.4                          // of the packets of a window lost: too much for chance, there is no queue to be seen
	handful    = 5                            // packets of one feedback
	enough     = 100                          // packets that say so
)

// Delay estimates what a link carries from when its packets arrived. The zero
// Delay knows nothing. It is not safe for concurrent use.
type Delay struct {
	rate      float64
	cur, last group
	deltas    int
	sum       float64 // accumulated delay, ms
	smooth    float64
	x, y      [points]float64
	n         int
	origin    int64
	limit     float64
	trend     float64
	over      float64 // ms
	overs     int
	congested bool
	now       int64 // of the last Feed
	cutAt     int64 // when the rate was last lowered
	changed   int64 // when rate was last moved, ns

	quickest lowest // ns on the way, of the last seconds
	lately   lowest // and of the last packets
	recent   lowest // and of the very last
	before   int64  // of the packet before
	rough    int64  // by how much one differs from the next, over the last hundred packets

	dropping   bool // much of what the last feedback told of is lost
	lost, told int  // packets since overflow was looked for
	share      float64

	acked    []twcc.Sent // of the last window, by arrival
	lastAck  int64
	measured float64
}

// group is a burst of packets.
type group struct {
	started              bool
	first, left, arrived int64
}

// Feed takes what feedback said, at now (ns of the clock of Sent.Left).
func (d *Delay) Feed(list []twcc.Sent, now int64) {
	d.congested, d.now = false, now
	lost := 0
	for _, s := range list {
		if !s.Received {
			lost++
		}
	}
	d.dropping = len(list) >= handful && 10*lost >= 3*len(list)
	for _, s := range list {
		d.told++
		if s.Received {
			d.packet(s)
		} else {
			d.lost++
		}
	}
	d.measure()
	d.overflow()
	d.adapt(now)
}

// overflow sees a link that drops what is too much instead of keeping it.
func (d *Delay) overflow() {
	if d.told < enough {
		return
	}
	share := float64(d.lost) / float64(d.told)
	d.share = (d.share + share) / 2
	if share > flood && d.now-d.cutAt > drain {
		d.congested, d.cutAt = true, d.now
	}
	d.lost, d.told = 0, 0
}

func (d *Delay) packet(s twcc.Sent) {
	d.acked = append(d.acked, s)
	d.lastAck = max(d.lastAck, s.Arrived)
	way := s.Arrived - s.Left
	d.quickest.add(way, s.Arrived, int64(10*time.Second))
	d.lately.add(way, s.Arrived, int64(300*time.Millisecond))
	d.recent.add(way, s.Arrived, int64(100*time.Millisecond))
	if d.deltas > 0 {
		d.rough += (max(way-d.before, d.before-way) - d.rough) / 128
	}
	d.before = way
	switch {
	case !d.cur.started:
		d.cur = group{true, s.Left, s.Left, s.Arrived}
	case s.Left < d.cur.first: // reordered
	case s.Left-d.cur.first <= burst:
		d.cur.left, d.cur.arrived = max(d.cur.left, s.Left), max(d.cur.arrived, s.Arrived)
	default:
		if d.last.started {
			d.step(float64(d.cur.arrived-d.last.arrived)/1e6, float64(d.cur.left-d.last.left)/1e6)
		}
		d.last, d.cur = d.cur, group{true, s.Left, s.Left, s.Arrived}
	}
}

// step takes one group's distance from the one before, in ms.
func (d *Delay) step(arrived, left float64) {
	if d.limit == 0 {
		d.limit, d.origin = firstLimit, d.cur.arrived
	}
	d.deltas++
	d.sum += arrived - left
	d.smooth = smoothing*d.smooth + (1-smoothing)*d.sum
	copy(d.x[:], d.x[1:])
	copy(d.y[:], d.y[1:])
	d.x[points-1], d.y[points-1] = float64(d.cur.arrived-d.origin)/1e6, d.smooth
	if d.n = min(d.n+1, points); d.n < points {
		return
	}
	before := d.trend
	d.trend = slope(&d.x, &d.y)
	value := d.trend * float64(min(d.deltas, 60)) * gain
	switch {
	case value > d.limit:
		d.over += left
		if d.overs++; d.over > overFor && d.overs > 1 && d.trend >= before {
			d.over, d.overs = 0, 0
			// What was cut shows when the queue is empty, not before.
			if d.now-d.cutAt > drain && d.queued() {
				d.congested, d.cutAt = true, d.now
			}
		}
	default:
		d.over, d.overs = 0, 0
	}
	d.move(value, left)
}

// queued says whether packets wait: a trend alone is also seen where lost packets
// are sent again, and where the order changes.
func (d *Delay) queued() bool {
	if d.rough < wild {
		return d.recent.value()-d.quickest.value() > growing
	}
	return d.dropping || d.lately.value()-d.quickest.value() > standing
}

// move adapts the limit, so that it stands above the jitter of the link.
func (d *Delay) move(value, ms float64) {
	if value < 0 {
		value = -value
	}
	if value > d.limit+15 {
		return
	}
	k := falling
	if value > d.limit {
		k = rising
	}
	d.limit = min(max(d.limit+k*(value-d.limit)*min(ms, 100), least), mostLimit)
}

func slope(x, y *[points]float64) float64 {
	var mx, my, num, den float64
	for i := range points {
		mx += x[i] / points
		my += y[i] / points
	}
	for i := range points {
		num += (x[i] - mx) * (y[i] - my)
		den += (x[i] - mx) * (x[i] - mx)
	}
	if den == 0 {
		return 0
	}
	return num / den
}

// measure sums up what arrived in the last window.
func (d *Delay) measure() {
	kept, bytes, first, head := d.acked[:0], 0, d.lastAck, 0
	for _, s := range d.acked {
		if d.lastAck-s.Arrived < window {
			kept = append(kept, s)
			bytes += s.Size
			if s.Arrived < first {
				first, head = s.Arrived, s.Size
			}
		}
	}
	bytes -= head // it took its time before the span
	d.acked = kept
	if span := d.lastAck - first; span > window/2 {
		d.measured = float64(bytes) * 8 / (float64(span) / 1e9)
	}
}

func (d *Delay) adapt(now int64) {
	if d.measured == 0 {
		return
	}
	if d.rate == 0 {
		d.rate, d.changed = start, now
	}
	since := min(float64(now-d.changed)/1e9, 1)
	d.changed = now
	if d.congested {
		d.rate = min(d.rate, backOff*d.measured)
	} else {
		// What was never sent proves nothing: the rate grows only near what was.
		grown := min(d.rate*(1+(growPerSec-1)*since), 1.5*d.measured+10_000)
		d.rate = max(d.rate, grown, d.measured)
	}
	d.rate = min(max(d.rate, 30_000), 4*Most)
}

// Rate is what the link is believed to carry, in bits per second; 0: not known.
func (d *Delay) Rate() int { return int(d.rate) }

// Congested says whether the last feedback showed a growing queue.
func (d *Delay) Congested() bool { return d.congested }

// Measured is what arrived, in bits per second.
func (d *Delay) Measured() int { return int(d.measured) }

// Lost is the share (0…1) of packets that did not arrive lately.
func (d *Delay) Lost() float64 { return d.share }
