package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/control"
	"visavis/internal/testkit"
	"visavis/signaling"
)

func key() control.Key { return bytes.Repeat([]byte{3}, control.KeySize) }

// carrier notes what it is asked.
type carrier struct {
	mu   sync.Mutex
	did  []string
	tell func(signaling.MediaEvent)
	hold chan struct{} // an update waits for it
}

func (c *carrier) note(format string, a ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.did = append(c.did, fmt.Sprintf(format, a...))
}

func (c *carrier) done() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.did)
}

// count is how often it was asked for something.
func (c *carrier) count(what string) (n int) {
	for _, x := range c.done() {
		if strings.HasPrefix(x, what) {
			n++
		}
	}
	return n
}

func (c *carrier) Offer(_ context.Context, o signaling.Offer) (string, error) {
	c.note("offer %s %d", o.Seat, o.PC)
	switch o.SDP {
	case "bad":
		return "", errors.Join(signaling.ErrOfferRefused, errors.New("no BUNDLE"))
	case "broken":
		return "", errors.New("a socket died")
	}
	return "answer to " + o.SDP, nil
}

func (c *carrier) Update(_ care.EncounterID, seat string, s signaling.Sources) {
	if c.hold != nil {
		<-c.hold
	}
	c.note("update %s %v", seat, s.Mic)
}

func (c *carrier) View(_ care.EncounterID, seat string, h map[string]int) {
	c.note("view %s %v", seat, h)
}
func (c *carrier) Drop(id care.EncounterID, seat string) { c.note("drop %s/%s", id, seat) }
func (c *carrier) Grant(_ care.EncounterID, seat string) signaling.ICE {
	return signaling.ICE{Servers: []signaling.ICEServer{{Username: seat}}, Policy: "all"}
}
func (c *carrier) Revoke(_ care.EncounterID, seat string) { c.note("revoke %s", seat) }
func (c *carrier) Tell(to func(signaling.MediaEvent))     { c.tell = to }
func (c *carrier) Close(context.Context) error            { return nil }
func (c *carrier) speaks(id care.EncounterID, seats ...string) {
	c.tell(signaling.MediaEvent{Encounter: id, Speaking: seats})
}

// live notes what it is told.
type live struct {
	mu      sync.Mutex
	heard   []string
	held    []string
	placed  []care.EncounterID
	moved   []care.EncounterID
	seconds int
	refuse  bool // Flowed fails
	taken   map[uint64]bool
	asked   int
	change  chan struct{}
}

func newLive() *live { return &live{taken: map[uint64]bool{}, change: make(chan struct{}, 1000)} }

func (l *live) with(f func()) {
	l.mu.Lock()
	f()
	l.mu.Unlock()
	l.change <- struct{}{}
}

func (l *live) Heard(e signaling.MediaEvent) {
	l.with(func() { l.heard = append(l.heard, strings.Join(e.Speaking, "+")+e.Link) })
}

func (l *live) Flowed(_ context.Context, _ string, n uint64, list []signaling.EncounterFlows) (err error) {
	l.with(func() {
		l.asked++
		if l.refuse {
			err = errors.New("the database is away")
			return
		}
		if l.taken[n] {
			return // written before, its answer was lost
		}
		l.taken[n] = true
		for _, e := range list {
			for _, f := range e.Flows {
				l.seconds += f.Seconds
			}
		}
	})
	return err
}

func (l *live) Reconcile(_ context.Context, held []signaling.Standing, placed []care.EncounterID) {
	l.with(func() {
		l.held = nil
		for _, s := range held {
			l.held = append(l.held, s.Seat+" "+s.Note+" "+s.Link)
		}
		slices.Sort(l.held)
		l.placed = placed
	})
}

func (l *live) Ending(id care.EncounterID, in int) {
	l.with(func() { l.heard = append(l.heard, fmt.Sprintf("ending %s %v", id, in >= 0)) })
}

func (l *live) Move(id care.EncounterID) { l.with(func() { l.moved = append(l.moved, id) }) }

