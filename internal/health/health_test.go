package health_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"visavis/internal/health"
)

func monitor(probes ...health.Probe) *health.Monitor {
	return health.New(slog.New(slog.NewTextHandler(io.Discard, nil)), probes...)
}

// TestCheck_Sum: the worst cause decides, each is named.
func TestCheck_Sum(t *testing.T) {
	fine := health.Probe{Name: "fine", Run: func(context.Context) error { return nil }}
	less := health.Probe{Name: "less", Run: func(context.Context) error { return &health.Error{Code: "no-media", Degraded: true} }}
	bad := health.Probe{Name: "bad", Run: func(context.Context) error { return errors.New("x") }}
	for _, c := range []struct {
		probes []health.Probe
		want   health.Status
		causes int
	}{
		{nil, health.OK, 0}, {[]health.Probe{fine}, health.OK, 0}, {[]health.Probe{fine, less}, health.Degraded, 1},
		{[]health.Probe{less, bad}, health.Failing, 2}, {[]health.Probe{bad, less}, health.Failing, 2},
	} {
		r := monitor(c.probes...).Check(t.Context())
		if r.Status != c.want || len(r.Causes) != c.causes || (r.Failure() != nil) != (c.want == health.Failing) {
			t.Errorf("%+v, want %s", r, c.want)
		}
	}
}

// TestCheck_ProbeHangs: a probe that does not end is named within the bound,
// runs once however many ask, and is asked again when it has ended.
func TestCheck_ProbeHangs(t *testing.T) {
	var runs atomic.Int32
	let := make(chan struct{})
	m := monitor(health.Probe{Name: "writer", Run: func(context.Context) error {
		runs.Add(1)
		<-let // whatever ctx says
		return nil
	}})
	began := time.Now()
	var g sync.WaitGroup
	for range 200 {
		g.Go(func() {
			if r := m.Check(context.Background()); r.Status != health.Failing || r.Causes[0].Code != "writer" {
				t.Errorf("%+v", r)
			}
		})
	}
	g.Wait()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("answered after %v", took)
	}
	if runs.Load() != 1 {
		t.Errorf("%d runs at once", runs.Load())
	}
	close(let)
	for end := time.Now().Add(10 * time.Second); m.Check(context.Background()).Status != health.OK; {
		if time.Now().After(end) {
			t.Fatal("does not heal")
		}
	}
}
