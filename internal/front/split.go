package front

import "encoding/binary"

// kind is what a stream carries.
type kind int

const (
	undecided kind = iota // more bytes are needed
	web
	relay
	neither
)

// enough is how many first bytes always decide.
const enough = 8

const magicCookie = 0x2112A442

// judge tells a stream by its first bytes. With enough of them it decides.
func judge(b []byte) kind {
	switch {
	case len(b) == 0:
		return undecided
	case b[0]&0xC0 == 0x40: // a letter of an HTTP method, or of the preface of HTTP/2
		return web
	case b[0]&0xC0 != 0:
		return neither
	case len(b) < enough:
		return undecided
	case binary.BigEndian.Uint32(b[4:]) == magicCookie:
		return relay
	}
	return neither
}
