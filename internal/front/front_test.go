package front

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"visavis/internal/testkit"
)

// stand opens a front that serves HTTP and echoes TURN.
func stand(t *testing.T, change func(*Config)) *Front {
	t.Helper()
	leaks := goleak.IgnoreCurrent()
	cfg := Config{Listen: "127.0.0.1:0", Host: "localhost", Log: slog.New(slog.DiscardHandler)}
	cfg.Cert, cfg.Key = testkit.Certificate(t, t.TempDir(), 1)
	if change != nil {
		change(&cfg)
	}
	f, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var speaks http.Protocols
	speaks.SetHTTP1(true)
	speaks.SetUnencryptedHTTP2(true)
	server := &http.Server{Protocols: &speaks, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Proto, " ", r.RemoteAddr)
	})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(f.Web()) }()
	echoed := make(chan struct{})
	go func() {
		defer close(echoed)
		for {
			c, err := f.Relay().Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); _, _ = io.Copy(c, c) }()
		}
	}()
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		<-echoed
		if err := <-served; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		_ = server.Close()
		goleak.VerifyNone(t, leaks, goleak.IgnoreTopFunction("net/http.(*http2clientConnReadLoop).run"))
	})
	return f
}

func dial(t testing.TB, f *Front, protocols ...string) *tls.Conn {
	t.Helper()
	c, err := tls.Dial("tcp", f.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: protocols}) //nolint:gosec // a test's own certificate
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// binding is a STUN Binding request.
func binding() []byte {
	return append([]byte{0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42}, "transaction."...)
}

// shut says whether the server closes the connection within a while.
func shut(c net.Conn, while time.Duration) bool {
	_ = c.SetReadDeadline(time.Now().Add(while))
	_, err := c.Read(make([]byte, 1))
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

func TestOneAddressServesHTTPSAndTURN(t *testing.T) {
	f := stand(t, nil)
	for name, forced := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: forced} //nolint:gosec // as above
		resp, err := (&http.Client{Transport: transport}).Get("https://" + f.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		transport.CloseIdleConnections()
		if err != nil || !strings.HasPrefix(string(body), name+" 127.0.0.1:") {
			t.Errorf("%s: %q %v", name, body, err)
		}
	}
	for _, protocols := range [][]string{nil, {"stun.turn"}, {"http/1.1"}} {
		c := dial(t, f, protocols...)
		if want := strings.Join(protocols, ""); c.ConnectionState().NegotiatedProtocol != want {
			t.Errorf("negotiated %q, want %q", c.ConnectionState().NegotiatedProtocol, want)
		}
		b := binding()
		for i := range b { // cut anywhere
			if _, err := c.Write(b[i : i+1]); err != nil {
				t.Fatal(err)
			}
		}
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		got := make([]byte, len(b))
		if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, b) {
			t.Errorf("%v: came back %x %v", protocols, got, err)
		}
	}
}

func TestWhatIsNeitherIsClosed(t *testing.T) {
	f := stand(t, nil)
	for name, b := range map[string]string{
		"STUN without the cookie": "\x00\x01\x00\x00\x21\x12\xa4\x43",
		"TLS in TLS":              "\x16\x03\x01\x02\x00\x01\x00\x01",
		"RTP":                     "\x80\x60",
		"ChannelData":             "\xc0\x01",
		"nothing but zeros":       "\x00\x00\x00\x00\x00\x00\x00\x00",
	} {
		c := dial(t, f)
		if _, err := c.Write([]byte(b)); err != nil {
			t.Fatal(err)
		}
		if !shut(c, 5*time.Second) {
			t.Errorf("%s: still open", name)
		}
	}
}

