package httpx_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"visavis/internal/httpx"
	"visavis/internal/limit"
	"visavis/internal/testkit"
)

// TestLimitsSeeThroughTheProxy: behind a trusted proxy each visitor has a
// bucket of their own; a stranger who writes the header stays in theirs.
func TestLimitsSeeThroughTheProxy(t *testing.T) {
	h := testkit.NewHouse(t, testkit.OpenSQLite(t))
	s, err := httpx.New(httpx.Options{
		DB: h.DB, Keeper: h.Keeper, Clock: h.Clock, Log: h.Log, Table: h.Table, Sessions: testkit.Actors{}, Limits: h.Limits,
		PublicURL: "https://visavis.test", Hosts: []string{"127.0.0.1:*"}, Proxies: httpx.Proxies{netip.MustParsePrefix("127.0.0.1/32")},
	})
	if err != nil {
		t.Fatal(err)
	}
	httpx.Handle(s, httpx.Op{Method: "GET", Path: "/api/one", Action: anybody, Summary: "test", Tag: "test",
		Limit: limit.Rule{Name: "behind", Burst: 1, Every: time.Hour}}, func(context.Context, *struct{}) (*echo, error) { return &echo{}, nil })
	proxy := testkit.HTTP(t, s.Handler()) // calls from 127.0.0.1
	as := func(address string) testkit.Option { return testkit.Header("X-Forwarded-For", address) }

	proxy.Get("/api/one", as("203.0.113.1")).Want(200)
	proxy.Get("/api/one", as("203.0.113.1")).Want(429)
	proxy.Get("/api/one", as("203.0.113.2")).Want(200)
	proxy.Get("/api/one", as("198.51.100.1, 203.0.113.2")).Want(429)
	proxy.Get("/api/one", as("2001:db8::1")).Want(200)
	proxy.Get("/api/one", as("2001:db8::2")).Want(429) // one household

	stranger := proxy.From(7)
	stranger.Get("/api/one", as("203.0.113.3")).Want(200)
	stranger.Get("/api/one", as("203.0.113.4")).Want(429)
	proxy.Get("/api/one", as("203.0.113.3")).Want(200) // nobody's bucket was emptied for them

	const hsts = "Strict-Transport-Security"
	http, https := testkit.Header("X-Forwarded-Proto", "http"), testkit.Header("X-Forwarded-Proto", "https")
	other := testkit.Header("Sec-Fetch-Site", "cross-site")
	for name, c := range map[string]struct {
		a    *testkit.Answer
		want bool
	}{
		"plain, says the proxy":          {proxy.Get("/api/nothing", http), false},
		"TLS, says the proxy":            {proxy.Get("/api/nothing", https), true},
		"plain, says a stranger":         {stranger.Get("/api/nothing", http), true},
		"plain, another origin":          {proxy.Post("/api/one", "{}", other, http), false},
		"a stranger, and another origin": {stranger.Post("/api/one", "{}", other, http), true},
	} {
		if got := c.a.Header.Get(hsts) != ""; got != c.want {
			t.Errorf("%s: HSTS %v", name, got)
		}
	}
}
