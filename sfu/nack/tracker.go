// Package nack follows the sequence numbers of one published stream: what came
// twice, what is missing, and when to ask the publisher for it again (RFC 4585
// §6.2.1). It asks once for all receivers; they are served from the cache.
package nack

import "time"

const (
	window = 1024 // how far a packet may come late, in packets
	most   = 128  // how many missing packets are followed
	tries  = 20   // how often one is asked for: with a fifth lost each way 8 are too few twice a minute
	giveUp = time.Second
)

type gap struct {
	seq   uint16
	tries uint8
	next  int64 // when to ask, ns
	since int64
}

// Tracker follows one stream. The zero Tracker has seen nothing. It is used by
// one goroutine at a time.
type Tracker struct {
	started bool
	high    uint16
	seen    [window / 64]uint64
	gaps    [most]gap
	n       int
	gaveUp  bool
}

// Add takes a packet that arrived at now (ns). False: it came before, or too
// late to know, and must not be forwarded.
func (t *Tracker) Add(seq uint16, now int64) bool {
	if !t.started {
		t.started, t.high = true, seq
		t.mark(seq)
		return true
	}
	d := int(int16(seq - t.high))
	switch {
	case d > 0:
		t.advance(d, now)
	case -d >= window || t.has(seq):
		return false
	default:
		t.found(seq)
	}
	t.mark(seq)
	return true
}

func (t *Tracker) advance(d int, now int64) {
	if d > most { // a new stream, or more than can be asked for
		t.n, t.gaveUp = 0, true
		if d >= window {
			t.seen = [window / 64]uint64{}
		}
	}
	for i := 1; i <= d && d < window; i++ {
		seq := t.high + uint16(i)
		t.seen[seq/64%(window/64)] &^= 1 << (seq % 64)
		if i < d && d <= most {
			t.miss(seq, now)
		}
	}
	t.high += uint16(d)
}

func (t *Tracker) miss(seq uint16, now int64) {
	if t.n == most {
		copy(t.gaps[:], t.gaps[1:]) // the oldest is the least use
		t.n--
		t.gaveUp = true
	}
	t.gaps[t.n] = gap{seq: seq, next: now, since: now}
	t.n++
}

func (t *Tracker) found(seq uint16) {
	for i := range t.n {
		if t.gaps[i].seq == seq {
			copy(t.gaps[i:], t.gaps[i+1:t.n])
			t.n--
			return
		}
	}
}

func (t *Tracker) mark(seq uint16) { t.seen[seq/64%(window/64)] |= 1 << (seq % 64) }

func (t *Tracker) has(seq uint16) bool { return t.seen[seq/64%(window/64)]>>(seq%64)&1 == 1 }

// Next appends to dst the n numbers that follow what came: whether they were sent
// and lost nobody can know before another packet comes.
func (t *Tracker) Next(dst []uint16, n int) []uint16 {
	for i := 1; i <= n && t.started; i++ {
		dst = append(dst, t.high+uint16(i))
	}
	return dst
}

// Missing says whether anything is waited for.
func (t *Tracker) Missing() bool { return t.n > 0 }

// GaveUp says whether something will not come any more, since it was last asked: a
// picture goes on with the next key frame only, and its receivers would wait for
// seconds before they ask for one.
func (t *Tracker) GaveUp() bool {
	was := t.gaveUp
	t.gaveUp = false
	return was
}

// Due appends to dst what to ask for at now (ns), in order, and asks again after
// retry (ns) at the earliest. What was asked for too often or too long ago is
// given up.
func (t *Tracker) Due(dst []uint16, now, retry int64) []uint16 {
	kept := 0
	for i := range t.n {
		g := t.gaps[i]
		if g.tries >= tries || now-g.since > int64(giveUp) {
			t.gaveUp = true
			continue
		}
		if g.next <= now {
			dst = append(dst, g.seq)
			g.tries++
			g.next = now + retry
		}
		t.gaps[kept] = g
		kept++
	}
	t.n = kept
	return dst
}
