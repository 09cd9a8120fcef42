package rtcclient

import (
	"context"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// Layer is one encoding of a camera in simulcast: 30 pictures a second of
// Packets packets of Size bytes.
type Layer struct {
	RID           string
	Packets, Size int
}

// Layers are the encodings of Options.Simulcast: 0.1, 0.29 and 0.96 Mbit/s.
func Layers() []Layer { return []Layer{{"q", 1, 420}, {"h", 1, 1200}, {"f", 4, 1000}} }

func simulcastExtensions(m *webrtc.MediaEngine) error {
	for _, uri := range []string{sdp.SDESMidURI, sdp.SDESRTPStreamIDURI, sdp.SDESRepairRTPStreamIDURI} {
		if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, webrtc.RTPCodecTypeVideo); err != nil {
			return err
		}
	}
	return nil
}

func (c *Media) simulcast(capability webrtc.RTPCodecCapability) error {
	var sender *webrtc.RTPSender
	for _, l := range Layers() {
		t, err := webrtc.NewTrackLocalStaticRTP(capability, "camera", "me", webrtc.WithRTPStreamID(l.RID))
		if err != nil {
			return err
		}
		if sender == nil {
			tr, err := c.PC.AddTransceiverFromTrack(t, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
			if err != nil {
				return err
			}
			sender = tr.Sender()
		} else if err := sender.AddEncoding(t); err != nil {
			return err
		}
		c.layers = append(c.layers, t)
	}
	c.wait.Add(1)
	go c.readFeedback(sender)
	return nil
}

// pumpLayers sends every layer until ctx ends.
func (c *Media) pumpLayers(ctx context.Context) {
	if len(c.layers) == 0 {
		return
	}
	var mid string
	ids := map[string]uint8{}
	for _, tr := range c.PC.GetTransceivers() {
		if s := tr.Sender(); s != nil && s.Track() != nil && s.Track().ID() == "camera" {
			mid = tr.Mid()
			for _, x := range s.GetParameters().HeaderExtensions {
				ids[x.URI] = uint8(x.ID)
			}
		}
	}
	for i, l := range Layers() {
		c.wait.Add(1)
		go func() {
			defer c.wait.Done()
			tick := time.NewTicker(33 * time.Millisecond)
			defer tick.Stop()
			p := rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: uint16(1000 * i), Timestamp: uint32(7000 * i)}, Payload: make([]byte, l.Size)}
			_ = p.SetExtension(ids[sdp.SDESMidURI], []byte(mid))
			_ = p.SetExtension(ids[sdp.SDESRTPStreamIDURI], []byte(l.RID))
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				for k := range l.Packets {
					p.Marker = k == l.Packets-1
					_ = c.layers[i].WriteRTP(&p)
					p.SequenceNumber++
				}
				p.Timestamp += 2970
			}
		}()
	}
}

func (c *Media) levelID() uint8 {
	for _, s := range c.PC.GetSenders() {
		for _, x := range s.GetParameters().HeaderExtensions {
			if x.URI == levelURI {
				return uint8(x.ID)
			}
		}
	}
	return 0
}

// h264 is Constrained Baseline, as encoders write it.
var h264 = webrtc.RTPCodecCapability{
	MimeType: webrtc.MimeTypeH264, ClockRate: 90000, SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
	RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}},
}
