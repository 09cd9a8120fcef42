//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"visavis/bench/light"
)

// crowd is the people of the rooms, at one server.
type crowd struct {
	engine *light.Engine
	base   string
	floor  bool
	list   []*light.Client
	took   []float64 // joins, ms
}

func (c *crowd) fill(ctx context.Context, rooms, size int) error {
	for r := range rooms {
		for p := range size {
			if err := c.join(ctx, fmt.Sprintf("r%d", r), fmt.Sprintf("p%d", p), size-1, p > 0); err != nil {
				return err
			}
		}
	}
	for _, m := range c.list {
		if err := m.Until(ctx, true); err != nil {
			return err
		}
	}
	return nil
}

// join counts from the offer to the first packet of media, for those who find
// somebody there.
func (c *crowd) join(ctx context.Context, room, name string, slots int, awaited bool) error {
	m, err := c.engine.New(room+"/"+name, 2*slots)
	if err != nil {
		return err
	}
	c.list = append(c.list, m)
	start := time.Now()
	if c.floor {
		to, err := net.ResolveUDPAddr("udp4", c.base)
		if err != nil {
			return err
		}
		return m.Floor(to, []byte(room), sameKeys{})
	}
	body, err := json.Marshal(map[string]string{"room": room, "peer": name, "sdp": m.Offer(slots)})
	if err != nil {
		return err
	}
	resp, err := http.Post(c.base+"/offer", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("offer: %d %s %w", resp.StatusCode, answer, err)
	}
	if err := m.Answer(ctx, string(answer)); err != nil || !awaited {
		return err
	}
	if err := m.Until(ctx, false); err != nil {
		return err
	}
	c.took = append(c.took, float64(m.First().Sub(start).Microseconds())/1000)
	return nil
}

func (c *crowd) received() (n int) {
	for _, m := range c.list {
		n += m.Packets()
	}
	return n
}

func (c *crowd) leave() {
	for _, m := range c.list {
		m.Close()
	}
}
