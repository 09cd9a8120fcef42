package udp

import (
	"fmt"
	"net"
	"net/netip"
)

// Expand replaces unspecified addresses by those of the interfaces: an answer
// has to leave from the address that was called. Link-local ones are left out,
// and loopback ones unless asked for.
func Expand(addrs []netip.AddrPort, loopback bool) ([]netip.AddrPort, error) {
	var out []netip.AddrPort
	seen := map[netip.AddrPort]bool{}
	add := func(a netip.AddrPort) {
		if a = Plain(a); !seen[a] {
			seen[a] = true
			out = append(out, a)
		}
	}
	for _, a := range addrs {
		if !a.Addr().IsUnspecified() {
			add(a)
			continue
		}
		ifs, err := net.InterfaceAddrs()
		if err != nil {
			return nil, fmt.Errorf("list interfaces: %w", err)
		}
		for _, i := range ifs {
			p, err := netip.ParsePrefix(i.String())
			if err != nil || p.Addr().IsLinkLocalUnicast() || p.Addr().Is4() != a.Addr().Is4() {
				continue
			}
			if !p.Addr().IsLoopback() || loopback {
				add(netip.AddrPortFrom(p.Addr(), a.Port()))
			}
		}
	}
	return out, nil
}
