package queue

import (
	"slices"
	"time"
)

// Delay is what somebody who is not here yet is told before they come: they will
// not be admitted at their time.
type Delay struct {
	Awaited
	From, To int // minutes from now; To is 0 when nobody can know
	Level    int // the threshold that is passed for sure, minutes after the planned time
}

// levels are the delays, in minutes, that are worth a message. One that grows
// passes the next.
var levels = [...]int{10, 30, 60, 120}

// Delays names whom of the next n who are awaited a delay is certain for. It
// looks no further ahead than a delay is foretold to who waits: a morning may
// still catch up. While the professional is not there, a delay is only said to
// be at least so long, and only when somebody who came in time waits past theirs.
func (o Outlook) Delays(list []Place, n int) (out []Delay) {
	next := slices.Clone(o.Awaited)
	slices.SortStableFunc(next, func(a, b Awaited) int { return a.Planned.Compare(b.Planned) })
	next = slices.DeleteFunc(next, func(a Awaited) bool { return o.Now.Sub(a.Planned) >= tooLate*time.Minute })
	atWork := o.HostOnline || !o.BusySince.IsZero()
	if !atWork {
		if !slices.ContainsFunc(list, func(p Place) bool { return o.overdue(p) > 0 }) {
			return nil
		}
		o.HostOnline, o.FreeSince = true, o.Now // the least there is to wait: they come now
	}
	for _, a := range next[:min(n, len(next))] {
		until := ceil(a.Planned.Sub(o.Now))
		if until > foretold {
			break
		}
		w := o.ifCame(a, list)
		level := passed(w.From - until)
		if !w.Known || level == 0 {
			continue
		}
		d := Delay{Awaited: a, From: w.From, Level: level}
		if atWork {
			d.To = w.To
		}
		out = append(out, d)
	}
	return out
}

// ifCame estimates the wait of somebody awaited as if they came in good time.
func (o Outlook) ifCame(a Awaited, list []Place) Wait {
	as := Place{Seat: "awaited", Kind: a.Kind, Planned: a.Planned, Arrived: latest(o.Now, a.Planned.Add(-comeEarly*time.Minute))}
	list = append(slices.Clone(list), as)
	Order(list)
	o.Awaited = slices.DeleteFunc(slices.Clone(o.Awaited), func(b Awaited) bool { return b.Act == a.Act })
	return o.Estimate(list)[Position(list, as.Seat)-1]
}

// passed is the highest level a delay in minutes reaches; 0: none.
func passed(minutes int) (level int) {
	for _, l := range levels {
		if minutes >= l {
			level = l
		}
	}
	return level
}
