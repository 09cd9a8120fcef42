// Package health runs the probes of a process and says which of them fail. A
// probe runs at most once at a time and is given up after a bound, so that
// asking often costs nothing and a probe that hangs is itself an answer.
package health

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

const (
	// fresh is how long the result of a probe is used again.
	fresh = time.Second
	// patience is how long who asks waits for probes that run.
	patience = 2500 * time.Millisecond
	// watchEvery is how often the log is told what changed, asked or not.
	watchEvery = 15 * time.Second
)

// Status is the sum of the causes.
type Status string

// The statuses. Failing means that this process cannot do its work; with
// Degraded it does most of it.
const (
	OK       Status = "ok"
	Degraded Status = "degraded"
	Failing  Status = "failing"
)

// Cause is one thing that is wrong.
type Cause struct {
	Code   string    `json:"code"`
	Status Status    `json:"status"`
	Since  time.Time `json:"since"`
	Detail string    `json:"detail,omitempty"` // for the operator, never a secret
}

// Error is what a probe returns to name a cause; another error has the name of
// the probe, and fails.
type Error struct {
	Code     string
	Degraded bool
	Detail   string
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Detail }

// Probe looks at one thing. Run must end soon after ctx does.
type Probe struct {
	Name string
	Run  func(ctx context.Context) error
}

// Monitor runs probes.
type Monitor struct {
	log  *slog.Logger
	list []*watched

	mu   sync.Mutex
	told map[string]Status
}

type watched struct {
	Probe

	mu      sync.Mutex
	running chan struct{} // closed when the run ends; nil when none runs
	began   time.Time
	ended   time.Time
	cause   *Cause
}

// New returns a monitor of probes; none has run yet.
func New(log *slog.Logger, probes ...Probe) *Monitor {
	m := &Monitor{log: log, told: map[string]Status{}}
	for _, p := range probes {
		m.list = append(m.list, &watched{Probe: p})
	}
	return m
}

// Report is the answer to who asks.
type Report struct {
	Status Status  `json:"status"`
	Causes []Cause `json:"causes"`
}

// Failure is the first cause that fails, or nil.
func (r Report) Failure() *Cause {
	for i := range r.Causes {
		if r.Causes[i].Status == Failing {
			return &r.Causes[i]
		}
	}
	return nil
}

// Check runs the probes whose result is older than a second and reports within
// patience. A probe that is not done by then is a cause of its own.
func (m *Monitor) Check(ctx context.Context) Report {
	deadline, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, w := range m.list {
		w.start()
	}
	r := Report{Status: OK, Causes: []Cause{}}
	for _, w := range m.list {
		c := w.wait(deadline)
		if c == nil {
			continue
		}
		r.Causes = append(r.Causes, *c)
		if c.Status == Failing || r.Status == OK {
			r.Status = c.Status
		}
	}
	return r
}

// start runs the probe in the background, unless it runs or has just run.
func (w *watched) start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running != nil || time.Since(w.ended) < fresh {
		return
	}
	done := make(chan struct{})
	w.running, w.began = done, time.Now()
	go func() {
		// The run belongs to everybody who asks, not to the first of them.
		ctx, cancel := context.WithTimeout(context.Background(), patience-500*time.Millisecond)
		defer cancel()
		err := w.Run(ctx)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.cause = w.explain(err)
		w.running, w.ended = nil, time.Now()
		close(done)
	}()
}

// explain turns the error of a run into a cause that began when it was met first.
func (w *watched) explain(err error) *Cause {
	if err == nil {
		return nil
	}
	c := &Cause{Code: w.Name, Status: Failing, Since: w.began.UTC().Truncate(time.Second), Detail: err.Error()}
	var e *Error
	if errors.As(err, &e) {
		c.Code, c.Detail = e.Code, e.Detail
		if e.Degraded {
			c.Status = Degraded
		}
	}
	if w.cause != nil && w.cause.Code == c.Code {
		c.Since = w.cause.Since
	}
	return c
}

func (w *watched) wait(ctx context.Context) *Cause {
	w.mu.Lock()
	running := w.running
	w.mu.Unlock()
	if running != nil {
		select {
		case <-running:
		case <-ctx.Done():
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running != nil && w.running == running {
		return &Cause{Code: w.Name, Status: Failing, Since: w.began.UTC().Truncate(time.Second), Detail: "the probe does not end"}
	}
	return w.cause
}

// Watch checks from time to time until ctx ends, and tells the log what began
// and what is over.
func (m *Monitor) Watch(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		m.tell(m.Check(ctx))
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (m *Monitor) tell(r Report) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := map[string]Status{}
	for _, c := range r.Causes {
		now[c.Code] = c.Status
		if m.told[c.Code] == c.Status {
			continue
		}
		if c.Status == Failing {
			m.log.Error("health: failing", "cause", c.Code, "detail", c.Detail)
		} else {
			m.log.Warn("health: degraded", "cause", c.Code, "detail", c.Detail)
		}
	}
	for code := range m.told {
		if _, still := now[code]; !still {
			m.log.Info("health: over", "cause", code)
		}
	}
	m.told = now
}
