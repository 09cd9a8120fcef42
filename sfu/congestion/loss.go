// Package congestion estimates what a receiver's link carries: Delay by when
// packets arrived, for pictures in layers; Loss by what receivers report, for the
// ceiling of a picture in one.
package congestion

import "time"

// The bounds of the estimate and its steps, in bits per second of one picture.
// The thresholds are those of Google's congestion control (draft-ietf-rmcat-gcc
// §6): under 2 % the link has room, over 10 % it has none, between it is right.
const (
	Most  = 2_000_000
	Least = 100_000
	start = 1_200_000

	few       = 0.02
	many      = 0.10
	growth    = 1.08
	stepEvery = 900 * time.Millisecond
)

// Loss follows a receiver's reports. The zero Loss stands at the rate that a
// camera starts with. It is not safe for concurrent use.
type Loss struct {
	rate  float64
	last  time.Time
	worst float64 // of the reports since
}

// Report takes the fraction (0…1) of packets lost since the last report.
// Of the reports within stepEvery the worst counts, once: a receiver with much
// to say would move the estimate faster than the link.
func (l *Loss) Report(lost float64, now time.Time) {
	if l.rate == 0 {
		l.rate = start
	}
	l.worst = max(l.worst, lost)
	if now.Sub(l.last) < stepEvery {
		return
	}
	lost, l.last, l.worst = l.worst, now, 0
	switch {
	case lost > many:
		l.rate *= 1 - 0.5*min(lost, 1)
	case lost < few:
		l.rate *= growth
	}
	l.rate = min(max(l.rate, Least), Most)
}

// Rate is what the link is believed to carry, in bits per second.
func (l *Loss) Rate() int {
	if l.rate == 0 {
		return start
	}
	return int(l.rate)
}

// Limited says whether the link was found to carry less than a camera wants.
func (l *Loss) Limited() bool { return l.Rate() < start }
