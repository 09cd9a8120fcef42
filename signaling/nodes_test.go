package signaling_test

import (
	"context"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
)

// meeting is one of many calls.
type meeting struct {
	seats [2]*rtcclient.Client
	media [2]*rtcclient.Media
	pc    int
}

// moves makes new connections for both as soon as they are told to, and gives
// the time since begin at which both see and hear, and the longest time for which
// one of the two had nothing. Each ends the old connection as a browser does: at
// once when it carries nothing any more, else once the new one carries. False:
// they were not told.
func (m *meeting) moves(ctx context.Context, c *clinic, begin time.Time) (media, gap time.Duration, told bool) {
	var each sync.WaitGroup
	var mu sync.Mutex
	told = true
	for i, cl := range m.seats {
		each.Go(func() {
			order, err := cl.Wait(ctx, "rejoin", nil)
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				told = false
				return
			}
			old := m.media[i]
			if order.Str("reason") == "node_lost" {
				c.leave(old)
			}
			next := c.join(cl, m.pc+1)
			if err := next.Until(ctx, func(x *rtcclient.Media) bool { return !x.First().IsZero() }); err != nil {
				c.t.Error(err)
				return
			}
			without := next.First().Sub(old.Last())
			if order.Str("reason") != "node_lost" {
				c.leave(old)
			}
			mu.Lock()
			defer mu.Unlock()
			m.media[i] = next
			media, gap = max(media, next.First().Sub(begin)), max(gap, without)
		})
	}
	each.Wait()
	m.pc++
	return media, gap, told
}

func percentiles(list []time.Duration) (p50, p95, most time.Duration) {
	if len(list) == 0 {
		return 0, 0, 0
	}
	slices.Sort(list)
	return list[len(list)/2], list[min(len(list)-1, len(list)*95/100)], list[len(list)-1]
}

// TestCallsChangeNodes: M8 and M9 with many calls; VISAVIS_CALLS says how many
// (20 for the acceptance). All of them and both nodes are in this one process.
func TestCallsChangeNodes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: not in -short")
	}
	calls, err := strconv.Atoi(os.Getenv("VISAVIS_CALLS"))
	if err != nil {
		calls = 2
	}
	c := openLater(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	var cancel context.CancelFunc
	c.ctx, cancel = context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	c.far = true
	c.begin("127.0.0.1:0")
	dies, diesToo, address := c.node, c.media, c.addr
	c.begin("127.0.0.1:0")
	stays := c.node
	c.others = []string{address}
	c.start()
	all := make([]*meeting, calls)
	for i := range all {
		act := c.world.acts[c.enc]
		act.ID = care.EncounterID(id())
		c.world.mu.Lock()
		c.world.acts[act.ID] = act
		c.world.mu.Unlock()
		c.enc = act.ID
		all[i] = &meeting{pc: 1}
		all[i].seats, all[i].media = c.both()
	}
	// change has something done to a node and measures what its calls met.
	change := func(what string, want int, do func()) (media, gaps []time.Duration) {
		begin := time.Now()
		do()
		ctx, done := context.WithTimeout(c.ctx, 30*time.Second)
		defer done()
		var mu sync.Mutex
		var g sync.WaitGroup
		for _, m := range all {
			g.Go(func() {
				d, gap, told := m.moves(ctx, c, begin)
				mu.Lock()
				defer mu.Unlock()
				if !told {
					return
				}
				if media, gaps = append(media, d), append(gaps, gap); len(media) == want {
					done()
				}
			})
		}
		g.Wait()
		if len(media) != want {
			t.Errorf("%s: %d calls moved, want %d", what, len(media), want)
		}
		return media, gaps
	}
	there, _ := diesToo.Stats()
	media, gaps := change("killed", there.Rooms, func() { end(t, dies, diesToo) })
	p50, p95, most := percentiles(media)
	t.Logf("node killed, %d of %d calls on it: media elsewhere after p50 %v, p95 %v, at most %v", there.Rooms, calls, p50, p95, most)
	p50, p95, most = percentiles(gaps)
	t.Logf("node killed: without media p50 %v, p95 %v, at most %v", p50, p95, most)
	_, p95, _ = percentiles(media)
	if p95 > 5*time.Second {
		t.Errorf("p95 %v, want 5 s at most", p95)
	}
	c.begin(address)
	testkit.Eventually(t, 5*time.Second, "it is back", func() bool { return c.pool.Ready() == 2 })
	drained := make(chan time.Duration, 1)
	_, gaps = change("drained", calls, func() {
		go func() {
			begin := time.Now()
			stays.Drain(c.ctx, 0, false)
			drained <- time.Since(begin)
		}()
	})
	took := testkit.Receive(t, 30*time.Second, "the end of the drain", drained)
	p50, p95, most = percentiles(gaps)
	t.Logf("node drained, %d calls on it: without media p50 %v, p95 %v, at most %v; empty after %v", calls, p50, p95, most, took)
	if most > 3*time.Second {
		t.Errorf("an interruption of %v, want 3 s at most", most)
	}
}
