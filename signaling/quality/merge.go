package quality

import (
	"slices"

	"visavis/internal/events"
)

// Urgent tells whether a sample is worth writing at once: something is wrong,
// and the process may die of the same cause.
func Urgent(s events.Sample) bool { return s.Word != Good || len(s.Faults) > 0 }

// Merge puts samples that went well, follow each other and went the same way
// together, up to a minute: the slowest round trip, the lowest rates, the
// highest losses of the stretch are kept, so that nothing is made to look
// better. What went badly is kept as it came.
func Merge(list []events.Sample) []events.Sample {
	var out []events.Sample
	for _, s := range list {
		last := len(out) - 1
		if last < 0 || Urgent(s) || Urgent(out[last]) || out[last].Pair != s.Pair || out[last].Ms+s.Ms > Merged || !samePauses(out[last].Pauses, s.Pauses) {
			out = append(out, s)
			continue
		}
		m := &out[last]
		m.At, m.Ms, m.Pauses = s.At, m.Ms+s.Ms, s.Pauses
		m.RTT = worst(m.RTT, s.RTT, false)
		m.Up, m.Down = worst(m.Up, s.Up, true), worst(m.Down, s.Down, true)
		m.UpLoss, m.DownLoss = worst(m.UpLoss, s.UpLoss, false), worst(m.DownLoss, s.DownLoss, false)
		m.Freezes, m.FreezeMs = m.Freezes+s.Freezes, m.FreezeMs+s.FreezeMs
	}
	return out
}

// samePauses tells whether the pauses near two samples are the same, which may have
// gone on meanwhile.
func samePauses(a, b []events.Pause) bool {
	return slices.EqualFunc(a, b, func(a, b events.Pause) bool { return a.What == b.What && a.From == b.From })
}

func worst(a, b *int, low bool) *int {
	switch {
	case a == nil:
		return b
	case b == nil || low == (*a < *b):
		return a
	}
	return b
}
