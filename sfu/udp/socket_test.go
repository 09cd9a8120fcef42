package udp

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"testing"
)

func listen(t *testing.T, addr string) *Socket {
	t.Helper()
	s, err := Listen(netip.MustParseAddrPort(addr))
	if err != nil {
		t.Skipf("%s: %v", addr, err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestBurstsArriveWholeAndInOrder(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(addr, func(t *testing.T) {
			a, b := listen(t, addr), listen(t, addr)
			out, in := NewOut(), NewIn()
			const rounds = 5
			for r := range rounds {
				for i := range Burst {
					n := copy(out.Next(), bytes.Repeat([]byte{byte(i), byte(r)}, 10+i*10))
					out.Commit(n, b.Local())
				}
				if !out.Full() {
					t.Fatal("a full burst is not full")
				}
				a.Write(out)
				if out.Len() != 0 {
					t.Fatal("something waits after Write")
				}
				for got := 0; got < Burst; {
					n, err := b.Read(in)
					if err != nil {
						t.Fatal(err)
					}
					for i := range n {
						data, from := in.At(i)
						if want := bytes.Repeat([]byte{byte(got), byte(r)}, 10+got*10); from != a.Local() || !bytes.Equal(data, want) {
							t.Fatalf("round %d, datagram %d: %d bytes from %s", r, got, len(data), from)
						}
						got++
					}
				}
			}
		})
	}
}

func TestOneDatagramWithoutAWayDoesNotStopTheOthers(t *testing.T) {
	a, b := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	out, in := NewOut(), NewIn()
	out.Commit(copy(out.Next(), "lost"), netip.MustParseAddrPort("[2001:db8::1]:9"))
	out.Commit(copy(out.Next(), "found"), b.Local())
	a.Write(out)
	if _, err := b.Read(in); err != nil {
		t.Fatal(err)
	}
	if data, _ := in.At(0); string(data) != "found" {
		t.Errorf("got %q", data)
	}
}

func TestCloseEndsRead(t *testing.T) {
	s := listen(t, "127.0.0.1:0")
	done := make(chan error, 1)
	go func() {
		_, err := s.Read(NewIn())
		done <- err
	}()
	_ = s.Close()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("read ended with %v", err)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	a, b := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	out, in := NewOut(), NewIn()
	if n := testing.AllocsPerRun(100, func() {
		out.Commit(copy(out.Next(), "hello"), b.Local())
		a.Write(out)
		if _, err := b.Read(in); err != nil {
			t.Fatal(err)
		}
		in.At(0)
	}); n != 0 {
		t.Errorf("%v allocations a datagram", n)
	}
}
