package packet

import "encoding/binary"

const (
	fixed      = 12
	profileOne = 0xBEDE // RFC 8285 §4.2
	profileTwo = 0x1000 // RFC 8285 §4.3, the lowest four bits are free
)

// Header is what a datagram's RTP header says.
type Header struct {
	Type      uint8 // payload type
	Marker    bool
	Padding   bool
	Seq       uint16
	Timestamp uint32
	SSRC      uint32
	Size      int // of the header with its extensions, in bytes
	extAt     int
	extEnd    int
	twoByte   bool
}

// Is says whether a datagram is RTP or RTCP by its first byte (RFC 7983).
func Is(b []byte) bool { return len(b) >= fixed && b[0]>>6 == 2 }

// IsRTCP tells RTCP from RTP (RFC 5761 §4), for a datagram that Is one of them.
func IsRTCP(b []byte) bool { return b[1] >= 192 && b[1] <= 223 }

// Parse reads a header. False: the datagram is cut or not RTP.
func Parse(b []byte) (h Header, ok bool) {
	if len(b) < fixed || b[0]>>6 != 2 {
		return h, false
	}
	h = Header{
		Type: b[1] & 0x7f, Marker: b[1]&0x80 != 0, Padding: b[0]&0x20 != 0,
		Seq: binary.BigEndian.Uint16(b[2:]), Timestamp: binary.BigEndian.Uint32(b[4:]), SSRC: binary.BigEndian.Uint32(b[8:]),
		Size: fixed + 4*int(b[0]&0x0f),
	}
	if b[0]&0x10 == 0 {
		return h, len(b) >= h.Size
	}
	if len(b) < h.Size+4 {
		return h, false
	}
	profile := binary.BigEndian.Uint16(b[h.Size:])
	end := h.Size + 4 + 4*int(binary.BigEndian.Uint16(b[h.Size+2:]))
	if len(b) < end {
		return h, false
	}
	if h.twoByte = profile&0xfff0 == profileTwo; h.twoByte || profile == profileOne {
		h.extAt, h.extEnd = h.Size+4, end
	}
	h.Size = end
	return h, true
}

// Extension gives the value of a header extension in b, the datagram that was
// parsed; nil when it is not there or id is 0.
func (h *Header) Extension(b []byte, id uint8) []byte {
	if id == 0 {
		return nil
	}
	for at := h.extAt; at < h.extEnd; {
		if b[at] == 0 { // padding
			at++
			continue
		}
		var got uint8
		var size int
		if h.twoByte {
			if at+2 > h.extEnd {
				return nil
			}
			got, size = b[at], int(b[at+1])
			at += 2
		} else {
			got, size = b[at]>>4, int(b[at]&0x0f)+1
			at++
			if got == 15 {
				return nil
			}
		}
		if at+size > h.extEnd {
			return nil
		}
		if got == id {
			return b[at : at+size]
		}
		at += size
	}
	return nil
}

// Payload gives where the payload ends in the opened packet b: before the
// padding. False: the padding is longer than the packet (GHSA-f26w-gh5m-qq77).
func (h *Header) Payload(b []byte) (end int, ok bool) {
	if !h.Padding {
		return len(b), true
	}
	if len(b) <= h.Size {
		return 0, false
	}
	end = len(b) - int(b[len(b)-1])
	return end, b[len(b)-1] != 0 && end >= h.Size
}

// Writer writes one header with extensions of the one-byte form.
type Writer struct {
	b    []byte
	n    int
	exts bool
}

// Write begins a header in b, which must have room for 64 bytes.
func Write(b []byte, pt uint8, marker bool, seq uint16, timestamp, ssrc uint32) Writer {
	b[0], b[1] = 0x80, pt&0x7f
	if marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], timestamp)
	binary.BigEndian.PutUint32(b[8:], ssrc)
	return Writer{b: b, n: fixed}
}

// Extension appends a value of 1 to 16 bytes and gives where its bytes are; id
// is 1 to 14. Not more than 44 bytes of extensions may be written.
func (w *Writer) Extension(id uint8, size int) []byte {
	if !w.exts {
		w.exts = true
		w.b[0] |= 0x10
		binary.BigEndian.PutUint16(w.b[w.n:], profileOne)
		w.n += 4
	}
	w.b[w.n] = id<<4 | uint8(size-1)
	w.n += 1 + size
	return w.b[w.n-size : w.n]
}

// End pads the extensions and gives the size of the header.
func (w *Writer) End() int {
	if w.exts {
		for w.n%4 != 0 {
			w.b[w.n] = 0
			w.n++
		}
		binary.BigEndian.PutUint16(w.b[fixed+2:], uint16((w.n-fixed)/4-1))
	}
	return w.n
}

// Primary gives the primary block of a RED payload (RFC 2198 §3), for a receiver
// that does not know RED. False: the payload is cut.
func Primary(payload []byte) ([]byte, bool) {
	skip := 0
	for len(payload) >= 4 && payload[0]&0x80 != 0 {
		skip += int(binary.BigEndian.Uint16(payload[2:]) & 0x3ff)
		payload = payload[4:]
	}
	if len(payload) < 1+skip || payload[0]&0x80 != 0 {
		return nil, false
	}
	return payload[1+skip:], true
}
