package rtcclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/coder/websocket"
	"github.com/pion/webrtc/v4"
)

// Msg is one message of the server, as it came.
type Msg map[string]any

// Str gives a text field; empty when there is none.
func (m Msg) Str(name string) string { s, _ := m[name].(string); return s }

// Num gives a number field; 0 when there is none.
func (m Msg) Num(name string) int { f, _ := m[name].(float64); return int(f) }

// List gives a field that is a list of objects.
func (m Msg) List(name string) []Msg {
	raw, _ := m[name].([]any)
	list := make([]Msg, 0, len(raw))
	for _, x := range raw {
		if o, ok := x.(map[string]any); ok {
			list = append(list, Msg(o))
		}
	}
	return list
}

// Obj gives a field that is an object.
func (m Msg) Obj(name string) Msg { o, _ := m[name].(map[string]any); return Msg(o) }

// Client is one socket of the live wire, and what outlives it.
type Client struct {
	ws *websocket.Conn

	sending sync.Mutex
	mu      sync.Mutex
	log     []Msg
	at      int // where Wait looks next
	seq     uint64
	last    uint64 // highest server seq
	acked   uint64
	code    websocket.StatusCode
	closed  bool
	change  chan struct{}
	done    chan struct{}

	Session string // of the last welcome
	Seat    string
	Silent  bool // do not ack

	quiet bool
	line  *frozen
}

// Connect opens the socket; nothing is said yet. url is ws://… or http://….
func Connect(ctx context.Context, url, origin string, cookies ...*http.Cookie) (*Client, error) {
	h := http.Header{"Origin": {origin}}
	for _, k := range cookies {
		h.Add("Cookie", k.Name+"="+k.Value)
	}
	line := &frozen{}
	ws, resp, err := websocket.Dial(ctx, strings.Replace(url, "http", "ws", 1), &websocket.DialOptions{
		HTTPHeader: h, Subprotocols: []string{"visavis.v1"}, HTTPClient: &http.Client{Transport: &http.Transport{DialContext: line.dial}},
	})
	if err != nil {
		if resp != nil {
			return nil, fmt.Errorf("status %d: %w", resp.StatusCode, err)
		}
		return nil, err
	}
	ws.SetReadLimit(1 << 20)
	c := &Client{ws: ws, line: line, change: make(chan struct{}), done: make(chan struct{})}
	go c.read()
	return c, nil
}

// Over takes another client's session: the numbers go on.
func (c *Client) Over(old *Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq, c.last, c.Session, c.Seat = old.seq, old.last, old.Session, old.Seat
}

// SetQuiet makes the client ack only with what it sends: many messages at once
// are no flood.
func (c *Client) SetQuiet() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.quiet = true
}

func (c *Client) read() {
	defer close(c.done)
	for {
		_, b, err := c.ws.Read(context.Background())
		if err != nil {
			c.mu.Lock()
			c.closed, c.code = true, websocket.CloseStatus(err)
			c.tellLocked()
			c.mu.Unlock()
			return
		}
		var m Msg
		if json.Unmarshal(b, &m) != nil {
			continue
		}
		c.mu.Lock()
		c.log = append(c.log, m)
		if n := uint64(m.Num("seq")); n > 0 {
			if n != c.last+1 {
				c.log = append(c.log, Msg{"t": "test-hole", "want": c.last + 1, "got": n})
			}
			c.last = n
		}
		c.acked = max(c.acked, uint64(m.Num("ack")))
		if m.Str("t") == "welcome" {
			c.Session, c.Seat, c.seq = m.Str("session"), m.Str("seat"), 0
		}
		ack, silent := c.last, c.Silent || c.quiet
		c.tellLocked()
		c.mu.Unlock()
		if !silent && m.Num("seq") > 0 {
			_ = c.raw(map[string]any{"t": "ack", "ack": ack})
		}
	}
}

func (c *Client) tellLocked() {
	close(c.change)
	c.change = make(chan struct{})
}

