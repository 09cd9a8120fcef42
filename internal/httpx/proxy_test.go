package httpx

import (
	"net/http"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

func nets(cidrs ...string) Proxies {
	var p Proxies
	for _, c := range cidrs {
		p = append(p, netip.MustParsePrefix(c))
	}
	return p
}

func request4(peer string, forwarded, proto []string) *http.Request {
	return &http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": forwarded, "X-Forwarded-Proto": proto}}
}

// TestClientBehindProxies is ASVS 4.1.3: who is believed about whom.
func TestClientBehindProxies(t *testing.T) {
	trusted := nets("10.0.0.0/8", "2001:db8:1::/48", "fe80::/10")
	for name, c := range map[string]struct {
		by        Proxies
		peer      string
		forwarded []string
		want      string
	}{
		"nobody is trusted unless said":          {nil, "10.0.0.1:5", []string{"203.0.113.9"}, "10.0.0.1"},
		"a stranger speaks for nobody":           {trusted, "198.51.100.7:5", []string{"203.0.113.9"}, "198.51.100.7"},
		"a proxy":                                {trusted, "10.0.0.1:5", []string{"203.0.113.9"}, "203.0.113.9"},
		"a proxy that says nothing":              {trusted, "10.0.0.1:5", nil, "10.0.0.1"},
		"two proxies":                            {trusted, "10.0.0.1:5", []string{"203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		"two header lines are one list":          {trusted, "10.0.0.1:5", []string{"203.0.113.9", "10.0.0.2"}, "203.0.113.9"},
		"what the client claims is not read":     {trusted, "10.0.0.1:5", []string{"10.9.9.9, 192.0.2.1, 203.0.113.9"}, "203.0.113.9"},
		"everybody is ours: the first":           {trusted, "10.0.0.1:5", []string{"10.1.1.1, 10.2.2.2"}, "10.1.1.1"},
		"a port":                                 {trusted, "10.0.0.1:5", []string{"203.0.113.9:4711"}, "203.0.113.9"},
		"IPv6":                                   {trusted, "[2001:db8:1::1]:5", []string{"2001:db8:2::7"}, "2001:db8:2::7"},
		"IPv6 in brackets":                       {trusted, "[2001:db8:1::1]:5", []string{"[2001:db8:2::7]"}, "2001:db8:2::7"},
		"IPv6 with a port":                       {trusted, "[2001:db8:1::1]:5", []string{"[2001:db8:2::7]:4711"}, "2001:db8:2::7"},
		"an IPv6 stranger":                       {trusted, "[2001:db8:9::1]:5", []string{"2001:db8:2::7"}, "2001:db8:9::1"},
		"a mapped peer is the IPv4 one":          {trusted, "[::ffff:10.0.0.1]:5", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		"a mapped stranger":                      {trusted, "[::ffff:198.51.100.7]:5", []string{"203.0.113.9"}, "198.51.100.7"},
		"a link-local proxy":                     {trusted, "[fe80::1%eth0]:5", []string{"203.0.113.9"}, "203.0.113.9"},
		"garbage":                                {trusted, "10.0.0.1:5", []string{"unknown"}, "10.0.0.1"},
		"garbage of an inner proxy":              {trusted, "10.0.0.1:5", []string{"203.0.113.9, _hidden, 10.0.0.2"}, "10.0.0.2"},
		"garbage of the client behind its own":   {trusted, "10.0.0.1:5", []string{"'; DROP TABLE, 203.0.113.9"}, "203.0.113.9"},
		"an empty entry":                         {trusted, "10.0.0.1:5", []string{"203.0.113.9, ,10.0.0.2"}, "10.0.0.2"},
		"an empty header":                        {trusted, "10.0.0.1:5", []string{""}, "10.0.0.1"},
		"a name is no address":                   {trusted, "10.0.0.1:5", []string{"localhost"}, "10.0.0.1"},
		"an address that overflows":              {trusted, "10.0.0.1:5", []string{"256.1.1.1"}, "10.0.0.1"},
		"octal is not read as something else":    {trusted, "10.0.0.1:5", []string{"010.0.0.1"}, "10.0.0.1"},
		"a peer without a port":                  {trusted, "10.0.0.1", []string{"203.0.113.9"}, "203.0.113.9"},
		"a peer that is no address is no proxy":  {trusted, "@", []string{"203.0.113.9"}, "@"},
		"a trusted name in an untrusted network": {trusted, "11.0.0.1:5", []string{"10.0.0.1"}, "11.0.0.1"},
	} {
		if got, _ := c.by.client(request4(c.peer, c.forwarded, nil)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestSchemeBehindProxies(t *testing.T) {
	for name, c := range map[string]struct {
		peer  string
		proto []string
		plain bool
	}{
		"nothing said":         {"10.0.0.1:5", nil, false},
		"TLS":                  {"10.0.0.1:5", []string{"https"}, false},
		"no TLS":               {"10.0.0.1:5", []string{"http"}, true},
		"in capitals":          {"10.0.0.1:5", []string{"HTTP"}, true},
		"the proxy is last":    {"10.0.0.1:5", []string{"http, https"}, false},
		"in two lines":         {"10.0.0.1:5", []string{"https", "http"}, true},
		"garbage":              {"10.0.0.1:5", []string{"gopher"}, false},
		"a stranger's word":    {"198.51.100.7:5", []string{"http"}, false},
		"no address, no proxy": {"@", []string{"http"}, false},
	} {
		if _, plain := nets("10.0.0.0/8").client(request4(c.peer, nil, c.proto)); plain != c.plain {
			t.Errorf("%s: %v", name, plain)
		}
	}
}

// TestAStrangerChangesNothing: whatever an untrusted peer sends, the answer is
// the one it would get without the headers; behind a proxy, whatever a client
// sends, the answer is what the proxy wrote.
func TestAStrangerChangesNothing(t *testing.T) {
	p := nets("10.0.0.0/8", "::1/128")
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOf(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"10.0.0.1", "::1", "203.0.113.9", ",", " ", "[::1]:1", "unknown"})))
		sent := words.Draw(t, "sent")
		if got, plain := p.client(request4("198.51.100.7:5", sent, sent)); got != "198.51.100.7" || plain {
			t.Fatalf("%q: %s %v", sent, got, plain)
		}
		if got, _ := p.client(request4("10.0.0.1:5", append(sent, "203.0.113.9"), nil)); got != "203.0.113.9" {
			t.Fatalf("%q: %s", sent, got)
		}
	})
}
