//go:build linux

package light

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
)

// What the offer says of payload types and header extensions.
const (
	opus, vp8, rtx = 111, 96, 97
	extLevel       = 1
	extTWCC        = 3
)

// Offer is a voice and a picture to send, and room for slots people.
func (c *Client) Offer(slots int) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	mids := make([]string, 2+2*slots)
	for i := range mids {
		mids[i] = strconv.Itoa(i)
	}
	line("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE %s\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS *", strings.Join(mids, " "))
	for i, mid := range mids {
		audio := i == 0 || i > 1 && i < 2+slots
		if audio {
			line("m=audio 9 UDP/TLS/RTP/SAVPF %d\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:%d opus/48000/2\r\na=fmtp:%d minptime=10;useinbandfec=1\r\na=rtcp-fb:%d transport-cc", opus, opus, opus, opus)
			line("a=extmap:%d urn:ietf:params:rtp-hdrext:ssrc-audio-level", extLevel)
		} else {
			line("m=video 9 UDP/TLS/RTP/SAVPF %d %d\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:%d VP8/90000\r\na=rtpmap:%d rtx/90000\r\na=fmtp:%d apt=%d", vp8, rtx, vp8, rtx, rtx, vp8)
			for _, fb := range []string{"nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"} {
				line("a=rtcp-fb:%d %s", vp8, fb)
			}
		}
		line("a=extmap:%d http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01", extTWCC)
		line("a=mid:%s\r\na=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 %s\r\na=setup:actpass\r\na=rtcp-mux\r\na=rtcp-rsize", mid, c.ufrag, c.pwd, c.e.cert.print())
		if i == 0 {
			line("a=candidate:1 1 udp 2130706431 127.0.0.1 %d typ host\r\na=end-of-candidates", c.port)
		}
		if i > 1 {
			line("a=recvonly")
			continue
		}
		line("a=sendonly\r\na=msid:me %d\r\na=ssrc:%d cname:me\r\na=ssrc:%d msid:me %d", i, c.sends[i].ssrc, c.sends[i].ssrc, i)
	}
	return b.String()
}

// read takes what the answer says of the way, and which SSRCs repair which.
func (c *Client) read(sdp string) (to *net.UDPAddr, err error) {
	for line := range strings.Lines(sdp) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		f := strings.Fields(value)
		switch {
		case name == "a=ice-ufrag":
			c.theirs = value
		case name == "a=ice-pwd":
			c.theirPwd = value
		case name == "a=setup" && value != "passive":
			return nil, fmt.Errorf("answer: setup %s", value)
		case name == "a=ssrc-group" && len(f) == 3:
			media, err := strconv.ParseUint(f[1], 10, 32)
			repair, err2 := strconv.ParseUint(f[2], 10, 32)
			if err := errors.Join(err, err2); err != nil {
				return nil, err
			}
			c.repairs[uint32(repair)] = uint32(media)
		case name == "a=candidate" && to == nil && len(f) > 5 && strings.EqualFold(f[2], "udp"):
			at, err := netip.ParseAddrPort(f[4] + ":" + f[5])
			if err == nil && at.Addr().IsLoopback() {
				to = net.UDPAddrFromAddrPort(at)
			}
		}
	}
	if to == nil || c.theirs == "" || c.theirPwd == "" {
		return nil, errors.New("answer: no way to the server")
	}
	return to, nil
}

func addrPort(a *syscall.SockaddrInet4) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
}
