package budget_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"visavis/internal/budget"
	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

var (
	hour  = budget.Budget{Name: "test-hour", Window: time.Hour, Limit: 10}
	paced = budget.Budget{Name: "test-paced", Window: time.Hour, Limit: 30, Paced: true}
)

// ledger is a ledger at work in a house whose clock stands at an hour.
type ledger struct {
	*budget.Ledger
	h      *testkit.House
	t      *testing.T
	alarms []budget.Alarm
}

func open(t *testing.T, h *testkit.House) *ledger {
	l := &ledger{Ledger: budget.New(h.Clock, h.Log), h: h, t: t}
	l.OnReached(func(a budget.Alarm) { l.alarms = append(l.alarms, a) })
	h.Clock.Set(h.Clock.Now().Truncate(time.Hour))
	return l
}

// spend tells whether n passed, and else how many seconds the refusal says.
func (l *ledger) spend(b budget.Budget, key string, n int64) (ok bool, seconds int) {
	l.t.Helper()
	err := l.h.DB.Tx(context.Background(), func(_ context.Context, tx *store.Tx) error { return l.Spend(tx, b, key, n) })
	var f *fault.Error
	if err == nil {
		return true, 0
	}
	if !errors.As(err, &f) || f.Kind != fault.Throttled || f.Code != "budget-reached" {
		l.t.Fatalf("refused by %v", err)
	}
	seconds, err = strconv.Atoi(f.Args["seconds"])
	if err != nil || seconds < 1 {
		l.t.Errorf("a refusal says %q seconds", f.Args["seconds"])
	}
	return false, seconds
}

func (l *ledger) do(fn func(tx *store.Tx) error) {
	l.t.Helper()
	if err := l.h.DB.Tx(context.Background(), func(_ context.Context, tx *store.Tx) error { return fn(tx) }); err != nil {
		l.t.Fatal(err)
	}
}

func (l *ledger) used(b budget.Budget, key string) (n int64) {
	l.t.Helper()
	l.do(func(tx *store.Tx) (err error) { n, err = l.Used(tx, b, key); return err })
	return n
}

// TestBudget_Windows: a window ends to the microsecond; each key and name is alone.
func TestBudget_Windows(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		l := open(t, h)
		for i, step := range []struct {
			after time.Duration
			key   string
			n     int64
			ok    bool
			wait  int
		}{
			{0, "a", 10, true, 0}, {0, "a", 1, false, 3600}, {0, "b", 10, true, 0}, {0, "a", 0, true, 0},
			{0, "c", 11, false, 3600}, {0, "c", 10, true, 0},
			{time.Hour - time.Microsecond, "a", 1, false, 1}, {time.Microsecond, "a", 1, true, 0}, {0, "a", 9, true, 0}, {0, "a", 1, false, 3600},
			{-time.Microsecond, "a", 1, false, 1}, // a clock that goes back finds what was used
			{time.Microsecond, "a", 1, false, 3600},
			{3 * time.Hour, "a", 10, true, 0},
		} {
			h.Clock.Set(h.Clock.Now().Add(step.after))
			if ok, wait := l.spend(hour, step.key, step.n); ok != step.ok || wait != step.wait {
				t.Errorf("step %d: %v, wait %d s", i, ok, wait)
			}
		}
		if err := h.DB.Tx(context.Background(), func(_ context.Context, tx *store.Tx) error { return l.Spend(tx, hour, "a", -1) }); err == nil || fault.KindOf(err) != fault.Internal {
			t.Errorf("less than nothing: %v", err)
		}
	})
}

// TestBudget_Return: what is given back may be used again, in its own window, and
// never makes more than the limit.
func TestBudget_Return(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		l := open(t, h)
		first := h.Clock.Now()
		l.spend(hour, "a", 10)
		l.do(func(tx *store.Tx) error { return l.Return(tx, hour, "a", first, 3) })
		if ok, _ := l.spend(hour, "a", 3); !ok {
			t.Error("what was given back is gone")
		}
		for range 3 {
			l.do(func(tx *store.Tx) error { return l.Return(tx, hour, "b", first, 1) }) // nothing was used
			l.do(func(tx *store.Tx) error { return l.Return(tx, hour, "a", first, 11) })
		}
		if a, b := l.used(hour, "a"), l.used(hour, "b"); a != 10 || b != 0 {
			t.Errorf("used %d and %d after too much was given back", a, b)
		}
		h.Clock.Advance(time.Hour)
		l.spend(hour, "a", 10)
		l.do(func(tx *store.Tx) error { return l.Return(tx, hour, "a", first, 10) })
		if n := l.used(hour, "a"); n != 10 {
			t.Errorf("the hour before gave %d back in this one", 10-n)
		}
	})
}

