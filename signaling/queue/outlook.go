package queue

import (
	"time"

	"visavis/internal/care"
)

// Outlook is what the wait is estimated from.
type Outlook struct {
	Now        time.Time
	HostOnline bool
	BusySince  time.Time // the act that goes on; zero: none
	BusyKind   care.ActKind
	FreeSince  time.Time // on line and in no act since; zero: not known
	Awaited    []Awaited // who has a time and is not here
	Habits     *Habits
}

// Awaited is somebody who has an appointment and is not here yet.
type Awaited struct {
	Kind    care.ActKind
	Planned time.Time
	Act     care.EncounterID
}

// Wait is an honest interval from now. When Known is false nothing honest can
// be said.
type Wait struct {
	Known    bool
	From, To int  // minutes: eight of ten are admitted between them
	Measured bool // from the real durations of this professional's acts
	Late     int  // minutes after the planned time, in fives; 0 while that is not sure
}

const (
	enough = 5    // acts: fewer say little
	low    = 0.06 // the interval's ends: a little wider than 80 %, for what is not in the model
	high   = 0.94
	lateBy = 5 // minutes: less is not late
	// foretold is how many minutes ahead it is said that somebody at work will be
	// late: of what is further away too little is known.
	foretold = 30

	comeEarly = 5  // minutes before their time people come
	tooLate   = 15 // minutes after it nobody counts on them any more
)

// Estimate gives each patient of the queue their interval, in its order.
func (o Outlook) Estimate(list []Place) []Wait {
	out := make([]Wait, len(list))
	free, known := o.free(list)
	from := 0
	before := time.Time{} // planned time of the one ahead
	for i, p := range list {
		w := &out[i]
		w.Late = o.overdue(p)
		if !known {
			continue
		}
		until := ceil(p.Planned.Sub(o.Now))
		ahead := o.comers(before, p.Planned)
		var in minutes
		if i == 0 && o.BusySince.IsZero() && o.HostOnline && len(ahead) == 0 {
			in = o.next(p, until)
		} else {
			in = o.turn(free, ahead, until)
		}
		w.Known, w.From, w.To = true, in.at(low), in.at(high)
		if until > foretold { // far ahead, a late morning may still catch up
			w.From = max(from, min(w.From, until))
		}
		from = w.From
		w.To = max(w.To, w.From+2)
		w.Measured = o.Habits.Known(p.Kind) >= enough
		atWork := o.HostOnline || !o.BusySince.IsZero()
		if sure := w.From - until; sure >= lateBy && until > -horizon && until <= foretold && atWork {
			w.Late = max(w.Late, fives(in.at(0.5)-until))
		}
		free, before = in.after(o.Habits.act(p.Kind)), p.Planned
	}
	return out
}

// comers are those who may still come for a time after one and before another.
func (o Outlook) comers(after, before time.Time) (list []Awaited) {
	for _, a := range o.Awaited {
		if a.Planned.After(after) && a.Planned.Before(before) && o.Now.Sub(a.Planned) < tooLate*time.Minute {
			list = append(list, a)
		}
	}
	return list
}

// turn is when a patient is admitted by a professional who is free from then
// on, when others with an earlier time may come meanwhile and go first.
func (o Outlook) turn(free minutes, ahead []Awaited, until int) minutes {
	h := o.Habits
	taken := make(minutes, horizon+1) // admitted before the others came
	for _, a := range ahead {
		due := ceil(a.Planned.Sub(o.Now))
		comes := max(0, due-comeEarly)
		show := h.show
		if due < 0 {
			show /= 2
		}
		rest := make(minutes, horizon+1)
		for i, p := range free {
			if i < comes {
				taken[i] += h.early * p
				p *= 1 - h.early
			}
			rest[i] += p
		}
		served := mix(rest.notBefore(comes), rest.notBefore(due), h.early).after(h.pause).after(h.act(a.Kind))
		free = mix(served, rest, show)
	}
	in := mix(free, free.notBefore(until), h.early)
	for i := range in {
		in[i] += taken[i]
	}
	return in.after(h.pause)
}

// free is when the professional is free for the first of the queue; false when
// nobody can know.
func (o Outlook) free(list []Place) (minutes, bool) {
	switch {
	case len(list) == 0:
		return nil, false
	case !o.BusySince.IsZero():
		return o.Habits.act(o.BusyKind).rest(int(o.Now.Sub(o.BusySince).Minutes())), true
	case o.HostOnline:
		return sure(0), true
	}
	until := ceil(list[0].Planned.Sub(o.Now))
	if until <= 0 {
		return nil, false // nobody is there and the time has passed
	}
	return sure(until).after(o.Habits.late), true
}

// next is when the first of the queue is admitted by a professional who is
// there and free: the longer that has been so, the less a pause explains it.
func (o Outlook) next(p Place, until int) minutes {
	h := o.Habits
	since := func(t time.Time) int { return max(0, int(o.Now.Sub(t).Minutes())) }
	ready := latest(o.FreeSince, p.Arrived)
	if until <= 0 {
		return h.pause.rest(since(latest(ready, p.Planned)))
	}
	waited := since(ready)
	still := 1 - h.pause.upTo(waited)
	likely := h.early * still / (h.early*still + 1 - h.early)
	return mix(h.pause.rest(waited), sure(until).after(h.pause), likely)
}

// overdue is how late it is already, for who came in time.
func (o Outlook) overdue(p Place) int {
	late := int(o.Now.Sub(latest(p.Planned, p.Arrived)).Minutes())
	if late < lateBy || late > horizon || p.Arrived.Sub(p.Planned) > 0 {
		return 0
	}
	return fives(late)
}

func fives(m int) int { return max(0, m/5*5) }

// ceil is a time in whole minutes, rounded up: nobody is promised too early.
func ceil(d time.Duration) int {
	m := int(d / time.Minute)
	if d > time.Duration(m)*time.Minute {
		m++
	}
	return m
}

// Recall names who is to be told to come back now: the first of the queue, when
// they are away, the professional is there, and it is their turn within the next
// minutes. awayFor is how long somebody is without a sign of life before they
// are called away.
func (o Outlook) Recall(list []Place, soon int, awayFor time.Duration) (Place, bool) {
	if len(list) == 0 || !o.HostOnline && o.BusySince.IsZero() {
		return Place{}, false
	}
	p := list[0]
	if !p.Recalled.IsZero() || o.Now.Sub(p.Seen) < awayFor {
		return p, false
	}
	w := o.Estimate(list[:1])[0]
	return p, w.Known && w.From <= soon
}
