package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"visavis/internal/control"
	"visavis/internal/testkit"
)

// farNode is a media role as on another machine.
type farNode struct {
	t    *testing.T
	env  []string
	addr string
	port string // of its media
	cmd  *exec.Cmd
	done chan struct{}
}

func newFarNode(t *testing.T, redis, key string) *farNode {
	n := &farNode{t: t, addr: "127.0.0.1:" + strconv.Itoa(quietPort(t))}
	media, turn := strconv.Itoa(quietPort(t)), strconv.Itoa(quietPort(t))
	n.port = media
	n.env = []string{
		"VISAVIS_CONTROL_DRAIN_SOFT=" + softly.String(), "VISAVIS_CONTROL_DRAIN_HARD=60s",
		asMain + "=1", "VISAVIS_ROLE=media", "VISAVIS_DATA=" + t.TempDir(), "REDIS_URL=" + redis, "VISAVIS_CONTROL_KEY_FILE=" + key,
		"VISAVIS_CONTROL_LISTEN=" + n.addr, "VISAVIS_MEDIA_UDP=" + media, "VISAVIS_MEDIA_TCP=" + media, "VISAVIS_TURN_UDP=" + turn, "VISAVIS_TURN_TCP=" + turn,
	}
	n.start()
	t.Cleanup(func() { n.signal(syscall.SIGKILL) })
	return n
}

func (n *farNode) start() {
	n.t.Helper()
	n.cmd = exec.Command(os.Args[0], "serve")
	n.cmd.Env = append(os.Environ(), n.env...)
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.done = make(chan struct{})
	cmd, done := n.cmd, n.done
	go func() { _ = cmd.Wait(); close(done) }()
}

func (n *farNode) signal(sig syscall.Signal) time.Time {
	at := time.Now()
	_ = n.cmd.Process.Signal(sig) // it may have ended
	return at
}

// softly is how long calls stay on a node of these tests that is told to stop.
const softly = 2 * time.Second

// carries tells whether a connection was made with this node.
func (n *farNode) carries(f *flow) bool {
	return strings.Contains(f.PC.RemoteDescription().SDP, " "+n.port+" typ host")
}

// calling begins a call of another demo patient with the same doctor.
func (c *call) calling(who int) *call {
	next := &call{spy: &spy{witness: &witness{rig: c.rig, doctor: c.doctor}}, who: who, from: 10 + who, db: c.db}
	next.begin()
	return next
}

// seen waits until the application has written so many times that a node is
// here.
func (r *rig) seen(n *farNode, times int) {
	r.t.Helper()
	testkit.Eventually(r.t, 20*time.Second, "the node at "+n.addr+" is known", func() bool {
		raw, err := os.ReadFile(filepath.Join(r.dir, "visavis.log"))
		return err == nil && bytes.Count(raw, []byte("a node is here\" role=app node="+n.addr+" ")) >= times
	})
}

// twoNodes is the program with two media nodes of their own, both known to it; the
// first room goes to the first of them.
func twoNodes(t *testing.T) (*rig, []*farNode) {
	t.Helper()
	rd, _ := testkit.Redis(t)
	key := filepath.Join(t.TempDir(), "control")
	if _, err := control.LoadKey(key, true); err != nil {
		t.Fatal(err)
	}
	nodes := []*farNode{newFarNode(t, rd.URL(), key), newFarNode(t, rd.URL(), key)}
	if nodes[0].addr > nodes[1].addr { // the program takes the first of equals
		nodes[0], nodes[1] = nodes[1], nodes[0]
	}
	r := newRig(t, "", rd.URL(), "VISAVIS_ROLE=app", "VISAVIS_CONTROL_KEY_FILE="+key)
	r.seen(nodes[0], 1)
	r.seen(nodes[1], 1)
	return r, nodes
}

