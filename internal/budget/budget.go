// Package budget counts, in the database, what people nobody knows may cost or
// hold in a window of time: text messages in money, bookings of one practitioner.
//
// The counts are rows that are changed in the transaction of what they count, so
// they hold on several nodes, after a restart, and with or without Redis; what is
// rolled back was not counted. Windows are aligned (an hour begins at minute 0 of
// UTC): around the change of a window at most twice the limit passes.
//
// A budget that is reached is logged once per window and process, as a warning
// that names the budget and never whom it is about.
package budget

import (
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"visavis/internal/clock"
	"visavis/internal/fault"
	"visavis/internal/store"
)

// keep is how long windows stay readable after they ended.
const keep = 48 * time.Hour

// Budget is how much may be used in a window, per key.
type Budget struct {
	Name   string
	Window time.Duration
	Limit  int64
	// Paced budgets keep a third of the limit back at the beginning of the window and
	// give it out evenly until its end: a flood of a minute closes nothing for an hour.
	Paced bool
	// Shared budgets are those of everybody, or of a whole organisation: without them
	// people who did nothing are refused. The others bound one contact, act or
	// practitioner, and whoever uses one up stops nobody else.
	Shared bool
}

// Open is how much of a budget may be used by an instant, in its window.
func (b Budget) Open(at time.Time) int64 {
	if !b.Paced {
		return b.Limit
	}
	back := b.Limit / 3
	return b.Limit - back + int64(float64(back)*float64(at.Sub(b.since(at)))/float64(b.Window))
}

// wait is how long until n more may be used, when used is; at most until the window
// ends.
func (b Budget) wait(at time.Time, used, n int64) time.Duration {
	end := b.since(at).Add(b.Window)
	if !b.Paced || used+n > b.Limit {
		return end.Sub(at)
	}
	step := max(time.Second, b.Window/3600)
	for t := at.Add(step); t.Before(end); t = t.Add(step) {
		if used+n <= b.Open(t) {
			return t.Sub(at)
		}
	}
	return end.Sub(at)
}

// Line is what one key used of a budget in a window.
type Line struct {
	Name, Key string
	Since     time.Time
	Used      int64
}

// Ledger counts. It is safe for concurrent use.
type Ledger struct {
	clock clock.Clock
	log   *slog.Logger

	mu      sync.Mutex
	alarmed map[string]time.Time // budget name → the window that was logged
	reached func(Alarm)
}

// Alarm says that a budget is reached for somebody; it does not say for whom.
type Alarm struct {
	Budget string
	Limit  int64
	Until  time.Time // the end of the window
}

// New returns a ledger; log gets its alarms.
func New(c clock.Clock, log *slog.Logger) *Ledger {
	return &Ledger{clock: c, log: log, alarmed: map[string]time.Time{}, reached: func(Alarm) {}}
}

// OnReached has f called for each alarm, once per budget and window. f must not
// wait: the caller may hold a transaction. Call it before the ledger is used.
func (l *Ledger) OnReached(f func(Alarm)) { l.reached = f }

func (b Budget) since(at time.Time) time.Time { return at.Truncate(b.Window) }

// Spend uses n of a budget, or nothing at all: it then fails as Throttled
// "budget-reached" with the seconds until there may be n again. The bound and the
// count are one statement. Less than nothing is refused as an error of ours.
func (l *Ledger) Spend(tx *store.Tx, b Budget, key string, n int64) error {
	if n < 0 {
		return fmt.Errorf("budget: %d of %s", n, b.Name)
	}
	now := l.clock.Now()
	since, open := b.since(now), b.Open(now)
	if n <= open {
		ok, err := spend(tx, row{b.Name, key, store.Micros(since), n, store.Micros(now)}, open)
		if err != nil || ok {
			return err
		}
	}
	gone, err := l.Used(tx, b, key)
	if err != nil {
		return err
	}
	l.alarm(b, since)
	return fault.New(fault.Throttled, "budget-reached").With("seconds", fmt.Sprint(int(math.Ceil(b.wait(now, gone, n).Seconds()))))
}

