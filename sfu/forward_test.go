package sfu

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	pion "github.com/pion/srtp/v3"
	"visavis/sfu/session"
	"visavis/sfu/srtp"
	"visavis/sfu/stun"
)

// fixedKeys is a DTLS connection whose keys are known.
type fixedKeys struct{}

func (fixedKeys) ExportKeyingMaterial(_ string, _ []byte, n int) ([]byte, error) {
	return make([]byte, n), nil
}

// desk is a node with one room, whose peers stand without ICE and DTLS, each at
// a socket of the test.
type desk struct {
	node *Node
	w    *worker
}

func newDesk(t testing.TB, change func(*Config)) *desk {
	t.Helper()
	cfg := Config{UDP: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Loopback: true, Events: func(Event) {}}
	if change != nil {
		change(&cfg)
	}
	n, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := n.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return &desk{node: n, w: n.crew.hire()}
}

// offerText is an offer with a microphone, a camera and n slots of each kind.
func offerText(n int) string {
	var b strings.Builder
	mids := ""
	section := func(mid int, kind, direction, more string) {
		mids += fmt.Sprintf(" %d", mid)
		fmt.Fprintf(&b, "m=%s 9 UDP/TLS/RTP/SAVPF 96 97 111\r\nc=IN IP4 0.0.0.0\r\na=mid:%d\r\na=%s\r\na=rtcp-mux\r\n"+
			"a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"+
			"a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n%s", kind, mid, direction, more)
	}
	sound := "a=rtpmap:111 opus/48000/2\r\n"
	picture := "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
	section(0, "audio", "sendonly", sound+"a=ssrc:10 cname:x\r\n")
	section(1, "video", "sendonly", picture+"a=ssrc-group:FID 20 21\r\n")
	for i := range n {
		section(2+2*i, "audio", "recvonly", sound)
		section(3+2*i, "video", "recvonly", picture)
	}
	return "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE" + mids +
		"\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 AA\r\na=setup:actpass\r\n" + b.String()
}

func (d *desk) seat(t testing.TB, name string, slots int) (*peer, *net.UDPConn) {
	t.Helper()
	if _, err := d.node.Offer(context.Background(), Offer{Room: "r", Peer: name, SDP: offerText(slots)}); err != nil {
		t.Fatal(err)
	}
	d.node.Update("r", name, Sources{Mic: true, Camera: true, Screen: true})
	p := d.node.find("r", name)
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	keys, err := srtp.New(fixedKeys{}, srtp.GCM)
	if err != nil {
		t.Fatal(err)
	}
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	p.crypt, p.at, p.known = keys, d.at(conn), true
	p.learnLocked(p.at)
	p.upLocked()
	return p, conn
}

func (d *desk) at(c *net.UDPConn) path {
	return path{port: d.node.ports[0], addr: c.LocalAddr().(*net.UDPAddr).AddrPort()}
}

// sealer is the client's side of the keys.
func sealer(t testing.TB) *pion.Context {
	t.Helper()
	conf := pion.Config{Profile: pion.ProtectionProfileAeadAes128Gcm}
	if err := conf.ExtractSessionKeysFromDTLS(fixedKeys{}, true); err != nil {
		t.Fatal(err)
	}
	c, err := pion.CreateContext(conf.Keys.LocalMasterKey, conf.Keys.LocalMasterSalt, conf.Profile)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestAForwardedPacketAllocatesNothing: one packet of sound and one of picture,
// opened once, sealed and sent to three people.
func TestAForwardedPacketAllocatesNothing(t *testing.T) {
	d := newDesk(t, nil)
	a, conn := d.seat(t, "a", 3)
	for _, name := range []string{"b", "c", "d"} {
		d.seat(t, name, 3)
	}
	const rounds = 3000
	seal := sealer(t)
	var list [2 * rounds][]byte
	for i := range list {
		p := rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: uint16(i / 2), Timestamp: uint32(i / 2 * 960)}, Payload: make([]byte, 80)}
		if p.SSRC, p.PayloadType = 10, 111; i%2 == 1 {
			p.SSRC, p.PayloadType, p.Payload = 20, 96, make([]byte, 1000)
		}
		_ = p.SetExtension(1, []byte{0x85})
		_ = p.SetExtension(3, []byte{byte(i >> 8), byte(i)})
		raw, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if list[i], err = seal.EncryptRTP(nil, raw, nil); err != nil {
			t.Fatal(err)
		}
	}
	i, from := 0, d.at(conn)
	step := func() {
		d.w.begin()
		for range 2 {
			d.node.take(d.w, list[i], from)
			i++
		}
		d.w.end()
	}
	for range 500 {
		step()
	}
	before := d.node.Stats().PacketsOut
	got := testing.AllocsPerRun(1000, step)
	if sent := d.node.Stats().PacketsOut - before; sent != 1001*2*3 {
		t.Fatalf("%d packets left, want %d", sent, 1001*2*3)
	}
	if got != 0 {
		t.Errorf("%v allocations for two packets in and six out", got)
	}
	if a.gone {
		t.Error("a is gone")
	}
}

