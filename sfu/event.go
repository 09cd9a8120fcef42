package sfu

import (
	"sync"
	"time"
)

// Source names what a published track shows.
type Source string

// The four sending sections of an offer, in their order per kind.
const (
	Voice  Source = "voice"
	Camera Source = "camera"
	Screen Source = "screen"
	Sound  Source = "sound" // the sound of the screen
)

// Link is where a peer's media stands.
type Link string

// The states of a link.
const (
	LinkConnecting Link = "connecting"
	LinkUp         Link = "up"
	LinkLost       Link = "lost"   // silent for Config.Lost; may come back
	LinkClosed     Link = "closed" // the peer is gone; Event.Cause says why
)

// Cause says why a peer was closed.
type Cause string

// The causes of LinkClosed.
const (
	CauseDropped   Cause = "dropped"   // Drop
	CauseReplaced  Cause = "replaced"  // a new offer of the same peer
	CauseHandshake Cause = "handshake" // Config.Handshake passed
	CauseFailed    Cause = "failed"    // silent for Config.Lost + Config.Failed
	CauseShutdown  Cause = "shutdown"  // Close
)

// Binding says what a slot carries now.
type Binding struct {
	Mid    string
	Peer   string // the publisher
	Source Source
	Paused bool // the receiver's link does not carry even the smallest layer
}

// Flow says that video really went From → To during Seconds further whole
// seconds: in each, pictures (packets with at least three distinct timestamps)
// were handed to a link that was up.
type Flow struct {
	From, To string
	Source   Source
	Seconds  int
}

// Event is one thing that happened. Exactly one of Link, Slots, Speaking and
// Flows is set.
type Event struct {
	Room string
	Peer string // empty for Speaking and Flows
	PC   int    // the number given in the Offer
	At   time.Time

	Link     Link
	Cause    Cause
	Silent   time.Duration // of LinkLost and LinkClosed: for how long nothing was heard of the peer, ≥ 0
	Slots    []Binding     // not nil: the whole table of the peer
	Speaking []string      // not nil: the peers who speak now
	Flows    []Flow
}

// queue hands events to one consumer in order, without ever making the
// producer wait. It holds at most a few events per peer and second.
type queue struct {
	mu    sync.Mutex
	wake  *sync.Cond
	list  []Event
	ended bool
	done  chan struct{}
}

func newQueue(to func(Event)) *queue {
	q := &queue{done: make(chan struct{})}
	q.wake = sync.NewCond(&q.mu)
	go q.run(to)
	return q
}

func (q *queue) put(e Event) {
	q.mu.Lock()
	if !q.ended {
		q.list = append(q.list, e)
	}
	q.mu.Unlock()
	q.wake.Signal()
}

func (q *queue) run(to func(Event)) {
	defer close(q.done)
	for {
		q.mu.Lock()
		for len(q.list) == 0 && !q.ended {
			q.wake.Wait()
		}
		list := q.list
		q.list = nil
		ended := q.ended
		q.mu.Unlock()
		for _, e := range list {
			to(e)
		}
		if ended && len(list) == 0 {
			return
		}
	}
}

// close delivers what is queued and stops.
func (q *queue) close() {
	q.mu.Lock()
	q.ended = true
	q.mu.Unlock()
	q.wake.Signal()
	<-q.done
}
