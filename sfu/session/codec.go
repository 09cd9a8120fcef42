package session

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// The codecs that are passed through.
const (
	Opus = "opus"
	RED  = "red" // RFC 2198, of Opus
	VP8  = "vp8"
	H264 = "h264"
)

// Codec is one payload type that both sides know.
type Codec struct {
	Name  string // one of the constants
	Type  uint8  // payload type in this offer
	RTX   uint8  // payload type of its retransmissions (RFC 4588); 0: none
	Rate  uint32 // of the RTP clock, in Hz
	NACK  bool   // losses of it may be asked for
	lines []string
}

// Extensions are the ids of the header extensions that are used; 0: not offered.
type Extensions struct {
	Level uint8 // RFC 6464
	Mid   uint8 // RFC 9143
	RID   uint8 // RFC 8852
	RRID  uint8 // RFC 8852, of a retransmission
	TWCC  uint8 // draft-holmer-rmcat-transport-wide-cc-extensions-01
	Frame uint8 // Dependency Descriptor (AV1 RTP specification, appendix A), of any codec
}

const (
	uriLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
	uriMid   = "urn:ietf:params:rtp-hdrext:sdes:mid"
	uriRID   = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
	uriRRID  = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
	uriFrame = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
	uriTWCC  = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
)

type extmap struct {
	id  uint8
	uri string
}

// extensions takes the extensions whose id fits the one-byte form (RFC 8285).
func (s *Section) extensions(m *sdp.MediaDescription) {
	for _, a := range m.Attributes {
		if a.Key != "extmap" {
			continue
		}
		number, uri, _ := strings.Cut(a.Value, " ")
		number, _, _ = strings.Cut(number, "/")
		uri, _, _ = strings.Cut(uri, " ")
		id, err := strconv.ParseUint(number, 10, 8)
		if err != nil || id < 1 || id > 14 {
			continue
		}
		var to *uint8
		switch {
		case uri == uriLevel && s.Kind == Audio:
			to = &s.Ext.Level
		case uri == uriMid:
			to = &s.Ext.Mid
		case uri == uriRID && s.Kind == Video:
			to = &s.Ext.RID
		case uri == uriRRID && s.Kind == Video:
			to = &s.Ext.RRID
		case uri == uriFrame && s.Kind == Video && s.Sends:
			to = &s.Ext.Frame
		case uri == uriTWCC:
			to = &s.Ext.TWCC
		}
		if to != nil && *to == 0 {
			*to = uint8(id)
			s.maps = append(s.maps, extmap{uint8(id), uri})
		}
	}
}

// known says what a payload type is, by its rtpmap and fmtp.
func known(kind Kind, rtpmap, fmtp string) (name string, rate uint32) {
	switch m := strings.ToLower(rtpmap); {
	case kind == Audio && m == "opus/48000/2":
		return Opus, 48000
	case kind == Audio && m == "red/48000/2":
		return RED, 48000
	case kind == Video && m == "vp8/90000":
		return VP8, 90000
	case kind == Video && m == "h264/90000":
		f := strings.ToLower(strings.ReplaceAll(fmtp, " ", ""))
		if strings.Contains(f, "packetization-mode=1") && constrainedBaseline(f) {
			return H264, 90000
		}
	}
	return "", 0
}

// constrainedBaseline tells whether a fmtp says H.264 Constrained Baseline, in
// one of the ways of RFC 6184 table 5: browsers write 42e0, encoders 42c0 or
// less.
func constrainedBaseline(fmtp string) bool {
	_, rest, ok := strings.Cut(fmtp, "profile-level-id=")
	if !ok || len(rest) < 6 {
		return false
	}
	id, err := strconv.ParseUint(rest[:6], 16, 32)
	if err != nil {
		return false
	}
	constraints := id >> 8 & 0xff
	switch id >> 16 {
	case 0x42:
		return constraints&0x4f == 0x40
	case 0x4d:
		return constraints&0x8f == 0x80
	case 0x58:
		return constraints&0xcf == 0xc0
	}
	return false
}

// codecs takes what both know: VP8 before H.264, sound in the client's order,
// which so decides whether it sends RED.
func (s *Section) codecs(m *sdp.MediaDescription) {
	maps, fmtps, feedback := map[string]string{}, map[string]string{}, map[string][]string{}
	for _, a := range m.Attributes {
		pt, rest, _ := strings.Cut(a.Value, " ")
		switch a.Key {
		case "rtpmap":
			maps[pt] = rest
		case "fmtp":
			fmtps[pt] = rest
		case "rtcp-fb":
			feedback[pt] = append(feedback[pt], rest)
		}
	}
	for _, pt := range m.MediaName.Formats {
		name, rate := known(s.Kind, maps[pt], fmtps[pt])
		n, err := strconv.ParseUint(pt, 10, 7)
		if name == "" || err != nil || slices.ContainsFunc(s.Codecs, func(c Codec) bool { return c.Name == name }) {
			continue
		}
		c := Codec{Name: name, Type: uint8(n), Rate: rate}
		c.lines = append(c.lines, "rtpmap:"+pt+" "+maps[pt])
		if f := fmtps[pt]; f != "" {
			c.lines = append(c.lines, "fmtp:"+pt+" "+f)
		}
		for _, fb := range append(feedback[pt], feedback["*"]...) {
			if fb == "transport-cc" || fb == "nack" || s.Kind == Video && (fb == "nack pli" || fb == "ccm fir") {
				c.lines = append(c.lines, "rtcp-fb:"+pt+" "+fb)
				c.NACK = c.NACK || fb == "nack"
			}
		}
		c.retransmission(m.MediaName.Formats, maps, fmtps)
		s.Codecs = append(s.Codecs, c)
	}
	if s.Kind == Video {
		slices.SortStableFunc(s.Codecs, func(a, b Codec) int { return strings.Compare(b.Name, a.Name) })
	}
	// RED alone is of no use: it wraps Opus.
	if len(s.Codecs) == 1 && s.Codecs[0].Name == RED {
		s.Codecs = nil
	}
}

func (c *Codec) retransmission(formats []string, maps, fmtps map[string]string) {
	apt := "apt=" + strconv.Itoa(int(c.Type))
	for _, pt := range formats {
		n, err := strconv.ParseUint(pt, 10, 7)
		if err == nil && strings.HasPrefix(strings.ToLower(maps[pt]), "rtx/") && fmtps[pt] == apt {
			c.RTX = uint8(n)
			c.lines = append(c.lines, "rtpmap:"+pt+" "+maps[pt], "fmtp:"+pt+" "+apt)
			return
		}
	}
}

// Codec finds the codec of a payload type, and whether that is its RTX.
func (s *Section) Codec(pt uint8) (c *Codec, rtx bool) {
	for i := range s.Codecs {
		if c := &s.Codecs[i]; c.Type == pt || c.RTX == pt && pt != 0 {
			return c, c.Type != pt
		}
	}
	return nil, false
}

// Named finds a codec by its name.
func (s *Section) Named(name string) *Codec {
	for i := range s.Codecs {
		if s.Codecs[i].Name == name {
			return &s.Codecs[i]
		}
	}
	return nil
}
