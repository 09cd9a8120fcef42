package config

import (
	"fmt"
	"net/netip"
	"strings"
)

// Networks is a list of networks in CIDR notation.
type Networks []netip.Prefix

// UnmarshalText reads networks with commas between them. A network of
// everybody, one with bits set behind its mask, or a bare name is refused: in a
// list of who is trusted each is a mistake.
func (n *Networks) UnmarshalText(text []byte) error {
	*n = nil
	for part := range strings.SplitSeq(string(text), ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		p, err := network(part)
		if err != nil {
			return err
		}
		*n = append(*n, p)
	}
	return nil
}

func network(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, fmt.Errorf("%q is no network, write 10.0.0.0/8 or 2001:db8::/32", text)
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 { // an IPv4 peer on an IPv6 socket
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p.Bits() == 0 {
		return p, fmt.Errorf("%q is everybody", text)
	}
	if p != p.Masked() {
		return p, fmt.Errorf("%q has bits behind its mask: did you mean %s?", text, p.Masked())
	}
	return p, nil
}
