package signaling_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"visavis/internal/httpx"
	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
	"visavis/signaling/local"
)

// report is what a page says of itself.
type report struct {
	State, Cause string
	Cipher       string
	Shaken       string
	Target       float64
	Remote       [][]string
	Speaking     int
	Level        float64
	Received     struct{ Samples, Concealed, Frames, PLIs int }
	Facts        struct {
		FramesDecoded, FramesSent            int
		AudioEnergyReceived, AudioEnergySent float64
		Path                                 *struct {
			Protocol string
			Relayed  bool
		}
	}
}

// inCall: with pictures and sound, however good they are.
func (r report) inCall() bool { return r.State == "live" || r.State == "weak" }

// stage serves the test's page before the real server, so that both have one
// origin, and keeps what the pages report.
type stage struct {
	mu     sync.Mutex
	last   map[string]report
	raw    map[string]string
	change chan struct{}
}

func (s *stage) serve(c *clinic, script []byte) *httptest.Server {
	target, err := url.Parse(c.web.URL(""))
	if err != nil {
		c.t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", httputil.NewSingleHostReverseProxy(target))
	mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
		k := httpx.SessionCookie(r.URL.Query().Get("who"))
		http.SetCookie(w, &k)
		fmt.Fprint(w, `<!doctype html><body><script type="module" src="/page.js"></script>`)
	})
	mux.HandleFunc("/page.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = w.Write(script)
	})
	mux.HandleFunc("/report", func(_ http.ResponseWriter, r *http.Request) {
		var rep report
		var raw strings.Builder
		b := json.NewDecoder(r.Body)
		var any json.RawMessage
		if b.Decode(&any) == nil && json.Unmarshal(any, &rep) == nil {
			raw.Write(any)
			s.mu.Lock()
			s.last[r.URL.Query().Get("who")], s.raw[r.URL.Query().Get("who")] = rep, raw.String()
			close(s.change)
			s.change = make(chan struct{})
			s.mu.Unlock()
		}
	})
	srv := httptest.NewServer(mux)
	c.t.Cleanup(srv.Close)
	return srv
}

func (s *stage) until(t *testing.T, who, what string, ok func(report) bool) {
	t.Helper()
	late := time.After(45 * time.Second)
	for {
		s.mu.Lock()
		r, raw, change := s.last[who], s.raw[who], s.change
		s.mu.Unlock()
		if ok(r) {
			return
		}
		select {
		case <-change:
		case <-late:
			t.Fatalf("%s: not %s, said %s", who, what, raw)
		}
	}
}

func browser(t *testing.T) string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("chromium is not installed: apt-get install chromium")
	}
	t.Skip("SKIPPED, NOT TESTED: chromium is not installed: apt-get install chromium")
	return ""
}

func bundle(t *testing.T) []byte {
	t.Helper()
	tool := filepath.Join("..", "web", "node_modules", ".bin", "esbuild")
	if _, err := os.Stat(tool); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("web/node_modules is not there: npm ci in web/")
		}
		t.Skip("SKIPPED, NOT TESTED: web/node_modules is not there: npm ci in web/")
	}
	out, err := exec.Command(tool, "testdata/page.ts", "--bundle", "--format=esm", "--target=es2022").Output()
	if err != nil {
		t.Fatalf("esbuild: %v", err)
	}
	return out
}

func visit(t *testing.T, ctx context.Context, path, page string) {
	t.Helper()
	cmd := exec.CommandContext(ctx, path, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
		"--user-data-dir="+t.TempDir(), "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required",
		"--disable-dev-shm-usage", page)
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
}

