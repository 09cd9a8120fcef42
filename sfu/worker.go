package sfu

import (
	"sync"
	"time"

	"visavis/sfu/twcc"
	"visavis/sfu/udp"
)

// worker is what one goroutine needs to carry packets from socket to socket:
// the time of the burst, and the datagrams that wait to leave at its end. It is
// the goroutine's own; mu is held during a burst, so that drop can wait until
// what was on its way is gone.
type worker struct {
	node *Node
	mu   sync.Mutex
	now  time.Time
	ns   int64 // monotonic, since the node opened

	outs []*udp.Out // by port; nil until needed
	side []parcel   // what leaves neither by UDP nor in a burst
	n    int        // of side

	scratch [udp.MaxDatagram]byte
	control []byte
	seqs    []uint16
	ssrcs   []uint32
	sent    []twcc.Sent
	drops   []goner // to be dropped when no lock is held
	enter   Entry
}

type parcel struct {
	to   path
	b    [udp.MaxDatagram]byte
	size int
}

type goner struct {
	peer  *peer
	cause Cause
}

// maxSide is how many parcels wait at most.
const maxSide = 32

func (w *worker) begin() {
	w.mu.Lock()
	w.now = time.Now()
	w.ns = int64(w.now.Sub(w.node.epoch))
}

// end sends what the burst has made, and drops who is to be dropped.
func (w *worker) end() {
	w.flush()
	drops := w.drops
	w.drops = w.drops[:0]
	w.mu.Unlock()
	for _, d := range drops {
		d.peer.drop(d.cause)
	}
}

func (w *worker) flush() {
	for i, o := range w.outs {
		if o != nil && o.Len() > 0 {
			w.node.ports[i].sock.Write(o)
		}
	}
	if w.n == 0 {
		return
	}
	door := w.node.door.Load()
	for i := range w.n {
		p := &w.side[i]
		switch {
		case p.to.stream != nil:
			p.to.stream.conn.Send(p.b[:p.size])
		case door != nil && door.prefix.Contains(p.to.addr.Addr()) && len(p.to.port.known) > 0:
			door.exit(p.b[:p.size], p.to.port.known[0], p.to.addr)
		}
	}
	if door != nil {
		door.done()
	}
	w.n = 0
}

// buffer is room for one datagram to a place; commit sends it. Between the two
// there is no other buffer.
func (w *worker) buffer(to *path) []byte {
	if to.stream == nil && !to.side {
		o := w.outs[to.port.index]
		if o == nil {
			o = udp.NewOut()
			w.outs[to.port.index] = o
		}
		if o.Full() {
			to.port.sock.Write(o)
		}
		return o.Next()
	}
	if w.n == maxSide {
		w.flush()
	}
	if w.n == len(w.side) {
		w.side = append(w.side, parcel{})
	}
	return w.side[w.n].b[:]
}

func (w *worker) commit(to *path, size int) {
	if to.stream == nil && !to.side {
		w.outs[to.port.index].Commit(size, to.addr)
		return
	}
	w.side[w.n].to, w.side[w.n].size = *to, size
	w.n++
}

// crew lends workers to goroutines that have none of their own.
type crew struct {
	node *Node
	mu   sync.Mutex
	all  []*worker
	free []*worker
}

// hire makes a worker for a goroutine that keeps it.
func (c *crew) hire() *worker {
	w := &worker{node: c.node, outs: make([]*udp.Out, len(c.node.ports))}
	w.enter = c.node.entry(w)
	c.mu.Lock()
	c.all = append(c.all, w)
	c.mu.Unlock()
	return w
}

// lend does one burst with a worker that is free.
func (c *crew) lend(do func(w *worker)) {
	c.mu.Lock()
	var w *worker
	if k := len(c.free); k > 0 {
		w, c.free = c.free[k-1], c.free[:k-1]
	}
	c.mu.Unlock()
	if w == nil {
		w = c.hire()
	}
	w.begin()
	do(w)
	w.end()
	c.mu.Lock()
	c.free = append(c.free, w)
	c.mu.Unlock()
}

// settle returns when every burst that was under way has left.
func (c *crew) settle() {
	c.mu.Lock()
	all := c.all[:len(c.all):len(c.all)]
	c.mu.Unlock()
	for _, w := range all {
		w.mu.Lock()
		//lint:ignore SA2001 waiting is all
		w.mu.Unlock()
	}
}
