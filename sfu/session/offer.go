package session

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// The limits of an offer (docs/signaling.md §6.2).
const (
	MaxSlots   = 8 // receiving sections of each kind
	MaxSending = 2 // sending sections of each kind
	MaxLayers  = 3 // of one picture
	maxSDP     = 60 << 10
	maxParts   = 2 * (MaxSlots + MaxSending)
)

// ErrOffer: the offer cannot be used. The wrapping error says why.
var ErrOffer = errors.New("session: offer refused")

// Kind is what a section carries.
type Kind string

// The kinds of sections, as SDP names them.
const (
	Audio Kind = "audio"
	Video Kind = "video"
)

// Section is one media section of an offer.
type Section struct {
	Mid    string
	Kind   Kind
	Sends  bool // the client sends here
	Slot   bool // the client receives here
	Codecs []Codec
	Ext    Extensions
	SSRC   uint32   // that the client sends under; 0: not said
	RTX    uint32   // of its retransmissions; 0: not said
	Layers []string // names of the simulcast layers that are sent; nil: one layer

	rsize bool
	maps  []extmap
}

// Offer is what a client asks for.
type Offer struct {
	Sections []Section
	Ufrag    string // of the client
	Pwd      string
	Print    Fingerprint
	Mixed    bool // header extensions may take either form in one stream (RFC 8285 §6)
}

// Fingerprint is of the client's certificate (RFC 8122), sums in capitals with
// colons.
type Fingerprint struct{ Hash, Sum string }

// hashes are the functions of a fingerprint that are taken (RFC 8122 §5), as the handshake computes them.
var hashes = [...]string{"sha-256", "sha-384", "sha-512"}

// profiles are the transports of a section that are taken: SRTP whose keys come from DTLS (RFC 5764 §8, RFC 8827 §6.5).
var profiles = [...]string{"UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVP"}

// Read checks an offer before anything is made for it.
func Read(text string) (*Offer, error) {
	if len(text) > maxSDP {
		return nil, fmt.Errorf("%w: too long", ErrOffer)
	}
	var d sdp.SessionDescription
	if err := d.UnmarshalString(text); err != nil {
		return nil, fmt.Errorf("%w: not SDP", ErrOffer)
	}
	bundle, _ := d.Attribute("group")
	if !strings.HasPrefix(bundle, "BUNDLE ") {
		return nil, fmt.Errorf("%w: no BUNDLE", ErrOffer)
	}
	if len(d.MediaDescriptions) > maxParts {
		return nil, fmt.Errorf("%w: more than %d sections", ErrOffer, maxParts)
	}
	o := &Offer{}
	_, o.Mixed = d.Attribute("extmap-allow-mixed")
	if err := o.transport(&d); err != nil {
		return nil, err
	}
	for _, m := range d.MediaDescriptions {
		s, err := section(m, strings.Fields(bundle)[1:])
		if err != nil {
			return nil, err
		}
		o.Sections = append(o.Sections, s)
	}
	return o, o.count()
}

// transport finds what is said once for all sections, or in the first.
func (o *Offer) transport(d *sdp.SessionDescription) error {
	find := func(name string) string {
		if v, ok := d.Attribute(name); ok {
			return v
		}
		for _, m := range d.MediaDescriptions {
			if v, ok := m.Attribute(name); ok {
				return v
			}
		}
		return ""
	}
	o.Ufrag, o.Pwd = find("ice-ufrag"), find("ice-pwd")
	if len(o.Ufrag) < 4 || len(o.Ufrag) > 256 || len(o.Pwd) < 22 || len(o.Pwd) > 256 {
		return fmt.Errorf("%w: no ICE credentials", ErrOffer)
	}
	hash, sum, _ := strings.Cut(find("fingerprint"), " ")
	o.Print = Fingerprint{strings.ToLower(hash), strings.ToUpper(strings.TrimSpace(sum))}
	if o.Print.Sum == "" {
		return fmt.Errorf("%w: no fingerprint", ErrOffer)
	}
	if !slices.Contains(hashes[:], o.Print.Hash) {
		return fmt.Errorf("%w: fingerprint %q", ErrOffer, hash)
	}
	if s := find("setup"); s != "actpass" && s != "active" {
		return fmt.Errorf("%w: setup %q", ErrOffer, s)
	}
	return nil
}

func section(m *sdp.MediaDescription, bundle []string) (Section, error) {
	s := Section{Kind: Kind(m.MediaName.Media)}
	if s.Kind != Audio && s.Kind != Video {
		return s, fmt.Errorf("%w: section %q", ErrOffer, m.MediaName.Media)
	}
	if !slices.Contains(profiles[:], strings.Join(m.MediaName.Protos, "/")) {
		return s, fmt.Errorf("%w: transport %q", ErrOffer, strings.Join(m.MediaName.Protos, "/"))
	}
	s.Mid, _ = m.Attribute("mid")
	if s.Mid == "" || len(s.Mid) > 16 {
		return s, fmt.Errorf("%w: section without mid", ErrOffer)
	}
	if !slices.Contains(bundle, s.Mid) {
		return s, fmt.Errorf("%w: section outside BUNDLE", ErrOffer)
	}
	_, send := m.Attribute("sendonly")
	_, recv := m.Attribute("recvonly")
	_, off := m.Attribute("inactive")
	s.Sends, s.Slot = !recv && !off, !send && !off // neither said means both (RFC 8866 §6.7)
	_, s.rsize = m.Attribute("rtcp-rsize")
	s.codecs(m)
	s.extensions(m)
	if s.Sends {
		s.sources(m)
	}
	return s, nil
}

// sources reads under which SSRCs and layers the client sends.
func (s *Section) sources(m *sdp.MediaDescription) {
	for _, a := range m.Attributes {
		f := strings.Fields(a.Value)
		switch {
		case a.Key == "ssrc" && len(f) > 0 && s.SSRC == 0:
			s.SSRC = number(f[0])
		case a.Key == "ssrc-group" && len(f) == 3 && f[0] == "FID":
			s.SSRC, s.RTX = number(f[1]), number(f[2])
		case a.Key == "simulcast" && len(f) == 2 && f[0] == "send":
			s.Layers = layers(f[1])
		}
	}
}

func layers(list string) (names []string) {
	for _, one := range strings.Split(list, ";") {
		name, _, _ := strings.Cut(strings.TrimPrefix(one, "~"), ",")
		if name == "" || len(name) > 16 || len(names) == MaxLayers || slices.Contains(names, name) {
			return nil
		}
		names = append(names, name)
	}
	return names
}

func number(text string) uint32 {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

func (o *Offer) count() error {
	sends, slots := map[Kind]int{}, map[Kind]int{}
	mids := map[string]bool{}
	for _, s := range o.Sections {
		if mids[s.Mid] {
			return fmt.Errorf("%w: mid %q twice", ErrOffer, s.Mid)
		}
		mids[s.Mid] = true
		if s.Sends {
			sends[s.Kind]++
		}
		if s.Slot {
			slots[s.Kind]++
		}
	}
	switch {
	case sends[Audio] > MaxSending || sends[Video] > MaxSending:
		return fmt.Errorf("%w: more than %d sending sections of a kind", ErrOffer, MaxSending)
	case slots[Audio] > MaxSlots || slots[Video] > MaxSlots:
		return fmt.Errorf("%w: more than %d slots of a kind", ErrOffer, MaxSlots)
	case len(sends)+len(slots) == 0:
		return fmt.Errorf("%w: nothing to send or receive", ErrOffer)
	}
	return nil
}