// TestTwoMediaNodes: M8 and M9. Rooms are spread over the nodes that share our
// Redis; a node that dies loses its rooms to the other, and one that is told to
// stop hands them over first.
func TestTwoMediaNodes(t *testing.T) {
	if testing.Short() {
		t.Skip("kills nodes of the program")
	}
	r, nodes := twoNodes(t)
	var calls []*call
	c := &call{spy: &spy{witness: &witness{rig: r, doctor: r.staff(account("MARTIN"))}}}
	for _, who := range []int{0, 2} { // both with the same doctor, one after the other
		c = c.calling(who)
		c.toBoth(time.Second)
		c.worst()
		calls = append(calls, c)
	}
	var table strings.Builder

	at := nodes[0].signal(syscall.SIGKILL)
	told, media := calls[0].rejoined(at, 1)
	calls[1].toBoth(time.Second)
	other := calls[1].worst()
	fmt.Fprintf(&table, "\nnode -9: its call was told after %d ms and is elsewhere after %d ms; longest gap of the other call %d ms",
		told.Milliseconds(), media.Milliseconds(), other.Milliseconds())
	if media > 5*time.Second || other > 500*time.Millisecond {
		t.Errorf("media after %v, the other call met a gap of %v", media, other)
	}
	nodes[0].env = append(nodes[0].env, "VISAVIS_CONTROL_DRAIN_SOFT=0s", "VISAVIS_CONTROL_DRAIN_HARD=6s")
	nodes[0].start()
	r.seen(nodes[0], 2)

	// Both are on the second node now, which is told to stop: nothing begins there
	// any more, what is there goes on, then moves before the node ends, and until
	// then the old connections carry.
	for _, c := range calls {
		c.worst()
	}
	at = nodes[1].signal(syscall.SIGTERM)
	third := c.calling(4)
	fmt.Fprintf(&table, "\nnode drained: a call that began %d ms after the signal is on another node", third.met.Sub(at).Milliseconds())
	for _, f := range third.flows {
		if !nodes[0].carries(f) {
			t.Error("a new call is on a node that is told to stop")
		}
	}
	for i, c := range calls {
		old := c.flows
		told, _ := c.rejoined(at, 2-i)
		gap := time.Duration(0)
		for n, f := range c.flows {
			gap = max(gap, f.First().Sub(old[n].lastCame()))
		}
		fmt.Fprintf(&table, "\nnode drained: call %d was told after %d ms, its longest gap %d ms", i+1, told.Milliseconds(), max(0, gap.Milliseconds()))
		if gap > 3*time.Second {
			t.Errorf("call %d met a gap of %v", i+1, gap)
		}
		if told < softly {
			t.Errorf("call %d was moved after %v, before the soft deadline", i+1, told)
		}
	}
	testkit.Receive(t, 30*time.Second, "the end of the drained node", closed(nodes[1].done))
	fmt.Fprintf(&table, "\nthe node ended %d ms after it was told to", time.Since(at).Milliseconds())
	calls = append(calls, third)
	for _, c := range calls {
		c.toBoth(time.Second)
		c.worst()
	}
	// The last node has nobody to hand its calls to: they go on until its hard
	// deadline.
	at = nodes[0].signal(syscall.SIGTERM)
	for _, c := range calls {
		c.toBoth(500 * time.Millisecond)
		if gap := c.worst(); gap > time.Second {
			t.Errorf("a call on the last node met a gap of %v before the deadline", gap)
		}
	}
	testkit.Receive(t, 30*time.Second, "the end of the last node", closed(nodes[0].done))
	took := time.Since(at)
	fmt.Fprintf(&table, "\nthe last node, with three calls and nowhere to hand them to, ended %d ms after it was told to", took.Milliseconds())
	if took < 6*time.Second || took > 20*time.Second {
		t.Errorf("the hard deadline was after %v, want 6 s", took)
	}
	for _, c := range calls {
		c.finish()
	}
	t.Logf("what the people of two calls met:%s", table.String())
}

// closed makes the closing of a channel something to receive.
func closed(done chan struct{}) chan bool {
	out := make(chan bool, 1)
	go func() { <-done; out <- true }()
	return out
}

// lastCame is when the last packet of any stream came.
func (f *flow) lastCame() (at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.last {
		if t.After(at) {
			at = t
		}
	}
	return at
}