func (c *Client) raw(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return c.ws.Write(context.Background(), websocket.MessageText, b)
}

// Raw sends an object as it is.
func (c *Client) Raw(v map[string]any) error { return c.raw(v) }

// Hello says hello.
func (c *Client) Hello(ticket, tab string) error {
	return c.raw(map[string]any{"t": "hello", "ticket": ticket, "tab": tab, "client": "test"})
}

// Resume asks for the session back.
func (c *Client) Resume() error {
	return c.raw(map[string]any{"t": "resume", "session": c.Session, "last": c.last})
}

// Send sends a numbered message and gives its number.
func (c *Client) Send(t string, fields map[string]any) (uint64, error) {
	m := map[string]any{"t": t}
	for k, v := range fields {
		m[k] = v
	}
	c.sending.Lock() // numbers leave in their order
	defer c.sending.Unlock()
	c.mu.Lock()
	c.seq++
	m["seq"] = c.seq
	n := c.seq
	if c.quiet {
		m["ack"] = c.last
	}
	c.mu.Unlock()
	return n, c.raw(m)
}

// Wait gives the next message of a type, after those already waited for, that
// ok accepts (nil: any).
func (c *Client) Wait(ctx context.Context, t string, ok func(Msg) bool) (Msg, error) {
	for {
		c.mu.Lock()
		for ; c.at < len(c.log); c.at++ {
			m := c.log[c.at]
			if m.Str("t") == t && (ok == nil || ok(m)) {
				c.at++
				c.mu.Unlock()
				return m, nil
			}
		}
		ch, closed, code := c.change, c.closed, c.code
		c.mu.Unlock()
		if closed {
			return nil, fmt.Errorf("waiting for %s: closed with %d, had %s", t, code, c.types())
		}
		select {
		case <-ch:
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for %s: %w, had %s", t, ctx.Err(), c.types())
		}
	}
}

// Types lists the types of all messages, in order.
func (c *Client) types() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	for _, m := range c.log {
		b.WriteString(m.Str("t") + " ")
	}
	return b.String()
}

// All gives every message of a type so far.
func (c *Client) All(t string) []Msg {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []Msg
	for _, m := range c.log {
		if m.Str("t") == t {
			list = append(list, m)
		}
	}
	return list
}

// CloseCode waits until the server closes and gives its code.
func (c *Client) CloseCode(ctx context.Context) (int, error) {
	select {
	case <-c.done:
		return int(c.code), nil
	case <-ctx.Done():
		return 0, errors.New("not closed")
	}
}

// Cut drops the socket without a word, as a dead network does.
func (c *Client) Cut() {
	_ = c.ws.CloseNow()
	<-c.done
}

// Leave closes the socket as a browser does that leaves a page: it says goodbye.
func (c *Client) Leave() {
	_ = c.raw(map[string]any{"t": "bye"})
	_ = c.ws.Close(websocket.StatusGoingAway, "")
	<-c.done
}

// Join offers media over this client and takes the answer.
func (c *Client) Join(ctx context.Context, m *Media, pc int, restart bool) error {
	text, err := m.Offer(ctx, restart)
	if err != nil {
		return err
	}
	n, err := c.Send("offer", map[string]any{"pc": pc, "sdp": text})
	if err != nil {
		return err
	}
	a, err := c.Wait(ctx, "answer", func(m Msg) bool { return uint64(m.Num("re")) == n })
	if err != nil {
		return err
	}
	return m.Answer(a.Str("sdp"))
}

// Servers are the ICE servers of a welcome or an ice message.
func Servers(m Msg) []webrtc.ICEServer {
	var list []webrtc.ICEServer
	for _, s := range m.List("servers") {
		raw, _ := s["urls"].([]any)
		var urls []string
		for _, u := range raw {
			if text, ok := u.(string); ok {
				urls = append(urls, text)
			}
		}
		list = append(list, webrtc.ICEServer{URLs: urls, Username: s.Str("username"), Credential: s.Str("credential")})
	}
	return list
}
