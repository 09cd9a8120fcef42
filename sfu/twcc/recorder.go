package twcc

import "encoding/binary"

const (
	ringSize  = 1024
	maxReport = 512               // packets in one feedback
	tick      = int64(250_000)    // ns, the unit of deltas
	reference = int64(64_000_000) // ns, the unit of the reference time
	cycle     = reference << 24   // when the reference time turns over
	never     = int64(-1)
)

// The symbols of a packet's status.
const (
	lost  = 0
	small = 1
	large = 2
)

// Recorder notes arrivals at one transport. The zero Recorder has seen nothing.
// It is used by one goroutine at a time.
type Recorder struct {
	started bool
	base    uint16 // where the next report begins
	high    uint16 // the newest
	pending bool
	count   uint8
	at      [ringSize]int64
}

// Add takes a packet's transport-wide number and arrival, in ns of any clock
// that does not go back. One that was overtaken and reported as lost is reported
// again, with all that came since, as libwebrtc does: else a link that changes the
// order would be taken for one that loses.
func (r *Recorder) Add(seq uint16, now int64) {
	d := int(int16(seq - r.high))
	switch {
	case !r.started || d >= ringSize:
		*r = Recorder{started: true, base: seq, high: seq, count: r.count}
		for i := range r.at {
			r.at[i] = never
		}
		d = 0
	case d <= -ringSize || d <= 0 && r.at[seq%ringSize] != never:
		return
	case int16(seq-r.base) < 0:
		r.base = seq
	case int16(seq-r.base) >= ringSize:
		r.base = seq - ringSize + 1
	}
	for i := 1; i < d; i++ {
		r.at[(r.high+uint16(i))%ringSize] = never
	}
	if d > 0 {
		r.high = seq
	}
	r.at[seq%ringSize] = now
	r.pending = true
}

// Pending says whether there is anything to report.
func (r *Recorder) Pending() bool { return r.pending }

// Feedback writes the RTCP packet about what came since the last one into dst,
// which must hold 1,400 bytes, and gives its size; 0: there is nothing to say.
func (r *Recorder) Feedback(dst []byte, sender, media uint32) int {
	if !r.pending {
		return 0
	}
	first := r.base
	for r.at[first%ringSize] == never {
		first++
	}
	if first-r.base >= maxReport {
		r.base = first
	}
	n := min(int(r.high-r.base)+1, maxReport)
	ref := r.at[first%ringSize] / reference
	var symbols [maxReport]uint8
	deltas := dst[1400-2*maxReport : 1400 : 1400][:0] // behind the chunks; moved to them below
	at := ref * reference
	for i := range n {
		t := r.at[(r.base+uint16(i))%ringSize]
		if t == never {
			continue
		}
		d := (t - at) / tick
		switch {
		case d >= 0 && d <= 255:
			symbols[i] = small
			deltas = append(deltas, byte(d))
		case d >= -32768 && d <= 32767:
			symbols[i] = large
			deltas = binary.BigEndian.AppendUint16(deltas, uint16(d))
		default:
			n = i // too far: the next feedback begins there
		}
		if n == i {
			break
		}
		at += d * tick
	}
	return r.write(dst, deltas, symbols[:n], sender, media, uint32(ref))
}

func (r *Recorder) write(dst, deltas []byte, symbols []uint8, sender, media, ref uint32) int {
	dst[0], dst[1] = 0x80|15, 205
	binary.BigEndian.PutUint32(dst[4:], sender)
	binary.BigEndian.PutUint32(dst[8:], media)
	binary.BigEndian.PutUint16(dst[12:], r.base)
	binary.BigEndian.PutUint16(dst[14:], uint16(len(symbols)))
	binary.BigEndian.PutUint32(dst[16:], ref<<8|uint32(r.count))
	size := 20 + putChunks(dst[20:], symbols)
	size += copy(dst[size:], deltas)
	if pad := (4 - size%4) % 4; pad > 0 {
		clear(dst[size : size+pad])
		size += pad
		dst[size-1] = byte(pad)
		dst[0] |= 0x20
	}
	binary.BigEndian.PutUint16(dst[2:], uint16(size/4-1))
	r.count++
	r.base += uint16(len(symbols))
	r.pending = int16(r.high-r.base) >= 0
	return size
}

// putChunks writes runs of equal symbols as runs, the rest as vectors of seven.
func putChunks(dst []byte, symbols []uint8) int {
	size := 0
	for i := 0; i < len(symbols); {
		run := 1
		for i+run < len(symbols) && symbols[i+run] == symbols[i] {
			run++
		}
		var chunk uint16
		if run >= 7 || i+run == len(symbols) {
			chunk = uint16(symbols[i])<<13 | uint16(run)
			i += run
		} else {
			chunk = 0xC000
			for k := range 7 {
				if i < len(symbols) {
					chunk |= uint16(symbols[i]) << (12 - 2*k)
				}
				i++
			}
		}
		binary.BigEndian.PutUint16(dst[size:], chunk)
		size += 2
	}
	return size
}
