package chaosproxy

import (
	"math"
	"net"
	"net/netip"
	"testing"
	"time"
)

func TestTheLossIsWhatWasAsked(t *testing.T) {
	for _, x := range []Weather{{}, {Loss: 0.2}, {Loss: 0.05, Burst: 3}, {Loss: 0.2, Burst: 3}, {Loss: 1}} {
		var w way
		const n = 200_000
		lost, bursts, before := 0, 0, false
		for range n {
			now := x.lost(&w)
			if now {
				lost++
				if !before {
					bursts++
				}
			}
			before = now
		}
		if got := float64(lost) / n; math.Abs(got-x.Loss) > 0.015 {
			t.Errorf("%+v: %.3f lost", x, got)
		}
		if x.Burst > 1 {
			if got := float64(lost) / float64(bursts); math.Abs(got-x.Burst) > 0.2 {
				t.Errorf("%+v: bursts of %.2f", x, got)
			}
		}
	}
}

func TestBothWaysThroughTheWeather(t *testing.T) {
	server, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() { // an echo
		buf := make([]byte, 2048)
		for {
			n, from, err := server.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			_, _ = server.WriteToUDPAddrPort(buf[:n], from)
		}
	}()
	at := server.LocalAddr().(*net.UDPAddr).AddrPort()
	p, err := Open(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), at.Port()), at)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	c, err := net.DialUDP("udp", nil, p.front.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	trip := func() (time.Duration, bool) {
		start := time.Now()
		if _, err := c.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(start.Add(500 * time.Millisecond))
		_, err := c.Read(make([]byte, 100))
		return time.Since(start), err == nil
	}
	if _, ok := trip(); !ok {
		t.Fatal("nothing came in good weather")
	}
	p.Set(Weather{Delay: 50 * time.Millisecond})
	if d, ok := trip(); !ok || d < 100*time.Millisecond {
		t.Errorf("there and back in %s, want 100 ms at least", d)
	}
	p.Set(Weather{Loss: 1})
	if _, ok := trip(); ok {
		t.Error("something came through a hole")
	}
}
