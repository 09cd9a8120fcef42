package srtp

import (
	"errors"
	"fmt"

	"github.com/pion/rtp"
	pion "github.com/pion/srtp/v3"
	"visavis/sfu/packet"
)

// Overhead is how much Seal adds to a packet at most, in bytes.
const Overhead = tagSize + trailer

// The refusals of Open and Seal.
var (
	ErrAuthentication = errors.New("srtp: not authentic")
	ErrReplayed       = errors.New("srtp: replayed, or too old to know")
	ErrExhausted      = errors.New("srtp: the key is used up")
	ErrProfile        = errors.New("srtp: unknown protection profile")
)

// Profile is a number of the DTLS-SRTP registry (RFC 5764 §4.1.2).
type Profile uint16

// The profiles that are known, the better first.
const (
	GCM Profile = 0x0007 // AEAD_AES_128_GCM
	CM  Profile = 0x0001 // SRTP_AES128_CM_HMAC_SHA1_80
)

// Exporter gives keying material of a DTLS connection (RFC 5705).
type Exporter interface {
	ExportKeyingMaterial(label string, context []byte, length int) ([]byte, error)
}

// Session opens what the DTLS client sends and seals what goes to it. It is used
// by one goroutine at a time.
type Session struct {
	in, out *gcm
	slow    *slow
}

// slow is the older profile.
type slow struct {
	in, out *pion.Context
	header  rtp.Header
	scratch []byte
}

// New makes the session of the DTLS server's side.
func New(x Exporter, p Profile) (*Session, error) {
	conf := pion.Config{Profile: pion.ProtectionProfile(p)}
	if p != GCM && p != CM {
		return nil, ErrProfile
	}
	if err := conf.ExtractSessionKeysFromDTLS(x, false); err != nil {
		return nil, fmt.Errorf("srtp: keys: %w", err)
	}
	k := conf.Keys
	s := &Session{}
	var err error
	if p == GCM {
		if s.in, err = newGCM(k.RemoteMasterKey, k.RemoteMasterSalt); err != nil {
			return nil, err
		}
		s.out, err = newGCM(k.LocalMasterKey, k.LocalMasterSalt)
		return s, err
	}
	s.slow = &slow{}
	if s.slow.in, err = pion.CreateContext(k.RemoteMasterKey, k.RemoteMasterSalt, conf.Profile, pion.SRTPNoReplayProtection(), pion.SRTCPReplayProtection(64)); err != nil {
		return nil, err
	}
	s.slow.out, err = pion.CreateContext(k.LocalMasterKey, k.LocalMasterSalt, conf.Profile)
	return s, err
}

// OpenRTP opens b in place and gives the packet without its tag. w belongs to
// the packet's SSRC.
func (s *Session) OpenRTP(b []byte, h *packet.Header, w *Window) ([]byte, error) {
	index := w.Index(h.Seq)
	if !w.fresh(index) {
		return nil, ErrReplayed
	}
	var plain []byte
	var err error
	if s.slow == nil {
		plain, err = s.in.openRTP(b, h.Size, h.SSRC, index)
	} else if plain, err = s.slow.in.DecryptRTP(b, b, &s.slow.header); err != nil {
		err = ErrAuthentication
	}
	if err != nil {
		return nil, err
	}
	w.use(index)
	return plain, nil
}

// SealRTP seals payload behind the header that stands in the first head bytes of
// out, and gives the whole packet. payload does not overlap out. w belongs to
// the SSRC and keeps a nonce from being used twice.
func (s *Session) SealRTP(out []byte, head int, payload []byte, ssrc uint32, seq uint16, w *Window) ([]byte, error) {
	index := w.Index(seq)
	if !w.fresh(index) {
		return nil, ErrReplayed
	}
	if index >= 1<<48-1 {
		return nil, ErrExhausted
	}
	w.use(index)
	if s.slow == nil {
		return s.out.sealRTP(out, head, payload, ssrc, index), nil
	}
	n := head + copy(out[head:], payload)
	return s.slow.out.EncryptRTP(out[:n:cap(out)], out[:n], &s.slow.header)
}

// OpenRTCP opens a control packet in place.
func (s *Session) OpenRTCP(b []byte) ([]byte, error) {
	if s.slow == nil {
		return s.in.openRTCP(b)
	}
	plain, err := s.slow.in.DecryptRTCP(s.slow.scratch[:0], b, nil)
	if err != nil {
		return nil, ErrAuthentication
	}
	s.slow.scratch = plain
	return plain, nil
}

// SealRTCP seals a control packet of 8 bytes or more into out, which does not
// overlap it.
func (s *Session) SealRTCP(out, plain []byte) ([]byte, error) {
	if s.slow == nil {
		return s.out.sealRTCP(out, plain)
	}
	sealed, err := s.slow.out.EncryptRTCP(s.slow.scratch[:0], plain, nil)
	if err != nil {
		return nil, err
	}
	s.slow.scratch = sealed
	return out[:copy(out, sealed)], nil
}
