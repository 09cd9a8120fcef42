package sfu

import (
	"sync/atomic"
	"time"
)

// flowFrames is how many pictures within one second make it a second of video:
// a still sent twice a second is not a video consultation.
const flowFrames = 3

// flowMeter counts the wall-clock seconds in which video really flowed.
type flowMeter struct {
	second  int64
	frames  int
	lastTS  uint32
	seconds int
}

// frame takes the timestamp of one packet that was handed to a live link.
func (m *flowMeter) frame(ts uint32, now time.Time) {
	if sec := now.Unix(); sec != m.second {
		m.second, m.frames, m.lastTS = sec, 1, ts
		return
	}
	if ts == m.lastTS {
		return
	}
	m.lastTS = ts
	if m.frames++; m.frames == flowFrames {
		m.seconds++
	}
}

// take gives the seconds since the last take.
func (m *flowMeter) take() int {
	n := m.seconds
	m.seconds = 0
	return n
}

// counters add up over the life of the node.
type counters struct{ in, out, nack, rtx, pli atomic.Uint64 }

// Stats are sums since the node opened, and what is there now. They name
// nobody.
type Stats struct {
	Rooms, Peers       int
	PacketsIn          uint64
	PacketsOut         uint64
	Nacks, Retransmits uint64
	KeyFrameRequests   uint64
}

// Stats reads the counters.
func (n *Node) Stats() Stats {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := Stats{
		Rooms: len(n.rooms), PacketsIn: n.total.in.Load(), PacketsOut: n.total.out.Load(),
		Nacks: n.total.nack.Load(), Retransmits: n.total.rtx.Load(), KeyFrameRequests: n.total.pli.Load(),
	}
	for _, r := range n.rooms {
		r.mu.Lock()
		s.Peers += len(r.peers)
		r.mu.Unlock()
	}
	return s
}