// The engine of web/rtc in two real browsers, through the real server.
func TestTwoBrowsersMeet(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: not in -short")
	}
	path, script := browser(t), bundle(t)
	for name, way := range map[string]struct {
		query    string
		relayed  bool
		protocol string
		change   func(*local.Config)
	}{
		"direct": {"&shake", false, "udp", nil},
		// Chromium stops looking for relays as soon as one works: one kind at a time.
		"relayed over UDP": {"&relay", true, "udp", func(c *local.Config) { c.TURN.TCP = nil }},
		"relayed over TCP": {"&relay", true, "tcp", func(c *local.Config) { c.TURN.UDP = nil }},
	} {
		t.Run(name, func(t *testing.T) {
			c := openWith(t, testkit.NewHouse(t, testkit.OpenSQLite(t)), way.change)
			ctx, cancel := context.WithCancel(c.ctx)
			defer cancel()
			s := &stage{last: map[string]report{}, raw: map[string]string{}, change: make(chan struct{})}
			srv := s.serve(c, script)
			base := strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
			c.svc.Origins = append(c.svc.Origins, base)
			page := func(who, more string) string { return base + "/page?who=" + who + "&e=" + string(c.enc) + more }
			visit(t, ctx, path, page("patient", way.query))
			s.until(t, "patient", "waiting", func(r report) bool { return r.State == "waiting" })
			visit(t, ctx, path, page("doctor", strings.TrimSuffix(way.query, "&shake")))
			for _, who := range []string{"patient", "doctor"} {
				s.until(t, who, "seen and heard", func(r report) bool {
					return r.inCall() && r.Facts.FramesDecoded > 30 && r.Facts.FramesSent > 30 &&
						r.Facts.AudioEnergyReceived > 0 && r.Facts.AudioEnergySent > 0 && len(r.Remote) == 1 && len(r.Remote[0]) == 3
				})
				s.until(t, who, "with the cheap cipher (media.md §1)", func(r report) bool { return r.Cipher == "SRTP_AEAD_AES_128_GCM" })
				s.until(t, who, "on the way asked for", func(r report) bool {
					return r.Facts.Path != nil && r.Facts.Path.Relayed == way.relayed && r.Facts.Path.Protocol == way.protocol
				})
			}
			if way.query == "&shake" {
				s.shaken(t)
			}
		})
	}
}

// A browser that sends its picture in layers is not asked to make it smaller for
// one who loses packets: that one gets a smaller layer, everybody else what they had.
func TestAWeakLinkCostsNoOtherBrowserThePicture(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: not in -short")
	}
	path, script := browser(t), bundle(t)
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	s := &stage{last: map[string]report{}, raw: map[string]string{}, change: make(chan struct{})}
	srv := s.serve(c, script)
	base := strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
	c.svc.Origins = append(c.svc.Origins, base)
	doctor, _ := c.enter("doctor", "d")
	visit(t, ctx, path, base+"/page?who=patient&e="+string(c.enc))
	room := c.wait(doctor, "room", func(m rtcclient.Msg) bool { return len(m.List("seats")) == 2 })
	for _, seat := range room.List("seats") {
		if seat.Str("state") == "waiting" {
			c.send(doctor, "admit", map[string]any{"seat": seat.Str("seat")})
		}
	}
	dm := c.join(doctor, 1)
	c.flows(dm, 300)
	s.until(t, "patient", "at full rate", func(r report) bool { return r.Target > 900_000 })
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for range 30 { // six seconds of two fifths lost: a ceiling would be at a quarter by then
		if err := dm.Complain(102); err != nil {
			t.Fatal(err)
		}
		<-tick.C
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.last["patient"]; r.Target < 700_000 {
		t.Errorf("the browser makes a picture of %.0f bit/s, want what it made before", r.Target)
	}
}

// shaken: after an ICE restart and a camera that was off, pictures flow again.
func (s *stage) shaken(t *testing.T) {
	t.Helper()
	s.until(t, "patient", "through an ICE restart and a camera off and on", func(r report) bool { return r.Shaken == "done" && r.inCall() })
	s.mu.Lock()
	seen, sent := s.last["doctor"].Facts.FramesDecoded, s.last["patient"].Facts.FramesDecoded
	s.mu.Unlock()
	s.until(t, "doctor", "seeing the patient again", func(r report) bool { return r.Facts.FramesDecoded > seen+60 })
	s.until(t, "patient", "seeing the doctor still", func(r report) bool { return r.Facts.FramesDecoded > sent+60 })
}
