package session

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"
)

// chromium is what Chromium 15x offers for a camera in three layers and a slot
// of each kind, shortened to what matters.
const chromium = `v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1 2 3
a=extmap-allow-mixed
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0
c=IN IP4 0.0.0.0
a=candidate:1 1 udp 1 169.254.169.254 80 typ host
a=ice-ufrag:abcd
a=ice-pwd:0123456789012345678901
a=fingerprint:sha-256 ab:CD
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendonly
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=ssrc:1234 cname:x
m=video 9 UDP/TLS/RTP/SAVPF 103 104 96 97
c=IN IP4 0.0.0.0
a=mid:1
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id
a=sendonly
a=rtcp-mux
a=rtpmap:103 H264/90000
a=rtcp-fb:103 nack
a=rtcp-fb:103 goog-remb
a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=rtpmap:104 rtx/90000
a=fmtp:104 apt=103
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 transport-cc
a=rtcp-fb:96 ccm fir
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rid:q send
a=rid:h send
a=rid:f send
a=simulcast:send q;h;f
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:2
a=recvonly
a=rtpmap:111 opus/48000/2
m=video 9 UDP/TLS/RTP/SAVPF 45
c=IN IP4 0.0.0.0
a=mid:3
a=recvonly
a=rtpmap:45 AV1/90000
`

