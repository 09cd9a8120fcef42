package session

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Slot is what a receiving section of the client gets: one stream under one SSRC
// for its whole life.
type Slot struct {
	SSRC, RTX uint32 // RTX 0: no retransmissions
	Stream    string // what the sound and the picture of one index share
	Track     string
}

// Answer is what the server says of itself.
type Answer struct {
	ID         uint64 // of the session
	Version    uint64 // one more at each answer
	Ufrag, Pwd string
	Print      string // SHA-256 of our certificate, capitals with colons
	UDP, TCP   []netip.AddrPort
	Slots      map[string]Slot // by mid
}

// Write makes the answer to o.
func (a *Answer) Write(o *Offer) string {
	var b strings.Builder
	b.Grow(1000 + 700*len(o.Sections))
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("v=0\r\no=- %d %d IN IP4 127.0.0.1\r\ns=-\r\nt=0 0", a.ID, a.Version)
	mids := make([]string, 0, len(o.Sections))
	for i := range o.Sections {
		if len(o.Sections[i].Codecs) > 0 {
			mids = append(mids, o.Sections[i].Mid)
		}
	}
	line("a=group:BUNDLE %s\r\na=msid-semantic: WMS *", strings.Join(mids, " "))
	if o.Mixed {
		line("a=extmap-allow-mixed")
	}
	first := true
	for i := range o.Sections {
		s := &o.Sections[i]
		if len(s.Codecs) == 0 {
			line("m=%s 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:%s\r\na=inactive", s.Kind, s.Mid)
			continue
		}
		a.section(s, first, line)
		first = false
	}
	return b.String()
}

func (a *Answer) section(s *Section, first bool, line func(string, ...any)) {
	var types []string
	for _, c := range s.Codecs {
		types = append(types, strconv.Itoa(int(c.Type)))
		if c.RTX != 0 {
			types = append(types, strconv.Itoa(int(c.RTX)))
		}
	}
	line("m=%s 9 UDP/TLS/RTP/SAVPF %s\r\nc=IN IP4 0.0.0.0", s.Kind, strings.Join(types, " "))
	line("a=mid:%s\r\na=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 %s\r\na=setup:passive\r\na=rtcp-mux", s.Mid, a.Ufrag, a.Pwd, a.Print)
	if s.rsize {
		line("a=rtcp-rsize")
	}
	line("a=%s", s.direction())
	for _, c := range s.Codecs {
		for _, l := range c.lines {
			line("a=%s", l)
		}
	}
	for _, x := range s.maps {
		line("a=extmap:%d %s", x.id, x.uri)
	}
	if len(s.Layers) > 0 {
		for _, name := range s.Layers {
			line("a=rid:%s recv", name)
		}
		line("a=simulcast:recv %s", strings.Join(s.Layers, ";"))
	}
	if slot, ok := a.Slots[s.Mid]; ok {
		line("a=msid:%s %s", slot.Stream, slot.Track)
		if slot.RTX != 0 {
			line("a=ssrc-group:FID %d %d", slot.SSRC, slot.RTX)
		}
		line("a=ssrc:%d cname:visavis\r\na=ssrc:%d msid:%s %s", slot.SSRC, slot.SSRC, slot.Stream, slot.Track)
		if slot.RTX != 0 {
			line("a=ssrc:%d cname:visavis\r\na=ssrc:%d msid:%s %s", slot.RTX, slot.RTX, slot.Stream, slot.Track)
		}
	}
	if first {
		a.candidates(line)
	}
}

func (s *Section) direction() string {
	switch {
	case s.Sends && s.Slot:
		return "sendrecv"
	case s.Sends:
		return "recvonly"
	case s.Slot:
		return "sendonly"
	}
	return "inactive"
}

// candidates are host candidates (RFC 8839 §5.1, for TCP RFC 6544 §4.5): UDP
// before TCP, IPv6 before IPv4 as RFC 8421 advises.
func (a *Answer) candidates(line func(string, ...any)) {
	n := 0
	put := func(transport string, preference uint32, addr netip.AddrPort, tail string) {
		local := uint32(65535 - n)
		if addr.Addr().Is4() {
			local -= 1000
		}
		n++
		line("a=candidate:%d 1 %s %d %s %d typ host%s", n, transport, preference<<24|local<<8|255, addr.Addr(), addr.Port(), tail)
	}
	for _, x := range a.UDP {
		put("udp", 126, x, "")
	}
	for _, x := range a.TCP {
		put("tcp", 90, x, " tcptype passive")
	}
	line("a=end-of-candidates")
}