// TestStrangersGetNoAnswer (B2, B10, S7): no check without the password, no
// ClientHello from an address that proved nothing, nothing malformed.
func TestStrangersGetNoAnswer(t *testing.T) {
	d := newDesk(t, nil)
	answer, err := d.node.Offer(context.Background(), Offer{Room: "r", Peer: "a", SDP: offerText(1)})
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(answer, "a=ice-ufrag:")
	ufrag, rest, _ := strings.Cut(rest, "\r\n")
	_, rest, _ = strings.Cut(rest, "a=ice-pwd:")
	pwd, _, _ := strings.Cut(rest, "\r\n")
	conn, err := net.Dial("udp4", d.node.Addresses()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	check := func(user, password string) []byte {
		var b [600]byte
		return b[:stun.Request(b[:], user, password, [12]byte{7}, 1)]
	}
	hello := append([]byte{22, 254, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60, 1}, make([]byte, 59)...)
	right := check(ufrag+":abcd", pwd)
	for name, b := range map[string][]byte{
		"a check with a wrong password": check(ufrag+":abcd", "no"),
		"a check for somebody else":     check("nobody:abcd", pwd),
		"a check of another client":     check(ufrag+":efgh", pwd),
		"a check that is cut":           right[:len(right)-4],
		"a ClientHello":                 hello,
		"RTP":                           make([]byte, 100),
		"one byte":                      {0x80},
		"RTCP":                          append([]byte{0x80, 200}, make([]byte, 60)...),
	} {
		if _, err := conn.Write(b); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if n, err := conn.Read(make([]byte, 1600)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: %d bytes back, %v", name, n, err)
		}
	}
	if _, err := conn.Write(right); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := conn.Read(make([]byte, 1600)); err != nil {
		t.Errorf("the right check: %v", err)
	}
}

func TestTheSideDoorKnowsItsOwnAddressesOnly(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Public = []netip.Addr{netip.MustParseAddr("198.51.100.7")} })
	ours := d.node.Addresses()[0]
	if ours.Addr().String() != "198.51.100.7" {
		t.Fatalf("addresses %v", d.node.Addresses())
	}
	from := netip.MustParseAddrPort("203.0.113.9:40000")
	left, over := make(chan netip.AddrPort, 4), make(chan bool, 4)
	d.node.Leave(netip.MustParsePrefix("203.0.113.0/24"), func(_ []byte, f, to netip.AddrPort) {
		if f != ours {
			t.Errorf("leaves from %s", f)
		}
		left <- to
	}, func() { over <- true })
	for _, to := range []string{"127.0.0.1:22", "198.51.100.7:1", "198.51.100.8:5000"} {
		if d.node.Enter([]byte{1}, from, netip.MustParseAddrPort(to)) {
			t.Errorf("%s is entered", to)
		}
	}
	p, _ := d.seat(t, "a", 1)
	var b [600]byte
	n := stun.Request(b[:], p.ufrag+":abcd", p.pwd, [12]byte{7}, 1)
	if !d.node.Enter(b[:n], from, ours) {
		t.Fatal("the door is shut")
	}
	if to := <-left; to != from { // the answer, and the check back
		t.Errorf("left to %s", to)
	}
	if <-over; len(left) != 1 || len(over) != 0 {
		t.Errorf("the burst was over with %d to come, %d times more", 1-len(left), len(over))
	}
}

// TestTooManyAddresses: a peer that proves address after address keeps the one
// in use, and the table does not grow.
func TestTooManyAddresses(t *testing.T) {
	d := newDesk(t, nil)
	p, _ := d.seat(t, "a", 1)
	inUse := p.at
	for i := range 50 {
		p.room.mu.Lock()
		p.learnLocked(path{port: d.node.ports[0], addr: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(1000+i))})
		p.room.mu.Unlock()
	}
	if n := len(*d.node.ports[0].table.Load()); n != maxPaths || d.node.ports[0].owner(inUse.addr) != p {
		t.Errorf("%d addresses known, the one in use is %v", n, d.node.ports[0].owner(inUse.addr) == p)
	}
	d.node.Drop("r", "a")
	if n := len(*d.node.ports[0].table.Load()); n != 0 || len(d.node.names.peers) != 0 {
		t.Errorf("%d addresses and %d names after the end", n, len(d.node.names.peers))
	}
}

// FuzzDatagram is trust.md S8 on the whole path: arbitrary bytes from a stranger
// and from a peer, sealed and not.
func FuzzDatagram(f *testing.F) {
	d := newDesk(f, nil)
	_, conn := d.seat(f, "a", 1)
	d.seat(f, "b", 1)
	from := d.at(conn)
	seal := sealer(f)
	f.Add([]byte{0x80, 96, 0, 9, 0, 0, 0, 0, 0, 0, 0, 20, 'p'})
	f.Add([]byte{0xa0, 97, 0, 9, 0, 0, 0, 0, 0, 0, 0, 21, 0, 9, 1, 1})
	f.Add([]byte{0x90, 111, 0, 9, 0, 0, 0, 0, 0, 0, 0, 10, 0xbe, 0xde, 0, 1, 0x10, 5, 0, 0})
	f.Add([]byte{0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 0xff, 0xff})
	f.Add([]byte{0x80, 200, 0, 6, 0, 0, 0, 10, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1})
	f.Add([]byte{22, 254, 253, 0, 0})
	var seq uint16
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1500 {
			return
		}
		d.w.begin()
		d.node.take(d.w, append([]byte(nil), b...), path{port: d.node.ports[0], addr: netip.MustParseAddrPort("192.0.2.9:9")})
		if _, v := session.Read(string(b)); v == nil {
			t.Log("an offer")
		}
		if len(b) < 20 || b[0] > 63 || b[0] < 20 { // a DTLS record would start a handshake
			d.node.take(d.w, append([]byte(nil), b...), from)
		}
		if len(b) >= 12 && b[0]>>6 == 2 {
			b = append([]byte(nil), b...)
			if b[1] >= 192 && b[1] <= 223 {
				if enc, err := seal.EncryptRTCP(nil, b, nil); err == nil {
					d.node.take(d.w, enc, from)
				}
			} else {
				seq++
				b[2], b[3] = byte(seq>>8), byte(seq) // not replayed
				if enc, err := seal.EncryptRTP(nil, b, nil); err == nil {
					d.node.take(d.w, enc, from)
				}
			}
		}
		d.w.end()
	})
}
