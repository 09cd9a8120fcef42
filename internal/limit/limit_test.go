package limit_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"visavis/internal/clock"
	"visavis/internal/fault"
	"visavis/internal/limit"
	"visavis/internal/testkit"
)

var rule = limit.Rule{Name: "code", Burst: 3, Every: 10 * time.Second}

// seconds is how long a refusal says to wait; 0 for a call that passed.
func seconds(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return "0"
	}
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Throttled || f.Code != "throttled" {
		t.Fatalf("refused by %v", err)
	}
	return f.Args["seconds"]
}

func TestBucket(t *testing.T) {
	now := clock.NewFake(testkit.Morning())
	l := limit.NewLocal(now)
	for i, step := range []struct {
		after time.Duration
		key   string
		want  string
	}{
		{0, "a", "0"}, {0, "a", "0"}, {0, "a", "0"}, {0, "a", "10"},
		{0, "b", "0"}, // somebody else is not held up
		{time.Second, "a", "9"}, {8 * time.Second, "a", "1"}, {time.Second, "a", "0"}, {0, "a", "10"},
		{20 * time.Second, "a", "0"}, {0, "a", "0"}, {0, "a", "10"},
		// However long one waits, no more than the burst at once; the sweep of
		// the full buckets changes nothing.
		{time.Hour, "a", "0"}, {0, "a", "0"}, {0, "a", "0"}, {0, "a", "10"},
	} {
		now.Advance(step.after)
		if got := seconds(t, l.Take(context.Background(), rule, step.key)); got != step.want {
			t.Errorf("step %d: wait %s s, want %s", i, got, step.want)
		}
	}
}

func TestLimit_RefundGivesATokenBack(t *testing.T) {
	s, rdb := testkit.Redis(t)
	_ = s
	for name, l := range map[string]limit.Limiter{"local": limit.NewLocal(clock.NewFake(testkit.Morning())), "redis": limit.NewShared(rdb, limit.NewLocal(clock.System{}))} {
		slow, ctx := limit.Rule{Name: "refund", Burst: 2, Every: time.Hour}, context.Background()
		l.Refund(ctx, slow, name) // nothing was taken: nothing is won
		for i, want := range []bool{true, true, false} {
			if err := l.Take(ctx, slow, name); (err == nil) != want {
				t.Errorf("%s: call %d: %v", name, i, err)
			}
		}
		l.Refund(ctx, slow, name)
		for i, want := range []bool{true, false} {
			if err := l.Take(ctx, slow, name); (err == nil) != want {
				t.Errorf("%s: call %d after the refund: %v", name, i, err)
			}
		}
	}
}

func TestLimit_Networks(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7": "192.0.2.7/32 192.0.2.0/24 192.0.0.0/16", "::ffff:192.0.2.7": "192.0.2.7/32 192.0.2.0/24 192.0.0.0/16",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64 2001:db8:1::/48 2001:db8::/32", "fe80::1%eth0": "fe80::/64 fe80::/48 fe80::/32", "x": "x x x",
	} {
		if got := strings.Join(limit.Networks(in), " "); got != want {
			t.Errorf("%s is in %s, want %s", in, got, want)
		}
	}
}

func TestRulesDoNotMix(t *testing.T) {
	l := limit.NewLocal(clock.NewFake(testkit.Morning()))
	for _, name := range []string{"x", "y"} {
		if err := l.Take(context.Background(), limit.Rule{Name: name, Burst: 1, Every: time.Hour}, "a"); err != nil {
			t.Errorf("rule %s: %v", name, err)
		}
	}
}

// burst makes n calls at once and counts those that passed.
func burst(t *testing.T, l limit.Limiter, n int) (passed int64) {
	var count atomic.Int64
	var g sync.WaitGroup
	for range n {
		g.Go(func() {
			if seconds(t, l.Take(context.Background(), rule, "a")) == "0" {
				count.Add(1)
			}
		})
	}
	g.Wait()
	return count.Load()
}