// TestBudget_Model compares a ledger with a model of it over random steps, with a
// clock that goes on, stands and goes back.
func TestBudget_Model(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		l := open(t, h)
		seed := uint64(time.Now().UnixNano())
		r := rand.New(rand.NewPCG(seed, 1))
		model := map[string]int64{}
		for step := range 120 {
			h.Clock.Set(h.Clock.Now().Add(time.Duration(r.IntN(50)-15) * time.Minute))
			b, key, n := hour, fmt.Sprint(r.IntN(3)), int64(r.IntN(12))
			if r.IntN(2) == 0 {
				b = paced
			}
			at := b.Name + key + h.Clock.Now().Truncate(b.Window).String()
			switch r.IntN(4) {
			case 0:
				l.do(func(tx *store.Tx) error { return l.Return(tx, b, key, h.Clock.Now(), n) })
				if model[at] >= n {
					model[at] -= n
				}
			case 1:
				var used int64
				l.do(func(tx *store.Tx) (err error) { used, err = l.Count(tx, b, key, n); return err })
				if model[at] += n; used != model[at] {
					t.Fatalf("seed %d, step %d: counted %d, want %d", seed, step, used, model[at])
				}
			default:
				want := model[at]+n <= b.Open(h.Clock.Now())
				if ok, _ := l.spend(b, key, n); ok != want {
					t.Fatalf("seed %d, step %d: %d of %s passed: %v, used %d", seed, step, n, b.Name, ok, model[at])
				} else if ok {
					model[at] += n
				}
			}
			if used := l.used(b, key); used != model[at] {
				t.Fatalf("seed %d, step %d: used %d, want %d", seed, step, used, model[at])
			}
		}
	})
}

// TestBudget_Paced: two thirds at once, the rest evenly; and a refusal says a time at
// which it passes.
func TestBudget_Paced(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		l := open(t, h)
		begin := h.Clock.Now()
		for after, want := range map[time.Duration]int64{0: 20, 6 * time.Minute: 21, 30 * time.Minute: 25, time.Hour - time.Microsecond: 29, time.Hour: 20} {
			if got := paced.Open(begin.Add(after)); got != want {
				t.Errorf("%v after the hour began %d are open, want %d", after, got, want)
			}
		}
		l.spend(paced, "a", 20)
		passed := int64(20)
		for !h.Clock.Now().After(begin.Add(59 * time.Minute)) {
			ok, wait := l.spend(paced, "a", 1)
			if ok {
				passed++
				continue
			}
			if wait > 6*60+1 && passed < 29 {
				t.Fatalf("%v after the hour began, %d used: wait %d s", h.Clock.Now().Sub(begin), passed, wait)
			}
			h.Clock.Advance(time.Duration(wait) * time.Second)
			if h.Clock.Now().Sub(begin) >= time.Hour {
				break
			}
			if ok, _ = l.spend(paced, "a", 1); !ok {
				t.Fatalf("%d s later it does not pass", wait)
			}
			passed++
		}
		if passed > paced.Limit || passed < paced.Limit-2 {
			t.Errorf("%d passed in an hour, of %d", passed, paced.Limit)
		}
	})
}

// TestBudget_AtOnceAndRolledBack: of many at once the limit passes, and what is rolled
// back was not used.
func TestBudget_AtOnceAndRolledBack(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		l := open(t, h)
		var passed atomic.Int64
		var g sync.WaitGroup
		for range 40 {
			g.Go(func() {
				if err := h.DB.Tx(context.Background(), func(_ context.Context, tx *store.Tx) error { return l.Spend(tx, hour, "a", 1) }); err == nil {
					passed.Add(1)
				}
			})
		}
		g.Wait()
		if passed.Load() != hour.Limit {
			t.Errorf("%d passed, want %d", passed.Load(), hour.Limit)
		}
		undone := errors.New("undone")
		err := h.DB.Tx(context.Background(), func(_ context.Context, tx *store.Tx) error { return errors.Join(l.Spend(tx, hour, "b", 10), undone) })
		if !errors.Is(err, undone) || l.used(hour, "b") != 0 {
			t.Errorf("%d are used of what was rolled back: %v", l.used(hour, "b"), err)
		}
	})
}

// TestBudget_Alarm: once per budget and window, to the log and to who asked, and
// without a key.
func TestBudget_Alarm(t *testing.T) {
	h := testkit.NewHouse(t, testkit.OpenSQLite(t))
	l := open(t, h)
	for range 3 {
		for _, key := range []string{"+33639980001", "+33639980002"} {
			l.spend(hour, key, 11)
			l.do(func(tx *store.Tx) error { _, err := l.Count(tx, paced, key, 40); return err })
		}
	}
	h.Clock.Advance(time.Hour)
	l.spend(hour, "+33639980003", 11)
	if len(l.alarms) != 3 || l.alarms[2].Budget != hour.Name || l.alarms[2].Limit != 10 || !l.alarms[2].Until.Equal(h.Clock.Now().Add(time.Hour)) {
		t.Errorf("alarms: %+v", l.alarms)
	}
	if text := h.Logged.String(); strings.Count(text, "budget reached") != 3 || strings.Contains(text, "63998") {
		t.Errorf("log: %s", text)
	}
}

// TestBudget_Sweep forgets windows that began two days ago, and shows the others.
func TestBudget_Sweep(t *testing.T) {
	h := testkit.NewHouse(t, testkit.OpenSQLite(t))
	l := open(t, h)
	l.spend(hour, "old", 1)
	h.Clock.Advance(48*time.Hour + time.Microsecond)
	l.spend(hour, "new", 2)
	l.do(l.Sweep)
	l.do(func(tx *store.Tx) error {
		lines, err := l.Standing(tx)
		if len(lines) != 1 || lines[0].Key != "new" || lines[0].Used != 2 {
			t.Errorf("standing: %+v", lines)
		}
		return err
	})
}
