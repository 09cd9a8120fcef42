package framed

import (
	"bytes"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

func pair(t *testing.T) (a, b net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if a, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if b, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close(); _ = b.Close() })
	return a, b
}

func TestDatagramsKeepTheirEdges(t *testing.T) {
	x, y := pair(t)
	a, b := New(x), New(y)
	defer a.Close()
	defer b.Close()
	for i := range 100 {
		if !a.Send(bytes.Repeat([]byte{byte(i)}, i*10)) {
			t.Fatal("lost on a free connection")
		}
	}
	buf := make([]byte, 1600)
	for i := range 100 {
		n, err := b.Receive(buf)
		if err != nil || !bytes.Equal(buf[:n], bytes.Repeat([]byte{byte(i)}, i*10)) {
			t.Fatalf("datagram %d: %d bytes, %v", i, n, err)
		}
	}
	a.Send(make([]byte, 1601))
	if _, err := b.Receive(buf); !errors.Is(err, ErrTooLong) {
		t.Errorf("too long: %v", err)
	}
}

func TestASlowConnectionLosesAndNobodyWaits(t *testing.T) {
	x, _ := pair(t)
	a := New(x)
	defer a.Close()
	lost := 0
	for range 50000 { // 60 MB to somebody who does not read
		if !a.Send(make([]byte, 1200)) {
			lost++
		}
	}
	if lost == 0 {
		t.Error("nothing was lost")
	}
}

func TestOneHostHasSoManyConnections(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Calm(inner)
	defer l.Close()
	accepted := make(chan net.Conn, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	var mine []net.Conn
	for range tcpPerHost {
		dial()
		mine = append(mine, <-accepted)
	}
	surplus := dial()
	_ = surplus.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := surplus.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the one above the limit: %v", err)
	}
	_ = mine[0].Close()
	_ = mine[0].Close() // closing twice frees one place
	dial()
	<-accepted
	if n := l.(*listener).total; n != tcpPerHost {
		t.Errorf("%d places taken, want %d", n, tcpPerHost)
	}
}
