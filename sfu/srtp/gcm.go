package srtp

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
)

const (
	keySize  = 16
	saltSize = 12
	tagSize  = 16
	rtcpHead = 8
	trailer  = 4 // the SRTCP index with its E flag
	flagE    = 1 << 31
)

// gcm is one direction of AEAD_AES_128_GCM. It is used by one goroutine at a
// time.
type gcm struct {
	rtp, rtcp         cipher.AEAD
	rtpSalt, rtcpSalt [saltSize]byte
	nonce             [saltSize]byte // here, so that it does not escape each time
	aad               [rtcpHead + trailer]byte
	control           map[uint32]*Window // SRTCP indices of the other side, each SSRC its own (RFC 3711 §3.2.3)
	next              uint32             // our next SRTCP index, one for all
}

// maxControl is how many SSRCs of the other side may send RTCP.
const maxControl = 64

// The labels of the key derivation (RFC 3711 §4.3.2).
const (
	labelKey = iota
	_
	labelSalt
)

func newGCM(key, salt []byte) (*gcm, error) {
	g := &gcm{control: map[uint32]*Window{}}
	var err error
	if g.rtp, err = session(key, salt, 0, &g.rtpSalt); err != nil {
		return nil, err
	}
	g.rtcp, err = session(key, salt, 3, &g.rtcpSalt)
	return g, err
}

func session(key, salt []byte, base byte, sessionSalt *[saltSize]byte) (cipher.AEAD, error) {
	master, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	var k [keySize]byte
	derive(master, salt, base+labelKey, k[:])
	derive(master, salt, base+labelSalt, sessionSalt[:])
	block, err := aes.NewCipher(k[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// derive is the AES-CM pseudo-random function with a key derivation rate of 0
// (RFC 3711 §4.3.3; the salt is padded on the right, RFC 7714 §11).
func derive(master cipher.Block, salt []byte, label byte, out []byte) {
	var iv [aes.BlockSize]byte
	copy(iv[:], salt)
	iv[7] ^= label
	clear(out)
	cipher.NewCTR(master, iv[:]).XORKeyStream(out, out)
}

// rtpNonce is RFC 7714 §8.1.
func (g *gcm) rtpNonce(ssrc uint32, index uint64) []byte {
	n := &g.nonce
	n[0], n[1] = 0, 0
	binary.BigEndian.PutUint32(n[2:], ssrc)
	binary.BigEndian.PutUint32(n[6:], uint32(index>>16))
	binary.BigEndian.PutUint16(n[10:], uint16(index))
	for i := range n {
		n[i] ^= g.rtpSalt[i]
	}
	return n[:]
}

// rtcpNonce is RFC 7714 §9.1.
func (g *gcm) rtcpNonce(ssrc, index uint32) []byte {
	n := &g.nonce
	n[0], n[1], n[6], n[7] = 0, 0, 0, 0
	binary.BigEndian.PutUint32(n[2:], ssrc)
	binary.BigEndian.PutUint32(n[8:], index)
	for i := range n {
		n[i] ^= g.rtcpSalt[i]
	}
	return n[:]
}

func (g *gcm) openRTP(b []byte, head int, ssrc uint32, index uint64) ([]byte, error) {
	if len(b) < head+tagSize {
		return nil, ErrAuthentication
	}
	plain, err := g.rtp.Open(b[head:head], g.rtpNonce(ssrc, index), b[head:], b[:head])
	if err != nil {
		return nil, ErrAuthentication
	}
	return b[:head+len(plain)], nil
}

func (g *gcm) sealRTP(out []byte, head int, payload []byte, ssrc uint32, index uint64) []byte {
	return out[:head+len(g.rtp.Seal(out[head:head], g.rtpNonce(ssrc, index), payload, out[:head]))]
}

func (g *gcm) openRTCP(b []byte) ([]byte, error) {
	if len(b) < rtcpHead+tagSize+trailer {
		return nil, ErrAuthentication
	}
	end := len(b) - trailer
	index := binary.BigEndian.Uint32(b[end:])
	if index&flagE == 0 {
		return nil, ErrAuthentication // unencrypted RTCP: no browser sends it
	}
	ssrc := binary.BigEndian.Uint32(b[4:])
	w := g.control[ssrc]
	switch {
	case w == nil && len(g.control) == maxControl:
		return nil, ErrExhausted
	case w == nil:
		w = &Window{}
	case !w.fresh(uint64(index &^ flagE)):
		return nil, ErrReplayed
	}
	copy(g.aad[:], b[:rtcpHead])
	copy(g.aad[rtcpHead:], b[end:])
	plain, err := g.rtcp.Open(b[rtcpHead:rtcpHead], g.rtcpNonce(ssrc, index&^flagE), b[rtcpHead:end], g.aad[:])
	if err != nil {
		return nil, ErrAuthentication
	}
	w.use(uint64(index &^ flagE))
	g.control[ssrc] = w
	return b[:rtcpHead+len(plain)], nil
}

func (g *gcm) sealRTCP(out, plain []byte) ([]byte, error) {
	if g.next == flagE {
		return nil, ErrExhausted
	}
	copy(out, plain[:rtcpHead])
	copy(g.aad[:], plain[:rtcpHead])
	binary.BigEndian.PutUint32(g.aad[rtcpHead:], g.next|flagE)
	sealed := g.rtcp.Seal(out[rtcpHead:rtcpHead], g.rtcpNonce(binary.BigEndian.Uint32(plain[4:]), g.next), plain[rtcpHead:], g.aad[:])
	n := rtcpHead + len(sealed)
	binary.BigEndian.PutUint32(out[n:], g.next|flagE)
	g.next++
	return out[:n+trailer], nil
}
