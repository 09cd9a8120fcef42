package identity_test

import (
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"visavis/internal/testkit"
)

// rows counts what sign-ins under way have written.
func (c *clinic) rows(t *testing.T) (n int) {
	t.Helper()
	var list []string
	c.sql(t, "SELECT return_to FROM signins", &list)
	return len(list)
}

// TestSignin_FloodOfStarts: ten thousand sign-ins that nobody ends keep no row
// and no memory, from one address or many, and a person at that very address
// signs in meanwhile (issue 9, C7).
func TestSignin_FloodOfStarts(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		web := c.web(t)
		honest := newBrowser(t, web.Fresh())
		page := honest.toPSC("/pro/agenda")
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range 10_000 {
			if _, _, err := c.svc.StartSignin(t.Context(), fmt.Sprintf("/pro/%d", i)); err != nil {
				t.Fatal(err)
			}
		}
		for range 200 {
			web.Get("/api/auth/psc/start").Want(302)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if n := c.rows(t); n != 0 {
			t.Errorf("%d rows", n)
		}
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
			t.Errorf("%d bytes are kept", grown)
		}
		if to := honest.land(honest.choose(page, "810100000016")); to != "/pro/agenda" {
			t.Errorf("the honest one lands on %s", to)
		}
	})
}

// TestSignin_FloodOfReturns: returns without a ticket, or with one and a made-up
// code, write so many rows and audit lines; others are not kept out.
func TestSignin_FloodOfReturns(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		web := c.web(t)
		honest := newBrowser(t, web.Fresh())
		page := honest.toPSC("/pro/agenda")
		for i := range 500 {
			web.Get(fmt.Sprintf("/api/auth/psc/callback?state=s%d&code=x", i)).Want(302)
		}
		if n := c.audited(t, "signin.start", "refused"); n != 60 {
			t.Errorf("%d refusals of strangers audited", n)
		}
		if to := honest.land(honest.choose(page, "810100000016")); to != "/pro/agenda" {
			t.Errorf("at the address of who floods, the honest one lands on %s", to)
		}
		last := ""
		for range 320 {
			start := web.Get("/api/auth/psc/start").Want(302)
			to, err := url.Parse(start.Header.Get("Location"))
			if err != nil {
				t.Fatal(err)
			}
			ticket := (&http.Response{Header: start.Header}).Cookies()[0].Value
			last = web.Get("/api/auth/psc/callback?error=x&state="+to.Query().Get("state"), testkit.Header("Cookie", "__Host-visavis-psc="+ticket)).Want(302).Header.Get("Location")
		}
		if n := c.rows(t); n > 310 || !strings.Contains(last, "error=throttled") {
			t.Errorf("%d rows, the last lands on %s", n, last)
		}
		elsewhere := newBrowser(t, web.From(9))
		if to := elsewhere.land(elsewhere.choose(elsewhere.toPSC("/pro"), "810100000032")); to != "/pro" {
			t.Errorf("from elsewhere one lands on %s", to)
		}
		c.Clock.Advance(11 * time.Minute)
		again := newBrowser(t, web.Fresh())
		if to := again.land(again.choose(again.toPSC("/pro"), "810100000032")); to != "/pro" {
			t.Errorf("ten minutes later one lands on %s", to)
		}
		if n := c.rows(t); n != 1 {
			t.Errorf("%d rows are left after ten minutes", n)
		}
	})
}

// TestSignin_Ticket: what is in the browser counts as it was written, for its
// state and its time.
func TestSignin_Ticket(t *testing.T) {
	clinics(t, func(t *testing.T, c *clinic) {
		web := c.web(t)
		for name, change := range map[string]func(ticket string) string{
			"none":              func(string) string { return "" },
			"without its MAC":   func(s string) string { s, _, _ = strings.Cut(s, "."); return s },
			"an empty MAC":      func(s string) string { s, _, _ = strings.Cut(s, "."); return s + "." },
			"another MAC":       func(s string) string { return s[:len(s)-3] + "AAA" },
			"another text":      func(s string) string { return "AAAA" + s[4:] },
			"of another state":  func(string) string { b := newBrowser(t, web.Fresh()); b.toPSC("/pro"); return b.bind },
			"endless":           func(s string) string { return strings.Repeat("A", 3000) + s },
			"twice in one text": func(s string) string { return s + "." + s },
		} {
			b := newBrowser(t, web.Fresh())
			path := b.choose(b.toPSC("/pro/agenda"), "810100000016")
			good := b.bind
			b.bind = change(good)
			if to := b.land(path); to != "/pro?error=psc-expired" {
				t.Errorf("%s: lands on %s", name, to)
			}
			b.bind = good
			if to := b.land(path); to != "/pro/agenda" {
				t.Errorf("%s, then the good one: lands on %s", name, to)
			}
			if to := newBrowserWith(t, web.Fresh(), good).land(path); to != "/pro?error=psc-expired" {
				t.Errorf("%s, then again: lands on %s", name, to)
			}
		}
	})
}

func newBrowserWith(t *testing.T, web *testkit.Client, ticket string) *browser {
	b := newBrowser(t, web)
	b.bind = ticket
	return b
}
