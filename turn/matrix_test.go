package turn_test

import (
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // the key derivation that STUN imposes
	"crypto/sha1" //nolint:gosec // the MAC that STUN imposes
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"visavis/turn"
)

// owner is a client written from RFC 8656, so that the test does not lean on
// the library it tests.
type owner struct {
	t     *testing.T
	conn  net.Conn
	cred  turn.Credential
	nonce []byte
}

func attr(b []byte, kind uint16, v []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, kind)
	b = binary.BigEndian.AppendUint16(b, uint16(len(v)))
	b = append(b, v...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)-20))
	return b
}

func (o *owner) sign(b []byte) []byte {
	b = attr(b, 0x0006, []byte(o.cred.Username))
	b = attr(b, 0x0014, []byte("visavis.test"))
	b = attr(b, 0x0015, o.nonce)
	key := md5.Sum([]byte(o.cred.Username + ":visavis.test:" + o.cred.Password))
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)-20+24))
	mac := hmac.New(sha1.New, key[:])
	mac.Write(b)
	return attr(b, 0x0008, mac.Sum(nil))
}

func find(b []byte, kind uint16) []byte {
	for at := 20; at+4 <= len(b); {
		n := int(binary.BigEndian.Uint16(b[at+2:]))
		if binary.BigEndian.Uint16(b[at:]) == kind {
			return b[at+4 : at+4+n]
		}
		at += 4 + (n+3)&^3
	}
	return nil
}

func xor(a netip.AddrPort, id []byte) []byte {
	v := []byte{0, 1}
	if a.Addr().Is6() {
		v[1] = 2
	}
	v = binary.BigEndian.AppendUint16(v, a.Port()^0x2112)
	key := append([]byte{0x21, 0x12, 0xA4, 0x42}, id...)
	for i, x := range a.Addr().AsSlice() {
		v = append(v, x^key[i])
	}
	return v
}

func code(b []byte) int {
	if len(b) < 2 {
		return -1 // silence
	}
	if binary.BigEndian.Uint16(b)&0x0110 == 0x0100 {
		return 0
	}
	if e := find(b, 0x0009); len(e) >= 4 {
		return int(e[2])*100 + int(e[3])
	}
	return 1 // an error without a number
}

func dial(t *testing.T, f *fixture, who string) *owner {
	t.Helper()
	return dialOver(t, f, "udp", "", who)
}

func dialOver(t *testing.T, f *fixture, transport, from, who string) *owner {
	t.Helper()
	conn, err := f.dial(transport, from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	o := &owner{t: t, conn: conn, cred: f.turn.Issue(who)}
	first := attr(request(0x0003), 0x0019, []byte{17, 0, 0, 0})
	o.nonce = append([]byte(nil), find(exchange(t, conn, first, 2*time.Second), 0x0015)...)
	if len(o.nonce) == 0 {
		t.Fatal("no nonce")
	}
	return o
}

func (o *owner) allocate() int {
	b := attr(request(0x0003), 0x0019, []byte{17, 0, 0, 0})
	answer := exchange(o.t, o.conn, o.sign(b), 2*time.Second)
	return code(answer)
}

func allocate(t *testing.T, f *fixture, who string) *owner {
	t.Helper()
	return allocateOver(t, f, "udp", who)
}

func allocateOver(t *testing.T, f *fixture, transport, who string) *owner {
	t.Helper()
	o := dialOver(t, f, transport, "", who)
	if c := o.allocate(); c != 0 {
		t.Fatalf("allocate: %d", c)
	}
	f.clock.Advance(time.Second) // a fresh budget for the next stranger
	return o
}

func special() []string {
	return []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254", "127.0.0.2", "127.1.1.1", "127.255.255.254",
		"169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.254", "192.0.0.1", "192.0.0.8", "192.0.0.170", "192.0.2.1", "192.88.99.1",
		"192.168.0.1", "192.168.255.254", "198.18.0.1", "198.19.255.254", "198.51.100.1", "203.0.113.1", "203.0.113.254", "224.0.0.1",
		"239.255.255.250", "240.0.0.1", "255.255.255.255", "1.1.1.1", "8.8.8.8", "93.184.216.34",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::10.0.0.1", "64:ff9b::7f00:1",
		"64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::",
		"2002:a00:1::1", "3fff::1", "5f00::1", "fc00::1", "fd00::1", "fe80::1", "fec0::1", "ff02::1", "ff0e::1", "2606:4700::1", "2a00:1450::1",
	}
}

// S3: 60 addresses, four methods, three transports.
func TestNothingButOurSFUIsReached(t *testing.T) {
	f := open(t)
	if n := len(special()); n < 60 {
		t.Fatalf("the matrix has %d addresses, want 60", n)
	}
	for _, transport := range transports() {
		t.Run(transport, func(t *testing.T) { matrix(t, f, allocateOver(t, f, transport, "seat-"+transport)) })
	}
}

// ask sends a request and gives the code of its answer.
func (o *owner) ask(b []byte) int {
	o.t.Helper()
	return code(exchange(o.t, o.conn, o.sign(b), 5*time.Second))
}

// tell sends what is not answered.
func (o *owner) tell(b []byte) {
	o.t.Helper()
	if _, err := o.conn.Write(b); err != nil {
		o.t.Fatal(err)
	}
}

func permission(peer netip.AddrPort) []byte {
	b := request(0x0008)
	return attr(b, 0x0012, xor(peer, b[8:20]))
}

