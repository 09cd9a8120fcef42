package front

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// passing joins a listener of the loopback to a socket that nobody receives yet.
func passing(t *testing.T) (addr, path string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "run", "s")
	done := make(chan struct{})
	go func() { Pass(l, path, slog.New(slog.DiscardHandler)); close(done) }()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return l.Addr().String(), path
}

func receive(t *testing.T, path string) net.Listener {
	t.Helper()
	l, err := Receive(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// A stream waits for the process that receives it, shows its client's address,
// and each side may stop writing first.
func TestAStreamIsPassedOn(t *testing.T) {
	addr, path := passing(t)
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "question\n"); err != nil {
		t.Fatal(err)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	l := receive(t, path) // only now
	in, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if in.RemoteAddr().String() != c.LocalAddr().String() {
		t.Errorf("it came from %s, shown is %s", c.LocalAddr(), in.RemoteAddr())
	}
	asked, err := io.ReadAll(in)
	if err != nil || string(asked) != "question\n" {
		t.Errorf("%q %v", asked, err)
	}
	if _, err := io.WriteString(in, strings.Repeat("answer\n", 10_000)); err != nil {
		t.Fatal(err)
	}
	_ = in.Close()
	got, err := io.ReadAll(c)
	if err != nil || len(got) != 70_000 {
		t.Errorf("%d bytes %v", len(got), err)
	}
}

// When the process dies its streams end, and new ones go to the next process.
func TestTheNextProcessReceives(t *testing.T) {
	addr, path := passing(t)
	for range 3 {
		l := receive(t, path)
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		in, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_ = in.Close()
		_ = l.Close()
		if _, err := bufio.NewReader(c).ReadByte(); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
		_ = c.Close()
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	}
}

// Who says no address, or nonsense, is closed and holds up nobody.
func TestAStreamWithoutAnAddressIsClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l := receive(t, path)
	for _, head := range []string{"\xff\xff", "\x00\x03abc", "\x00"} {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, head); err != nil {
			t.Fatal(err)
		}
		if len(head) > 1 { // the last one is waited for
			_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
				t.Errorf("%q: %v", head, err)
			}
		}
	}
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "\x00\x0d10.0.0.7:1234hello"); err != nil {
		t.Fatal(err)
	}
	in, err := l.Accept()
	if err != nil || in.RemoteAddr().String() != "10.0.0.7:1234" {
		t.Errorf("%v %v", in, err)
	}
}
