package sfu

import "sync"

// cacheSize is how many packets of a video track are kept for retransmission:
// about two seconds at 1.2 Mbit/s. A power of two.
const cacheSize = 256

// cache keeps the last packets of one published track, once for all receivers.
// Buffers are kept and reused: no allocation once it is warm.
type cache struct {
	mu   sync.Mutex
	ring [cacheSize]cached
}

type cached struct {
	valid     bool
	seq       uint16
	timestamp uint32
	marker    bool
	payload   []byte
}

func newCache() *cache { return &cache{} }

func (c *cache) put(p *packet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := &c.ring[p.seq%cacheSize]
	e.valid, e.seq, e.timestamp, e.marker = true, p.seq, p.timestamp, p.marker
	e.payload = append(e.payload[:0], p.payload...)
}

// get copies the payload of seq behind dst and gives it with its marker and
// timestamp. False: not kept any more, or never seen.
func (c *cache) get(seq uint16, dst []byte) (payload []byte, timestamp uint32, marker, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := &c.ring[seq%cacheSize]
	if !e.valid || e.seq != seq {
		return dst, 0, false, false
	}
	return append(dst, e.payload...), e.timestamp, e.marker, true
}