func TestManyAtOnce(t *testing.T) {
	if n := burst(t, limit.NewLocal(clock.NewFake(testkit.Morning())), 50); n != int64(rule.Burst) {
		t.Errorf("%d calls passed, want %d", n, rule.Burst)
	}
}

func TestNodesShareBucketsInRedis(t *testing.T) {
	s, rdb := testkit.Redis(t)
	node := func() limit.Limiter { return limit.NewShared(rdb, limit.NewLocal(clock.System{})) }
	a, b := node(), node()
	if n := burst(t, a, 25) + burst(t, b, 25); n != int64(rule.Burst) {
		t.Errorf("%d calls passed on two nodes, want %d", n, rule.Burst)
	}
	if got := seconds(t, b.Take(context.Background(), rule, "a")); got != "10" && got != "9" {
		t.Errorf("wait %s s", got)
	}
	fast := limit.Rule{Name: "fast", Burst: 1, Every: 50 * time.Millisecond}
	testkit.Eventually(t, 5*time.Second, "a full bucket again", func() bool { return a.Take(context.Background(), fast, "a") == nil })
	testkit.Eventually(t, 5*time.Second, "a full bucket again", func() bool { return a.Take(context.Background(), fast, "a") == nil })
	ttl, err := rdb.PTTL(context.Background(), "limit:code:a").Result()
	if err != nil || ttl <= 0 || ttl > 40*time.Second {
		t.Errorf("a bucket stays in Redis for %v: %v", ttl, err)
	}
	// A script that Redis has forgotten (restart, failover) is sent again.
	if err := errors.Join(s.Stop(), s.Start()); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 10*time.Second, "the buckets in Redis again", func() bool {
		if err := a.Take(context.Background(), limit.Rule{Name: "again", Burst: 1, Every: time.Minute}, fmt.Sprint(time.Now().UnixNano())); err != nil {
			t.Fatal(err)
		}
		keys, err := rdb.Keys(context.Background(), "limit:again:*").Result()
		return err == nil && len(keys) > 0
	})
}

// TestLostRedisNeitherOpensNorCloses: gone or hanging, calls are counted here,
// and nobody waits for it (O2).
func TestLostRedisNeitherOpensNorCloses(t *testing.T) {
	for _, how := range []string{"gone", "hanging", "wrong answers"} {
		t.Run(how, func(t *testing.T) {
			s, _ := testkit.Redis(t)
			url := s.URL()
			if how == "wrong answers" {
				url = "redis://" + babbler(t)
			}
			rdb, err := limit.Connect(url)
			if err != nil {
				t.Fatal(err)
			}
			defer rdb.Close()
			now := clock.NewFake(testkit.Morning())
			l := limit.NewShared(rdb, limit.NewLocal(now))
			if how == "hanging" {
				defer s.Hang(t)()
			} else if err := s.Stop(); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			if n := burst(t, l, 20); n != int64(rule.Burst) {
				t.Errorf("%d calls passed, want %d", n, rule.Burst)
			}
			for range 20 {
				if got := seconds(t, l.Take(context.Background(), rule, "a")); got != "10" {
					t.Errorf("wait %s s, want 10", got)
				}
			}
			if d := time.Since(start); d > 2*time.Second {
				t.Errorf("callers waited %v for a lost Redis", d)
			}
		})
	}
}

// babbler listens and answers what is not Redis.
func babbler(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
				_, _ = c.Read(make([]byte, 1024))
			}()
		}
	}()
	return l.Addr().String()
}

func TestNetwork(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7": "192.0.2.7/32", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "::ffff:192.0.2.7": "192.0.2.7/32",
		"fe80::1%eth0": "fe80::/64", "not an address": "not an address",
	} {
		if got := limit.Network(in); got != want {
			t.Errorf("Network(%q) = %q, want %q", in, got, want)
		}
	}
}
