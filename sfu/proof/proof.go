// Package proof counts the seconds in which video really flowed: what an act's
// record says about its pictures.
package proof

import "time"

// pictures within one second make it a second of video: a still sent twice a
// second is not a video consultation.
const pictures = 3

// Meter counts wall-clock seconds of one picture on its way to one person. It
// is used by one goroutine at a time.
type Meter struct {
	second  int64
	frames  int
	lastTS  uint32
	seconds int
}

// Frame takes the timestamp of one packet that was handed to a live link.
func (m *Meter) Frame(ts uint32, now time.Time) {
	if sec := now.Unix(); sec != m.second {
		m.second, m.frames, m.lastTS = sec, 1, ts
		return
	}
	if ts == m.lastTS {
		return
	}
	m.lastTS = ts
	if m.frames++; m.frames == pictures {
		m.seconds++
	}
}

// Take gives the seconds since the last Take.
func (m *Meter) Take() int {
	n := m.seconds
	m.seconds = 0
	return n
}
