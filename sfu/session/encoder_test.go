package session

import (
	"strings"
	"testing"
)

// obs is the shape of what OBS Studio offers by WHIP (libdatachannel): ICE and
// DTLS once for all, no header extensions, no simulcast, H.264 alone.
const obs = `v=0
o=rtc 1 0 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=msid-semantic:WMS *
a=ice-options:ice2,trickle
a=ice-ufrag:Qn8a
a=ice-pwd:0123456789012345678901
a=fingerprint:sha-256 AB:CD
a=setup:actpass
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:0
a=sendonly
a=ssrc:100 cname:obs
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=mid:1
a=sendonly
a=ssrc:200 cname:obs
a=rtcp-mux
a=rtpmap:96 H264/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 goog-remb
a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1
`

// gstreamer is the shape of what GStreamer's webrtcbin offers for one hardware
// encoder without sound: the profile as the encoder's stream says it.
const gstreamer = `v=0
o=- 7 0 IN IP4 0.0.0.0
s=-
t=0 0
a=ice-options:trickle
a=group:BUNDLE video0
m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 0.0.0.0
a=setup:actpass
a=ice-ufrag:Y3HZ
a=ice-pwd:ZmFrZWZha2VmYWtlZmFrZQ01
a=rtcp-mux
a=rtcp-rsize
a=sendonly
a=rtpmap:96 H264/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 ccm fir
a=framerate:30
a=fmtp:96 packetization-mode=1;profile-level-id=42c01f;sprop-parameter-sets=Z0LAH9kAUAW7AWoCAgKAAAADAIAAAB5HjBlg,aMuMsg==
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=ssrc-group:FID 300 301
a=ssrc:300 msid:u t
a=ssrc:300 cname:u
a=ssrc:301 msid:u t
a=mid:video0
a=fingerprint:sha-256 AB:CD
`

func TestEncodersAreUnderstood(t *testing.T) {
	for name, tc := range map[string]struct {
		sdp              string
		sections, video  int
		ssrc, rtx        uint32
		answered, absent string
	}{
		"OBS":       {obs, 2, 1, 200, 0, "a=rtpmap:96 H264/90000\r\n", "extmap"},
		"GStreamer": {gstreamer, 1, 0, 300, 301, "a=fmtp:97 apt=96\r\n", "m=audio"},
	} {
		o, err := Read(strings.ReplaceAll(tc.sdp, "\n", "\r\n"))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(o.Sections) != tc.sections {
			t.Fatalf("%s: %+v", name, o.Sections)
		}
		v := o.Sections[tc.video]
		if v.SSRC != tc.ssrc || v.RTX != tc.rtx || !v.Sends || v.Slot || len(v.Codecs) != 1 || v.Codecs[0].Name != H264 || !v.Codecs[0].NACK {
			t.Errorf("%s: %+v", name, v)
		}
		a := Answer{Ufrag: "u", Pwd: "p", Print: "x"}
		text := a.Write(o)
		if !strings.Contains(text, tc.answered) || strings.Contains(text, tc.absent) || strings.Count(text, "a=recvonly") != tc.sections {
			t.Errorf("%s is answered:\n%s", name, text)
		}
	}
}

// TestConstrainedBaseline is RFC 6184 table 5.
func TestConstrainedBaseline(t *testing.T) {
	for id, want := range map[string]bool{
		"42e01f": true, "42c01f": true, "42c015": true, "42401f": true, "4d801f": true, "58c01f": true, "42E034": true,
		"42001f": false, "4d001f": false, "4d401f": false, "58801f": false, "64001f": false, "640c1f": false, "42e0": false, "zzzzzz": false, "": false,
	} {
		name, _ := known(Video, "H264/90000", "packetization-mode=1; profile-level-id="+id)
		if got := name == H264; got != want {
			t.Errorf("%q: %v, want %v", id, got, want)
		}
	}
	if name, _ := known(Video, "H264/90000", "packetization-mode=0;profile-level-id=42e01f"); name != "" {
		t.Error("single NAL units are not taken")
	}
	if name, _ := known(Video, "H264/90000", "packetization-mode=1"); name != "" {
		t.Error("no profile is Baseline, not Constrained Baseline")
	}
}
