// Package pauses records when a picture of a call was stopped on purpose: on hold,
// camera off, photo, page hidden, picture not shown, seat left. A browser counts such
// a pause as a frozen picture when the next frame comes (W3C webrtc-stats,
// totalFreezesDuration), so each client sample is stored with the pauses near it.
package pauses

import (
	"cmp"
	"slices"
	"time"

	"visavis/internal/events"
	"visavis/internal/store"
)

// Look is how long after its end a pause may still show in a client's figures.
const Look = 10 * time.Second

// most is the number of pauses kept of one kind and seat. The oldest are joined.
const most = 32

// Seat is the state of one seat that is in the call.
type Seat struct {
	ID     string
	Camera bool // its camera is on, and its connection exists
	Screen bool // it shares a screen
	Held   bool
	Photo  bool // it was asked for a photo and has not answered
	Before bool // it was in the call before this process
}

// Log holds the pauses of one call. The zero Log is ready; the caller locks.
type Log struct {
	known  map[string]bool
	spans  map[key][]span
	hidden map[key]time.Time // pictures of height 0 in the last view of a seat, by mid, since when
}

type key struct{ seat, what string }

// span is one pause. A zero from is unknown, a zero to means that it goes on.
type span struct{ from, to time.Time }

// shown is the kind of a picture that its receiver asked for again; Of gives it as
// events.PausePicture.
const shown = "shown"

// Set takes the state of every seat that is in the call. A seat that is missing left:
// its picture is stopped. One that is seen for the first time was stopped until now
// when it was in the call before this process, or may take the place of one that left.
func (l *Log) Set(now time.Time, list []Seat) {
	if l.known == nil {
		l.known, l.spans, l.hidden = map[string]bool{}, map[key][]span{}, map[key]time.Time{}
	}
	missing := map[string]bool{}
	for id := range l.known {
		missing[id] = true
	}
	for _, s := range list {
		delete(missing, s.ID)
	}
	for _, s := range list {
		unknown := s.Before || len(missing) > 0
		for what, on := range map[string]bool{
			events.PauseCamera: !s.Camera, events.PauseHold: s.Held, events.PausePhoto: s.Photo, events.PauseScreen: s.Screen,
		} {
			k := key{s.ID, what}
			switch {
			case l.known[s.ID] || !unknown:
				l.mark(k, on, now)
			case on:
				l.spans[k] = []span{{}}
			case what == events.PauseCamera:
				l.spans[k] = []span{{to: now}}
			}
		}
		l.known[s.ID] = true
	}
	for id := range missing {
		l.mark(key{id, events.PauseCamera}, true, now)
		for _, what := range []string{events.PauseHold, events.PausePhoto, events.PauseScreen, events.PauseHidden} {
			l.mark(key{id, what}, false, now)
		}
	}
}

// View takes the heights at which a seat shows its pictures, by mid. With all of them
// 0 the page is hidden; one that is shown again was paused for its receiver.
func (l *Log) View(now time.Time, seat string, heights map[string]int) {
	if !l.known[seat] {
		return
	}
	hidden := len(heights) > 0
	for _, h := range heights {
		hidden = hidden && h == 0
	}
	l.mark(key{seat, events.PauseHidden}, hidden, now)
	for k, since := range l.hidden {
		if h, named := heights[k.what]; k.seat == seat && (!named || h > 0) {
			delete(l.hidden, k)
			l.add(key{seat, shown}, span{since, now})
		}
	}
	for mid, h := range heights {
		if _, known := l.hidden[key{seat, mid}]; h == 0 && !known {
			l.hidden[key{seat, mid}] = now
		}
	}
}

func (l *Log) mark(k key, on bool, now time.Time) {
	list := l.spans[k]
	last := len(list) - 1
	open := last >= 0 && list[last].to.IsZero()
	switch {
	case on && !open:
		l.add(k, span{from: now})
	case !on && open:
		list[last].to = now
	}
}

func (l *Log) add(k key, s span) {
	list := append(l.spans[k], s)
	if len(list) > most {
		list[1].from = list[0].from
		list = list[1:]
	}
	l.spans[k] = list
}

// Of gives the pauses that may show in the figures of a seat between two times, in
// the order of kind and time. Pauses that go on end at to. The picture of somebody
// else matters where it stops or comes back: while it stays away, a receiver counts
// nothing of it.
func (l *Log) Of(seat string, from, to time.Time) []events.Pause {
	var out []events.Pause
	near := func(t time.Time) bool { return !t.IsZero() && !t.Before(from.Add(-Look)) && !t.After(to) }
	for k, list := range l.spans {
		for _, s := range list {
			during := !s.from.After(to) && (s.to.IsZero() || !s.to.Before(from.Add(-Look)))
			what := k.what
			switch {
			case k.seat == seat && what == shown, k.seat != seat && (what == events.PauseCamera || what == events.PauseHold):
				what, during = events.PausePicture, near(s.from) || near(s.to)
			case k.seat != seat && what == events.PausePhoto:
				what = events.PausePicture
			case k.seat == seat && what == events.PauseScreen, k.seat != seat && (what == events.PauseHidden || what == shown):
				continue
			}
			if during {
				out = append(out, pause(what, s, to))
			}
		}
	}
	slices.SortFunc(out, func(a, b events.Pause) int { return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.From, b.From)) })
	return join(out)
}

func pause(what string, s span, to time.Time) events.Pause {
	p := events.Pause{What: what, To: store.Micros(to)}
	if !s.from.IsZero() {
		p.From = store.Micros(s.from)
	}
	if !s.to.IsZero() && s.to.Before(to) {
		p.To = store.Micros(s.to)
	}
	return p
}

// join makes one pause of those of a kind that are closer than Look.
func join(list []events.Pause) (out []events.Pause) {
	for _, p := range list {
		if n := len(out) - 1; n >= 0 && out[n].What == p.What && p.From <= out[n].To+Look.Microseconds() {
			out[n].To = max(out[n].To, p.To)
			continue
		}
		out = append(out, p)
	}
	return out
}
