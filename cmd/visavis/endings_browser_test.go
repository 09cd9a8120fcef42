package main

import (
	"context"
	"time"

	"visavis/internal/testkit/rtcclient"
)

// measures reports what a seat receives every two seconds, as web/rtc does: a picture
// that stands still is counted when its next frame comes, on purpose or not; the word
// follows the pictures that the room lets it expect.
func (c *call) measures(seat int) {
	cl, f := c.seats[seat], c.flows[seat]
	ctx, cancel := context.WithCancel(c.ctx)
	done := make(chan struct{})
	c.t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		b := browser{began: time.Now(), moved: time.Now()}
		for tick := time.NewTicker(100 * time.Millisecond); ; {
			select {
			case <-tick.C:
			case <-ctx.Done():
				tick.Stop()
				return
			}
			b.look(f.Media, time.Now())
			if time.Since(b.began) >= 2*time.Second {
				if _, err := cl.Send("quality", b.report(expectsPicture(cl), time.Now())); err != nil {
					tick.Stop()
					return
				}
			}
		}
	}()
}

// browser counts the pictures of one connection.
type browser struct {
	began, moved   time.Time // of the window; the last frame
	pictures, last int       // packets of pictures so far, and at the beginning of the window
	freezes        int
	frozen         time.Duration
}

func (b *browser) look(m *rtcclient.Media, now time.Time) {
	had := b.pictures
	b.pictures = 0
	for mid := range m.Summary() {
		if got := m.Got(mid); got.Packets > 0 && got.Bytes/got.Packets > 500 {
			b.pictures += got.Packets
		}
	}
	if b.pictures == had {
		return
	}
	if stood := now.Sub(b.moved); had > 0 && stood > 500*time.Millisecond {
		b.freezes, b.frozen = b.freezes+1, b.frozen+stood
	}
	b.moved = now
}

// report closes the window.
func (b *browser) report(expects bool, now time.Time) map[string]any {
	long := now.Sub(b.began)
	word := "good"
	switch {
	case expects && b.pictures > 0 && now.Sub(b.moved) > 1500*time.Millisecond:
		word = "audio-only"
	case b.frozen > long/2:
		word = "weak"
	}
	out := map[string]any{
		"word": word, "ms": long.Milliseconds(), "rttMs": 5, "upKbps": 750, "downKbps": 30 + 8*(b.pictures-b.last)/int(1+long.Seconds()),
		"upLoss": 0, "downLoss": 0, "freezes": b.freezes, "freezeMs": b.frozen.Milliseconds(), "pair": "udp",
	}
	*b = browser{began: now, moved: b.moved, pictures: b.pictures, last: b.pictures}
	return out
}

// expectsPicture tells whether somebody else's picture should come (web/rtc/call.ts).
func expectsPicture(cl *rtcclient.Client) bool {
	rooms := cl.All("room")
	if len(rooms) == 0 {
		return false
	}
	for _, s := range rooms[len(rooms)-1].List("seats") {
		if s.Str("seat") != cl.Seat && s["online"] == true && s["camera"] == true && s.Str("link") == "up" && s["held"] != true {
			return true
		}
	}
	return false
}

// stopsFor stops something for four seconds, longer than a browser takes to notice,
// and lets the pictures go on until both sides have reported it, and that all is well
// again: what a client reports of the last five seconds may be only the hang-up.
func (c *call) stopsFor(stop, again func()) {
	stop()
	c.pause(4 * time.Second)
	again()
	c.pause(8 * time.Second)
}

func (c *call) camera(seat int, on bool) {
	c.sends(seat, "mute", map[string]any{"mic": true, "camera": on})
}

func (c *call) hold(seats ...string) {
	c.sends(0, "hold", map[string]any{"seats": append([]string{}, seats...)})
}

// looks sets the height at which a seat shows every picture.
func (c *call) looks(seat, height int) {
	slots := []map[string]any{}
	list := c.seats[seat].All("slots")
	for _, x := range list[len(list)-1].List("slots") {
		if x.Str("kind") == "video" {
			slots = append(slots, map[string]any{"mid": x.Str("mid"), "height": height})
		}
	}
	c.sends(seat, "view", map[string]any{"pc": 1, "slots": slots})
}
