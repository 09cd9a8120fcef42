package signaling

import (
	"math"
	"slices"
	"time"
)

// Wait is an honest interval. The zero Wait says that nothing honest can be
// said.
type Wait struct {
	From, To time.Duration
	Measured bool // from the real durations of the queue's last acts
}

// place is one waiting patient of a queue.
type place struct {
	seat    string
	planned time.Time
	arrived time.Time
}

// order sorts by planned time, then by arrival: who has an appointment is not
// overtaken by who came early for a later one.
func order(list []place) {
	slices.SortStableFunc(list, func(a, b place) int {
		if c := a.planned.Compare(b.planned); c != 0 {
			return c
		}
		return a.arrived.Compare(b.arrived)
	})
}

// position counts from 1; 0 when the seat does not wait.
func position(list []place, seat string) int {
	return slices.IndexFunc(list, func(p place) bool { return p.seat == seat }) + 1
}

// outlook is what the wait is estimated from.
type outlook struct {
	now        time.Time
	planned    time.Time
	ahead      int
	hostOnline bool
	busySince  time.Time       // the act that goes on; zero: none
	durations  []time.Duration // of the last acts of the queue
}

// The estimate's constants: fewer acts than enough say little; until then an
// act is taken to last between shortAct and longAct.
const (
	enough   = 5
	shortAct = 8 * time.Minute
	longAct  = 20 * time.Minute
)

// estimate gives the interval in which the person will be admitted, by the
// quartiles of what the last acts lasted.
func (o outlook) estimate() Wait {
	low, high := shortAct, longAct
	w := Wait{}
	if len(o.durations) >= enough {
		d := slices.Clone(o.durations)
		slices.Sort(d)
		low, high, w.Measured = d[len(d)/4], d[len(d)*3/4], true
	}
	until := max(0, o.planned.Sub(o.now))
	if !o.hostOnline && o.busySince.IsZero() {
		if until == 0 {
			return Wait{} // nobody is there and the time has passed
		}
		w.Measured = false
		w.From, w.To = until, until+10*time.Minute
		return w
	}
	if !o.busySince.IsZero() {
		spent := o.now.Sub(o.busySince)
		w.From, w.To = max(0, low-spent), max(5*time.Minute, high-spent)
	}
	w.From += time.Duration(o.ahead) * low
	w.To += time.Duration(o.ahead) * high
	// Nobody is promised to be seen before their time, and may be.
	w.To = max(w.To, until, w.From+2*time.Minute)
	return w
}

// minutes rounds an interval outwards, so that it stays true.
func (w Wait) minutes() (from, to int) {
	return int(w.From / time.Minute), int(math.Ceil(w.To.Minutes()))
}