// Count notes n more, beyond the limit too, and gives what is used now: for what
// is watched and not refused.
func (l *Ledger) Count(tx *store.Tx, b Budget, key string, n int64) (used int64, err error) {
	now := l.clock.Now()
	since := b.since(now)
	if _, err := spend(tx, row{b.Name, key, store.Micros(since), n, store.Micros(now)}, math.MaxInt64/2); err != nil {
		return 0, err
	}
	if used, err = l.Used(tx, b, key); err == nil && used >= b.Limit {
		l.alarm(b, since)
	}
	return used, err
}

// Return takes n back from the window of an instant.
func (l *Ledger) Return(tx *store.Tx, b Budget, key string, at time.Time, n int64) error {
	return giveBack(tx, row{Name: b.Name, Key: key, Since: store.Micros(b.since(at)), Used: n})
}

// Used is what was used of a budget in this window.
func (l *Ledger) Used(tx *store.Tx, b Budget, key string) (int64, error) {
	return used(tx, row{Name: b.Name, Key: key, Since: store.Micros(b.since(l.clock.Now()))})
}

// Wait is how long until n of a budget may be used; nothing when they may be now.
func (l *Ledger) Wait(tx *store.Tx, b Budget, key string, n int64) (time.Duration, error) {
	gone, err := l.Used(tx, b, key)
	now := l.clock.Now()
	if err != nil || gone+n <= b.Open(now) {
		return 0, err
	}
	return b.wait(now, gone, n), nil
}

// Last is when a budget was used last; the zero time when it was not in the last two
// days.
func (l *Ledger) Last(tx *store.Tx, b Budget, key string) (time.Time, error) {
	at, err := last(tx, b.Name, key)
	if err != nil || at == 0 {
		return time.Time{}, err
	}
	return store.Time(at), nil
}

// Reached gives what is used of some budgets in this window where less than n(b) is
// left, one line for each budget.
func (l *Ledger) Reached(tx *store.Tx, budgets []Budget, n func(Budget) int64) (list []Line, err error) {
	names, known, seen := make([]string, 0, len(budgets)), map[string]Budget{}, map[string]bool{}
	for _, b := range budgets {
		names, known[b.Name] = append(names, b.Name), b
	}
	now := l.clock.Now()
	rows, err := named(tx, names, store.Micros(now.Add(-keep)))
	for _, r := range rows {
		b := known[r.Name]
		if seen[r.Name] || !store.Time(r.Since).Equal(b.since(now)) || r.Used+n(b) <= b.Open(now) {
			continue
		}
		seen[r.Name] = true
		list = append(list, Line{r.Name, r.Key, store.Time(r.Since), r.Used})
	}
	return list, err
}

// Standing lists what is counted in the windows of the last two days, the newest
// first; at most 500 lines.
func (l *Ledger) Standing(tx *store.Tx) ([]Line, error) {
	rows, err := standing(tx, store.Micros(l.clock.Now().Add(-keep)), 500)
	out := make([]Line, len(rows))
	for i, r := range rows {
		out[i] = Line{r.Name, r.Key, store.Time(r.Since), r.Used}
	}
	return out, err
}

// Sweep forgets windows that began two days ago.
func (l *Ledger) Sweep(tx *store.Tx) error {
	return forget(tx, store.Micros(l.clock.Now().Add(-keep)))
}

// alarm logs that a budget is reached, once per window.
func (l *Ledger) alarm(b Budget, since time.Time) {
	l.mu.Lock()
	known := l.alarmed[b.Name].Equal(since)
	l.alarmed[b.Name] = since
	l.mu.Unlock()
	if !known {
		l.reached(Alarm{b.Name, b.Limit, since.Add(b.Window)})
		l.log.Warn("budget reached", "budget", b.Name, "limit", b.Limit, "until", since.Add(b.Window).Format(time.RFC3339))
	}
}
