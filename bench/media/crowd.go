package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"visavis/internal/testkit/rtcclient"
)

// perPicture is how many packets a picture has: 1.2 Mbit/s at 30/s.
const perPicture = 5

// crowd is the people of the rooms.
type crowd interface {
	fill(ctx context.Context, rooms, size int) error
	received() int
	delays() []float64   // ms, since the last call
	arrivals() []float64 // the same until the socket had it
	joins() []float64    // ms
	leave()
}

func newCrowd(kind, base string) crowd {
	if kind == "floor" {
		return &rawCrowd{server: base}
	}
	return &people{base: base}
}

// people are real clients.
type people struct {
	base  string
	list  []*rtcclient.Media
	took  []float64
	stops []context.CancelFunc
}

func (c *people) fill(ctx context.Context, rooms, size int) error {
	for r := range rooms {
		for p := range size {
			if err := c.join(ctx, fmt.Sprintf("r%d", r), fmt.Sprintf("p%d", p), size-1, p > 0); err != nil {
				return err
			}
		}
	}
	for _, m := range c.list {
		if err := m.Until(ctx, func(m *rtcclient.Media) bool { return len(m.Summary()) == 2*(size-1) }); err != nil {
			return err
		}
	}
	return nil
}

// join counts from the offer to the first packet of media, for those who find
// somebody there.
func (c *people) join(ctx context.Context, room, name string, slots int, awaited bool) error {
	m, err := rtcclient.NewMedia(rtcclient.Options{Voice: true, Camera: true, Slots: slots, Loopback: true, PicturePackets: perPicture, Stamped: true})
	if err != nil {
		return err
	}
	start := time.Now()
	text, err := m.Offer(ctx, false)
	if err != nil {
		return err
	}
	body, _ := json.Marshal(map[string]string{"room": room, "peer": name, "sdp": text})
	resp, err := http.Post(c.base+"/offer", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("offer: %d %s %w", resp.StatusCode, answer, err)
	}
	if err := m.Answer(string(answer)); err != nil {
		return err
	}
	if err := m.Until(ctx, (*rtcclient.Media).Connected); err != nil {
		return err
	}
	pump, stop := context.WithCancel(context.Background())
	m.Pump(pump, 20)
	c.list, c.stops = append(c.list, m), append(c.stops, stop)
	if awaited {
		if err := m.Until(ctx, func(m *rtcclient.Media) bool { return !m.First().IsZero() }); err != nil {
			return err
		}
		c.took = append(c.took, float64(m.First().Sub(start).Microseconds())/1000)
	}
	return nil
}

func (c *people) received() (n int) {
	for _, m := range c.list {
		for _, v := range m.Summary() {
			n += v
		}
	}
	return n
}

func (c *people) delays() []float64   { return c.times((*rtcclient.Media).Delays) }
func (c *people) arrivals() []float64 { return c.times((*rtcclient.Media).Arrivals) }

func (c *people) times(of func(*rtcclient.Media) []time.Duration) (out []float64) {
	for _, m := range c.list {
		for _, d := range of(m) {
			out = append(out, float64(d.Microseconds())/1000)
		}
	}
	return out
}

func (c *people) joins() []float64 { return c.took }

func (c *people) leave() {
	for i, m := range c.list {
		c.stops[i]()
		_ = m.Close()
	}
}