func read(t *testing.T) *Offer {
	t.Helper()
	o, err := Read(strings.ReplaceAll(chromium, "\n", "\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestRead(t *testing.T) {
	o := read(t)
	if o.Ufrag != "abcd" || o.Print != (Fingerprint{"sha-256", "AB:CD"}) || len(o.Sections) != 4 {
		t.Fatalf("%+v", o)
	}
	voice, camera, slot := o.Sections[0], o.Sections[1], o.Sections[2]
	if voice.SSRC != 1234 || !voice.Sends || voice.Slot || voice.Ext != (Extensions{Level: 1, TWCC: 3, Mid: 4}) {
		t.Errorf("voice %+v", voice)
	}
	if len(voice.Codecs) != 2 || voice.Codecs[0].Name != Opus || voice.Codecs[1].Name != RED {
		t.Errorf("sound in the client's order: %+v", voice.Codecs)
	}
	if !slices.Equal(camera.Layers, []string{"q", "h", "f"}) || camera.Ext != (Extensions{TWCC: 3, Mid: 4, RID: 10, RRID: 11}) {
		t.Errorf("camera %+v", camera)
	}
	if c := camera.Codecs; len(c) != 2 || c[0].Name != VP8 || c[0].RTX != 97 || !c[0].NACK || c[1].Name != H264 {
		t.Errorf("VP8 first: %+v", c)
	}
	if c, rtx := camera.Codec(97); c == nil || c.Name != VP8 || !rtx {
		t.Error("97 is VP8's RTX")
	}
	if c, _ := camera.Codec(0); c != nil {
		t.Error("0 is nothing")
	}
	if slot.Sends || !slot.Slot || slot.Named(Opus) == nil || slot.Named(RED) != nil {
		t.Errorf("slot %+v", slot)
	}
}

func TestAnswer(t *testing.T) {
	o := read(t)
	a := Answer{
		ID: 7, Version: 2, Ufrag: "uuuu", Pwd: "pppppppppppppppppppppp", Print: "AA",
		UDP:   []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:5000"), netip.MustParseAddrPort("[2001:db8::1]:5000")},
		TCP:   []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:5001")},
		Slots: map[string]Slot{"2": {SSRC: 99, Stream: "slot-0", Track: "audio-0"}},
	}
	text := a.Write(o)
	for _, want := range []string{
		"a=group:BUNDLE 0 1 2\r\n", "a=extmap-allow-mixed\r\n", "m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\n", "m=video 9 UDP/TLS/RTP/SAVPF 96 97 103 104\r\n",
		"m=video 0 UDP/TLS/RTP/SAVPF 0\r\n", "a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1\r\n", "a=rid:h recv\r\n", "a=simulcast:recv q;h;f\r\n",
		"a=ssrc:99 msid:slot-0 audio-0\r\n", " 192.0.2.1 5000 typ host\r\n", " 2001:db8::1 5000 typ host\r\n",
		"192.0.2.1 5001 typ host tcptype passive\r\n", "a=rtcp-fb:96 nack pli\r\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, no := range []string{"goog-remb", "G722", "169.254", "abs-send-time"} {
		if strings.Contains(text, no) {
			t.Errorf("%q in the answer", no)
		}
	}
	var d webrtc.SessionDescription
	d.Type, d.SDP = webrtc.SDPTypeAnswer, text
	if _, err := d.Unmarshal(); err != nil {
		t.Error(err)
	}
}

func TestRefused(t *testing.T) {
	good := strings.ReplaceAll(chromium, "\n", "\r\n")
	slot := good[strings.Index(good, "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"):]
	for name, text := range map[string]string{
		"empty": "", "words": "hello", "too long": good + strings.Repeat("a=x:y\r\n", 10000),
		"no bundle":         strings.Replace(good, "a=group:BUNDLE", "a=group:LS", 1),
		"data":              strings.Replace(good, "m=audio", "m=application", 1),
		"no credentials":    strings.Replace(good, "a=ice-ufrag", "a=x", 1),
		"no fingerprint":    strings.Replace(good, "a=fingerprint", "a=x", 1),
		"we would call":     strings.Replace(good, "setup:actpass", "setup:passive", 1),
		"outside":           strings.Replace(good, "BUNDLE 0 1", "BUNDLE 0", 1),
		"the same mid":      strings.Replace(good, "a=mid:1\r\n", "a=mid:0\r\n", 1),
		"no mid":            strings.Replace(good, "a=mid:1\r\n", "", 1),
		"too many sections": good + strings.Repeat(slot, 20),
		"nothing":           strings.NewReplacer("sendonly", "inactive", "recvonly", "inactive").Replace(good),
	} {
		if _, err := Read(text); !errors.Is(err, ErrOffer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRead_ClosedWords: a transport, a hash and a setup that are not known are refused, however like a known one they look
// (issue 9, B4).
func TestRead_ClosedWords(t *testing.T) {
	good := strings.ReplaceAll(chromium, "\n", "\r\n")
	for _, c := range []struct{ from, to string }{
		{"UDP/TLS/RTP/SAVPF", ""}, {"a=fingerprint:sha-256", ""}, {"a=setup:actpass", ""},
		{"UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP"}, {"UDP/TLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVPF"}, {"sha-256", "SHA-512"}, {"actpass", "active"},
	} {
		text := strings.ReplaceAll(good, c.from, c.to)
		if c.to == "" {
			text = good
		}
		if _, err := Read(text); err != nil {
			t.Errorf("%s: %v", c.to, err)
		}
	}
	for from, list := range map[string][]string{
		"UDP/TLS/RTP/SAVPF":     {"RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF", "UDP/RTP/SAVPF", "UDP/TLS/RTP/AVPF", "UDP/TLS/RTP/SAVPFX", "udp/tls/rtp/savpf", "UDP/DTLS/SCTP", "UDP/TLS", "QUIC/RTP/SAVPF", "UDP/TLS/RTP/SAVPF/X"},
		"a=fingerprint:sha-256": {"a=fingerprint:sha-1", "a=fingerprint:md5", "a=fingerprint:sha256", "a=fingerprint:sha-3", "a=fingerprint:", "a=fingerprint:sha-256x"},
		"a=setup:actpass":       {"a=setup:passive", "a=setup:holdconn", "a=setup:", "a=setup:ACTPASS", "a=setup:actpass active", "a=x:y"},
	} {
		for _, to := range list {
			if _, err := Read(strings.Replace(good, from, to, 1)); !errors.Is(err, ErrOffer) {
				t.Errorf("%q instead of %q: %v", to, from, err)
			}
		}
	}
}

// FuzzRead: no offer breaks the reader, and what is read can be answered.
func FuzzRead(f *testing.F) {
	f.Add(strings.ReplaceAll(chromium, "\n", "\r\n"))
	f.Add("v=0\r\na=group:BUNDLE 0\r\nm=audio 9 x 111\r\na=mid:0\r\na=rtpmap:111\r\na=extmap:\r\na=simulcast:send ;;\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		o, err := Read(text)
		if err != nil {
			return
		}
		a := Answer{Ufrag: "u", Pwd: "p", Print: "x", Slots: map[string]Slot{}}
		for _, s := range o.Sections {
			a.Slots[s.Mid] = Slot{SSRC: 1, RTX: 2, Stream: "s", Track: "t"}
		}
		if out := a.Write(o); strings.Count(out, "m=") < len(o.Sections) {
			t.Fatal("sections missing")
		}
	})
}
