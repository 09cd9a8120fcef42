package testkit

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/httpx"
)

// Client calls a server as a browser's same-origin page does: it says
// Sec-Fetch-Site, keeps cookies (also the Secure __Host- one, over plain HTTP
// on the loopback, as Chromium does), and gives every POST an Idempotency-Key.
type Client struct {
	t    testing.TB
	base string
	http *http.Client

	api     *httpx.Server // whose document the answers must follow
	mu      sync.Mutex
	cookies map[string]string
}

// HTTP serves h on a loopback port for the time of the test and returns a
// client of it.
func HTTP(t testing.TB, h http.Handler) *Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return Dial(t, s.URL)
}

// Dial returns a client of a running server, base without slash at the end.
func Dial(t testing.TB, base string) *Client {
	c := &http.Client{
		Timeout:       60 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
	}
	t.Cleanup(c.CloseIdleConnections)
	return &Client{t: t, base: base, http: c, cookies: map[string]string{}}
}

// Held makes the client, and those made of it, fail the test on an answer that
// is not what the OpenAPI document of s says.
func (c *Client) Held(s *httpx.Server) *Client {
	c.api = s
	return c
}

// URL is the address of a path on the server.
func (c *Client) URL(path string) string { return c.base + path }

// Fresh returns another client of the same server, without cookies.
func (c *Client) Fresh() *Client {
	return &Client{t: c.t, base: c.base, http: c.http, api: c.api, cookies: map[string]string{}}
}

// From returns another client of the same server, without cookies, whose
// connections come from the n-th address of the loopback: another household
// for the limits that count by network. The server must listen on 127.0.0.1.
func (c *Client) From(n int) *Client {
	f := c.Fresh()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1+byte(n>>16), byte(n>>8), byte(n))}}
	tr := &http.Transport{DialContext: d.DialContext}
	f.http = &http.Client{Timeout: c.http.Timeout, CheckRedirect: c.http.CheckRedirect, Transport: tr}
	c.t.Cleanup(tr.CloseIdleConnections)
	return f
}

// With returns another client of the same server with a session token.
func (c *Client) With(token string) *Client {
	f := c.Fresh()
	f.cookies[httpx.CookieName] = token
	return f
}

// Session is the session token the client holds; empty when it has none.
func (c *Client) Session() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cookies[httpx.CookieName]
}

// Option changes a request before it leaves.
type Option func(r *http.Request)

// Header sets a header; an empty value removes it.
func Header(name, value string) Option {
	return func(r *http.Request) {
		if value == "" {
			r.Header.Del(name)
			return
		}
		r.Header.Set(name, value)
	}
}

// Key sets the Idempotency-Key.
func Key(key string) Option { return Header("Idempotency-Key", key) }

// Match sets If-Match to an entity tag given without quotes.
func Match(tag string) Option { return Header("If-Match", `"`+tag+`"`) }

// English asks for English answers.
func English() Option { return Header("Accept-Language", "en") }

// Get calls a path.
func (c *Client) Get(path string, o ...Option) *Answer { return c.Do("GET", path, nil, o...) }

// Post calls a path with a JSON body, under a new Idempotency-Key.
func (c *Client) Post(path string, body any, o ...Option) *Answer {
	return c.Do("POST", path, body, o...)
}

// Put calls a path with a JSON body.
func (c *Client) Put(path string, body any, o ...Option) *Answer {
	return c.Do("PUT", path, body, o...)
}

// Do calls a path. body is sent as JSON, or as it is when it is a string, a
// []byte or an io.Reader; nil sends none. It may be called concurrently, but
// fails the test, so call it from the test's own goroutine or use Try.
func (c *Client) Do(method, path string, body any, o ...Option) *Answer {
	c.t.Helper()
	a, err := c.Try(method, path, body, o...)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

// Try is Do that gives the error of a broken connection back.
func (c *Client) Try(method, path string, body any, o ...Option) (*Answer, error) {
	reader, err := encode(body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequest(method, c.base+path, reader)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Accept", "application/json, application/problem+json")
	r.Header.Set("Accept-Language", "fr")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if method == "POST" {
		r.Header.Set("Idempotency-Key", care.NewID(time.Now()))
	}
	c.mu.Lock()
	for name, value := range c.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	c.mu.Unlock()
	for _, f := range o {
		f(r)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	c.keep(resp.Cookies())
	if c.api != nil && c.api.Describes(method, r.URL.Path) {
		media, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
		if err := c.api.Conforms(method, r.URL.Path, resp.StatusCode, media, raw); err != nil {
			c.t.Error(err)
		}
	}
	return &Answer{t: c.t, what: method + " " + path, Status: resp.StatusCode, Header: resp.Header, Body: raw}, nil
}

func encode(body any) (io.Reader, error) {
	switch b := body.(type) {
	case nil:
		return nil, nil
	case string:
		return strings.NewReader(b), nil
	case []byte:
		return bytes.NewReader(b), nil
	case io.Reader:
		return b, nil
	}
	raw, err := json.Marshal(body)
	return bytes.NewReader(raw), err
}

func (c *Client) keep(cookies []*http.Cookie) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range cookies {
		if k.MaxAge < 0 || k.Value == "" {
			delete(c.cookies, k.Name)
			continue
		}
		c.cookies[k.Name] = k.Value
	}
}

// Answer is what the server said.
type Answer struct {
	t      testing.TB
	what   string
	Status int
	Header http.Header
	Body   []byte
}

// Want fails the test unless the status is this one.
func (a *Answer) Want(status int) *Answer {
	a.t.Helper()
	if a.Status != status {
		a.t.Fatalf("%s: status %d, want %d\n%s", a.what, a.Status, status, a.Body)
	}
	return a
}

// JSON decodes the body, strictly typed by out, and returns the answer.
func (a *Answer) JSON(out any) *Answer {
	a.t.Helper()
	if err := json.Unmarshal(a.Body, out); err != nil {
		a.t.Fatalf("%s: %v\n%s", a.what, err, a.Body)
	}
	return a
}

// Problem checks that the answer is a problem of this status and code, with
// texts for people, and returns it.
func (a *Answer) Problem(status int, code string) httpx.Problem {
	a.t.Helper()
	a.Want(status)
	var p httpx.Problem
	a.JSON(&p)
	if ct := a.Header.Get("Content-Type"); ct != "application/problem+json" {
		a.t.Errorf("%s: Content-Type %q", a.what, ct)
	}
	if p.Code != code || p.Status != status {
		a.t.Fatalf("%s: problem %q (%d), want %q (%d)\n%s", a.what, p.Code, p.Status, code, status, a.Body)
	}
	if p.Title == "" || p.Detail == "" {
		a.t.Errorf("%s: problem %q says nothing to people\n%s", a.what, code, a.Body)
	}
	for _, f := range p.Fields {
		if f.Detail == "" {
			a.t.Errorf("%s: field %s: code %q says nothing to people", a.what, f.Name, f.Code)
		}
	}
	return p
}

// Fields is Problem for 422 "fields": it checks that exactly these fields are
// refused, each written "name code", in any order.
func (a *Answer) Fields(want ...string) {
	a.t.Helper()
	p := a.Problem(http.StatusUnprocessableEntity, "fields")
	got := map[string]bool{}
	for _, f := range p.Fields {
		got[f.Name+" "+f.Code] = true
	}
	for _, w := range want {
		if !got[w] {
			a.t.Errorf("%s: field %q was not refused\n%s", a.what, w, a.Body)
		}
		delete(got, w)
	}
	for g := range got {
		a.t.Errorf("%s: field %q was refused and should not be", a.what, g)
	}
}
