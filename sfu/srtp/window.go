package srtp

// windowSize is how far a packet may come behind the newest one, in packets.
const windowSize = 1024

// Window knows which of the last windowSize packet indices (RFC 3711 §3.3.1:
// rollover counter and sequence number, 48 bits) were used, for one SSRC and one
// direction. The zero Window has seen nothing.
type Window struct {
	started bool
	high    uint64
	bits    [windowSize / 64]uint64
}

// Index guesses the full index of a sequence number (RFC 3711 §3.3.1).
func (w *Window) Index(seq uint16) uint64 {
	if !w.started {
		return uint64(seq)
	}
	index := w.high&^0xffff | uint64(seq)
	switch d := int64(index) - int64(w.high); {
	case d > 1<<15 && index >= 1<<16:
		index -= 1 << 16
	case d < -(1 << 15):
		index += 1 << 16
	}
	return index
}

// fresh says whether index was not used and is not too old to know.
func (w *Window) fresh(index uint64) bool {
	switch {
	case !w.started || index > w.high:
		return true
	case w.high-index >= windowSize:
		return false
	}
	return w.bits[index/64%(windowSize/64)]>>(index%64)&1 == 0
}

// use marks index as used.
func (w *Window) use(index uint64) {
	if !w.started {
		w.started, w.high = true, index
	}
	if index > w.high {
		if index-w.high >= windowSize {
			w.bits = [windowSize / 64]uint64{}
		} else {
			for i := w.high + 1; i < index; i++ {
				w.bits[i/64%(windowSize/64)] &^= 1 << (i % 64)
			}
		}
		w.high = index
	}
	w.bits[index/64%(windowSize/64)] |= 1 << (index % 64)
}
