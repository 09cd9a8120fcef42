package turn_test

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"
)

func stream(t *testing.T, f *fixture) net.Conn {
	t.Helper()
	_, tcp := f.turn.Addresses()
	c, err := net.Dial("tcp", tcp[0].String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// shut says whether the server closed the connection within a while.
func shut(c net.Conn, while time.Duration) bool {
	_ = c.SetReadDeadline(time.Now().Add(while))
	_, err := c.Read(make([]byte, 1))
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

// A stream may be cut anywhere: frames are put together before they are judged.
func TestAStreamIsFramed(t *testing.T) {
	f := open(t)
	c := stream(t, f)
	b := append(request(0x0001), request(0x0001)...)
	for i := range b {
		if _, err := c.Write(b[i : i+1]); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]bool{string(b[8:20]): true, string(b[28:40]): true}
	_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
	for buf := make([]byte, 0, 400); len(want) > 0; {
		n, err := c.Read(buf[len(buf):cap(buf)])
		if err != nil {
			t.Fatalf("%d answers are missing: %v", len(want), err)
		}
		buf = buf[:len(buf)+n]
		for len(buf) >= 20 && len(buf) >= 20+int(buf[3]) {
			delete(want, string(buf[8:20]))
			buf = buf[:copy(buf[:cap(buf)], buf[20+int(buf[3]):])]
		}
	}
}

func TestAStreamThatIsNoTURNIsClosed(t *testing.T) {
	f := open(t)
	for name, b := range map[string]string{
		"TLS":             "\x80\x03\x01\x02\x00\x01",
		"a frame too big": "\x00\x01\xff\xfc\x21\x12\xa4\x42",
		"RTP":             "\x90\x60\x00\x01\x00\x00\x00\x01",
	} {
		c := stream(t, f)
		_, _ = c.Write([]byte(b))
		if !shut(c, 2*time.Second) {
			t.Errorf("%s: still open", name)
		}
	}
}

func TestOneHostHasSoManyStreams(t *testing.T) {
	f := open(t)
	list := make([]net.Conn, 0, 80)
	for range 80 {
		list = append(list, stream(t, f))
	}
	refused := 0
	for _, c := range list {
		if shut(c, 20*time.Millisecond) {
			refused++
		}
	}
	if refused != 16 {
		t.Errorf("%d of 80 were refused, want what is above 64", refused)
	}
	for _, c := range list {
		_ = c.Close()
	}
}

// corpus is what has crashed STUN and TURN servers, and every way to damage one
// byte or the end of what an owner sends.
func corpus(o *owner, peer netip.AddrPort) (list [][]byte) {
	list = append(list,
		killer(),
		attr(request(0x0016), 0x0012, nil), attr(request(0x0016), 0x0012, []byte{0, 1}), attr(request(0x0016), 0x0012, make([]byte, 7)),
		attr(request(0x0016), 0x0012, []byte{0, 2, 0, 0, 1, 2, 3, 4}), attr(request(0x0008), 0x0012, make([]byte, 19)),
		attr(request(0x0009), 0x000C, nil), attr(request(0x0009), 0x000C, []byte{0x40}), attr(request(0x0004), 0x000D, []byte{1}),
		attr(request(0x0003), 0x0019, nil), attr(request(0x0003), 0x0018, nil), attr(request(0x0003), 0x0022, []byte{1, 2}),
		attr(request(0x0003), 0x0006, nil), attr(request(0x0003), 0x0006, bytes.Repeat([]byte{'u'}, 600)), attr(request(0x0003), 0x0008, make([]byte, 19)),
		attr(request(0x0001), 0x8028, make([]byte, 4)), attr(request(0x0001), 0x0009, []byte{0, 0, 4}), attr(request(0x0111), 0x0009, nil),
		attr(request(0x0003), 0x0015, bytes.Repeat([]byte{'n'}, 800)), attr(request(0x0017), 0x0012, nil), attr(request(0x0103), 0x0016, nil),
		[]byte{0x40, 0, 0xFF, 0xFF}, []byte{0x40, 0, 0, 5, 1}, []byte{0x7F, 0xFF, 0, 0}, []byte{0x40}, []byte{0},
	)
	for _, base := range [][]byte{
		o.sign(attr(request(0x0003), 0x0019, []byte{17, 0, 0, 0})), o.sign(permission(peer)), o.sign(channelBind(1, peer)), send(peer),
	} {
		for i := 0; i < len(base); i += 3 {
			cut, damaged := bytes.Clone(base[:i]), bytes.Clone(base)
			damaged[i] ^= 0xFF
			list = append(list, cut, damaged)
		}
	}
	return list
}

func TestMalformedPacketsHarmNobody(t *testing.T) {
	f := open(t)
	peer := f.node.Addresses()[0]
	owners := map[string]*owner{}
	for _, transport := range transports() {
		owners[transport] = allocateOver(t, f, transport, "seat-"+transport)
	}
	for transport, o := range owners {
		sent := corpus(o, peer)
		for i, b := range sent {
			c := o.conn
			if transport != "udp" { // a stream that is damaged is closed: the next comes on its own
				if i%5 != 0 {
					continue
				}
				var err error
				if c, err = f.dial(transport, ""); err != nil {
					t.Fatal(err)
				}
			}
			if len(b) > 0 {
				_, _ = c.Write(b)
			}
			if c != o.conn {
				_ = c.Close()
			}
		}
		if c := o.ask(channelBind(2, peer)); c != 0 {
			t.Errorf("%s: the owner is answered %d after %d malformed packets", transport, c, len(sent))
		}
	}
	if n := f.turn.Stats().Allocations; n != 3 {
		t.Errorf("%d allocations, want 3", n)
	}
}
