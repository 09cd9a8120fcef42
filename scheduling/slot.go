package scheduling

import (
	"iter"
	"slices"
	"time"

	"visavis/internal/care"
)

// Interval is a stretch of time, its end not included.
type Interval struct {
	Start time.Time
	End   time.Time
}

// Overlaps tells whether two intervals share an instant.
func (i Interval) Overlaps(o Interval) bool { return i.Start.Before(o.End) && o.Start.Before(i.End) }

// Slot is an interval a schedule offers.
type Slot struct {
	ScheduleID care.ScheduleID
	Interval
}

// Slots gives every slot of the days from first to last, in order, taken or not.
func (s Schedule) Slots(holidays Holidays, first, last Day) iter.Seq[Slot] {
	return func(yield func(Slot) bool) {
		zone, err := loadZone(s.Plan.Zone)
		if err != nil {
			return // a stored plan was checked
		}
		for d := first; d <= last; d++ {
			for _, i := range s.Plan.day(d, holidays, zone) {
				if !yield(Slot{s.ID, i}) {
					return
				}
			}
		}
	}
}

// day lists what the plan offers on one day.
func (p Plan) day(d Day, holidays Holidays, zone *time.Location) []Interval {
	var out []Interval
	length := TimeOfDay(p.ActMinutes)
	offer := func(from, to TimeOfDay, closed func(TimeOfDay) bool) {
		for m := from; m+length <= to; m += length {
			if start, exists := wall(d, m, zone); exists && !closed(m) {
				out = append(out, Interval{start, start.Add(time.Duration(length) * time.Minute)})
			}
		}
	}
	if !holidays.Closed(d, p.Territory) {
		for _, r := range p.Rules {
			if r.on(d) {
				offer(r.From, r.To, func(m TimeOfDay) bool { return p.absent(d, m) })
			}
		}
	}
	for _, e := range p.Exceptions {
		if e.Open && e.on(d) {
			offer(e.From, e.To, func(TimeOfDay) bool { return false })
		}
	}
	return apart(out)
}

// absent tells whether an absence cuts the slot that starts at m.
func (p Plan) absent(d Day, m TimeOfDay) bool {
	return slices.ContainsFunc(p.Exceptions, func(e Exception) bool {
		return !e.Open && e.on(d) && e.From < m+TimeOfDay(p.ActMinutes) && m < e.To
	})
}

// apart sorts intervals and keeps the first of those that overlap.
func apart(all []Interval) []Interval {
	slices.SortStableFunc(all, func(a, b Interval) int { return a.Start.Compare(b.Start) })
	kept := all[:0]
	for _, i := range all {
		if len(kept) == 0 || !kept[len(kept)-1].Overlaps(i) {
			kept = append(kept, i)
		}
	}
	return kept
}

// Free keeps the slots that start after an instant and that nothing busy
// overlaps. Busy is sorted by start.
func Free(slots iter.Seq[Slot], busy []Interval, after time.Time) iter.Seq[Slot] {
	return func(yield func(Slot) bool) {
		for s := range slots {
			for len(busy) > 0 && !busy[0].End.After(s.Start) {
				busy = busy[1:]
			}
			taken := len(busy) > 0 && busy[0].Overlaps(s.Interval)
			if s.Start.After(after) && !taken && !yield(s) {
				return
			}
		}
	}
}

// first gives the first element of a sequence.
func first[T any](seq iter.Seq[T]) (v T, ok bool) {
	for v = range seq {
		return v, true
	}
	return v, false
}
