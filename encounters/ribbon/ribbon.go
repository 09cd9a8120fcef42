// Package ribbon builds a quality timeline (a ribbon) per seat from client reports
// and server observations: where the call was good, where it was not, and why
// (product M11). The causes are data: causes.tsv. The package uses no clock and no
// database, and holds no name.
package ribbon

import (
	"cmp"
	"slices"
	"time"

	"visavis/internal/care"
	"visavis/internal/events"
)

// The words of a stretch, from the reports, and one for a device that failed
// while the link was good.
const (
	Good      = "good"
	Weak      = "weak"
	AudioOnly = "audio-only"
	Lost      = "lost"
	Device    = "device"
)

// Seat is one seat of a call: when its person was in it, and what it said.
type Seat struct {
	ID      string
	Role    care.Role
	Stays   []Span
	Samples []events.Sample
	Ended   time.Time // when the call ended for everybody; zero while it lasts
}

// Span is a stretch of time.
type Span struct{ From, To time.Time }

// Incident is what the server saw of a seat (docs/signaling.md §8).
type Incident struct {
	Seat, Code string
	At         time.Time
}

// Stretch is one piece of a seat's ribbon.
type Stretch struct {
	Span
	Seat  string
	Role  care.Role
	Word  string
	Pair  string // how media travelled last: udp, relay-tls …
	Cause *Cause // of what was not good
}

// Cause says why. Its text is cause.<code>, with value.
type Cause struct {
	Code  string
	Value int       // in the unit of causes.tsv; 0 when there is none
	Role  care.Role // whose trouble it is
	Timed bool      // Value is how long the fault lasted, in milliseconds; 0 when the device did not say
	// Signed: it may stand in a signed document. Never: it is no trouble at all.
	Signed, Never bool
}

const (
	usual  = 10 * time.Second // a report that does not say how long it is about
	near   = 15 * time.Second // two bad stretches so close are one
	atOnce = 5 * time.Second  // cut so close in time: the same cause
)

// band is one sample in time, or a gap without one.
type band struct {
	Span
	word   string
	gap    bool
	paused bool // nothing is known of it: a picture was stopped on purpose
	sample events.Sample
}

// Of makes the ribbons of a call, seat by seat, in the order of time.
func Of(seats []Seat, incidents []Incident) ([]Stretch, error) {
	rules, err := load()
	if err != nil {
		return nil, err
	}
	c := newCall(seats, incidents)
	for _, s := range seats {
		c.bands[s.ID] = rules.lay(s, incidents)
	}
	var out []Stretch
	for _, s := range seats {
		for _, group := range together(c.bands[s.ID]) {
			if hungUp(s, group) {
				continue
			}
			x := Stretch{Span: Span{group[0].From, group[len(group)-1].To}, Seat: s.ID, Role: s.Role, Word: worst(group), Pair: pair(group)}
			if x.Word != Good {
				x.Cause = rules.explain(x, group, s, c)
			}
			out = append(out, x)
		}
	}
	return out, nil
}

// hungUp tells whether a bad stretch is only what a client notices when its call
// ends: it is short, it lasts until then, and neither the server nor a device saw
// that something failed.
func hungUp(s Seat, group []band) bool {
	from, to := group[0].From, group[len(group)-1].To
	if worst(group) == Good || to.Sub(from) > near {
		return false
	}
	proven := slices.ContainsFunc(group, func(b band) bool { return b.gap || len(b.sample.Faults) > 0 })
	return !proven && slices.ContainsFunc(s.Stays, func(x Span) bool { return !x.To.IsZero() && !to.Before(x.To.Add(-atOnce)) && !from.After(x.To) })
}

// lay puts the samples of a seat in time, with what the server saw between them.
// A client that does not report proves nothing: its page may sleep while sound
// and picture go on.
func (list rules) lay(s Seat, incidents []Incident) (out []band) {
	samples := slices.Clone(s.Samples)
	slices.SortStableFunc(samples, func(a, b events.Sample) int { return cmp.Compare(a.At, b.At) })
	end := time.Time{}
	for _, x := range samples {
		to := time.UnixMicro(x.At).UTC()
		long := time.Duration(x.Ms) * time.Millisecond
		if long <= 0 {
			long = usual
		}
		from := latest(to.Add(-long), end)
		if !from.Before(to) {
			from = to.Add(-time.Millisecond)
		}
		out = append(out, list.withoutPauses(band{Span: Span{from, to}, word: wordOf(x), sample: x}, s)...)
		end = to
	}
	return fill(within(out, s.Stays), cuts(s, incidents))
}

