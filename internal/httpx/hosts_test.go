package httpx_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"visavis/internal/clock"
	"visavis/internal/httpx"
	"visavis/internal/testkit"
)

// TestHosts_Served: which Host is served under which settings. What is not is
// answered 421, whatever the path, and the sentence names the public address.
func TestHosts_Served(t *testing.T) {
	type in struct {
		public string
		more   []string
	}
	clinic := in{public: "https://rdv.clinique.example"}
	port := in{public: "https://rdv.clinique.example:8443"}
	dev := in{public: "http://localhost:8080"}
	six := in{public: "https://[2001:db8::7]"}
	lan := in{"https://rdv.clinique.example", []string{"cabine.local", "192.168.1.10:8443", "test.local:*", "[fd00::1]:8443"}}
	for _, x := range []struct {
		in
		host, path string
		want       bool
	}{
		{clinic, "rdv.clinique.example", "/", true},
		{clinic, "RDV.Clinique.Example", "/api/me", true},
		{clinic, "rdv.clinique.example:443", "/", true},
		{clinic, "rdv.clinique.example:80", "/", false},
		{clinic, "rdv.clinique.example:8080", "/", false},
		{clinic, "rdv.clinique.example:", "/", false},
		{clinic, "rdv.clinique.example.", "/", false},
		{clinic, "rdv.clinique.example.evil.test", "/", false},
		{clinic, "evil.test", "/", false},
		{clinic, "evil.test", "/api/me", false},
		{clinic, "evil.test", "/assets/app.js", false},
		{clinic, "xrdv.clinique.example", "/", false},
		{clinic, "clinique.example", "/", false},
		{clinic, "rdv.clinique.example@evil.test", "/", false},
		{clinic, "evil.test:rdv.clinique.example", "/", false},
		{clinic, "rdv.clinique.example, evil.test", "/", false},
		{clinic, "rdv.clinique.example evil.test", "/", false},
		{clinic, "rdv.clinique.exampl\u00e9", "/", false},
		{clinic, "", "/", false},
		{clinic, "localhost", "/", false},
		{clinic, "127.0.0.1:8080", "/api/me", false},
		{clinic, "10.0.0.7:8080", "/api/me", false},
		{clinic, "10.0.0.7:8080", "/api/health/ready", true}, // a probe
		{clinic, "localhost:8080", "/api/health", true},
		{clinic, "[::1]:8080", "/api/health/live", true},
		{clinic, "", "/api/health", true}, // HTTP/1.0
		{clinic, "evil.test", "/api/health", false},
		{port, "rdv.clinique.example:8443", "/", true},
		{port, "rdv.clinique.example", "/", true}, // nginx's $host
		{port, "rdv.clinique.example:443", "/", false},
		{dev, "localhost:8080", "/", true},
		{dev, "127.0.0.1:8080", "/", true},
		{dev, "[::1]:8080", "/", true},
		{dev, "localhost:5173", "/", true},
		{dev, "evil.test:8080", "/", false},
		{dev, "localhost.evil.test:8080", "/", false},
		{dev, "192.168.1.10:8080", "/", false},
		{dev, "127.0.0.1.evil.test", "/", false},
		{six, "[2001:db8::7]", "/", true},
		{six, "[2001:db8::7]:443", "/", true},
		{six, "2001:db8::7", "/", true},
		{six, "[2001:db8::8]", "/", false},
		{lan, "cabine.local", "/", true},
		{lan, "cabine.local:443", "/", true},
		{lan, "cabine.local:8443", "/", false},
		{lan, "192.168.1.10:8443", "/", true},
		{lan, "192.168.1.10", "/", false},
		{lan, "test.local:9999", "/", true},
		{lan, "[fd00::1]:8443", "/", true},
		{lan, "rdv.clinique.example", "/", true},
		{lan, "evil.local", "/", false},
	} {
		s, err := httpx.New(httpx.Options{Clock: clock.System{}, Log: slog.New(slog.DiscardHandler), Sessions: testkit.Actors{}, PublicURL: x.public, Hosts: x.more})
		if err != nil {
			t.Fatal(err)
		}
		s.Fallback(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "the web app") })
		r := httptest.NewRequest(http.MethodGet, x.path, nil)
		r.Host = x.host
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if got := w.Code != http.StatusMisdirectedRequest; got != x.want {
			t.Errorf("%s with %q, Host %q, %s: %d", x.public, x.more, x.host, x.path, w.Code)
		}
		if !x.want && (!strings.Contains(w.Body.String(), x.public) || strings.Contains(w.Body.String(), "evil") || w.Header().Get("X-Content-Type-Options") == "") {
			t.Errorf("Host %q: %v %s", x.host, w.Header(), w.Body)
		}
	}
}

// TestHosts_OnTheWire: the forms in which a request names its host, before anything of it
// has an effect.
func TestHosts_OnTheWire(t *testing.T) {
	s, c := lite(t)
	for name, x := range map[string]struct {
		head string
		want string
	}{
		"ours":                      {"GET /api/query?day=2026-03-10 HTTP/1.1\r\nHost: visavis.test", "200"},
		"another":                   {"GET /api/query?day=2026-03-10 HTTP/1.1\r\nHost: evil.test", "421"},
		"none":                      {"GET /api/query?day=2026-03-10 HTTP/1.1", "400"},
		"none, HTTP/1.0":            {"GET /api/query?day=2026-03-10 HTTP/1.0", "421"},
		"two":                       {"GET /api/query?day=2026-03-10 HTTP/1.1\r\nHost: visavis.test\r\nHost: evil.test", "400"},
		"in the target":             {"GET http://evil.test/api/query?day=2026-03-10 HTTP/1.1\r\nHost: visavis.test", "421"},
		"ours in the target":        {"GET http://visavis.test/api/query?day=2026-03-10 HTTP/1.1\r\nHost: evil.test", "200"},
		"said by a proxy":           {"GET /api/query?day=2026-03-10 HTTP/1.1\r\nHost: evil.test\r\nX-Forwarded-Host: visavis.test\r\nForwarded: host=visavis.test", "421"},
		"a WebSocket":               {"GET /raw HTTP/1.1\r\nHost: evil.test\r\nOrigin: http://evil.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "421"},
		"an unsafe one, rebound":    {"POST /api/once HTTP/1.1\r\nHost: evil.test\r\nOrigin: http://evil.test\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\nCookie: __Host-visavis=doctor\r\nIdempotency-Key: 019cd6c2-8c00-7f4d-a2ef-2a0e76146549\r\nContent-Length: 13", "421"},
		"a path that ends in slash": {"GET /api/query/ HTTP/1.1\r\nHost: visavis.test\r\nX-Forwarded-Prefix: /evil.test", "404"},
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(c.URL(""), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(conn, "%s\r\n\r\n{\"name\":\"Jo\"}", x.head); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || !strings.HasPrefix(resp.Status, x.want) || strings.Contains(string(body)+fmt.Sprint(resp.Header), "evil.test") {
			t.Errorf("%s: %s %v %s %v", name, resp.Status, resp.Header, body, err)
		}
		_ = conn.Close()
	}
	if s.effects.Load() != 0 {
		t.Error("a request for another host had an effect")
	}
	if strings.Count(s.h.Logged.String(), "another host was refused") != 1 {
		t.Errorf("the log has not one line of the refusals:\n%s", s.h.Logged)
	}
}