// until waits for something to be true of l.
func (l *live) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	late := time.After(10 * time.Second)
	for {
		l.mu.Lock()
		yes := ok()
		l.mu.Unlock()
		if yes {
			return
		}
		select {
		case <-l.change:
		case <-time.After(20 * time.Millisecond):
		case <-late:
			t.Fatalf("not within 10 s: %s; heard %v, held %v, moved %v, seconds %d", what, l.heard, l.held, l.moved, l.seconds)
		}
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func openNode(t *testing.T, addr string, keep time.Duration) (*Node, *carrier) {
	t.Helper()
	c := &carrier{}
	n, err := OpenNode(NodeConfig{Addr: addr, Key: key(), Carrier: c, Keep: keep, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close(t.Context()) })
	return n, c
}

func openPool(t *testing.T, l *live, addrs ...string) *Pool {
	t.Helper()
	p := NewPool(PoolConfig{Key: key(), Nodes: addrs, Log: quiet()})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	p.Start(ctx, l)
	if p.Ready() != len(addrs) {
		t.Fatalf("%d nodes are ready, want %d", p.Ready(), len(addrs))
	}
	t.Cleanup(p.Close)
	return p
}

// cut drops the connection, as a bad network does.
func (p *Pool) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.links {
		if l.conn != nil {
			l.conn.Close()
		}
	}
}

func offer(t *testing.T, p *Pool, id care.EncounterID, seat string, pc int) {
	t.Helper()
	answer, err := p.Offer(t.Context(), signaling.Offer{Encounter: id, Seat: seat, PC: pc, Note: "n-" + seat, SDP: "v=0"})
	if err != nil || answer != "answer to v=0" {
		t.Fatalf("%q %v", answer, err)
	}
}