// wordOf is the word of a sample; a device that failed is one of its own.
func wordOf(x events.Sample) string {
	if x.Word != Good {
		return x.Word
	}
	for _, f := range x.Faults {
		switch f.What {
		case "permission-lost", "interrupted", "camera-lost", "microphone-lost", "microphone-silent":
			return Device
		}
	}
	return Good
}

// cuts are the times for which the server saw no media of a seat. One that did
// not end lasts as long as the stay; when the stay ended by it, until its person
// came back or the call ended; when neither is known it is none.
func cuts(s Seat, incidents []Incident) (out []Span) {
	open := time.Time{}
	for _, i := range incidents {
		switch {
		case i.Seat != s.ID:
		case (i.Code == "media_lost" || i.Code == "node_lost") && open.IsZero():
			open = i.At
		case i.Code == "media_restored" && !open.IsZero():
			out = append(out, Span{open, i.At})
			open = time.Time{}
		}
	}
	if !open.IsZero() {
		if end := s.lasts(open); end.After(open) {
			out = append(out, Span{open, end})
		}
	}
	return out
}

// lasts gives the end of a cut of which only the beginning is known.
func (s Seat) lasts(open time.Time) time.Time {
	end := s.Ended
	for _, x := range s.Stays {
		switch {
		case x.From.After(open):
			if end.IsZero() || x.From.Before(end) {
				end = x.From // came back
			}
		case x.To.IsZero():
			return open.Add(usual) // it goes on: at least that long, until more is known
		case x.To.After(open.Add(atOnce)):
			return x.To // was there until then, without media
		}
	}
	return end
}

// fill makes lost what the server saw cut and no sample tells of.
func fill(list []band, cuts []Span) []band {
	for _, c := range cuts {
		told := slices.ContainsFunc(list, func(b band) bool {
			return b.word != Good && b.From.Before(c.To.Add(near)) && c.From.Before(b.To.Add(near))
		})
		if !told {
			list = append(list, band{Span: c, word: Lost, gap: true})
		}
	}
	slices.SortStableFunc(list, func(a, b band) int { return a.From.Compare(b.From) })
	return list
}

// within cuts the bands at the beginning of the first stay and at the end of the
// last: what is said of an earlier or a later time is not of the call.
func within(list []band, stays []Span) (out []band) {
	if len(stays) == 0 {
		return list
	}
	begin, end, goesOn := stays[0].From, time.Time{}, false
	for _, x := range stays {
		if x.From.Before(begin) {
			begin = x.From
		}
		goesOn = goesOn || x.To.IsZero()
		end = latest(end, x.To)
	}
	for _, b := range list {
		b.From = latest(b.From, begin)
		if !goesOn && b.To.After(end) {
			b.To = end
		}
		if b.From.Before(b.To) {
			out = append(out, b)
		}
	}
	return out
}

// together groups what belongs together: good with good, bad with bad as long
// as little good lies between, and no pause.
func together(list []band) (out [][]band) {
	for i, b := range list {
		if n := len(out); n > 0 {
			last := out[n-1]
			same := (worst(last) == Good) == (b.word == Good)
			short := b.word == Good && !b.paused && b.To.Sub(b.From) < near && i+1 < len(list) && list[i+1].word != Good
			if same || short && worst(last) != Good {
				out[n-1] = append(last, b)
				continue
			}
		}
		out = append(out, []band{b})
	}
	return out
}

// worst is the word of a group: the one that lasted longest of those that are
// not good; a group of one kind keeps it.
func worst(group []band) string {
	long := map[string]time.Duration{}
	for _, b := range group {
		if b.word != Good {
			long[b.word] += b.To.Sub(b.From)
		}
	}
	word := Good
	for _, w := range []string{Lost, AudioOnly, Weak, Device} {
		if d, ok := long[w]; ok && (word == Good || d > long[word]) {
			word = w
		}
	}
	return word
}

func pair(group []band) (p string) {
	for _, b := range group {
		if b.sample.Pair != "" {
			p = b.sample.Pair
		}
	}
	return p
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
