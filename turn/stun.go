package turn

import (
	"encoding/binary"
	"hash/crc32"
	"net/netip"
)

// The parts of STUN that the guard reads (RFC 8489, RFC 8656).
const (
	headerSize  = 20
	magicCookie = 0x2112A442
	crcXOR      = 0x5354554e
	maxFrame    = 1500 // what a client may send at once, in bytes
	maxAttrs    = 24
	maxName     = 513 // USERNAME (RFC 8489 §14.3)
	maxText     = 763 // REALM, NONCE, SOFTWARE
)

type method uint16

const (
	methodBinding    method = 0x001
	methodAllocate   method = 0x003
	methodRefresh    method = 0x004
	methodSend       method = 0x006
	methodData       method = 0x007
	methodPermission method = 0x008
	methodChannel    method = 0x009
)

type class uint8

const (
	classRequest    class = 0
	classIndication class = 1
	classSuccess    class = 2
	classError      class = 3
)

const (
	attrUsername      = 0x0006
	attrIntegrity     = 0x0008
	attrErrorCode     = 0x0009
	attrChannel       = 0x000C
	attrLifetime      = 0x000D
	attrPeer          = 0x0012
	attrData          = 0x0013
	attrRealm         = 0x0014
	attrNonce         = 0x0015
	attrRelayed       = 0x0016
	attrFamily        = 0x0017
	attrEvenPort      = 0x0018
	attrTransport     = 0x0019
	attrDontFragment  = 0x001A
	attrIntegrity256  = 0x001C
	attrReservation   = 0x0022
	attrPriority      = 0x0024
	attrUseCandidate  = 0x0025
	attrFingerprint   = 0x8028
	attrOptional      = 0x8000 // from here on a receiver may ignore
	attrSoftware      = 0x8022
	familyIPv4        = 1
	familyIPv6        = 2
	transportUDP      = 17
	firstChannel      = 0x4000
	lastChannel       = 0x7FFF // of RFC 5766, whose clients still exist; RFC 8656 ends at 0x4FFF
	channelHeaderSize = 4
)

// message is what the guard keeps of a STUN message. Slices are views.
type message struct {
	method   method
	class    class
	id       [12]byte
	username string
	signed   bool // carries MESSAGE-INTEGRITY
	peers    []netip.AddrPort
	relayed  netip.AddrPort
	channel  uint16
	lifetime uint32
	hasLife  bool
	data     bool
	ipv6     bool   // asks for a relay address of IPv6: not served
	token    string // RESERVATION-TOKEN
	udp      bool   // REQUESTED-TRANSPORT is UDP
	unknown  bool   // an attribute that must be understood and is not
}

// readMessage checks the whole message: lengths, order, the shape of each
// attribute, FINGERPRINT. False: drop it.
func readMessage(b []byte) (message, bool) {
	var m message
	if len(b) < headerSize || len(b) > maxFrame || b[0]&0xC0 != 0 {
		return m, false
	}
	size := int(binary.BigEndian.Uint16(b[2:]))
	if size%4 != 0 || size != len(b)-headerSize || binary.BigEndian.Uint32(b[4:]) != magicCookie {
		return m, false
	}
	t := binary.BigEndian.Uint16(b)
	m.method = method(t&0x000F | t>>1&0x0070 | t>>2&0x0F80)
	m.class = class(t>>4&1 | t>>7&2)
	copy(m.id[:], b[8:20])
	seen := map[uint16]bool{}
	for at := headerSize; at < len(b); {
		if len(b)-at < 4 || len(seen) > maxAttrs {
			return m, false
		}
		kind := binary.BigEndian.Uint16(b[at:])
		n := int(binary.BigEndian.Uint16(b[at+2:]))
		next := at + 4 + (n+3)&^3
		if next > len(b) {
			return m, false
		}
		if seen[attrFingerprint] || seen[kind] && kind != attrPeer {
			return m, false // nothing follows FINGERPRINT, nothing comes twice
		}
		if seen[attrIntegrity] && kind != attrFingerprint && kind != attrIntegrity256 {
			return m, false // unsigned tail: RFC 8489 §14.5 would have us ignore it
		}
		seen[kind] = true
		if !m.attribute(b, at, kind, b[at+4:at+4+n]) {
			return m, false
		}
		at = next
	}
	return m, true
}

