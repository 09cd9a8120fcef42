package sfu

import (
	"net/netip"
	"testing"
	"time"
)

func TestPacketsGoWhereTheClientSends(t *testing.T) {
	const ms = int64(time.Millisecond)
	a, b := path{addr: netip.MustParseAddrPort("192.0.2.1:1")}, path{addr: netip.MustParseAddrPort("192.0.2.1:2")}
	var x way
	at := func(what string, want path) {
		t.Helper()
		if x.at != want {
			t.Errorf("%s: %v, want %v", what, x.at.addr, want.addr)
		}
	}
	x.checked(a, false, 1000*ms)
	at("the first check", a)
	x.checked(b, true, 1001*ms)
	at("nominated before any media", b)
	for now := int64(1100); now < 1500; now += 20 {
		x.carried(&a, now*ms)
		x.checked(b, true, now*ms+1)
	}
	at("nominated while media comes another way", a)
	for now := int64(1500); now < 1560; now += 20 { // three, as a network that changes the order gives
		x.carried(&b, now*ms)
	}
	x.carried(&a, 1560*ms)
	x.carried(&b, 1561*ms)
	x.carried(&b, 1562*ms)
	at("stragglers of another way", a)
	for now := int64(1563); now < 1566; now++ {
		x.carried(&b, now*ms)
	}
	at("five in a row", b)
	x.checked(a, true, 1700*ms)
	at("nominated 135 ms after media", b)
	x.checked(a, false, 1800*ms)
	at("checked only", b)
	x.checked(a, true, 1800*ms)
	at("nominated after silence", a)
	x.carried(&b, 1801*ms)
	at("media on another way, and none on this", b)
}
