package signaling_test

import (
	"context"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"visavis/internal/testkit"
	"visavis/internal/testkit/chaosproxy"
	"visavis/signaling/local"
)

// A browser on a bad network meets one on a good one (trust.md M2, M3, M5): the
// patient's datagrams pass the proxy, the doctor's the relay. It is of the tier
// of the night: WEATHER=30s says how long each kind of weather lasts, and only a
// machine with nothing else to do can tell.
func TestABrowserOnABadNetwork(t *testing.T) {
	last, err := time.ParseDuration(os.Getenv("WEATHER"))
	if err != nil {
		t.Skip("of the night: WEATHER=30s")
	}
	path, script := browser(t), bundle(t)
	port := freeUDP(t)
	front, back := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), port), netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)
	c := openWith(t, testkit.NewHouse(t, testkit.OpenSQLite(t)), func(cfg *local.Config) {
		cfg.SFU.UDP, cfg.SFU.Public = []netip.AddrPort{back}, []netip.Addr{front.Addr()}
	})
	proxy, err := chaosproxy.Open(front, back)
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute+6*last)
	defer cancel()
	s := &stage{last: map[string]report{}, raw: map[string]string{}, change: make(chan struct{})}
	srv := s.serve(c, script)
	base := strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
	c.svc.Origins = append(c.svc.Origins, base)
	visit(t, ctx, path, base+"/page?who=patient&e="+string(c.enc))
	s.until(t, "patient", "waiting", func(r report) bool { return r.State == "waiting" })
	visit(t, ctx, path, base+"/page?who=doctor&relay&e="+string(c.enc))
	for _, who := range []string{"patient", "doctor"} {
		s.until(t, who, "seen and heard", func(r report) bool {
			return r.inCall() && r.Received.Frames > 60 && r.Received.Samples > 96_000
		})
	}
	for _, x := range []struct {
		name      string
		weather   chaosproxy.Weather
		concealed float64 // share of the sound that is made up
		freeze    time.Duration
	}{
		{"a fifth lost", chaosproxy.Weather{Loss: 0.2}, 0.05, 2 * time.Second},
		{"a tenth lost in bursts of three", chaosproxy.Weather{Loss: 0.1, Burst: 3}, 0.05, 2 * time.Second},
		{"100 ms and up to 80 more, one in a hundred twice", chaosproxy.Weather{Delay: 20 * time.Millisecond, Jitter: 80 * time.Millisecond, Twice: 0.01}, 0.05, 2 * time.Second},
	} {
		proxy.Set(x.weather)
		seen := s.watch(t, []string{"patient", "doctor"}, last)
		proxy.Set(chaosproxy.Weather{})
		for who, w := range seen {
			share := float64(w.concealed) / float64(max(1, w.samples))
			t.Logf("%s, %s: %.2f %% of the sound made up, longest still picture %s, %d pictures, %d key frames asked", x.name, who, 100*share, w.still.Round(10*time.Millisecond), w.frames, w.plis)
			if share > x.concealed {
				t.Errorf("%s, %s: %.1f %% of the sound is made up, want %.0f %% at most", x.name, who, 100*share, 100*x.concealed)
			}
			if w.still > x.freeze {
				t.Errorf("%s, %s: the picture stood still for %s, want %s at most", x.name, who, w.still, x.freeze)
			}
		}
	}
	proxy.Set(chaosproxy.Weather{Loss: 1}) // a hole of five seconds
	s.watch(t, []string{"patient"}, 5*time.Second)
	proxy.Set(chaosproxy.Weather{})
	back2 := time.Now()
	frames := s.frames("patient")
	s.until(t, "patient", "seeing again after a hole", func(r report) bool { return r.Received.Frames > frames+5 })
	took := time.Since(back2)
	t.Logf("after a hole of 5 s: pictures again in %s", took.Round(10*time.Millisecond))
	if took > 2500*time.Millisecond { // 2 s, and the page reports four times a second
		t.Errorf("pictures again after %s, want 2 s", took)
	}
}

// watched is what one receiver saw for a while.
type watched struct {
	samples, concealed, frames, plis int
	still                            time.Duration
}

// watch follows the reports of pages for so long.
func (s *stage) watch(t *testing.T, who []string, d time.Duration) map[string]*watched {
	t.Helper()
	seen, begin, moved := map[string]*watched{}, map[string]report{}, map[string]time.Time{}
	s.mu.Lock()
	for _, w := range who {
		seen[w], begin[w], moved[w] = &watched{}, s.last[w], time.Now()
	}
	s.mu.Unlock()
	end := time.After(d)
	for {
		s.mu.Lock()
		change := s.change
		for _, name := range who {
			w, first, r := seen[name], begin[name].Received, s.last[name].Received
			if n := r.Frames - first.Frames; n != w.frames {
				w.frames, moved[name] = n, time.Now()
			}
			w.still = max(w.still, time.Since(moved[name]))
			w.samples, w.concealed, w.plis = r.Samples-first.Samples, r.Concealed-first.Concealed, r.PLIs-first.PLIs
		}
		s.mu.Unlock()
		select {
		case <-change:
		case <-end:
			return seen
		}
	}
}

func (s *stage) frames(who string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last[who].Received.Frames
}

func freeUDP(t *testing.T) uint16 {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return uint16(c.LocalAddr().(*net.UDPAddr).Port)
}
