package signaling_test

import (
	"context"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"visavis/internal/testkit"
	"visavis/signaling/local"
)

// firefoxProfile gives Firefox a camera and microphone of its own, without a
// question, and keeps it from calling anybody but the test.
const firefoxProfile = `
user_pref("media.navigator.streams.fake", true);
user_pref("media.navigator.permission.disabled", true);
user_pref("media.autoplay.default", 0);
user_pref("media.autoplay.blocking_policy", 0);
user_pref("media.gmp-manager.updateEnabled", false);
user_pref("app.normandy.enabled", false);
user_pref("app.update.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("datareporting.policy.firstRunURL", "");
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "data:,");
user_pref("toolkit.telemetry.enabled", false);
user_pref("trailhead.firstrun.didSeeAboutWelcome", true);
`

func firefox(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"firefox-esr", "firefox"} {
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("firefox is not installed: apt-get install firefox-esr")
	}
	t.Skip("SKIPPED, NOT TESTED: no firefox: apt-get install firefox-esr")
	return ""
}

// visitFirefox is visit in Firefox.
func visitFirefox(t *testing.T, ctx context.Context, path, page string) {
	t.Helper()
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "user.js"), []byte(firefoxProfile), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, path, "--headless", "--no-remote", "--profile", home, page)
	cmd.Env = append(os.Environ(), "HOME="+home, "MOZ_HEADLESS=1", "MOZ_CRASHREPORTER_DISABLE=1")
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
}

// outward is an address of this machine that is not the loopback: Firefox
// pairs no other with one of the network.
func outward(t *testing.T) netip.Addr {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && !p.Addr().IsLoopback() && !p.Addr().IsLinkLocalUnicast() {
			return p.Addr()
		}
	}
	t.Skip("SKIPPED, NOT TESTED: this machine has no address but the loopback")
	return netip.Addr{}
}

// A patient in Firefox and a doctor in Chromium, through the real server:
// another engine of WebRTC, on the direct way and on the narrowest.
func TestFirefoxMeetsChromium(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: not in -short")
	}
	fox, path, script := firefox(t), browser(t), bundle(t)
	for name, way := range map[string]struct {
		query    string
		relayed  bool
		protocol string
		change   func(*local.Config)
	}{
		"direct":           {"&shake", false, "udp", func(*local.Config) {}},
		"relayed over TCP": {"&relay", true, "tcp", func(c *local.Config) { c.TURN.UDP = nil }},
	} {
		t.Run(name, func(t *testing.T) {
			c := openWith(t, testkit.NewHouse(t, testkit.OpenSQLite(t)), func(cfg *local.Config) {
				here := outward(t)
				at := []netip.AddrPort{netip.AddrPortFrom(here, 0)}
				cfg.SFU.UDP, cfg.TURN.UDP, cfg.TURN.TCP, cfg.Host = at, at, at, here.String()
				way.change(cfg)
			})
			ctx, cancel := context.WithCancel(c.ctx)
			defer cancel()
			s := &stage{last: map[string]report{}, raw: map[string]string{}, change: make(chan struct{})}
			srv := s.serve(c, script)
			base := strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
			c.svc.Origins = append(c.svc.Origins, base)
			page := func(who, more string) string { return base + "/page?who=" + who + "&e=" + string(c.enc) + more }
			visitFirefox(t, ctx, fox, page("patient", way.query))
			s.until(t, "patient", "waiting", func(r report) bool { return r.State == "waiting" })
			visit(t, ctx, path, page("doctor", ""))
			for _, who := range []string{"patient", "doctor"} {
				s.until(t, who, "seen and heard", func(r report) bool {
					return r.inCall() && r.Facts.FramesDecoded > 30 && r.Facts.FramesSent > 30 &&
						r.Facts.AudioEnergyReceived > 0 && len(r.Remote) == 1 && len(r.Remote[0]) == 3
				})
			}
			s.until(t, "patient", "on the way asked for", func(r report) bool {
				return r.Facts.Path != nil && r.Facts.Path.Relayed == way.relayed && r.Facts.Path.Protocol == way.protocol
			})
			s.until(t, "patient", "with the cheap cipher (media.md §1)", func(r report) bool { return r.Cipher == "SRTP_AEAD_AES_128_GCM" })
			if way.query == "&shake" {
				s.shaken(t)
			}
		})
	}
}
