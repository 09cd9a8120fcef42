package rtcclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

const levelURI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"

// Options say what a Media offers. The zero value sends and receives nothing.
type Options struct {
	Voice, Camera, Screen, Sound bool
	Slots                        int // receive sections of each kind
	ICE                          []webrtc.ICEServer
	RelayOnly                    bool
	TCPOnly                      bool   // ICE-TCP candidates of the server only
	IPv6                         bool   // UDP on ::1, and nothing else
	Loopback                     bool   // use 127.0.0.1 as well
	PicturePackets               int    // packets of 1,000 bytes in a picture; 0: three, 0.72 Mbit/s
	Chaos                        *Chaos // around the one UDP socket of the client
	Trace                        bool   // Quality can be asked for
	VoiceNACK                    bool   // ask for lost sound too
	Simulcast                    bool   // the camera in three layers: Layers
	H264                         bool   // pictures are H.264 alone, as hardware sends them
}

// Got is what one receive section has counted.
type Got struct {
	Packets int
	Bytes   int
	Jumps   int // breaks in the sequence numbers
	SSRCs   map[uint32]bool
}

// Media is one PeerConnection with synthetic tracks.
type Media struct {
	PC    *webrtc.PeerConnection
	sends map[string]*webrtc.TrackLocalStaticRTP

	perPicture int
	layers     []*webrtc.TrackLocalStaticRTP // of a camera in simulcast
	traced     bool
	socket     ice.UDPMux // with Chaos or IPv6
	noPictures atomic.Bool

	mu      sync.Mutex
	trace   map[string][]arrival
	first   time.Time
	last    time.Time
	got     map[string]*Got
	plis    int
	ceiling int
	change  chan struct{}
	wait    sync.WaitGroup
}

// NewMedia makes the PeerConnection with sections in the order of
// docs/signaling.md §6.2.
func NewMedia(o Options) (*Media, error) {
	var s webrtc.SettingEngine
	s.SetIncludeLoopbackCandidate(o.Loopback)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	if o.Loopback {
		s.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() })
	}
	network := webrtc.NetworkTypeUDP4
	switch {
	case o.IPv6:
		network = webrtc.NetworkTypeUDP6
	case o.TCPOnly:
		network = webrtc.NetworkTypeTCP4
	}
	s.SetNetworkTypes([]webrtc.NetworkType{network})
	socket, err := o.mux()
	if err != nil {
		return nil, err
	}
	if socket != nil {
		s.SetICEUDPMux(socket)
	}
	m := &webrtc.MediaEngine{}
	if err := m.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	if o.VoiceNACK {
		m.RegisterFeedback(webrtc.RTCPFeedback{Type: "nack"}, webrtc.RTPCodecTypeAudio)
	}
	if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: levelURI}, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, err
	}
	if err := simulcastExtensions(m); err != nil {
		return nil, err
	}
	policy := webrtc.ICETransportPolicyAll
	if o.RelayOnly {
		s.SetRelayAcceptanceMinWait(0) // pion hopes for something better for 2 s; a browser does not
		policy = webrtc.ICETransportPolicyRelay
	}
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(s)).NewPeerConnection(webrtc.Configuration{
		ICEServers: o.ICE, ICETransportPolicy: policy, BundlePolicy: webrtc.BundlePolicyMaxBundle,
	})
	if err != nil {
		return nil, err
	}
	c := &Media{PC: pc, sends: map[string]*webrtc.TrackLocalStaticRTP{}, got: map[string]*Got{}, change: make(chan struct{}), perPicture: 3,
		traced: o.Trace, trace: map[string][]arrival{}, socket: socket}
	if o.PicturePackets > 0 {
		c.perPicture = o.PicturePackets
	}
	if err := c.sections(o); err != nil {
		_ = pc.Close()
		return nil, err
	}
	pc.OnTrack(c.onTrack)
	pc.OnConnectionStateChange(func(webrtc.PeerConnectionState) { c.changed() })
	return c, nil
}

