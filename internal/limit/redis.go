package limit

import (
	"context"
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

// Shared counts in Redis, and locally while Redis does not answer: losing
// Redis must neither open the gates nor close them.
type Shared struct {
	rdb    redis.UniversalClient
	script *redis.Script
	local  *Local
}

// NewShared returns a limiter on rdb that falls back to local.
func NewShared(rdb redis.UniversalClient, local *Local) *Shared {
	return &Shared{rdb: rdb, script: redis.NewScript(take), local: local}
}

// Take implements Limiter.
func (s *Shared) Take(ctx context.Context, r Rule, key string) error {
	short, cancel := context.WithTimeout(ctx, 250*time.Millisecond)
	defer cancel()
	ms, err := s.script.Run(short, s.rdb, []string{"limit:" + r.Name + ":" + key}, r.Every.Milliseconds(), r.Burst).Int64()
	if err != nil {
		return s.local.Take(ctx, r, key)
	}
	if ms > 0 {
		return refused(time.Duration(ms) * time.Millisecond)
	}
	return nil
}
