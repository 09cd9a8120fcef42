package turn_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"
	"visavis/internal/clock"
	"visavis/internal/front"
	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
	"visavis/sfu"
	"visavis/turn"
)

// pair is where the certificate of every test here lies. pion's clients believe
// the authorities of the system only, so it is made one of those.
const pair = "VISAVIS_TEST_PAIR"

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "turn")
		if err != nil {
			return 1
		}
		defer os.RemoveAll(dir)
		cert, _, err := testkit.WriteCertificate(dir, 1)
		if err = errors.Join(err, os.Setenv("SSL_CERT_FILE", cert), os.Setenv(pair, dir)); err != nil {
			return 1
		}
		return m.Run()
	}())
}

type fixture struct {
	t     *testing.T
	ctx   context.Context
	node  *sfu.Node
	turn  *turn.Server
	front *front.Front
	trust *tls.Config
	clock *clock.Fake
}

// transports are the ways to the server.
func transports() []string { return []string{"udp", "tcp", "tls"} }

func (f *fixture) dial(transport, from string) (net.Conn, error) {
	udp, tcp := f.turn.Addresses()
	switch transport {
	case "udp":
		var local net.Addr
		if from != "" {
			local = &net.UDPAddr{IP: net.ParseIP(from)}
		}
		return (&net.Dialer{LocalAddr: local}).Dial("udp", udp[0].String())
	case "tcp":
		return net.Dial("tcp", tcp[0].String())
	}
	return tls.Dial("tcp", f.front.Addr().String(), f.trust)
}

func open(t *testing.T) *fixture { return openWith(t, nil) }

func openWith(t *testing.T, change func(*turn.Config)) *fixture {
	t.Helper()
	leaks := goleak.IgnoreCurrent()
	any := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}
	node, err := sfu.Open(sfu.Config{UDP: any, Loopback: true, Events: func(sfu.Event) {}})
	if err != nil {
		t.Fatal(err)
	}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		t.Fatal(err)
	}
	door := front.Config{Listen: "127.0.0.1:0"}
	door.Cert, door.Key = filepath.Join(os.Getenv(pair), "cert.pem"), filepath.Join(os.Getenv(pair), "key.pem")
	secure, err := front.Open(door)
	if err != nil {
		t.Fatal(err)
	}
	clk := clock.NewFake(time.Now())
	cfg := turn.Config{UDP: any, TCP: any, Streams: []net.Listener{secure.Relay()}, Realm: "visavis.test", Keys: turn.Keys{key}, Door: node, Clock: clk}
	if change != nil {
		change(&cfg)
	}
	srv, err := turn.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(srv.Close(), secure.Close()); err != nil {
			t.Errorf("turn close: %v", err)
		}
		if err := node.Close(context.Background()); err != nil {
			t.Errorf("sfu close: %v", err)
		}
		goleak.VerifyNone(t, leaks)
	})
	trust := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // a test's own certificate
	return &fixture{t: t, ctx: ctx, node: node, turn: srv, front: secure, trust: trust, clock: clk}
}

func (f *fixture) servers(transport, who string) []webrtc.ICEServer {
	udp, tcp := f.turn.Addresses()
	url := map[string]string{
		"udp": "turn:" + udp[0].String() + "?transport=udp", "tcp": "turn:" + tcp[0].String() + "?transport=tcp",
		"tls": "turns:" + f.front.Addr().String() + "?transport=tcp",
	}[transport]
	c := f.turn.Issue(who)
	return []webrtc.ICEServer{{URLs: []string{url}, Username: c.Username, Credential: c.Password}}
}

