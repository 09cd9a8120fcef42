package stun

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net/netip"
	"strings"
)

// The parts of a message (RFC 8489 §5, §14; RFC 8445 §16.1).
const (
	headerSize = 20
	cookie     = 0x2112A442
	xorPrint   = 0x5354554e

	bindingRequest = 0x0001
	bindingSuccess = 0x0101

	attrUsername     = 0x0006
	attrIntegrity    = 0x0008
	attrXorMapped    = 0x0020
	attrPriority     = 0x0024
	attrUseCandidate = 0x0025
	attrFingerprint  = 0x8028
	attrControlled   = 0x8029

	optional = 0x8000 // attributes from here on may be ignored when they are not known (RFC 8489 §14)

	maxMessage = 548 // a check is far smaller; RFC 8489 §6.1 allows no more without knowing the path
)

// ErrNotACheck: not a well-formed connectivity check.
var ErrNotACheck = errors.New("stun: not a connectivity check")

// ErrIntegrity: the check was not made with the password of this session.
var ErrIntegrity = errors.New("stun: integrity")

// Is says whether a datagram is meant as STUN, by its first byte (RFC 7983).
func Is(b []byte) bool { return len(b) >= headerSize && b[0] < 4 }

// Check is one Binding request. Its slices point into the datagram.
type Check struct {
	raw       []byte
	user      []byte
	integrity int // where that attribute begins
	// Nominated: the client chose this pair (USE-CANDIDATE).
	Nominated bool
}

// Parse reads a check. It looks at every attribute's length and refuses what is
// not exactly a Binding request with the attributes that ICE demands, each
// once, FINGERPRINT last and right.
func Parse(b []byte) (Check, error) {
	c := Check{raw: b}
	if len(b) < headerSize || len(b) > maxMessage || binary.BigEndian.Uint16(b) != bindingRequest ||
		binary.BigEndian.Uint32(b[4:]) != cookie || int(binary.BigEndian.Uint16(b[2:])) != len(b)-headerSize || len(b)%4 != 0 {
		return c, ErrNotACheck
	}
	printed := false
	for at := headerSize; at < len(b); {
		if printed || len(b)-at < 4 {
			return c, ErrNotACheck
		}
		kind, size := binary.BigEndian.Uint16(b[at:]), int(binary.BigEndian.Uint16(b[at+2:]))
		end := at + 4 + (size+3)&^3
		if end > len(b) {
			return c, ErrNotACheck
		}
		value := b[at+4 : at+4+size]
		switch {
		case kind == attrFingerprint:
			if size != 4 || c.integrity == 0 || binary.BigEndian.Uint32(value) != crc32.ChecksumIEEE(b[:at])^xorPrint {
				return c, ErrNotACheck
			}
			printed = true
		case c.integrity != 0: // nothing else counts behind MESSAGE-INTEGRITY (RFC 8489 §14.5)
		case kind == attrIntegrity:
			if size != sha1.Size {
				return c, ErrNotACheck
			}
			c.integrity = at
		case kind == attrUsername:
			if c.user != nil || size == 0 {
				return c, ErrNotACheck
			}
			c.user = value
		case kind == attrUseCandidate:
			c.Nominated = true
		case kind < optional && kind != attrPriority: // one that must be understood, and is not
			return c, ErrNotACheck
		}
		at = end
	}
	if c.user == nil || c.integrity == 0 || !printed {
		return c, ErrNotACheck
	}
	return c, nil
}

// Names are the two user fragments: ours first, then the client's.
func (c Check) Names() (ours, theirs string) {
	ours, theirs, _ = strings.Cut(string(c.user), ":")
	return ours, theirs
}

// Verify checks MESSAGE-INTEGRITY with our password, in constant time.
func (c Check) Verify(password string) error {
	var length [2]byte
	binary.BigEndian.PutUint16(length[:], uint16(c.integrity+24-headerSize))
	m := hmac.New(sha1.New, []byte(password))
	m.Write(c.raw[:2])
	m.Write(length[:])
	m.Write(c.raw[4:c.integrity])
	var sum [sha1.Size]byte
	if !hmac.Equal(m.Sum(sum[:0]), c.raw[c.integrity+4:c.integrity+4+sha1.Size]) {
		return ErrIntegrity
	}
	return nil
}

// Answer writes the success for a check that came from an address, and gives
// its length. dst must hold 88 bytes.
func (c Check) Answer(dst []byte, password string, from netip.AddrPort) int {
	binary.BigEndian.PutUint16(dst, bindingSuccess)
	copy(dst[4:headerSize], c.raw[4:headerSize])
	n := headerSize + putAddress(dst[headerSize:], c.raw[4:headerSize], from)

	return sign(dst, n, password)
}

// Request writes a check of ours, as the controlled side, and gives its length.
// user is the client's user fragment, a colon and ours; password the client's;
// id must be random. dst must hold 600 bytes, user 513 at most.
func Request(dst []byte, user, password string, id [12]byte, tieBreaker uint64) int {
	binary.BigEndian.PutUint16(dst, bindingRequest)
	binary.BigEndian.PutUint32(dst[4:], cookie)
	copy(dst[8:], id[:])
	n := headerSize
	put(dst[n:], attrUsername, uint16(len(user)))
	end := n + 4 + copy(dst[n+4:], user)
	n += 4 + (len(user)+3)&^3
	clear(dst[end:n])
	put(dst[n:], attrPriority, 4)
	binary.BigEndian.PutUint32(dst[n+4:], 110<<24|65535<<8|255) // peer-reflexive (RFC 8445 §5.1.2.2)
	put(dst[n+8:], attrControlled, 8)
	binary.BigEndian.PutUint64(dst[n+12:], tieBreaker)
	return sign(dst, n+20, password)
}

// sign appends MESSAGE-INTEGRITY and FINGERPRINT to a message of n bytes.
func sign(dst []byte, n int, password string) int {
	length := func(end int) { binary.BigEndian.PutUint16(dst[2:], uint16(end-headerSize)) }
	length(n + 24)
	m := hmac.New(sha1.New, []byte(password))
	m.Write(dst[:n])
	put(dst[n:], attrIntegrity, sha1.Size)
	m.Sum(dst[n+4 : n+4])
	n += 24

	length(n + 8)
	sum := crc32.ChecksumIEEE(dst[:n]) ^ xorPrint
	put(dst[n:], attrFingerprint, 4)
	binary.BigEndian.PutUint32(dst[n+4:], sum)
	return n + 8
}

func put(dst []byte, kind, size uint16) {
	binary.BigEndian.PutUint16(dst, kind)
	binary.BigEndian.PutUint16(dst[2:], size)
}

// putAddress writes XOR-MAPPED-ADDRESS (RFC 8489 §14.2); mask is the cookie and
// the transaction id.
func putAddress(dst, mask []byte, a netip.AddrPort) int {
	ip, family := a.Addr().Unmap().AsSlice(), byte(1)
	if len(ip) == 16 {
		family = 2
	}
	put(dst, attrXorMapped, uint16(4+len(ip)))
	dst[4], dst[5] = 0, family
	binary.BigEndian.PutUint16(dst[6:], a.Port()^uint16(cookie>>16))
	for i, x := range ip {
		dst[8+i] = x ^ mask[i]
	}
	return 8 + len(ip)
}
