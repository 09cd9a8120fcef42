package sfu

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// The codecs that are passed through. Payload types here are only ours until
// the client's offer names its own.
const (
	mimeOpus = "audio/opus"
	mimeVP8  = "video/VP8"
	mimeH264 = "video/H264"
	mimeRTX  = "video/rtx"
)

const levelURI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level" // RFC 6464

// engine makes PeerConnections that share the node's sockets. Each has its own
// media engine and interceptors: pion keeps negotiated state in them.
type engine struct {
	setting webrtc.SettingEngine
}

func newEngine(cfg Config, udp ice.UDPMux, tcp ice.TCPMux) (*engine, error) {
	var s webrtc.SettingEngine
	s.LoggerFactory = logFactory{cfg.Log}
	s.SetICEUDPMux(udp)
	types := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	if tcp != nil {
		s.SetICETCPMux(tcp)
		types = append(types, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	s.SetNetworkTypes(types)
	s.DisableActiveTCP(true)
	s.SetIncludeLoopbackCandidate(cfg.Loopback)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetICETimeouts(cfg.Lost, cfg.Failed, 2*time.Second)
	// 7.2 µs a packet with HMAC-SHA1 against 1.3 with GCM (media.md §1).
	s.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	s.SetReceiveMTU(maxDatagram)
	if err := s.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
		return nil, fmt.Errorf("sfu: dtls role: %w", err)
	}
	if len(cfg.Public) > 0 {
		if err := s.SetICEAddressRewriteRules(rewriteRules(cfg.Public)...); err != nil {
			return nil, fmt.Errorf("sfu: public addresses: %w", err)
		}
	}
	return &engine{setting: s}, nil
}

func rewriteRules(public []netip.Addr) []webrtc.ICEAddressRewriteRule {
	var v4, v6 []string
	for _, a := range public {
		if a = a.Unmap(); a.Is4() {
			v4 = append(v4, a.String())
		} else {
			v6 = append(v6, a.String())
		}
	}
	rule := func(ext []string, nets ...webrtc.NetworkType) webrtc.ICEAddressRewriteRule {
		return webrtc.ICEAddressRewriteRule{
			External: ext, AsCandidateType: webrtc.ICECandidateTypeHost,
			Mode: webrtc.ICEAddressRewriteReplace, Networks: nets,
		}
	}
	var rules []webrtc.ICEAddressRewriteRule
	if len(v4) > 0 {
		rules = append(rules, rule(v4, webrtc.NetworkTypeUDP4, webrtc.NetworkTypeTCP4))
	}
	if len(v6) > 0 {
		rules = append(rules, rule(v6, webrtc.NetworkTypeUDP6, webrtc.NetworkTypeTCP6))
	}
	return rules
}

// connection makes a PeerConnection with only the interceptors that are needed:
// loss reports and NACK upstream, and transport-wide feedback to the publisher.
// Retransmission downstream is ours (one cache per published track), so are
// sender reports.
func (e *engine) connection() (*webrtc.PeerConnection, error) {
	m, err := mediaEngine()
	if err != nil {
		return nil, err
	}
	reg := &interceptor.Registry{}
	gen, err := nack.NewGeneratorInterceptor(nack.GeneratorSize(512))
	if err != nil {
		return nil, err
	}
	recv, err := report.NewReceiverInterceptor()
	if err != nil {
		return nil, err
	}
	feedback, err := twcc.NewSenderInterceptor(twcc.SendInterval(100 * time.Millisecond))
	if err != nil {
		return nil, err
	}
	reg.Add(gen)
	reg.Add(recv)
	reg.Add(feedback)
	api := webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithInterceptorRegistry(reg), webrtc.WithSettingEngine(e.setting))
	return api.NewPeerConnection(webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle})
}

func mediaEngine() (*webrtc.MediaEngine, error) {
	m := &webrtc.MediaEngine{}
	cc := webrtc.RTCPFeedback{Type: webrtc.TypeRTCPFBTransportCC}
	video := []webrtc.RTCPFeedback{cc, {Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}}
	h264 := "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
	codecs := []struct {
		kind webrtc.RTPCodecType
		webrtc.RTPCodecParameters
	}{
		{webrtc.RTPCodecTypeAudio, codec(mimeOpus, 48000, 2, "minptime=10;useinbandfec=1", 111, []webrtc.RTCPFeedback{cc})},
		{webrtc.RTPCodecTypeVideo, codec(mimeVP8, 90000, 0, "", 96, video)},
		{webrtc.RTPCodecTypeVideo, codec(mimeRTX, 90000, 0, "apt=96", 97, nil)},
		{webrtc.RTPCodecTypeVideo, codec(mimeH264, 90000, 0, h264, 102, video)},
		{webrtc.RTPCodecTypeVideo, codec(mimeRTX, 90000, 0, "apt=102", 103, nil)},
	}
	for _, c := range codecs {
		if err := m.RegisterCodec(c.RTPCodecParameters, c.kind); err != nil {
			return nil, err
		}
	}
	for _, x := range []struct {
		uri   string
		kinds []webrtc.RTPCodecType
	}{
		{levelURI, []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio}},
		{sdp.SDESMidURI, []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo}},
		{sdp.TransportCCURI, []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo}},
	} {
		for _, k := range x.kinds {
			if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: x.uri}, k); err != nil {
				return nil, err
			}
		}
	}
	return m, nil
}

func codec(mime string, rate uint32, channels uint16, fmtp string, pt webrtc.PayloadType, fb []webrtc.RTCPFeedback) webrtc.RTPCodecParameters {
	return webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: mime, ClockRate: rate, Channels: channels, SDPFmtpLine: fmtp, RTCPFeedback: fb},
		PayloadType:        pt,
	}
}

// sameMime compares codec names as SDP does, without case.
func sameMime(a, b string) bool { return strings.EqualFold(a, b) }
