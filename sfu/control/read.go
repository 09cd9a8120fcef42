package control

import "encoding/binary"

// The packet types and formats that are known.
const (
	SenderReport   = 200
	ReceiverReport = 201
	Goodbye        = 203
	Transport      = 205 // formats NACK and TWCC
	Payload        = 206 // formats PLI, FIR and REMB

	FormatNACK = 1
	FormatTWCC = 15
	FormatPLI  = 1
	FormatFIR  = 4
	formatREMB = 15
)

// Packet is one of a compound packet. Its slice points into what was read.
type Packet struct {
	Type   uint8
	Format uint8 // or the count of blocks
	Raw    []byte
}

// Next gives the first packet of b and what stands behind it. False: there is
// none, or b is malformed.
func Next(b []byte) (p Packet, rest []byte, ok bool) {
	if len(b) < 8 || b[0]>>6 != 2 {
		return p, nil, false
	}
	size := 4 + 4*int(binary.BigEndian.Uint16(b[2:]))
	if size < 8 || size > len(b) {
		return p, nil, false
	}
	return Packet{Type: b[1], Format: b[0] & 0x1f, Raw: b[:size]}, b[size:], true
}

// Sender is the SSRC of whoever sent the packet.
func (p Packet) Sender() uint32 { return binary.BigEndian.Uint32(p.Raw[4:]) }

// Media is the SSRC that a feedback packet is about; 0 when it is cut.
func (p Packet) Media() uint32 {
	if len(p.Raw) < 12 {
		return 0
	}
	return binary.BigEndian.Uint32(p.Raw[8:])
}

// Times are the NTP and RTP times of a SenderReport.
func (p Packet) Times() (ntp uint64, rtp uint32, ok bool) {
	if p.Type != SenderReport || len(p.Raw) < 28 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint64(p.Raw[8:]), binary.BigEndian.Uint32(p.Raw[16:]), true
}

// Block is a reception report block (RFC 3550 §6.4.1).
type Block struct {
	SSRC     uint32
	Fraction uint8  // of 256 lost since the last
	Lost     uint32 // in all, 24 bits
	High     uint32 // extended highest sequence number
	Jitter   uint32
	LSR      uint32 // middle of the last sender report's NTP time
	DLSR     uint32 // 1/65536 s since it came
}

const blockSize = 24

// Block gives reception block i of a report. False: there is none.
func (p Packet) Block(i int) (Block, bool) {
	at := 8
	if p.Type == SenderReport {
		at = 28
	} else if p.Type != ReceiverReport {
		return Block{}, false
	}
	at += i * blockSize
	if i >= int(p.Format) || at+blockSize > len(p.Raw) {
		return Block{}, false
	}
	b := p.Raw[at:]
	return Block{
		SSRC: binary.BigEndian.Uint32(b), Fraction: b[4], Lost: binary.BigEndian.Uint32(b[4:]) & 0xffffff,
		High: binary.BigEndian.Uint32(b[8:]), Jitter: binary.BigEndian.Uint32(b[12:]),
		LSR: binary.BigEndian.Uint32(b[16:]), DLSR: binary.BigEndian.Uint32(b[20:]),
	}, true
}

// Missing appends the sequence numbers that a NACK asks for, at most most.
func (p Packet) Missing(dst []uint16, most int) []uint16 {
	if p.Type != Transport || p.Format != FormatNACK {
		return dst
	}
	for at := 12; at+4 <= len(p.Raw); at += 4 {
		first, mask := binary.BigEndian.Uint16(p.Raw[at:]), binary.BigEndian.Uint16(p.Raw[at+2:])
		for i := range uint16(17) {
			if i > 0 && mask>>(i-1)&1 == 0 {
				continue
			}
			if len(dst) == most {
				return dst
			}
			dst = append(dst, first+i)
		}
	}
	return dst
}

// Pictures appends the SSRCs whose key frame a PLI or FIR asks for.
func (p Packet) Pictures(dst []uint32) []uint32 {
	switch {
	case p.Type != Payload || len(p.Raw) < 12:
	case p.Format == FormatPLI:
		dst = append(dst, p.Media())
	case p.Format == FormatFIR:
		for at := 12; at+8 <= len(p.Raw); at += 8 {
			dst = append(dst, binary.BigEndian.Uint32(p.Raw[at:]))
		}
	}
	return dst
}