func TestWhoSaysNothingIsClosed(t *testing.T) {
	f := stand(t, func(c *Config) { c.handshake, c.first = 50*time.Millisecond, 50*time.Millisecond })
	raw, err := net.Dial("tcp", f.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if !shut(raw, 5*time.Second) {
		t.Error("open without a handshake")
	}
	c := dial(t, f)
	if !shut(c, 5*time.Second) {
		t.Error("open without first bytes")
	}
	half := dial(t, f)
	if _, err := half.Write(binding()[:7]); err != nil {
		t.Fatal(err)
	}
	if !shut(half, 5*time.Second) {
		t.Error("open with seven bytes")
	}
	// Who has said what it is may be silent as long as its owner lets it.
	known := dial(t, f)
	if _, err := known.Write(binding()); err != nil {
		t.Fatal(err)
	}
	_, _ = io.ReadFull(known, make([]byte, len(binding())))
	if shut(known, 150*time.Millisecond) {
		t.Error("a known stream was closed by the deadline of strangers")
	}
}

func TestOneHostHasSoManyHalfOpen(t *testing.T) {
	f := stand(t, func(c *Config) { c.perHost, c.all = 5, 100 })
	var raw []net.Conn
	for range 8 {
		c, err := net.Dial("tcp", f.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		raw = append(raw, c)
	}
	refused := 0
	for _, c := range raw {
		if shut(c, 100*time.Millisecond) {
			refused++
		}
	}
	if refused != 3 {
		t.Errorf("%d of 8 were refused, want 3", refused)
	}
	for _, c := range raw {
		_ = c.Close()
	}
	late := time.Now().Add(5 * time.Second)
	for { // their places are free again
		c, err := tls.Dial("tcp", f.Addr().String(), &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // as above
		if err == nil {
			_ = c.Close()
			return
		}
		if time.Now().After(late) {
			t.Fatal("the places of closed connections are not given back")
		}
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	f := stand(t, nil)
	_, err := tls.Dial("tcp", f.Addr().String(), &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}) //nolint:gosec // what is refused
	if err == nil {
		t.Error("TLS 1.1 was accepted")
	}
}

func TestTheCertificateChangesUnderOpenConnections(t *testing.T) {
	dir := t.TempDir()
	f := stand(t, func(c *Config) { c.Cert, c.Key = testkit.Certificate(t, dir, 1) })
	old := dial(t, f)
	if _, err := old.Write(binding()); err != nil {
		t.Fatal(err)
	}
	serial := func() int64 {
		c := dial(t, f)
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	until := func(want int64) {
		t.Helper()
		for late := time.Now().Add(10 * time.Second); serial() != want; {
			if time.Now().After(late) {
				t.Fatalf("serial %d, want %d", serial(), want)
			}
		}
	}
	until(1)
	testkit.Certificate(t, dir, 22)
	until(22)
	// Half of the next pair: the last right one stays.
	key, err := os.ReadFile(f.cfg.Key)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Certificate(t, dir, 333)
	if err := os.WriteFile(f.cfg.Key, append(key, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(1200 * time.Millisecond); time.Now().Before(end); {
		if n := serial(); n != 22 {
			t.Fatalf("serial %d with a key that is not its own", n)
		}
	}
	_ = old.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.ReadFull(old, make([]byte, len(binding()))); err != nil {
		t.Errorf("the old connection: %v", err)
	}
}

func TestWrongFilesAreRefusedByName(t *testing.T) {
	cert, key := testkit.Certificate(t, t.TempDir(), 1)
	_, other := testkit.Certificate(t, t.TempDir(), 2)
	junk := filepath.Join(t.TempDir(), "junk")
	if err := os.WriteFile(junk, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ cert, key, host, listen, want string }{
		"no certificate":     {"/nowhere", key, "", "127.0.0.1:0", "VISAVIS_TLS_CERT"},
		"no key":             {cert, "/nowhere", "", "127.0.0.1:0", "VISAVIS_TLS_KEY"},
		"no PEM":             {junk, key, "", "127.0.0.1:0", "VISAVIS_TLS_CERT"},
		"another's key":      {cert, other, "", "127.0.0.1:0", "VISAVIS_TLS_KEY"},
		"another host":       {cert, key, "visavis.example", "127.0.0.1:0", "VISAVIS_TLS_CERT"},
		"an address of none": {cert, key, "localhost", "nowhere", "VISAVIS_TLS_LISTEN"},
	} {
		f, err := Open(Config{Listen: tc.listen, Cert: tc.cert, Key: tc.key, Host: tc.host, Log: slog.New(slog.DiscardHandler)})
		if err == nil {
			_ = f.Close()
			t.Errorf("%s: accepted", name)
		} else if !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v does not name %s", name, err, tc.want)
		}
	}
}

func TestHostsAreCountedByNetwork(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.7:1": "192.0.2.7/32", "[::ffff:192.0.2.7]:1": "192.0.2.7/32", "[2001:db8::1:2:3:4]:1": "2001:db8::/64",
	} {
		if got := hostOf(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(text))); got.String() != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