func channelBind(number byte, peer netip.AddrPort) []byte {
	b := request(0x0009)
	return attr(attr(b, 0x000C, []byte{0x40, number, 0, 0}), 0x0012, xor(peer, b[8:20]))
}

func send(peer netip.AddrPort) []byte {
	b := request(0x0016)
	return attr(attr(b, 0x0012, xor(peer, b[8:20])), 0x0013, []byte("probe"))
}

// connect asks for a TCP connection to a peer (RFC 6062).
func connect(peer netip.AddrPort) []byte {
	b := request(0x000A)
	return attr(b, 0x0012, xor(peer, b[8:20]))
}

func matrix(t *testing.T, f *fixture, o *owner) {
	sfuAddr := f.node.Addresses()[0]
	// A listener that would hear if anything left by the network.
	ear, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ear.Close()
	for _, text := range special() {
		f.clock.Advance(time.Second)
		peer := netip.AddrPortFrom(netip.MustParseAddr(text), sfuAddr.Port())
		if c := o.ask(permission(peer)); c != 403 {
			t.Errorf("CreatePermission to %s: %d, want 403", text, c)
		}
		if c := o.ask(channelBind(1, peer)); c != 403 {
			t.Errorf("ChannelBind to %s: %d, want 403", text, c)
		}
		before := f.turn.Stats().Dropped
		o.tell(send(peer))
		o.tell(o.sign(connect(peer)))
		bind(t, o.conn) // answered after both
		if n := f.turn.Stats().Dropped - before; n != 2 {
			t.Errorf("Send and Connect to %s: %d dropped, want both", text, n)
		}
	}
	// The right address with another port is as closed.
	earAddr := ear.LocalAddr().(*net.UDPAddr).AddrPort()
	f.clock.Advance(time.Second)
	if c := o.ask(channelBind(2, earAddr)); c != 403 {
		t.Errorf("our address, another port: %d, want 403", c)
	}
	before := f.turn.Stats().Dropped
	o.tell(send(earAddr))
	o.tell(o.sign(connect(earAddr)))
	bind(t, o.conn)
	if n := f.turn.Stats().Dropped - before; n != 2 {
		t.Errorf("Send and Connect to another port: %d dropped, want both", n)
	}
	// Channels that are not bound carry nothing.
	o.tell([]byte{0x40, 2, 0, 4, 'p', 'r', 'o', 'b'})
	bind(t, o.conn)
	if n := f.turn.Stats().Dropped - before; n != 3 {
		t.Errorf("data of an unbound channel: %d dropped, want it", n)
	}
	// And the SFU itself is open.
	if c := o.ask(channelBind(3, sfuAddr)); c != 0 {
		t.Errorf("our SFU: %d, want success", c)
	}
	_ = ear.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, from, err := ear.ReadFrom(make([]byte, 100)); err == nil {
		t.Errorf("%d bytes reached the network from %s", n, from)
	}
}

func TestCredentialsAndQuotas(t *testing.T) {
	f := open(t)
	for range 4 {
		allocate(t, f, "seat-1")
	}
	if c := dial(t, f, "seat-1").allocate(); c != 486 {
		t.Errorf("fifth allocation of a seat: %d, want 486", c)
	}
	f.clock.Advance(time.Second)
	late := dial(t, f, "seat-2")
	f.clock.Advance(turn.CredentialLife + time.Second)
	if c := late.allocate(); c != 401 {
		t.Errorf("expired credential: %d, want 401", c)
	}
	f.clock.Advance(time.Second)
	forged := dial(t, f, "seat-3")
	forged.cred.Password = "guess"
	if c := forged.allocate(); c == 0 || c == -1 {
		t.Errorf("wrong password: %d, want an error", c)
	}
	f.clock.Advance(time.Second)
	gone := dial(t, f, "seat-4")
	f.turn.Revoke("seat-4")
	if c := gone.allocate(); c != 401 {
		t.Errorf("revoked: %d, want 401", c)
	}
	// Another user on an owner's 5-tuple may not touch the allocation.
	f.clock.Advance(time.Second)
	o := allocate(t, f, "seat-5")
	o.cred = f.turn.Issue("seat-6")
	if c := code(exchange(t, o.conn, o.sign(attr(request(0x0004), 0x000D, []byte{0, 0, 0, 0})), 2*time.Second)); c != 441 {
		t.Errorf("refresh by another user: %d, want 441", c)
	}
	if n := f.turn.Stats().Allocations; n != 5 {
		t.Errorf("%d allocations, want 5", n)
	}
}

func TestWhatIsNotServed(t *testing.T) {
	f := open(t)
	for name, tc := range map[string]struct {
		build func(b []byte) []byte
		want  int
	}{
		"relay over TCP": {func(b []byte) []byte { return attr(b, 0x0019, []byte{6, 0, 0, 0}) }, 442},
		"a reserved port": {func(b []byte) []byte {
			return attr(attr(b, 0x0019, []byte{17, 0, 0, 0}), 0x0022, []byte("reserved"))
		}, 508},
		"IPv6 relay":        {func(b []byte) []byte { return attr(attr(b, 0x0019, []byte{17, 0, 0, 0}), 0x0017, []byte{2, 0, 0, 0}) }, 440},
		"unknown attribute": {func(b []byte) []byte { return attr(b, 0x0003, []byte{0, 0, 0, 6}) }, 420},
	} {
		f.clock.Advance(time.Second)
		o := dial(t, f, "seat")
		if c := code(exchange(t, o.conn, o.sign(tc.build(request(0x0003))), 2*time.Second)); c != tc.want {
			t.Errorf("%s: %d, want %d", name, c, tc.want)
		}
	}
}
