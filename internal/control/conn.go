package control

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// The bounds of a connection.
const (
	maxFrame  = 4 << 20
	maxQueued = 4096
	pingEvery = 500 * time.Millisecond
	silence   = 3 * time.Second // without a frame: the other end is gone
	writeWait = 4 * time.Second
)

// ErrClosed: the connection is no more.
var ErrClosed = errors.New("control: connection closed")

// Refusal is an answer that says no.
type Refusal struct{ Code string }

// Error names the code.
func (r *Refusal) Error() string { return "control: refused: " + r.Code }

// The codes of this package's own.
const (
	CodeUnknown  = "unknown"  // nobody answers that here
	CodeInternal = "internal" // see the other end's log
)

// Handler takes what the other end says. Asked and Told run on a goroutine of
// their own each, one call after the other.
type Handler interface {
	// Asked answers, or refuses with a *Refusal; any other error is told as
	// CodeInternal. ctx ends with the connection.
	Asked(ctx context.Context, what string, body json.RawMessage) (any, error)
	Told(what string, body json.RawMessage)
}

type frame struct {
	Type string          `json:"t"` // ask, answer, tell, ping
	ID   uint64          `json:"id,omitempty"`
	What string          `json:"what,omitempty"`
	Code string          `json:"code,omitempty"`
	Body json.RawMessage `json:"body,omitempty"`
}

// Conn is one authenticated connection.
type Conn struct {
	net     net.Conn
	asked   chan frame
	told    chan frame
	done    chan struct{}
	once    sync.Once
	working sync.WaitGroup

	writing sync.Mutex

	mu      sync.Mutex
	next    uint64
	waiting map[uint64]chan frame
	why     error
}

func newConn(nc net.Conn) *Conn {
	return &Conn{net: nc, asked: make(chan frame, maxQueued), told: make(chan frame, maxQueued), done: make(chan struct{}), waiting: map[uint64]chan frame{}}
}

// begin reads, answers and pings until the connection ends.
func (c *Conn) begin(h Handler) {
	ctx, cancel := context.WithCancel(context.Background())
	c.working.Go(func() { c.read(); cancel() })
	c.working.Go(func() { c.answer(ctx, h) })
	c.working.Go(func() { c.listen(h) })
	c.working.Go(c.ping)
}

// Done is closed when the connection ends; Err then says why.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err says why the connection ended.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why
}

// Close ends the connection. Its handler may still be running: Wait for it.
func (c *Conn) Close() { c.fail(ErrClosed) }

// Wait returns when the connection has ended and its handler too.
func (c *Conn) Wait() { c.working.Wait() }

func (c *Conn) fail(why error) {
	c.once.Do(func() {
		c.mu.Lock()
		c.why = why
		c.mu.Unlock()
		close(c.done)
		_ = c.net.Close() // nobody reads any more
	})
}

// Pending is a question that was sent.
type Pending struct {
	conn   *Conn
	id     uint64
	what   string
	answer chan frame
}

// Begin sends a question; Wait gives the answer. Questions arrive in the order
// of their Begin.
func (c *Conn) Begin(what string, in any) (*Pending, error) {
	p := &Pending{conn: c, what: what, answer: make(chan frame, 1)}
	c.mu.Lock()
	c.next++
	p.id = c.next
	c.waiting[p.id] = p.answer
	c.mu.Unlock()
	if err := c.say(frame{Type: "ask", ID: p.id, What: what}, in); err != nil {
		p.forget()
		return nil, err
	}
	return p, nil
}

func (p *Pending) forget() {
	p.conn.mu.Lock()
	delete(p.conn.waiting, p.id)
	p.conn.mu.Unlock()
}

// Wait reads the answer into out unless that is nil. It fails with a *Refusal,
// ErrClosed, or ctx's error.
func (p *Pending) Wait(ctx context.Context, out any) error {
	defer p.forget()
	select {
	case f := <-p.answer:
		if f.Code != "" {
			return &Refusal{f.Code}
		}
		if out == nil {
			return nil
		}
		if err := json.Unmarshal(f.Body, out); err != nil {
			return fmt.Errorf("control: answer to %s: %w", p.what, err)
		}
		return nil
	case <-p.conn.done:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Ask is Begin and Wait.
func (c *Conn) Ask(ctx context.Context, what string, in, out any) error {
	p, err := c.Begin(what, in)
	if err != nil {
		return err
	}
	return p.Wait(ctx, out)
}

// Tell says something that is not answered.
func (c *Conn) Tell(what string, in any) error { return c.say(frame{Type: "tell", What: what}, in) }

func (c *Conn) say(f frame, body any) error {
	var err error
	if body != nil {
		if f.Body, err = json.Marshal(body); err != nil {
			return fmt.Errorf("control: %s: %w", f.What, err)
		}
	}
	raw, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("control: %s: %w", f.What, err)
	}
	if len(raw) > maxFrame {
		return fmt.Errorf("control: %s: a frame of %d bytes", f.What, len(raw))
	}
	out := append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(raw)), uint32(len(raw))), raw...)
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = c.net.SetWriteDeadline(time.Now().Add(writeWait)) // fails on a closed connection only
	if _, err := c.net.Write(out); err != nil {
		c.fail(fmt.Errorf("control: write: %w", err))
		return ErrClosed
	}
	return nil
}

func (c *Conn) read() {
	r := bufio.NewReaderSize(c.net, 32<<10)
	for {
		f, err := c.frame(r)
		if err == nil {
			err = c.sort(f)
		}
		if err != nil {
			c.fail(err)
			return
		}
	}
}

func (c *Conn) frame(r *bufio.Reader) (f frame, err error) {
	_ = c.net.SetReadDeadline(time.Now().Add(silence)) // as above
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return f, fmt.Errorf("control: read: %w", err)
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return f, fmt.Errorf("control: a frame of %d bytes", n)
	}
	raw := make([]byte, n)
	if _, err := io.ReadFull(r, raw); err != nil {
		return f, fmt.Errorf("control: read: %w", err)
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return f, fmt.Errorf("control: read: %w", err)
	}
	return f, nil
}

// sort puts a frame where it is waited for. A type that is not known is of a
// later version, and nothing is lost by passing over it.
func (c *Conn) sort(f frame) error {
	to := c.told
	switch f.Type {
	case "answer":
		c.mu.Lock()
		answer := c.waiting[f.ID]
		delete(c.waiting, f.ID)
		c.mu.Unlock()
		if answer != nil {
			answer <- f
		}
		return nil
	case "ask":
		to = c.asked
	case "tell":
	default:
		return nil
	}
	select {
	case to <- f:
		return nil
	default:
		return errors.New("control: too much is asked or told at once")
	}
}

func (c *Conn) answer(ctx context.Context, h Handler) {
	for {
		select {
		case <-c.done:
			return
		case f := <-c.asked:
			out, err := h.Asked(ctx, f.What, f.Body)
			reply := frame{Type: "answer", ID: f.ID, What: f.What}
			var no *Refusal
			switch {
			case errors.As(err, &no):
				reply.Code, out = no.Code, nil
			case err != nil:
				reply.Code, out = CodeInternal, nil
			}
			if c.say(reply, out) != nil {
				return
			}
		}
	}
}

func (c *Conn) listen(h Handler) {
	for {
		select {
		case <-c.done:
			return
		case f := <-c.told:
			h.Told(f.What, f.Body)
		}
	}
}

func (c *Conn) ping() {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-c.done:
			return
		case <-tick.C:
			if c.say(frame{Type: "ping"}, nil) != nil {
				return
			}
		}
	}
}
