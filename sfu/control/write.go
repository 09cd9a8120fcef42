package control

import (
	"encoding/binary"
	"math/bits"
)

func head(dst []byte, kind, format uint8, words int) []byte {
	return binary.BigEndian.AppendUint16(append(dst, 0x80|format, kind), uint16(words))
}

func words(dst []byte, list ...uint32) []byte {
	for _, w := range list {
		dst = binary.BigEndian.AppendUint32(dst, w)
	}
	return dst
}

// PutSender appends a sender report without blocks.
func PutSender(dst []byte, ssrc uint32, ntp uint64, rtp, packets, octets uint32) []byte {
	return words(head(dst, SenderReport, 0, 6), ssrc, uint32(ntp>>32), uint32(ntp), rtp, packets, octets)
}

// PutReceiver appends a receiver report with at most 31 blocks.
func PutReceiver(dst []byte, ssrc uint32, blocks []Block) []byte {
	blocks = blocks[:min(len(blocks), 31)]
	dst = words(head(dst, ReceiverReport, uint8(len(blocks)), 1+6*len(blocks)), ssrc)
	for _, b := range blocks {
		dst = words(dst, b.SSRC, uint32(b.Fraction)<<24|b.Lost&0xffffff, b.High, b.Jitter, b.LSR, b.DLSR)
	}
	return dst
}

// PutNACK appends a request for packets; missing is in order and not empty.
func PutNACK(dst []byte, ssrc, media uint32, missing []uint16) []byte {
	start := len(dst)
	dst = words(head(dst, Transport, FormatNACK, 0), ssrc, media)
	for i := 0; i < len(missing); {
		first, mask := missing[i], uint16(0)
		for i++; i < len(missing) && missing[i]-first-1 < 16; i++ {
			mask |= 1 << (missing[i] - first - 1)
		}
		dst = words(dst, uint32(first)<<16|uint32(mask))
	}
	binary.BigEndian.PutUint16(dst[start+2:], uint16((len(dst)-start)/4-1))
	return dst
}

// PutPLI appends a request for a key frame.
func PutPLI(dst []byte, ssrc, media uint32) []byte {
	return words(head(dst, Payload, FormatPLI, 2), ssrc, media)
}

// PutREMB appends a ceiling for what is sent under media, in bits per second.
func PutREMB(dst []byte, ssrc uint32, rate int, media uint32) []byte {
	exp := max(0, bits.Len(uint(rate))-18)
	return words(head(dst, Payload, formatREMB, 5), ssrc, 0, 0x52454d42, 1<<24|uint32(exp)<<18|uint32(rate>>exp), media)
}