func (m *message) attribute(all []byte, at int, kind uint16, v []byte) bool {
	switch kind {
	case attrUsername:
		m.username = string(v)
		return len(v) > 0 && len(v) < maxName
	case attrIntegrity:
		m.signed = true
		return len(v) == 20
	case attrIntegrity256:
		return len(v) >= 16 && len(v) <= 32 && len(v)%4 == 0
	case attrRealm, attrNonce, attrSoftware:
		return len(v) <= maxText
	case attrFingerprint:
		return len(v) == 4 && binary.BigEndian.Uint32(v) == crc32.ChecksumIEEE(all[:at])^crcXOR
	case attrErrorCode:
		return len(v) >= 4 && len(v) <= maxText
	case attrData:
		m.data = true
		return true
	case attrUseCandidate, attrDontFragment:
		return len(v) == 0
	}
	return m.number(kind, v)
}

// number reads the attributes of fixed size.
func (m *message) number(kind uint16, v []byte) bool {
	switch kind {
	case attrPeer, attrRelayed:
		a, ok := xorAddress(v, m.id)
		if kind == attrPeer {
			m.peers = append(m.peers, a)
		} else {
			m.relayed = a
		}
		return ok && len(m.peers) <= 16
	case attrChannel:
		if len(v) != 4 {
			return false
		}
		m.channel = binary.BigEndian.Uint16(v)
		return m.channel >= firstChannel && m.channel <= lastChannel
	case attrLifetime:
		if len(v) != 4 {
			return false
		}
		m.lifetime, m.hasLife = binary.BigEndian.Uint32(v), true
		return true
	case attrTransport:
		m.udp = len(v) == 4 && v[0] == transportUDP
		return len(v) == 4
	case attrFamily:
		m.ipv6 = len(v) == 4 && v[0] == familyIPv6
		return len(v) == 4 && (v[0] == familyIPv4 || v[0] == familyIPv6)
	case attrEvenPort:
		return len(v) == 1
	case attrReservation:
		m.token = string(v)
		return len(v) == 8
	case attrPriority:
		return len(v) == 4
	}
	m.unknown = m.unknown || kind < attrOptional
	return len(v) <= maxText
}

// xorAddress reads an XOR-…-ADDRESS value (RFC 8489 §14.2).
func xorAddress(v []byte, id [12]byte) (netip.AddrPort, bool) {
	if len(v) < 8 {
		return netip.AddrPort{}, false
	}
	port := binary.BigEndian.Uint16(v[2:]) ^ magicCookie>>16
	var key [16]byte
	binary.BigEndian.PutUint32(key[:], magicCookie)
	copy(key[4:], id[:])
	switch {
	case v[1] == familyIPv4 && len(v) == 8:
		var a [4]byte
		for i := range a {
			a[i] = v[4+i] ^ key[i]
		}
		return netip.AddrPortFrom(netip.AddrFrom4(a), port), true
	case v[1] == familyIPv6 && len(v) == 20:
		var a [16]byte
		for i := range a {
			a[i] = v[4+i] ^ key[i]
		}
		return netip.AddrPortFrom(netip.AddrFrom16(a), port), true
	}
	return netip.AddrPort{}, false
}

// readChannel checks ChannelData (RFC 8656 §12.4) and gives its number and what
// it carries. Padding up to three bytes is allowed behind the data.
func readChannel(b []byte) (number uint16, data []byte, ok bool) {
	if len(b) < channelHeaderSize || len(b) > maxFrame {
		return 0, nil, false
	}
	number = binary.BigEndian.Uint16(b)
	size := int(binary.BigEndian.Uint16(b[2:]))
	if over := len(b) - channelHeaderSize - size; number < firstChannel || number > lastChannel || over < 0 || over > 3 {
		return 0, nil, false
	}
	return number, b[channelHeaderSize : channelHeaderSize+size], true
}

// errorAnswer builds an error response without integrity (RFC 8489 §14.8).
func errorAnswer(m message, code int, reason string) []byte {
	n := 4 + len(reason)
	pad := (4 - n%4) % 4
	b := make([]byte, headerSize+4+n+pad)
	t := uint16(m.method)
	binary.BigEndian.PutUint16(b, t&0x000F|t<<1&0x00E0|t<<2&0x3E00|0x0110)
	binary.BigEndian.PutUint16(b[2:], uint16(4+n+pad))
	binary.BigEndian.PutUint32(b[4:], magicCookie)
	copy(b[8:], m.id[:])
	binary.BigEndian.PutUint16(b[headerSize:], attrErrorCode)
	binary.BigEndian.PutUint16(b[headerSize+2:], uint16(n))
	b[headerSize+6], b[headerSize+7] = byte(code/100), byte(code%100)
	copy(b[headerSize+8:], reason)
	return b
}
