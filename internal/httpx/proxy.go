package httpx

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the networks whose peers may say for whom they speak. What any
// other peer says about itself changes nothing (ASVS 4.1.3).
type Proxies []netip.Prefix

// client tells the address a request came from, and whether it came to a
// trusted proxy without TLS.
//
// Each proxy adds on the right the address it was called from. So the list is
// read from the right for as long as the one who wrote is trusted (RFC 7239
// §8.1): the first that is not is the client, and what it says is not read. An
// entry that is no address ends the walk at the proxy that wrote it.
func (p Proxies) client(r *http.Request) (address string, plain bool) {
	at, ok := hop(r.RemoteAddr)
	if !ok {
		return r.RemoteAddr, false
	}
	if !p.trust(at) {
		return at.String(), false
	}
	plain = strings.EqualFold(last(r.Header.Values("X-Forwarded-Proto")), "http")
	rest := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
	for rest != "" && p.trust(at) {
		cut := strings.LastIndexByte(rest, ',')
		next, ok := hop(strings.TrimSpace(rest[cut+1:]))
		if !ok {
			break
		}
		at, rest = next, rest[:max(cut, 0)]
	}
	return at.String(), plain
}

func (p Proxies) trust(a netip.Addr) bool {
	return slices.ContainsFunc(p, func(n netip.Prefix) bool { return n.Contains(a) })
}

// hop reads an address with or without a port, in brackets or not. An IPv4
// address mapped to IPv6 is the IPv4 one; the zone of a link is not kept.
func hop(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		var p netip.AddrPort
		p, err = netip.ParseAddrPort(text)
		a = p.Addr()
	}
	return a.Unmap().WithZone(""), err == nil
}

// last is the value written last: by the peer itself.
func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	v := values[len(values)-1]
	return strings.TrimSpace(v[strings.LastIndexByte(v, ',')+1:])
}
