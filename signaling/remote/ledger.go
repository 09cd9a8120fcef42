package remote

import (
	"context"
	"sync"
	"time"

	"visavis/internal/care"
	"visavis/internal/control"
	"visavis/signaling"
)

// ledger keeps the seconds of video that are not written yet. It is bounded by
// itself: seconds of the same pair add up.
type ledger struct {
	name string // of the run
	wake chan struct{}

	mu      sync.Mutex
	n       uint64
	sum     map[care.EncounterID]map[[2]string]int
	sent    *flows // not known to be written
	conn    *control.Conn
	settled chan struct{} // closed and made anew when everything was written
}

func newLedger(run string) *ledger {
	return &ledger{name: run, wake: make(chan struct{}, 1), sum: map[care.EncounterID]map[[2]string]int{}, settled: make(chan struct{})}
}

func (l *ledger) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *ledger) add(id care.EncounterID, list []signaling.Flow) {
	l.mu.Lock()
	defer l.mu.Unlock()
	pairs := l.sum[id]
	if pairs == nil {
		pairs = map[[2]string]int{}
		l.sum[id] = pairs
	}
	for _, f := range list {
		pairs[[2]string{f.From, f.To}] += f.Seconds
	}
	l.nudge()
}

// to says who writes from now on; nil: nobody.
func (l *ledger) to(c *control.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = c
	l.nudge()
}

// next gives what is to be said, the same until it is written.
func (l *ledger) next() (*control.Conn, *flows) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn == nil || l.sent != nil {
		return l.conn, l.sent
	}
	if len(l.sum) == 0 {
		close(l.settled)
		l.settled = make(chan struct{})
		return l.conn, nil
	}
	l.n++
	l.sent = &flows{Run: l.name, N: l.n}
	for id, pairs := range l.sum {
		e := signaling.EncounterFlows{Encounter: id}
		for p, seconds := range pairs {
			e.Flows = append(e.Flows, signaling.Flow{From: p[0], To: p[1], Seconds: seconds})
		}
		l.sent.List = append(l.sent.List, e)
	}
	clear(l.sum)
	return l.conn, l.sent
}

func (l *ledger) written() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent = nil
	l.nudge()
}

// run has everything written, until stop.
func (l *ledger) run(stop chan struct{}) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	for {
		select {
		case <-stop:
			return
		case <-l.wake:
		}
		conn, f := l.next()
		if conn == nil || f == nil {
			continue
		}
		if conn.Ask(ctx, askFlows, f, nil) == nil {
			l.written()
			continue
		}
		select { // written by nobody yet: say it again, there or to the next one
		case <-stop:
			return
		case <-conn.Done():
		case <-time.After(time.Second):
			l.nudge()
		}
	}
}

// drain waits until everything is written, or nobody writes, or ctx ends.
func (l *ledger) drain(ctx context.Context) {
	l.mu.Lock()
	settled, conn := l.settled, l.conn
	l.nudge()
	l.mu.Unlock()
	if conn == nil {
		return
	}
	select {
	case <-settled:
	case <-conn.Done():
	case <-ctx.Done():
	}
}
