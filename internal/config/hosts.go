package config

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Hosts are further names under which the server answers, each as name, name:port
// or name:* (any port). A name is a DNS name or an IP address, IPv6 in brackets.
type Hosts []string

// UnmarshalText reads names with commas between them, in lower case.
func (h *Hosts) UnmarshalText(text []byte) error {
	*h = nil
	for part := range strings.SplitSeq(string(text), ",") {
		part = strings.ToLower(strings.TrimSpace(part))
		if part == "" {
			continue
		}
		if !validHost(part) {
			return fmt.Errorf("%q is no host, write rdv.example, rdv.example:8443 or rdv.example:*", part)
		}
		*h = append(*h, part)
	}
	return nil
}

func validHost(text string) bool {
	name, port, err := net.SplitHostPort(text)
	if err != nil {
		name, port = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"), "*"
		if strings.Contains(name, ":") != strings.HasPrefix(text, "[") {
			return false
		}
	}
	if n, err := strconv.ParseUint(port, 10, 16); port != "*" && (err != nil || n == 0) {
		return false
	}
	if a, err := netip.ParseAddr(name); err == nil {
		return a.Zone() == ""
	}
	return name != "" && !strings.HasPrefix(name, ".") && !strings.HasSuffix(name, ".") &&
		!strings.ContainsFunc(name, func(r rune) bool {
			return r != '-' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
		})
}
