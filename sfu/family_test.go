package sfu_test

import (
	"net/netip"
	"testing"

	"visavis/internal/testkit/rtcclient"
	"visavis/sfu"
)

// trust.md M12: a network that knows IPv6 alone.
func TestANetworkOfIPv6Alone(t *testing.T) {
	f := open(t, func(c *sfu.Config) { c.UDP, c.TCP = []netip.AddrPort{netip.MustParseAddrPort("[::1]:0")}, nil })
	o := rtcclient.Options{Voice: true, Camera: true, Slots: 1, IPv6: true}
	a, b := f.join("room", "a", o), f.join("room", "b", o)
	for _, m := range []*rtcclient.Media{a, b} {
		f.until(m, func(m *rtcclient.Media) bool { return m.Got("2").Packets > 20 && m.Got("3").Packets > 40 })
	}
}
