package sfu

import (
	"net/netip"
	"testing"
	"time"
)

func TestHandshakesOfOneSourceAreFiftyASecond(t *testing.T) {
	var h handshakes
	flood, other := netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("198.51.100.8")
	begun := 0
	for ms := range int64(2000) { // one each millisecond, for two seconds
		if h.begin(flood, ms*int64(time.Millisecond)) {
			begun++
			h.done()
		}
	}
	if begun < 100 || begun > 150 { // a burst of fifty, then fifty a second
		t.Errorf("%d handshakes in two seconds, want fifty a second after the first fifty", begun)
	}
	if !h.begin(other, 2*int64(time.Second)) {
		t.Error("another source pays for the flood")
	}
	h.done()
	one, same, far := netip.MustParseAddr("2001:db8:1:2::1"), netip.MustParseAddr("2001:db8:1:2:ffff::9"), netip.MustParseAddr("2001:db8:1:3::1")
	for range handshakesASecond {
		h.begin(one, 0)
		h.done()
	}
	if h.begin(same, 0) || !h.begin(far, 0) {
		t.Error("a source of IPv6 is its /64")
	}
}

func TestHandshakesThatAreOpenAreBounded(t *testing.T) {
	var h handshakes
	a := netip.MustParseAddr("10.0.0.0")
	for range handshakesOpen {
		a = a.Next()
		if !h.begin(a, 0) {
			t.Fatal("refused too early")
		}
	}
	if h.begin(a.Next(), 0) {
		t.Errorf("more than %d are open", handshakesOpen)
	}
	h.done()
	if !h.begin(a.Next(), 0) {
		t.Error("a place that was freed is not given")
	}
}

func TestTheSourcesKeptAreBounded(t *testing.T) {
	var h handshakes
	a := netip.MustParseAddr("10.0.0.0")
	for i := range 3 * sourcesKept {
		a = a.Next()
		if h.begin(a, int64(i)*int64(time.Millisecond)) {
			h.done()
		}
		if len(h.sources) > sourcesKept {
			t.Fatal("more sources than are kept")
		}
	}
	if !h.begin(a.Next(), int64(time.Hour)) {
		t.Error("sources that have paid are not forgotten")
	}
}
