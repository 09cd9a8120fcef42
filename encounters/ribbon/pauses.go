package ribbon

import (
	"slices"
	"time"

	"visavis/internal/events"
)

// settles is how long after a pause its effects last: the next frame has to come, the
// browser counts the pause as a freeze then, and the client reports the bad seconds.
const settles = 8 * time.Second

// effect says which figures of a sample a kind of pause makes worthless.
type effect struct {
	up, down bool // the rates
	picture  bool // the length of the freezes, and a word that only pictures explain
	still    bool // every freeze: a shared screen may stand still for long
	faults   bool // the camera was needed elsewhere
	away     bool // the seat took no part: nothing of that time is a trouble
}

func effectOf(what string) effect {
	switch what {
	case events.PauseHold:
		return effect{up: true, down: true, picture: true, away: true}
	case events.PauseHidden:
		return effect{down: true, picture: true, away: true}
	case events.PausePhoto:
		return effect{up: true, down: true, picture: true, faults: true}
	case events.PausePicture:
		return effect{down: true, picture: true}
	case events.PauseCamera:
		return effect{up: true}
	case events.PauseScreen:
		return effect{still: true}
	}
	return effect{}
}

// withoutPauses subtracts from a band what was stopped on purpose meanwhile. What is
// still proven by the remaining figures stays, outside of the time in which the seat
// took no part; a band of which nothing is proven any more becomes a good one.
func (list rules) withoutPauses(b band, s Seat) []band {
	begin := b.From
	if long := b.To.Add(-time.Duration(b.sample.Ms) * time.Millisecond); long.Before(begin) {
		begin = long
	}
	var all effect
	var stopped, away []Span
	for _, p := range b.sample.Pauses {
		x := Span{time.UnixMicro(p.From).UTC(), time.UnixMicro(p.To).UTC()}
		if x.From.After(b.To) || x.To.Add(settles).Before(begin) {
			continue
		}
		e := effectOf(p.What)
		all = effect{all.up || e.up, all.down || e.down, all.picture || e.picture, all.still || e.still, all.faults || e.faults, all.away || e.away}
		if e.picture {
			stopped = append(stopped, Span{x.From, x.To.Add(settles)})
		}
		if e.away {
			away = append(away, x)
		}
	}
	if all == (effect{}) {
		return []band{b}
	}
	froze := b.sample.FreezeMs > 0
	b.sample = all.strip(b.sample, lastTogether(stopped))
	if (b.word == Weak || b.word == AudioOnly) && (all.picture || all.still && froze) && !list.proves(b, s) {
		b.sample.Word = Good
	}
	if b.word = wordOf(b.sample); b.word == Good {
		b.paused = true
	}
	if b.word != Weak && b.word != AudioOnly {
		return []band{b}
	}
	return b.outside(away)
}

// strip takes the figures away that prove nothing, and the time that pictures were
// stopped from the freezes.
func (e effect) strip(x events.Sample, stopped time.Duration) events.Sample {
	if e.up {
		x.Up = nil
	}
	if e.down {
		x.Down = nil
	}
	if e.picture {
		x.FreezeMs = int(max(0, int64(x.FreezeMs)-stopped.Milliseconds()))
	}
	if e.still {
		x.FreezeMs = 0
	}
	if e.faults {
		x.Faults = slices.DeleteFunc(slices.Clone(x.Faults), func(f events.DeviceFault) bool {
			return f.What == "camera-lost" || f.What == "interrupted"
		})
	}
	return x
}

// proves tells whether the figures of one band name a cause.
func (list rules) proves(b band, s Seat) bool {
	e := evidence{map[string]float64{}, map[string]bool{}}
	e.take([]band{b}, s, "")
	return slices.ContainsFunc(list, func(r rule) bool { return len(r.when) > 0 && e.holds(r) })
}

// lastTogether is how long some spans last; where they overlap, once.
func lastTogether(list []Span) (long time.Duration) {
	var end time.Time
	for _, x := range sorted(list) {
		if from := latest(x.From, end); x.To.After(from) {
			long += x.To.Sub(from)
			end = x.To
		}
	}
	return long
}

func sorted(list []Span) []Span {
	slices.SortFunc(list, func(a, b Span) int { return a.From.Compare(b.From) })
	return list
}

// outside cuts some spans out of a band. Its sample stays with the longest piece that
// is left; the rest of the band says nothing.
func (b band) outside(spans []Span) []band {
	var out []band
	at, best := b.From, -1
	add := func(to time.Time, paused bool) {
		if !to.After(at) {
			return
		}
		out = append(out, band{Span: Span{at, to}, word: Good, paused: true})
		if i := len(out) - 1; !paused && (best < 0 || out[i].To.Sub(out[i].From) > out[best].To.Sub(out[best].From)) {
			best = i
		}
		at = to
	}
	for _, x := range sorted(spans) {
		add(earliest(x.From, b.To), false)
		add(earliest(x.To, b.To), true)
	}
	add(b.To, false)
	if best < 0 { // only what its device said of itself is left
		b.sample.Word = Good
		b.word = wordOf(b.sample)
		b.paused = b.word == Good
		return []band{b}
	}
	b.Span = out[best].Span
	out[best] = b
	return out
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
