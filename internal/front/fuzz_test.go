package front

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"visavis/internal/testkit"
)

// FuzzFirstBytes sends bytes over TLS, cut somewhere. Nothing is lost, doubled
// or mistaken, whatever comes first.
func FuzzFirstBytes(f *testing.F) {
	cert, key := testkit.Certificate(f, f.TempDir(), 1)
	p, err := openPair(cert, key, "", slog.New(slog.DiscardHandler))
	if err != nil {
		f.Fatal(err)
	}
	door := &Front{cfg: Config{handshake: 10 * time.Second, first: 10 * time.Second}, tls: &tls.Config{GetCertificate: p.get, MinVersion: tls.VersionTLS12}}
	client := &tls.Config{InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(1), ServerName: "localhost"} //nolint:gosec // as above
	f.Add(binding(), uint8(1))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), uint8(3))
	f.Add([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), uint8(0))
	f.Add([]byte{0x40, 0, 0, 4, 1, 2, 3, 4}, uint8(4))
	f.Add([]byte{0x16, 3, 1, 2, 0, 1, 0, 1}, uint8(5))
	f.Add([]byte{}, uint8(0))
	f.Fuzz(func(t *testing.T, b []byte, cut uint8) {
		here, there := net.Pipe()
		defer here.Close()
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			c := tls.Client(there, client)
			at := min(int(cut), len(b))
			for _, part := range [][]byte{b[:at], b[at:]} {
				if len(part) > 0 {
					if _, err := c.Write(part); err != nil {
						break
					}
				}
			}
			if c.Handshake() == nil {
				_ = c.CloseWrite()
			}
			_, _ = io.Copy(io.Discard, there)
		}()
		c, k, err := door.meet(here)
		want := judge(b[:min(len(b), enough)])
		if want == web || want == relay {
			if err != nil || k != want {
				t.Fatalf("%x: kind %d %v, want %d", b, k, err, want)
			}
			got, err := io.ReadAll(c)
			if err != nil || !bytes.Equal(got, b) {
				t.Fatalf("%x became %x: %v", b, got, err)
			}
		} else if err == nil {
			t.Fatalf("%x was let in", b)
		}
		_ = here.Close()
		<-sent
	})
}
