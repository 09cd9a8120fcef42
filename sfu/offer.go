package sfu

import (
	"fmt"
	"strings"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// The limits of an offer (docs/signaling.md §6.2).
const (
	maxSlots   = 8 // receiving sections of each kind
	maxSending = 2 // sending sections of each kind
	maxSDP     = 60 << 10
)

// offerShape is what an offer asks for: which of its sections send what, and
// how many slots of each kind it has.
type offerShape struct {
	sends map[string]Source // by mid
	audio int               // slots
	video int
}

// readOffer checks an offer before anything is made for it.
func readOffer(text string) (offerShape, error) {
	shape := offerShape{sends: map[string]Source{}}
	if len(text) > maxSDP {
		return shape, fmt.Errorf("%w: too long", ErrOffer)
	}
	var d sdp.SessionDescription
	if err := d.UnmarshalString(text); err != nil {
		return shape, fmt.Errorf("%w: not SDP", ErrOffer)
	}
	bundle, _ := d.Attribute("group")
	if !strings.HasPrefix(bundle, "BUNDLE ") {
		return shape, fmt.Errorf("%w: no BUNDLE", ErrOffer)
	}
	for _, m := range d.MediaDescriptions {
		if err := shape.section(m, bundle); err != nil {
			return shape, err
		}
	}
	if shape.audio > maxSlots || shape.video > maxSlots {
		return shape, fmt.Errorf("%w: more than %d slots of a kind", ErrOffer, maxSlots)
	}
	if len(shape.sends)+shape.audio+shape.video == 0 {
		return shape, fmt.Errorf("%w: nothing to send or receive", ErrOffer)
	}
	return shape, nil
}

func (o *offerShape) section(m *sdp.MediaDescription, bundle string) error {
	kind := webrtc.NewRTPCodecType(m.MediaName.Media)
	if kind == 0 {
		return fmt.Errorf("%w: section %q", ErrOffer, m.MediaName.Media)
	}
	mid, ok := m.Attribute("mid")
	if !ok || mid == "" || len(mid) > 16 {
		return fmt.Errorf("%w: section without mid", ErrOffer)
	}
	if !strings.Contains(bundle+" ", " "+mid+" ") {
		return fmt.Errorf("%w: section outside BUNDLE", ErrOffer)
	}
	_, send := m.Attribute("sendonly")
	_, recv := m.Attribute("recvonly")
	_, off := m.Attribute("inactive")
	if off {
		return nil
	}
	if !recv { // sendonly, sendrecv, or nothing, which means sendrecv (RFC 8866 §6.7)
		if err := o.sending(kind, mid); err != nil {
			return err
		}
	}
	if !send {
		if kind == webrtc.RTPCodecTypeAudio {
			o.audio++
		} else {
			o.video++
		}
	}
	return nil
}

func (o *offerShape) sending(kind webrtc.RTPCodecType, mid string) error {
	names := [maxSending]Source{Voice, Sound}
	if kind == webrtc.RTPCodecTypeVideo {
		names = [maxSending]Source{Camera, Screen}
	}
	used := map[Source]bool{}
	for _, s := range o.sends {
		used[s] = true
	}
	for _, s := range names {
		if !used[s] {
			o.sends[mid] = s
			return nil
		}
	}
	return fmt.Errorf("%w: more than %d sending sections of a kind", ErrOffer, maxSending)
}

// withoutCandidates takes the client's addresses out of an offer. The server
// checks only where an authenticated check of the client has come from (a
// peer-reflexive candidate, RFC 8445 §7.3.1.3): nobody can make it call an
// address by naming it.
func withoutCandidates(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "a=candidate:") {
			b.WriteString(line)
		}
	}
	return b.String()
}
