package handshake

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"go.uber.org/goleak"
	"visavis/sfu/session"
	"visavis/sfu/srtp"
)

// dial makes a client whose datagrams go to c and back over a real socket pair.
func dial(t *testing.T, s *Server, print func(tls.Certificate) session.Fingerprint, profiles ...dtls.SRTPProtectionProfile) (*Conn, *dtls.Conn) {
	t.Helper()
	cert, err := selfsign.GenerateSelfSigned()
	if err != nil {
		t.Fatal(err)
	}
	a, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	b, err := net.DialUDP("udp4", nil, a.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close(); _ = b.Close() })
	c := s.Conn(print(cert), func(p []byte) { _, _ = b.Write(p) })
	go func() {
		buf := make([]byte, 2000)
		for {
			n, err := b.Read(buf)
			if err != nil {
				return
			}
			if Is(buf[:n]) {
				c.Feed(buf[:n])
			}
		}
	}()
	client, err := dtls.ClientWithOptions(a, b.LocalAddr(), dtls.WithCertificates(cert), dtls.WithSRTPProtectionProfiles(profiles...), dtls.WithInsecureSkipVerify(true),
		dtls.WithVerifyPeerCertificate(func(raw [][]byte, _ [][]*x509.Certificate) error {
			if sum(0, raw[0]) != s.Fingerprint() {
				return errors.New("not the server's certificate")
			}
			return nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	return c, client
}

func right(c tls.Certificate) session.Fingerprint {
	return session.Fingerprint{Hash: "sha-256", Sum: sum(0, c.Certificate[0])}
}

func TestKeysAndEnd(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	s, err := NewServer(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func(*Conn, *dtls.Conn){
		"the client ends": func(_ *Conn, d *dtls.Conn) { _ = d.Close() },
		"the server ends": func(c *Conn, _ *dtls.Conn) { c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			c, client := dial(t, s, right, dtls.SRTP_AES128_CM_HMAC_SHA1_80, dtls.SRTP_AEAD_AES_128_GCM)
			keys, done := make(chan *srtp.Session, 1), make(chan error, 1)
			go func() { done <- c.Run(5*time.Second, func(k *srtp.Session) { keys <- k }) }()
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			if err := client.HandshakeContext(ctx); err != nil {
				t.Fatal(err)
			}
			<-keys
			if p, _ := client.SelectedSRTPProtectionProfile(); p != dtls.SRTP_AEAD_AES_128_GCM {
				t.Errorf("profile %v, want GCM though the client likes it less", p)
			}
			end(c, client)
			if err := <-done; err != nil {
				t.Error(err)
			}
			_ = client.Close()
		})
	}
	goleak.VerifyNone(t, leaks)
}

func TestAnotherCertificateIsRefused(t *testing.T) {
	s, _ := NewServer(slog.New(slog.DiscardHandler))
	for name, print := range map[string]session.Fingerprint{
		"another": {Hash: "sha-256", Sum: "AA:BB"}, "none": {}, "a weak hash": {Hash: "md5", Sum: "AA"},
	} {
		c, client := dial(t, s, func(tls.Certificate) session.Fingerprint { return print }, dtls.SRTP_AEAD_AES_128_GCM)
		done := make(chan error, 1)
		go func() {
			done <- c.Run(5*time.Second, func(*srtp.Session) { t.Errorf("%s: keys were given", name) })
		}()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		_ = client.HandshakeContext(ctx)
		cancel()
		if err := <-done; err == nil {
			t.Errorf("%s: taken", name)
		}
		_ = client.Close()
	}
}

func TestSilenceEnds(t *testing.T) {
	s, _ := NewServer(slog.New(slog.DiscardHandler))
	c := s.Conn(session.Fingerprint{}, func([]byte) {})
	c.Feed([]byte{22, 1, 2, 3})
	if err := c.Run(50*time.Millisecond, nil); err == nil {
		t.Error("a handshake with nobody")
	}
}
