package turn

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // the key derivation that STUN imposes
	"crypto/sha1" //nolint:gosec // the MAC that STUN imposes
	"encoding/binary"
	"encoding/hex"
	"net"
	"net/netip"
	"testing"
	"time"

	"visavis/internal/clock"
)

// memory is a socket without a network: feed returns when the server has dealt
// with the datagram and reads again.
type memory struct {
	in    chan []byte
	ready chan struct{}
	out   [][]byte
	done  chan struct{}
}

func newMemory() *memory {
	return &memory{in: make(chan []byte), ready: make(chan struct{}), done: make(chan struct{})}
}

func (m *memory) more() bool { return false }

func (m *memory) next() ([]byte, netip.AddrPort, error) {
	select {
	case m.ready <- struct{}{}:
	case <-m.done:
		return nil, netip.AddrPort{}, net.ErrClosed
	}
	select {
	case b := <-m.in:
		return b, netip.MustParseAddrPort("192.0.2.7:4000"), nil
	case <-m.done:
		return nil, netip.AddrPort{}, net.ErrClosed
	}
}

func (m *memory) feed(b []byte) [][]byte {
	m.out = nil
	m.in <- b
	<-m.ready
	return m.out
}

func (m *memory) put(number uint16, body []byte, _ netip.AddrPort) {
	b := make([]byte, channelHeaderSize+len(body))
	n := channelHead(b, number, len(body))
	m.out = append(m.out, b[:n+copy(b[n:], body)])
}
func (m *memory) flush()              {}
func (m *memory) Close() error        { close(m.done); return nil }
func (m *memory) LocalAddr() net.Addr { return &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 3478} }

// closedDoor notes what would enter the SFU.
type closedDoor struct{ wrong bool }

func (*closedDoor) Addresses() []netip.AddrPort {
	return []netip.AddrPort{netip.MustParseAddrPort("192.0.2.50:7000")}
}

func (d *closedDoor) enter(_ []byte, from, to netip.AddrPort) bool {
	d.wrong = d.wrong || to != d.Addresses()[0] || !virtualPrefix().Contains(from.Addr())
	return true
}

func (d *closedDoor) Burst(do func(enter Entry)) { do(d.enter) }

func (*closedDoor) Leave(netip.Prefix, func(b []byte, from, to netip.AddrPort), func()) {}

func put(b []byte, kind uint16, v []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, kind)
	b = binary.BigEndian.AppendUint16(b, uint16(len(v)))
	b = append(b, v...)
	return append(b, make([]byte, (4-len(v)%4)%4)...)
}

func head(kind uint16, id byte) []byte {
	b := make([]byte, headerSize)
	binary.BigEndian.PutUint16(b, kind)
	binary.BigEndian.PutUint32(b[4:], magicCookie)
	b[8], b[19] = id, id
	return b
}

// signed completes a message with the credential, as an owner would.
func signed(b []byte, c Credential, nonce []byte) []byte {
	b = put(put(put(b, attrUsername, []byte(c.Username)), attrRealm, []byte("fuzz")), attrNonce, nonce)
	key := md5.Sum([]byte(c.Username + ":fuzz:" + c.Password))
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)-headerSize+24))
	mac := hmac.New(sha1.New, key[:])
	mac.Write(b)
	return put(b, attrIntegrity, mac.Sum(nil))
}

// attribute finds one in an answer.
func attribute(b []byte, kind uint16) []byte {
	for at := headerSize; at+4 <= len(b); {
		n := int(binary.BigEndian.Uint16(b[at+2:]))
		if binary.BigEndian.Uint16(b[at:]) == kind {
			return bytes.Clone(b[at+4 : at+4+n])
		}
		at += 4 + (n+3)&^3
	}
	return nil
}

// FuzzGuard throws bytes at a server with a live allocation, plain and signed
// by its owner. It must stay alive, and nothing may pass the door but to the
// SFU's own address.
func FuzzGuard(f *testing.F) {
	door, mem := &closedDoor{}, newMemory()
	key := bytes.Repeat([]byte{7}, 32)
	clk := clock.NewFake(time.Now())
	srv, err := Open(Config{Realm: "fuzz", Keys: Keys{key}, Door: door, Clock: clk, wires: []wire{mem}})
	if err != nil {
		f.Fatal(err)
	}
	defer srv.Close()
	<-mem.ready
	cred := srv.Issue("seat")
	ask := func() []byte { return put(head(0x0003, 1), attrTransport, []byte{17, 0, 0, 0}) }
	var nonce []byte
	// own makes sure that there is an allocation: input may end it, and so does a
	// minute; a nonce lives for an hour.
	own := func(t testing.TB) {
		if srv.Stats().Allocations == 1 {
			return
		}
		// Input that ends one allocation after another meets the quota of a minute.
		for range 3 {
			first := ask()
			binary.BigEndian.PutUint16(first[2:], uint16(len(first)-headerSize))
			for _, answer := range mem.feed(first) {
				nonce = attribute(answer, attrNonce)
			}
			cred = srv.Issue("seat")
			mem.feed(signed(ask(), cred, nonce))
			if srv.Stats().Allocations == 1 {
				return
			}
			clk.Advance(time.Minute)
		}
		t.Fatal("no allocation to fuzz with")
	}
	own(f)
	dead, _ := hex.DecodeString("0016000c2112a442000102030405060708090a0b001200000013000464656164")
	f.Add(false, uint16(0), dead)
	f.Add(false, uint16(0), []byte{0x40, 0, 0, 4, 1, 2, 3, 4})
	for _, kind := range []uint16{0x0001, 0x0003, 0x0004, 0x0008, 0x0009, 0x0016} {
		f.Add(true, kind, dead[headerSize:])
		f.Add(true, kind, put(put(nil, attrPeer, []byte{0, 1, 0x3a, 0x4a, 0xe1, 0x12, 0xa6, 0x70}), attrChannel, []byte{0x40, 1, 0, 0}))
		f.Add(true, kind, put(nil, attrLifetime, []byte{0, 0, 2, 88}))
	}
	f.Fuzz(func(t *testing.T, sign bool, kind uint16, b []byte) {
		own(t)
		if sign && len(b) < 1100 {
			body := append(head(kind&0x3FFF, 2), b...)
			b = signed(append(body, make([]byte, (4-len(body)%4)%4)...), cred, nonce)
		}
		if len(b) > maxDatagramTest {
			b = b[:maxDatagramTest]
		}
		clk.Advance(time.Second)
		mem.feed(b)
		if door.wrong {
			t.Fatal("something passed the door that is not for the SFU")
		}
		id := head(0x0001, 3)
		if answers := mem.feed(id); len(answers) != 1 {
			t.Fatalf("a Binding got %d answers", len(answers))
		}
	})
}

const maxDatagramTest = 1599