func (c *Media) sections(o Options) error {
	opus := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
	vp8 := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}
	if o.H264 {
		vp8 = h264
	}
	for _, x := range []struct {
		name string
		on   bool
		cap  webrtc.RTPCodecCapability
	}{{"voice", o.Voice, opus}, {"camera", o.Camera, vp8}, {"screen", o.Screen, vp8}, {"sound", o.Sound, opus}} {
		if !x.on {
			continue
		}
		if x.name == "camera" && o.Simulcast {
			if err := c.simulcast(x.cap); err != nil {
				return err
			}
			continue
		}
		t, err := webrtc.NewTrackLocalStaticRTP(x.cap, x.name, "me")
		if err != nil {
			return err
		}
		tr, err := c.PC.AddTransceiverFromTrack(t, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		if err != nil {
			return err
		}
		if o.H264 && x.cap.MimeType == h264.MimeType {
			if err := tr.SetCodecPreferences([]webrtc.RTPCodecParameters{{RTPCodecCapability: h264, PayloadType: 106}}); err != nil {
				return err
			}
		}
		c.sends[x.name] = t
		c.wait.Add(1)
		go c.readFeedback(tr.Sender())
	}
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		for range o.Slots {
			if _, err := c.PC.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Media) readFeedback(s *webrtc.RTPSender) {
	defer c.wait.Done()
	for {
		list, _, err := s.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range list {
			c.mu.Lock()
			switch m := p.(type) {
			case *rtcp.PictureLossIndication:
				c.plis++
			case *rtcp.ReceiverEstimatedMaximumBitrate:
				c.ceiling = int(m.Bitrate)
			}
			c.mu.Unlock()
			c.changed()
		}
	}
}

// Offer makes the offer with every candidate in it. restart asks for new ICE
// credentials.
func (c *Media) Offer(ctx context.Context, restart bool) (string, error) {
	d, err := c.PC.CreateOffer(&webrtc.OfferOptions{ICERestart: restart})
	if err != nil {
		return "", err
	}
	done := webrtc.GatheringCompletePromise(c.PC)
	if err := c.PC.SetLocalDescription(d); err != nil {
		return "", err
	}
	select {
	case <-done:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	return c.PC.LocalDescription().SDP, nil
}

// Answer takes the server's answer.
func (c *Media) Answer(sdp string) error {
	return c.PC.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp})
}

func (c *Media) onTrack(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	mid := ""
	for _, tr := range c.PC.GetTransceivers() {
		if tr.Receiver() == r {
			mid = tr.Mid()
		}
	}
	var last uint16
	const origin = 1 << 20 // of unwrapped numbers
	high := origin
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return
		}
		now := time.Now()
		c.mu.Lock()
		if c.first.IsZero() {
			c.first = now
		}
		c.last = now
		if high == origin {
			high += int(p.SequenceNumber)
		}
		seq := high + int(int16(p.SequenceNumber-uint16(high)))
		high = max(high, seq)
		if c.traced {
			c.trace[mid] = append(c.trace[mid], arrival{seq, now})
		}
		g := c.got[mid]
		if g == nil {
			g = &Got{SSRCs: map[uint32]bool{}}
			c.got[mid] = g
		} else if p.SequenceNumber != last+1 {
			g.Jumps++
		}
		last = p.SequenceNumber
		g.Packets++
		g.Bytes += len(p.Payload)
		g.SSRCs[p.SSRC] = true
		c.mu.Unlock()
		c.changed()
	}
}

func (c *Media) changed() {
	c.mu.Lock()
	close(c.change)
	c.change = make(chan struct{})
	c.mu.Unlock()
}

// Until waits until ok says yes; it is asked again at each change.
func (c *Media) Until(ctx context.Context, ok func(*Media) bool) error {
	for {
		c.mu.Lock()
		ch := c.change
		c.mu.Unlock()
		if ok(c) {
			return nil
		}
		select {
		case <-ch:
		case <-ctx.Done():
			return fmt.Errorf("media: %w (connection %s, got %v)", ctx.Err(), c.PC.ConnectionState(), c.Summary())
		}
	}
}

// Got returns a copy of what a section has counted.
func (c *Media) Got(mid string) Got {
	c.mu.Lock()
	defer c.mu.Unlock()
	if g := c.got[mid]; g != nil {
		out := *g
		out.SSRCs = map[uint32]bool{}
		for k := range g.SSRCs {
			out.SSRCs[k] = true
		}
		return out
	}
	return Got{}
}

// PLIs is how many key frames were asked of us.
func (c *Media) PLIs() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.plis
}

// Complain reports that a fraction (0…255 of 256) of every stream was lost.
func (c *Media) Complain(lost uint8) error {
	var r rtcp.ReceiverReport
	c.mu.Lock()
	for _, g := range c.got {
		for ssrc := range g.SSRCs {
			r.Reports = append(r.Reports, rtcp.ReceptionReport{SSRC: ssrc, FractionLost: lost})
		}
	}
	c.mu.Unlock()
	return c.PC.WriteRTCP([]rtcp.Packet{&r})
}

// Summary is packets by section.
func (c *Media) Summary() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]int{}
	for mid, g := range c.got {
		out[mid] = g.Packets
	}
	return out
}

// Connected says whether ICE and DTLS stand.
func (c *Media) Connected() bool {
	return c.PC.ConnectionState() == webrtc.PeerConnectionStateConnected
}

// Close ends the PeerConnection and waits for its goroutines.
func (c *Media) Close() error {
	err := c.PC.GracefulClose()
	c.wait.Wait()
	if c.socket != nil {
		err = errors.Join(err, c.socket.Close())
	}
	return err
}