func (f *fixture) join(name string, o rtcclient.Options) *rtcclient.Media {
	f.t.Helper()
	m, err := rtcclient.NewMedia(o)
	if err != nil {
		f.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(f.ctx)
	f.t.Cleanup(func() { cancel(); _ = m.Close() })
	text, err := m.Offer(f.ctx, false)
	if err != nil {
		f.t.Fatal(err)
	}
	answer, err := f.node.Offer(f.ctx, sfu.Offer{Room: "r", Peer: name, PC: 1, SDP: text})
	if err != nil {
		f.t.Fatal(err)
	}
	if err := m.Answer(answer); err != nil {
		f.t.Fatal(err)
	}
	f.node.Update("r", name, sfu.Sources{Mic: true, Camera: true})
	m.Pump(ctx, 20)
	return m
}

func TestARelayedCallOnEveryTransport(t *testing.T) {
	for _, transport := range transports() {
		t.Run(transport, func(t *testing.T) {
			f := open(t)
			talk := rtcclient.Options{Voice: true, Camera: true, Slots: 1}
			relayed := talk
			relayed.ICE, relayed.RelayOnly = f.servers(transport, "seat-1"), true
			a := f.join("a", relayed)
			talk.Loopback = true
			b := f.join("b", talk)
			for name, m := range map[string]*rtcclient.Media{"relayed": a, "direct": b} {
				if err := m.Until(f.ctx, func(m *rtcclient.Media) bool { return m.Got("2").Packets > 60 && m.Got("3").Packets > 120 }); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
			if g := a.Got("2"); g.Jumps > 0 {
				t.Errorf("relayed sound has %d breaks", g.Jumps)
			}
			if s := f.turn.Stats(); s.Allocations != 1 {
				t.Errorf("%+v", s)
			}
			// The credential dies, the allocation lives.
			f.clock.Advance(time.Hour)
			had := a.Got("2").Packets
			if err := a.Until(f.ctx, func(m *rtcclient.Media) bool { return m.Got("2").Packets > had+60 }); err != nil {
				t.Fatalf("after expiry: %v", err)
			}
			f.turn.Revoke("seat-1")
			if s := f.turn.Stats(); s.Allocations != 0 {
				t.Errorf("after revocation %+v", s)
			}
		})
	}
}

// killer is GHSA-34rh-wp3j-6cxc: a Send indication with an empty
// XOR-PEER-ADDRESS, 32 bytes, unauthenticated.
func killer() []byte {
	b, _ := hex.DecodeString("0016000c" + "2112a442" + "000102030405060708090a0b" + "00120000" + "00130004" + "64656164")
	return b
}

func TestTheKillerPacketFindsAServerAlive(t *testing.T) {
	f := open(t)
	if n := len(killer()); n != 32 {
		t.Fatalf("the packet has %d bytes", n)
	}
	for _, transport := range transports() {
		conn, err := f.dial(transport, "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for range 20 {
			if _, err := conn.Write(killer()); err != nil {
				t.Fatal(err)
			}
		}
		if answer := bind(t, conn); answer == nil {
			t.Fatalf("no answer on %s after the killer packet", transport)
		}
	}
	if s := f.turn.Stats(); s.Dropped != 60 {
		t.Errorf("dropped %d, want all", s.Dropped)
	}
}

// The packet also kills nobody who owns an allocation.
func TestTheKillerPacketFromAnOwner(t *testing.T) {
	f := open(t)
	for _, transport := range transports() {
		c := allocateOver(t, f, transport, "seat-9")
		if _, err := c.conn.Write(killer()); err != nil {
			t.Fatal(err)
		}
		if answer := bind(t, c.conn); answer == nil {
			t.Fatalf("dead on %s", transport)
		}
	}
}

func request(method uint16) []byte {
	b := make([]byte, 20)
	binary.BigEndian.PutUint16(b, method)
	binary.BigEndian.PutUint32(b[4:], 0x2112A442)
	_, _ = rand.Read(b[8:])
	return b
}

func bind(t *testing.T, c net.Conn) []byte {
	t.Helper()
	return exchange(t, c, request(0x0001), 2*time.Second)
}

// exchange sends and waits for the answer with the same transaction id.
func exchange(t *testing.T, c net.Conn, b []byte, wait time.Duration) []byte {
	t.Helper()
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(wait))
	buf := make([]byte, 2000)
	for {
		n, err := receive(c, buf)
		if err != nil {
			return nil
		}
		if n >= 20 && string(buf[8:20]) == string(b[8:20]) {
			return buf[:n]
		}
	}
}

// receive reads one message, of a stream too.
func receive(c net.Conn, buf []byte) (int, error) {
	if _, ok := c.(*net.UDPConn); ok {
		return c.Read(buf)
	}
	if _, err := io.ReadFull(c, buf[:4]); err != nil {
		return 0, err
	}
	n := 20 + int(binary.BigEndian.Uint16(buf[2:]))
	if buf[0]&0xC0 == 0x40 {
		n = 4 + (n-20+3)&^3
	}
	_, err := io.ReadFull(c, buf[4:n])
	return n, err
}

func TestUnsignedAnswersEndInSilence(t *testing.T) {
	f := open(t)
	udp, _ := f.turn.Addresses()
	conn, err := net.Dial("udp", udp[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for range 100 { // 20 bytes each, 144 back: what a reflection attack wants
		if _, err := conn.Write(request(0x0003)); err != nil {
			t.Fatal(err)
		}
	}
	answers := 0
	buf := make([]byte, 2000)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		if _, err := conn.Read(buf); err != nil {
			break
		}
		answers++
	}
	if answers != 10 {
		t.Errorf("%d answers to 100 unsigned requests, want 10", answers)
	}
	f.clock.Advance(time.Second)
	if bind(t, conn) == nil {
		t.Error("still silent a second later")
	}
}
