package limit

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// take is GCRA in one step: KEYS[1] holds the instant, in milliseconds, at
// which the bucket is full again. It answers 0 or the milliseconds to wait.
const take = `
local now = redis.call('TIME'); now = now[1] * 1000 + math.floor(now[2] / 1000)
local full = tonumber(redis.call('GET', KEYS[1]) or now)
if full < now then full = now end
local every = tonumber(ARGV[1])
local next = full + every
local wait = next - now - tonumber(ARGV[2]) * every
if wait > 0 then return wait end
redis.call('SET', KEYS[1], next, 'PX', next - now + 1000)
return 0`

// refund moves the instant of a bucket that exists back by one token.
const refund = `
local full = tonumber(redis.call('GET', KEYS[1]))
if full then redis.call('SET', KEYS[1], full - tonumber(ARGV[1]), 'KEEPTTL') end
return 0`

const (
	// patience is how long a call waits for Redis.
	patience = 250 * time.Millisecond
	// aside is how long Redis is left alone after it failed once, so that a
	// hanging one costs one call per second its patience, not every call.
	aside = time.Second
)

// Shared counts in Redis, and locally while Redis does not answer: losing
// Redis must neither open the gates nor close them.
type Shared struct {
	rdb    redis.UniversalClient
	script *redis.Script
	back   *redis.Script
	local  *Local
	away   atomic.Int64 // Redis is not asked before this instant, in ns since 1970
}

// Connect returns a client of the Redis at url that obeys the deadlines of its
// callers; go-redis by itself waits three seconds and tries again. It does not
// fail while Redis is away.
func Connect(url string) (*redis.Client, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, errors.New("limit: REDIS_URL is not an address as redis://host:port or unix:///path")
	}
	o.ContextTimeoutEnabled = true
	o.DialTimeout = time.Second
	o.DialerRetries = 1
	o.MaxRetries = 1
	return redis.NewClient(o), nil
}

// NewShared returns a limiter on rdb that falls back to local.
func NewShared(rdb redis.UniversalClient, local *Local) *Shared {
	return &Shared{rdb: rdb, script: redis.NewScript(take), back: redis.NewScript(refund), local: local}
}

// Take implements Limiter.
func (s *Shared) Take(ctx context.Context, r Rule, key string) error {
	if time.Now().UnixNano() < s.away.Load() {
		return s.local.Take(ctx, r, key)
	}
	short, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ms, err := s.script.Run(short, s.rdb, []string{"limit:" + r.Name + ":" + key}, r.Every.Milliseconds(), r.Burst).Int64()
	if err != nil {
		if ctx.Err() == nil { // else the caller left, which tells nothing of Redis
			s.away.Store(time.Now().Add(aside).UnixNano())
		}
		return s.local.Take(ctx, r, key)
	}
	if ms > 0 {
		return refused(time.Duration(ms) * time.Millisecond)
	}
	return nil
}

// Refund implements Limiter. Both counts are lowered: nobody knows which of them
// the token was taken from.
func (s *Shared) Refund(ctx context.Context, r Rule, key string) {
	s.local.Refund(ctx, r, key)
	if time.Now().UnixNano() < s.away.Load() {
		return
	}
	short, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := s.back.Run(short, s.rdb, []string{"limit:" + r.Name + ":" + key}, r.Every.Milliseconds()).Err(); err != nil {
		s.away.Store(time.Now().Add(aside).UnixNano())
	}
}
