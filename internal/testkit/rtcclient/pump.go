package rtcclient

import (
	"context"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// Pump sends on every section until ctx ends: sound 50 packets/s of 80 bytes,
// pictures 30/s of Options.PicturePackets packets of 1,000 bytes, loud as level says (RFC 6464,
// 0 is loudest).
func (c *Media) Pump(ctx context.Context, level uint8) {
	c.pumpLayers(ctx)
	for name, t := range c.sends {
		c.wait.Add(1)
		go func() {
			defer c.wait.Done()
			if name == "voice" || name == "sound" {
				c.pump(ctx, t, 20*time.Millisecond, 960, 1, 80, level)
			} else {
				c.pump(ctx, t, 33*time.Millisecond, 3000, c.perPicture, 1000, 0)
			}
		}()
	}
}

// StopPictures stops the cameras of Pump, or lets them go on: only sound is sent meanwhile.
func (c *Media) StopPictures(stop bool) { c.noPictures.Store(stop) }

func (c *Media) pump(ctx context.Context, t *webrtc.TrackLocalStaticRTP, every time.Duration, step uint32, n, size int, level uint8) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	levelID := c.levelID()
	p := rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: 100, Timestamp: 5000}, Payload: make([]byte, size)}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if size > 80 && c.noPictures.Load() {
			continue
		}
		for i := range n {
			p.Marker = i == n-1
			if n == 1 && levelID != 0 {
				_ = p.SetExtension(levelID, []byte{0x80 | level})
			}
			_ = t.WriteRTP(&p)
			p.SequenceNumber++
		}
		p.Timestamp += step
	}
}
