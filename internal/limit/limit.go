// Package limit counts calls against token buckets, so that nobody can guess a
// code, drain the SMS budget or drown the others (trust B10). With Redis the
// buckets are shared by the nodes; without it, or while it is away, each node
// counts for itself.
package limit

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"sync"
	"time"

	"visavis/internal/clock"
	"visavis/internal/fault"
)

// Rule is a bucket: Burst calls at once, then one more each Every.
type Rule struct {
	Name  string
	Burst int
	Every time.Duration
}

// Limiter takes a token or refuses as Throttled, saying how many seconds to wait.
type Limiter interface {
	Take(ctx context.Context, r Rule, key string) error
	// Refund puts a token back: what it was taken for has proved to be honest.
	// A full bucket stays full.
	Refund(ctx context.Context, r Rule, key string)
}

// Network cuts an address to what one household or host holds: /32 or /64.
func Network(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	bits := 32
	if a.Is6() && !a.Is4In6() {
		bits = 64
	}
	p, err := a.Unmap().Prefix(bits)
	if err != nil {
		return ip
	}
	return p.String()
}

// Networks gives the networks an address is in, from the narrowest: /32, /24 and
// /16 of IPv4; /64, /48 and /32 of IPv6. What is no address is
// alone in three of its own.
func Networks(ip string) []string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return []string{ip, ip, ip}
	}
	a = a.Unmap().WithZone("")
	widths := []int{32, 24, 16}
	if a.Is6() {
		widths = []int{64, 48, 32}
	}
	out := make([]string, len(widths))
	for i, bits := range widths {
		out[i] = netip.PrefixFrom(a, bits).Masked().String()
	}
	return out
}

// Local counts in this process.
type Local struct {
	clock clock.Clock

	mu      sync.Mutex
	buckets map[string]bucket
	swept   time.Time
}

// bucket holds the instant at which it is full again (GCRA).
type bucket struct{ full time.Time }

// NewLocal returns an empty limiter.
func NewLocal(c clock.Clock) *Local {
	return &Local{clock: c, buckets: map[string]bucket{}, swept: c.Now()}
}

// Take implements Limiter.
func (l *Local) Take(_ context.Context, r Rule, key string) error {
	now := l.clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	id := r.Name + "|" + key
	full := l.buckets[id].full
	if full.Before(now) {
		full = now
	}
	next := full.Add(r.Every)
	if wait := next.Sub(now) - time.Duration(r.Burst)*r.Every; wait > 0 {
		return refused(wait)
	}
	l.buckets[id] = bucket{next}
	return nil
}

// Refund implements Limiter.
func (l *Local) Refund(_ context.Context, r Rule, key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := r.Name + "|" + key
	if b, ok := l.buckets[id]; ok {
		l.buckets[id] = bucket{b.full.Add(-r.Every)}
	}
}

// sweep drops the buckets that are full, once a minute.
func (l *Local) sweep(now time.Time) {
	if now.Sub(l.swept) < time.Minute {
		return
	}
	l.swept = now
	for id, b := range l.buckets {
		if b.full.Before(now) {
			delete(l.buckets, id)
		}
	}
}

func refused(wait time.Duration) error {
	return fault.New(fault.Throttled, "throttled").With("seconds", fmt.Sprint(int(math.Ceil(wait.Seconds()))))
}
