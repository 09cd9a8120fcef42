package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"visavis/internal/care"
	"visavis/internal/testkit/rtcclient"
)

const cookieName = "__Host-visavis"

// person is somebody with a session, at an address of their own.
type person struct {
	base    string
	session string
	http    *http.Client
}

func (p *program) person(n int) *person {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1, byte(n>>8), byte(n))}}
	return &person{base: p.url, http: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DialContext: d.DialContext}}}
}

// do calls the API; out may be nil.
func (x *person) do(ctx context.Context, method, path string, body, out any) error {
	var reader io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		reader = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(ctx, method, x.base+path, reader)
	if err != nil {
		return err
	}
	r.Header.Set("Origin", x.base)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", care.NewID(time.Now()))
	if x.session != "" {
		r.AddCookie(&http.Cookie{Name: cookieName, Value: x.session})
	}
	resp, err := x.http.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %d %s", method, path, resp.StatusCode, raw)
	}
	for _, k := range resp.Cookies() {
		if k.Name == cookieName {
			x.session = k.Value
		}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(raw, out)
}

// What the simulator's page asks back, and its buttons.
var (
	request = regexp.MustCompile(`name="id" value="([^"]+)"`)
	account = regexp.MustCompile(`(?s)<button[^>]*name="account" value="([^"]+)"[^>]*>(.*?)</button>`)
)

// browser follows redirects and keeps cookies, over plain HTTP on the loopback
// too, where Secure ones would be left out.
type browser map[string]string

var direct = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// follow goes on until a page, or until the professional's pages are reached.
func (c browser) follow(ctx context.Context, r *http.Request) (*url.URL, []byte, error) {
	for {
		for k, v := range c {
			r.AddCookie(&http.Cookie{Name: k, Value: v})
		}
		resp, err := direct.Do(r)
		if err != nil {
			return nil, nil, err
		}
		raw, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return nil, nil, err
		}
		for _, k := range resp.Cookies() {
			c[k.Name] = k.Value
		}
		to := resp.Header.Get("Location")
		if to == "" || strings.HasPrefix(to, "/pro") {
			return r.URL, raw, nil
		}
		next, err := r.URL.Parse(to)
		if err != nil {
			return nil, nil, err
		}
		if r, err = http.NewRequestWithContext(ctx, http.MethodGet, next.String(), nil); err != nil {
			return nil, nil, err
		}
	}
}

// signIn is Dr Claire MARTIN through the Pro Santé Connect simulator.
func (p *program) signIn(ctx context.Context) (*person, error) {
	c := browser{}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/api/auth/psc/start?return=/pro", nil)
	if err != nil {
		return nil, err
	}
	at, page, err := c.follow(ctx, r)
	if err != nil {
		return nil, err
	}
	form := url.Values{}
	for _, m := range account.FindAllSubmatch(page, -1) {
		if id := request.FindSubmatch(page); id != nil && bytes.Contains(m[2], []byte("MARTIN")) {
			form = url.Values{"id": {html.UnescapeString(string(id[1]))}, "account": {html.UnescapeString(string(m[1]))}}
		}
	}
	if len(form) == 0 {
		return nil, errors.New("the doctor is not on the page of accounts")
	}
	if r, err = http.NewRequestWithContext(ctx, http.MethodPost, at.String(), strings.NewReader(form.Encode())); err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if _, page, err = c.follow(ctx, r); err != nil {
		return nil, err
	}
	d := p.person(1)
	if d.session = c[cookieName]; d.session == "" {
		return nil, fmt.Errorf("not signed in: %s", page)
	}
	return d, nil
}

// seat is one person in one act, with their media.
type seat struct {
	who   *person
	act   string
	wire  *rtcclient.Client
	media *rtcclient.Media
	stop  context.CancelFunc
}

// ticket asks for what opens a socket.
func (s *seat) ticket(ctx context.Context) (string, error) {
	var out struct{ Ticket string }
	err := s.who.do(ctx, http.MethodPost, "/api/encounters/"+s.act+"/admission", nil, &out)
	return out.Ticket, err
}

// hello opens the socket and says hello.
func (s *seat) hello(ctx context.Context, ticket string) (err error) {
	if s.wire, err = rtcclient.Connect(ctx, s.who.base+"/api/live", s.who.base, &http.Cookie{Name: cookieName, Value: s.who.session}); err != nil {
		return err
	}
	if err = s.wire.Hello(ticket, "bench"); err != nil {
		return err
	}
	_, err = s.wire.Wait(ctx, "welcome", nil)
	return err
}

// talk offers media and sends.
func (s *seat) talk(ctx context.Context) (err error) {
	if s.media, err = rtcclient.NewMedia(rtcclient.Options{Voice: true, Camera: true, Slots: 5, Loopback: true, PicturePackets: 5}); err != nil {
		return err
	}
	if _, err = s.wire.Send("mute", map[string]any{"mic": true, "camera": true}); err != nil {
		return err
	}
	if err = s.wire.Join(ctx, s.media, 1, false); err != nil {
		return err
	}
	var pump context.Context
	pump, s.stop = context.WithCancel(context.Background())
	s.media.Pump(pump, 20)
	return nil
}

func (s *seat) leave() {
	if s.stop != nil {
		s.stop()
		_ = s.media.Close()
		s.stop = nil
	}
	if s.wire != nil {
		s.wire.Cut()
		s.wire = nil
	}
}
