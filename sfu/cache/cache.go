// Package cache keeps the last packets of one published layer, once for all its
// receivers, so that a NACK (RFC 4585 §6.2.1) can be answered at any time by
// RTX (RFC 4588). Payloads stand in one ring of bytes: memory follows the bit
// rate, not the number of packets, and nothing is allocated after New.
package cache

// Meta is what a packet's header said; the payload is kept beside it.
type Meta struct {
	Seq       uint16
	Timestamp uint32
	Marker    bool
}

type entry struct {
	Meta
	valid bool
	from  uint64 // where the payload begins, in bytes since New
	size  int
}

// Ring is the cache of one layer. It is used by one goroutine at a time.
type Ring struct {
	entries []entry
	bytes   []byte
	head    uint64 // where the next payload goes, in bytes since New
}

// New makes a ring for at most packets packets (a power of two) and size bytes.
func New(packets, size int) *Ring {
	if packets&(packets-1) != 0 {
		packets = 1
	}
	return &Ring{entries: make([]entry, packets), bytes: make([]byte, size)}
}

// Put keeps a copy of a packet. One that is larger than the ring is not kept.
func (r *Ring) Put(m Meta, payload []byte) {
	size := uint64(len(r.bytes))
	if uint64(len(payload)) > size {
		return
	}
	if at := r.head % size; at+uint64(len(payload)) > size {
		r.head += size - at // payloads are kept in one piece
	}
	e := &r.entries[int(m.Seq)&(len(r.entries)-1)]
	*e = entry{Meta: m, valid: true, from: r.head, size: len(payload)}
	copy(r.bytes[r.head%size:], payload)
	r.head += uint64(len(payload))
}

// Get finds a packet. The payload is valid until the next Put. False: not kept
// any more, or never seen.
func (r *Ring) Get(seq uint16) (Meta, []byte, bool) {
	e := &r.entries[int(seq)&(len(r.entries)-1)]
	size := uint64(len(r.bytes))
	if !e.valid || e.Seq != seq || r.head > e.from+size {
		return Meta{}, nil, false
	}
	at := e.from % size
	return e.Meta, r.bytes[at : at+uint64(e.size)], true
}
