package turn_test

import (
	"errors"
	"net"
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
