// Package queue says who is next with a professional and in how long, from how
// long the professional's acts really last (product M8). It is arithmetic on
// times: no database, no clock, nobody's name.
//
// The interval is the one in which eight of ten such patients are admitted.
// Time is cut in minutes; the professional's next free minute is a distribution
// that is carried through those ahead: each is admitted when the professional
// is free (or, for who keeps to the timetable, not before their time), after a
// pause, and then lasts as long as acts of their kind do.
package queue

import (
	"slices"
	"time"

	"visavis/internal/care"
)

// Place is one waiting patient.
type Place struct {
	Seat     string
	Kind     care.ActKind
	Planned  time.Time
	Arrived  time.Time
	Seen     time.Time // last sign of life
	Recalled time.Time // told to come back; zero: not
}

// Order sorts by planned time, then by arrival: who has an appointment is not
// overtaken by who came early for a later one.
func Order(list []Place) {
	slices.SortStableFunc(list, func(a, b Place) int {
		if c := a.Planned.Compare(b.Planned); c != 0 {
			return c
		}
		return a.Arrived.Compare(b.Arrived)
	})
}

// Position counts from 1; 0 when the seat does not wait.
func Position(list []Place, seat string) int {
	return slices.IndexFunc(list, func(p Place) bool { return p.Seat == seat }) + 1
}
