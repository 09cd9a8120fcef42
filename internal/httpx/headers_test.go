package httpx_test

import (
	"net/http"
	"strings"
	"testing"

	"visavis/internal/httpx"
	"visavis/internal/testkit"

	"github.com/google/go-cmp/cmp"
)

// TestExactHeaders is S20: every answer, whoever makes it, carries this set.
func TestExactHeaders(t *testing.T) {
	_, c := lite(t)
	want := http.Header{
		"Content-Security-Policy": {"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
			"connect-src 'self'; media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; " +
			"form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"},
		"X-Content-Type-Options":       {"nosniff"},
		"Referrer-Policy":              {"no-referrer"},
		"Cross-Origin-Opener-Policy":   {"same-origin"},
		"Cross-Origin-Resource-Policy": {"same-origin"},
		"Permissions-Policy":           {"camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=()"},
		"Strict-Transport-Security":    {"max-age=63072000; includeSubDomains"},
	}
	for name, a := range map[string]*testkit.Answer{
		"an answer":      c.Post("/api/form", `{"name":"Jo"}`),
		"a refusal":      c.Post("/api/form", `{}`),
		"a panic":        c.Get("/api/panic"),
		"no route":       c.Get("/api/nothing"),
		"no method":      c.Do("DELETE", "/api/form", nil),
		"not signed in":  c.Get("/raw"),
		"the web app":    c.Get("/rdv"),
		"another origin": c.Post("/api/form", `{}`, testkit.Header("Sec-Fetch-Site", "cross-site")),
		"the document":   c.Get("/api/openapi.json"),
		"too large":      c.Post("/api/form", strings.Repeat("x", 1<<20)),
	} {
		got := a.Header.Clone()
		for _, h := range []string{"Date", "Content-Length", "Content-Type", "X-Request-Id", "Connection"} {
			got.Del(h)
		}
		full := want.Clone()
		if name != "the web app" {
			full.Set("Cache-Control", "no-store")
		}
		if diff := cmp.Diff(full, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		if a.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s: no X-Request-Id", name)
		}
	}
}

// TestOtherOriginsAreRefused is S11 on one route; cmd/visavis walks them all.
func TestOtherOriginsAreRefused(t *testing.T) {
	s, c := lite(t)
	doctor := c.With("doctor")
	none := testkit.Header("Sec-Fetch-Site", "")
	origin := func(o string) testkit.Option { return testkit.Header("Origin", o) }
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		for name, o := range map[string][]testkit.Option{
			"cross-site": {testkit.Header("Sec-Fetch-Site", "cross-site")}, "same-site": {testkit.Header("Sec-Fetch-Site", "same-site")},
			"unknown word": {testkit.Header("Sec-Fetch-Site", "friendly")}, "another origin": {none, origin("https://evil.example")},
			"null origin": {none, origin("null")}, "another port": {none, origin("http://127.0.0.1:1")}, "a longer name": {none, origin("https://visavis.test.evil.example")},
		} {
			doctor.Do(method, "/api/once", `{"name":"Jo"}`, o...).Problem(403, "cross-origin")
			if name == "" || s.count(t) != 0 {
				t.Fatalf("%s %s: had an effect", method, name)
			}
		}
	}
	for name, o := range map[string][]testkit.Option{
		"same-origin": {}, "typed by the user": {testkit.Header("Sec-Fetch-Site", "none")}, "no browser": {none}, "own origin": {none, origin(c.URL(""))},
	} {
		if a := doctor.Post("/api/once", `{"name":"Jo"}`, o...); a.Status != 201 {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	// Reading is safe: a link from elsewhere must open.
	doctor.Get("/api/own/mine", testkit.Header("Sec-Fetch-Site", "cross-site")).Want(200)
}

func TestSessionCookie(t *testing.T) {
	k := httpx.SessionCookie("token")
	if got, want := k.String(), "__Host-visavis=token; Path=/; HttpOnly; Secure; SameSite=Lax"; got != want {
		t.Errorf("%s", got)
	}
	end := httpx.EndCookie()
	if end.MaxAge >= 0 || end.Value != "" || end.Name != k.Name || end.Path != k.Path {
		t.Errorf("%s does not end %s", end.String(), k.String())
	}
}

func TestLogsHoldRoutesNotURLs(t *testing.T) {
	s, c := lite(t)
	c.With("doctor").Get("/api/own/durand-angine?q=migraine").Want(404)
	c.Get("/pro/patients/durand?q=migraine")
	log := s.h.Logged.String()
	for _, word := range []string{"durand", "migraine", "doctor"} {
		if strings.Contains(log, word) {
			t.Errorf("the log holds %q:\n%s", word, log)
		}
	}
	if !strings.Contains(log, "/api/own/{id}") && !strings.Contains(log, "/api/own/:id") {
		t.Errorf("the log does not tell the route:\n%s", log)
	}
}
