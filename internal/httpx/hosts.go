package httpx

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"visavis/internal/care"
	"visavis/internal/fault"
)

// hosts decides by the Host of a request whether it was meant for us. A page of
// another name that was made to point at us (DNS rebinding), or a cache poisoned
// with such a name, gets nothing (ASVS 13.1.1; issue 9, C7). X-Forwarded-Host is
// read nowhere: a proxy in front keeps Host.
type hosts struct {
	served []host
	told   atomic.Int64 // when a refusal was last logged, Unix seconds
}

// host is one name. ports are those of its address; nil: any.
type host struct {
	name  string
	ports []string
}

// newHosts serves the host of public, and more: name, name:port or name:*.
func newHosts(public string, more []string) *hosts {
	h := &hosts{}
	usual := ""
	if u, err := url.Parse(public); err == nil && u.Host != "" {
		usual = map[string]string{"https": "443", "http": "80"}[u.Scheme]
		port := u.Port()
		if port == "" {
			port = usual
		}
		// nginx's $host has no port.
		h.served = append(h.served, host{strings.ToLower(u.Hostname()), []string{"", port}})
		if loopback(u.Hostname()) {
			// A server for this machine alone: no other site has such a name.
			h.served = append(h.served, host{"localhost", nil}, host{"127.0.0.1", nil}, host{"::1", nil})
		}
	}
	for _, m := range more {
		name, port := split(strings.ToLower(m))
		switch port {
		case "*":
			h.served = append(h.served, host{name, nil})
		case "":
			h.served = append(h.served, host{name, []string{"", usual}})
		default:
			h.served = append(h.served, host{name, []string{port}})
		}
	}
	return h
}

// allow says whether the request is for us. Probes of health call an address
// without a name: no other site can make a browser do that.
func (h *hosts) allow(r *http.Request) bool {
	name, port := split(strings.ToLower(r.Host))
	if strings.HasPrefix(r.URL.Path, "/api/health") {
		if _, err := netip.ParseAddr(name); err == nil || name == "localhost" || name == "" {
			return true
		}
	}
	return slices.ContainsFunc(h.served, func(s host) bool {
		return s.name == name && name != "" && (s.ports == nil || slices.Contains(s.ports, port))
	})
}

// tell says at most once a minute that a refusal is due in the log: a proxy that
// does not keep Host is a mistake that somebody has to find.
func (h *hosts) tell(now time.Time) bool {
	last := h.told.Load()
	return now.Unix()-last >= 60 && h.told.CompareAndSwap(last, now.Unix())
}

// split parts host and port, without the brackets of IPv6. What has neither form
// is all name, and no name of ours.
func split(text string) (name, port string) {
	if name, port, err := net.SplitHostPort(text); err == nil && port != "" {
		return name, port
	}
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		return text[1 : len(text)-1], ""
	}
	return text, ""
}

func loopback(name string) bool {
	a, err := netip.ParseAddr(name)
	return name == "localhost" || err == nil && a.IsLoopback()
}

// misdirected refuses a request for another host (RFC 9110 §15.5.20) before
// anything of it is read.
func (s *Server) misdirected(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.hosts.allow(r) {
			next.ServeHTTP(w, r)
			return
		}
		if now := s.o.Clock.Now(); s.hosts.tell(now) {
			s.o.Log.Warn("a request for another host was refused; a proxy must keep Host, further names are in VISAVIS_HOSTS", "host", shorten(r.Host, maxName))
		}
		s.turnAway(w, r, http.StatusMisdirectedRequest, fault.New(fault.Malformed, "other-host").With("address", s.o.PublicURL))
	})
}

// turnAway answers before the engine sees the request.
func (s *Server) turnAway(w http.ResponseWriter, r *http.Request, status int, err error) {
	id := care.NewID(s.o.Clock.Now())
	_, plain := s.o.Proxies.client(r)
	s.secure(w.Header(), plain)
	w.Header().Set("X-Request-Id", id)
	ctx := with(r.Context(), &request{id: id, lang: s.language(r), say: s.say, server: s, action: crossSite, object: "request"})
	if status == http.StatusForbidden {
		ctx = s.behind(ctx, r)
	}
	p := problem(ctx, err)
	p.Status = status
	write(w, p)
}