func TestQuestionsReachTheCarrier(t *testing.T) {
	n, c := openNode(t, "127.0.0.1:0", 0)
	p := openPool(t, newLive(), n.Addr())
	offer(t, p, "e", "s", 7)
	p.Update("e", "s", signaling.Sources{Mic: true})
	p.View("e", "s", map[string]int{"4": 360})
	p.Revoke("e", "s")
	p.Drop("e", "s")
	p.Update("e", "s", signaling.Sources{Mic: true}) // of a connection that is no more: not said
	want := []string{"offer s 7", "update s true", "view s map[4:360]", "revoke s", "drop e/s"}
	if got := c.done(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if ice := p.Grant("e", "s"); len(ice.Servers) != 1 || ice.Servers[0].Username != "s" {
		t.Errorf("%+v", ice)
	}
	if _, err := p.Offer(t.Context(), signaling.Offer{Encounter: "e", Seat: "s", PC: 8, SDP: "bad"}); !errors.Is(err, signaling.ErrOfferRefused) {
		t.Error(err)
	}
	if _, err := p.Offer(t.Context(), signaling.Offer{Encounter: "e", Seat: "s", PC: 8, SDP: "broken"}); err == nil || strings.Contains(err.Error(), "socket") {
		t.Error(err)
	}
	if _, err := p.Offer(t.Context(), signaling.Offer{Encounter: "e", Seat: "nobody", PC: 8, Restart: true}); !errors.Is(err, signaling.ErrPCUnknown) {
		t.Error(err)
	}
}

// What was heard is not heard again, what was missed is, in order; what there is
// comes last.
func TestEventsSurviveACut(t *testing.T) {
	n, c := openNode(t, "127.0.0.1:0", 0)
	l := newLive()
	p := openPool(t, l, n.Addr())
	offer(t, p, "e", "s", 1)
	var want []string
	for i := range 200 {
		if i%20 == 10 {
			p.cut()
		}
		want = append(want, fmt.Sprint("a", i))
		c.speaks("e", want[i])
	}
	l.until(t, "every event once", func() bool { return len(l.heard) >= len(want) && slices.Equal(l.heard, want) })
	l.until(t, "the connection stands", func() bool { return slices.Equal(l.held, []string{"s n-s connecting"}) })
	c.tell(signaling.MediaEvent{Encounter: "e", Seat: "s", PC: 1, Link: signaling.LinkUp})
	p.cut()
	l.until(t, "and is up", func() bool { return slices.Equal(l.held, []string{"s n-s up"}) })
}

// Orders that nobody answered are said again, in their order.
func TestOrdersSurviveACut(t *testing.T) {
	n, c := openNode(t, "127.0.0.1:0", 0)
	p := openPool(t, newLive(), n.Addr())
	offer(t, p, "e", "s", 1)
	for i := range 100 {
		if i%10 == 5 {
			p.cut()
		}
		p.Update("e", "s", signaling.Sources{Mic: i%2 == 0})
	}
	p.Drop("e", "") // waits until everything before is done
	got := c.done()
	if got[len(got)-1] != "drop e/" {
		t.Fatalf("last was %q", got[len(got)-1])
	}
	if got[len(got)-2] != "update s false" {
		t.Errorf("the last update was not the last: %v", got[len(got)-3:])
	}
}

// Seconds of video are written once: while the writer fails, over cuts, and when
// another application comes.
func TestSecondsAreWrittenOnce(t *testing.T) {
	n, c := openNode(t, "127.0.0.1:0", 0)
	l := newLive()
	l.refuse = true
	first := openPool(t, l, n.Addr())
	sum := 0
	flow := func(s int) {
		sum += s
		c.tell(signaling.MediaEvent{Encounter: "e", Flows: []signaling.Flow{{From: "a", To: "b", Seconds: s}}})
	}
	flow(3)
	l.until(t, "asked in vain", func() bool { return l.asked > 0 })
	flow(4)
	first.Close()
	flow(5)
	l.with(func() { l.refuse = false })
	second := openPool(t, l, n.Addr())
	l.until(t, "all of it", func() bool { return l.seconds == sum })
	for i := range 50 {
		flow(1)
		if i%10 == 0 {
			second.cut()
		}
	}
	l.until(t, "all of it", func() bool { return l.seconds >= sum })
	if l.seconds != sum {
		t.Errorf("%d seconds of %d", l.seconds, sum)
	}
	flow(2)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := n.Close(ctx); err != nil {
		t.Error(err)
	}
	if l.seconds != sum {
		t.Errorf("a node that closes left %d of %d seconds unsaid", sum-l.seconds, sum)
	}
}

// A room whose application is away for too long ends; one that is cut off for a
// moment does not.
func TestTheLeaseOfARoom(t *testing.T) {
	n, c := openNode(t, "127.0.0.1:0", 400*time.Millisecond)
	l := newLive()
	p := openPool(t, l, n.Addr())
	offer(t, p, "e", "s", 1)
	p.cut()
	l.until(t, "it is back", func() bool { return len(l.held) == 1 })
	if slices.Contains(c.done(), "drop e/") {
		t.Error("a cut ended the room")
	}
	p.Close()
	testkit.Eventually(t, 5*time.Second, "the room ends", func() bool { return slices.Contains(c.done(), "drop e/") })
}

// Rooms are spread; a node that dies loses them to the other, and one that comes
// back drops what stands elsewhere by now.
func TestRoomsMove(t *testing.T) {
	a, _ := openNode(t, "127.0.0.1:0", 0)
	b, bc := openNode(t, "127.0.0.1:0", 0)
	l := newLive()
	p := openPool(t, l, a.Addr(), b.Addr())
	for _, id := range []care.EncounterID{"e1", "e2", "e3", "e4"} {
		offer(t, p, id, "s-"+string(id), 1)
	}
	if n := len(bc.done()); n != 2 {
		t.Errorf("%d of 4 rooms on one of two nodes", n)
	}
	p.mu.Lock()
	var there []care.EncounterID
	for id, r := range p.rooms {
		if r.on.addr == a.Addr() {
			there = append(there, id)
		}
	}
	p.mu.Unlock()
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.until(t, "its rooms stand elsewhere", func() bool { return len(l.placed) == len(there) && len(l.held) == 0 && len(there) == 2 })
	offer(t, p, there[0], "s-"+string(there[0]), 2)
	offer(t, p, there[1], "s-"+string(there[1]), 2)
	if n := len(bc.done()); n != 4 {
		t.Errorf("the offer went to the dead node")
	}

	c, cc := openNode(t, a.Addr(), 0) // another run at the same address
	testkit.Eventually(t, 5*time.Second, "it is back", func() bool { return p.Ready() == 2 })
	ended := make(chan struct{})
	go func() { b.Drain(t.Context(), 0, false); close(ended) }()
	// Two at once, and the next when those before are there; the old connection
	// stays until the new one carries, and obeys.
	for n := range 4 {
		l.until(t, "rooms move away from a node that is told to stop", func() bool { return len(l.moved) > n })
		l.mu.Lock()
		id, more := l.moved[n], len(l.moved)
		l.mu.Unlock()
		if more > n+movesEach {
			t.Errorf("%d rooms moved while %d had", more, n)
		}
		seat := "s-" + string(id)
		offer(t, p, id, seat, 3)
		p.Update(id, seat, signaling.Sources{Held: true})
		p.Revoke(id, seat) // done after what was ordered before
		testkit.Eventually(t, 5*time.Second, "who is held is held on both", func() bool {
			return slices.Contains(bc.done(), "update "+seat+" false") && slices.Contains(cc.done(), "update "+seat+" false")
		})
		if slices.Contains(bc.done(), "drop "+string(id)+"/"+seat) {
			t.Errorf("%s was cut before its new connection carries", id)
		}
		cc.tell(signaling.MediaEvent{Encounter: id, Seat: seat, PC: 3, Link: signaling.LinkUp})
		testkit.Eventually(t, 5*time.Second, "the old connection ends", func() bool { return slices.Contains(bc.done(), "drop "+string(id)+"/"+seat) })
	}
	<-ended // each seat was dropped there once it stood elsewhere
	if bc.count("drop") != 4 || cc.count("offer") != 4 {
		t.Errorf("%v, then %v", bc.done(), cc.done())
	}
	_ = c
	done := make(chan struct{})
	go func() { c.Drain(t.Context(), 0, false); close(done) }()
	<-done // b takes nothing: nowhere to go, and no reason to wait
}

func TestRegisteredNodesAreFound(t *testing.T) {
	rd, rdb := testkit.Redis(t)
	n, _ := openNode(t, "127.0.0.1:0", 0)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { n.Announce(ctx, rdb, n.Addr(), quiet()); close(ended) }()
	find := Registered(rdb)
	testkit.Eventually(t, 5*time.Second, "the lease", func() bool {
		list, err := find(t.Context())
		return err == nil && slices.Equal(list, []string{n.Addr()})
	})
	l := newLive()
	p := NewPool(PoolConfig{Key: key(), Find: find, Log: quiet()})
	waiting, stop := context.WithTimeout(t.Context(), 5*time.Second)
	defer stop()
	p.Start(waiting, l)
	t.Cleanup(p.Close)
	offer(t, p, "e", "s", 1)
	if err := rd.Stop(); err != nil {
		t.Fatal(err)
	}
	offer(t, p, "e2", "s2", 2) // Redis holds no truth
	if err := rd.Start(); err != nil {
		t.Fatal(err)
	}
	cancel()
	<-ended
	if list, err := find(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%v %v: the lease was not given back", list, err)
	}
}

// A node with nowhere to hand its rooms to goes on with them until they end or its
// deadline comes, and people are told before; no room begins there, but who is
// in one may come back.
func TestAPatientNodeGoesOn(t *testing.T) {
	n, c := openNode(t, "127.0.0.1:0", 0)
	l := newLive()
	found := make(chan string, 1)
	p := NewPool(PoolConfig{Key: key(), Log: quiet(), Nodes: []string{n.Addr()}, Find: func(context.Context) ([]string, error) {
		select {
		case addr := <-found:
			return []string{addr}, nil
		default:
			return nil, errors.New("nobody knows")
		}
	}})
	waiting, stop := context.WithTimeout(t.Context(), 5*time.Second)
	defer stop()
	p.Start(waiting, l)
	t.Cleanup(p.Close)
	offer(t, p, "e", "s", 1)
	began := time.Now() // before the deadline is set: a busy machine may pause between the two
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if n.Drain(ctx, 0, true) || time.Since(began) < time.Second {
		t.Errorf("it ended after %v with somebody there", time.Since(began))
	}
	l.until(t, "people are told", func() bool { return slices.Contains(l.heard, "ending e true") })
	if slices.Contains(c.done(), "drop e/s") || len(l.moved) != 0 {
		t.Errorf("%v, moved %v", c.done(), l.moved)
	}
	offer(t, p, "e", "s", 2)
	other, oc := openNode(t, "127.0.0.1:0", 0)
	found <- other.Addr()
	l.until(t, "somewhere to go", func() bool { return len(l.moved) == 1 })
	offer(t, p, "e2", "s", 3)
	if oc.count("offer") != 1 {
		t.Error("a room began on a node that is told to stop")
	}
	empty := make(chan bool, 1)
	go func() { empty <- n.Drain(t.Context(), time.Hour, true) }()
	p.Drop("e", "")
	if !testkit.Receive(t, 10*time.Second, "the end of its last room", empty) {
		t.Error("it is not empty")
	}
}

// TestPool_FollowedOpensNoNode: an application that another one followed, and that wakes up, does not take a node back.
func TestPool_FollowedOpensNoNode(t *testing.T) {
	n, _ := openNode(t, "127.0.0.1:0", 0)
	var followed atomic.Bool
	asked := make(chan struct{}, 1000)
	former := NewPool(PoolConfig{Key: key(), Log: quiet(), Nodes: []string{n.Addr()}, Followed: func(context.Context) bool {
		select {
		case asked <- struct{}{}:
		default:
		}
		return followed.Load()
	}})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	former.Start(ctx, newLive())
	t.Cleanup(former.Close)
	if former.Ready() != 1 {
		t.Fatal("the first has no node")
	}
	followed.Store(true)
	next := openPool(t, newLive(), n.Addr())
	for range len(asked) {
		<-asked
	}
	for range 3 { // attempts
		<-asked
	}
	if former.Ready() != 0 || next.Ready() != 1 {
		t.Errorf("ready: the former %d, the next %d", former.Ready(), next.Ready())
	}
}
