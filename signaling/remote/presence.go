package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
)

// The lease of a node in Redis: where it is found, and whether it takes rooms.
const (
	leasePrefix = "visavis:media:"
	leaseLife   = 6 * time.Second
	leaseEvery  = 2 * time.Second
)

type lease struct {
	Addr     string `json:"addr"`
	Draining bool   `json:"draining,omitempty"`
}

// Announce keeps the lease of a node that is found at addr until ctx ends, then
// gives it back. Redis may come and go meanwhile.
func (n *Node) Announce(ctx context.Context, rdb redis.UniversalClient, addr string, log *slog.Logger) {
	tick := time.NewTicker(leaseEvery)
	defer tick.Stop()
	away, leaving := false, n.leaving
	for {
		raw, err := json.Marshal(lease{Addr: addr, Draining: n.Draining()})
		if err == nil {
			err = rdb.Set(ctx, leasePrefix+n.run, raw, leaseLife).Err()
		}
		if ctx.Err() == nil && (err != nil) != away {
			away = err != nil
			log.Warn("media: lease in Redis", "kept", !away, "err", err)
		}
		select {
		case <-tick.C:
		case <-leaving: // told at once
			leaving = nil
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_ = rdb.Del(last, leasePrefix+n.run).Err() // or it runs out
			return
		}
	}
}

// Registered gives the nodes that hold a lease, for PoolConfig.Find.
func Registered(rdb redis.UniversalClient) func(ctx context.Context) ([]string, error) {
	return func(ctx context.Context) (list []string, err error) {
		seen := rdb.Scan(ctx, 0, leasePrefix+"*", 100).Iterator()
		for seen.Next(ctx) {
			raw, err := rdb.Get(ctx, seen.Val()).Bytes()
			if errors.Is(err, redis.Nil) {
				continue // it ran out meanwhile
			}
			if err != nil {
				return nil, fmt.Errorf("media nodes: %w", err)
			}
			var l lease
			if json.Unmarshal(raw, &l) == nil && l.Addr != "" {
				list = append(list, l.Addr)
			}
		}
		if err := seen.Err(); err != nil {
			return nil, fmt.Errorf("media nodes: %w", err)
		}
		return list, nil
	}
}
