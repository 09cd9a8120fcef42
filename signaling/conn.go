package signaling

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"visavis/internal/authz"
	"visavis/internal/fault"
	"visavis/internal/httpx"
	"visavis/signaling/sockets"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"
)

// conn is one WebSocket.
type conn struct {
	svc    *Service
	ws     *websocket.Conn
	actor  authz.Actor
	origin string
	limit  *rate.Limiter
	wake   chan struct{}
	done   chan struct{}
	ended  chan closing

	once      sync.Once
	finishing atomic.Bool
	greeted   atomic.Bool             // said hello or resume; nothing else keeps a socket open
	cur       atomic.Pointer[session] // sess, for the writer
	heard     atomic.Int64            // the last sign of life, microseconds
	silent    atomic.Bool             // it ended because no sign of life came

	// Of the read loop.
	sess    *session
	invalid int
	drowned int
	busy    *seatHello // waits for takeover
	bye     bool       // the client said that its page closes
}

type closing struct {
	code   int
	reason string
}

// Live is the WebSocket of docs/signaling.md, for Mount.
func (s *Service) Live(w http.ResponseWriter, r *http.Request) {
	origin, actor := r.Header.Get("Origin"), authz.From(r.Context())
	if !slices.Contains(s.Origins, origin) {
		s.note(actor, "live", "origin")
		http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
		return
	}
	if actor.SessionID == "" { // the table asks for a role; a socket belongs to a sign-in
		httpx.Refuse(w, r, fault.New(fault.Unauthenticated, "sign-in"))
		return
	}
	closed, over := s.sockets.Open(httpx.Remote(r.Context()), string(actor.SessionID))
	if over != sockets.None {
		s.Log.Warn("signaling: socket refused", "limit", string(over), "actor", httpx.Pseudonym(r.Context()))
		httpx.Refuse(w, r, tooMany(over))
		return
	}
	defer closed()
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: []string{protocol}, CompressionMode: websocket.CompressionDisabled,
		InsecureSkipVerify: true, // the exact list was checked above
	})
	if err != nil {
		return // Accept has answered
	}
	if ws.Subprotocol() != protocol {
		_ = ws.Close(websocket.StatusPolicyViolation, "subprotocol")
		return
	}
	ws.SetReadLimit(readLimit)
	c := &conn{
		svc: s, ws: ws, actor: actor, origin: origin, limit: rate.NewLimiter(perSecond, burst),
		wake: make(chan struct{}, 1), done: make(chan struct{}), ended: make(chan closing, 1),
	}
	if !s.hub.opened(c) {
		_ = ws.Close(websocket.StatusGoingAway, "stopping")
		return
	}
	defer s.hub.closed(c)
	c.serve(context.WithoutCancel(r.Context()))
}

// tooMany says which limit a further socket breaks.
func tooMany(over sockets.Over) error {
	no := fault.New(fault.Unavailable, "sockets-full")
	switch over {
	case sockets.Network:
		no = fault.New(fault.Throttled, "sockets-network")
	case sockets.Session:
		no = fault.New(fault.Throttled, "sockets-session")
	}
	return no.With("seconds", "30")
}

func (c *conn) serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	written := make(chan struct{})
	go func() {
		defer close(written)
		c.write(ctx)
		_ = c.ws.CloseNow() // ends the read loop
	}()
	hello := time.AfterFunc(helloWait, func() {
		if c.cur.Load() == nil && !c.greeted.Load() {
			c.finish(closeNoHello, "no hello")
		}
	})
	c.read(ctx)
	hello.Stop()
	if !c.finishing.Load() {
		close(c.done)
	}
	<-written
	c.lost(ctx)
}

// lost tells the room that the socket is gone.
func (c *conn) lost(ctx context.Context) {
	if c.sess != nil && c.sess.detach(c, c.svc.Clock.Now(), c.goneAt(), c.bye) {
		c.sess.room.socketLost(ctx, c.sess)
	}
}

// read takes messages until the socket ends. A panic ends this connection and
// no other (trust B10).
func (c *conn) read(ctx context.Context) {
	defer func() {
		if v := recover(); v != nil {
			c.svc.Log.Error("signaling: connection ended by a defect", "panic", v, "stack", string(debug.Stack()))
			c.finish(int(websocket.StatusInternalError), "internal")
		}
	}()
	for {
		kind, b, err := c.next(ctx)
		if err != nil {
			c.bye = c.bye || websocket.CloseStatus(err) == websocket.StatusGoingAway // a browser that leaves a page
			return
		}
		c.heard.Store(c.svc.Clock.Now().UnixMicro())
		var m inbound
		if kind != websocket.MessageText || json.Unmarshal(b, &m) != nil {
			m = inbound{}
		}
		if m.T == "quality" {
			m.raw = b
		}
		if !c.take(ctx, &m) {
			return
		}
	}
}

// next reads one message. It may wait for its first frame; from then on the rest
// has messageWait, however many fragments it comes in.
func (c *conn) next(ctx context.Context) (websocket.MessageType, []byte, error) {
	kind, r, err := c.ws.Reader(ctx)
	if err != nil {
		return 0, nil, err
	}
	late := time.AfterFunc(messageWait, func() { _ = c.ws.CloseNow() })
	defer late.Stop()
	b, err := io.ReadAll(r)
	return kind, b, err
}

// take handles one message; false ends the connection.
func (c *conn) take(ctx context.Context, m *inbound) bool {
	if !c.limit.AllowN(time.Now(), 1) {
		c.drowned++
		c.error(errorMsg{Re: m.Seq, Code: "throttled"})
		if c.drowned >= 10 {
			return c.finish(closeFlood, "flood")
		}
		return true
	}
	c.drowned = 0
	if field := m.check(); field != "" {
		return c.refuse(m, field)
	}
	c.bye = m.T == "bye" // until something else comes: the page was kept and is shown again
	if c.sess == nil {
		return c.enter(ctx, m)
	}
	c.sess.acked(m.Ack)
	if !m.sequenced() {
		switch m.T {
		case "ping":
			c.sess.say("pong", pongMsg{c.svc.Clock.Now()})
		case "hello", "resume", "takeover":
			return c.refuse(m, "t")
		}
		return true
	}
	switch c.sess.arrived(m.Seq) {
	case hole:
		c.error(errorMsg{Re: m.Seq, Code: "gap"})
		return c.finish(int(websocket.StatusPolicyViolation), "gap")
	case fresh:
		c.sess.took(m.Seq)
		if !c.obey(ctx, m) {
			return false
		}
	}
	c.sess.say("ack", nil)
	return true
}

// enter takes the messages of a connection that has no session yet.
func (c *conn) enter(ctx context.Context, m *inbound) bool {
	switch {
	case m.T == "hello" && c.busy == nil:
		c.greeted.Store(true)
		return c.hello(ctx, m)
	case m.T == "resume" && c.busy == nil:
		c.greeted.Store(true)
		s := c.svc.hub.session(m.Session)
		if s != nil && s.actor.SessionID != c.actor.SessionID {
			c.svc.note(c.actor, "encounter/"+string(s.room.act.ID), "resume-expired")
			s = nil
		}
		if s == nil {
			c.error(errorMsg{Code: "resume_expired"})
			return c.finish(closeResume, "resume")
		}
		return c.resume(ctx, s, m.Last)
	case m.T == "takeover" && c.busy != nil:
		return c.svc.hub.sit(ctx, c, *c.busy)
	case m.T == "ping" || m.T == "ack" || m.T == "bye":
		return true
	}
	return c.refuse(m, "t")
}

func (c *conn) resume(ctx context.Context, s *session, last uint64) bool {
	old, ok := s.resume(c, last, c.svc.Clock.Now())
	if !ok {
		c.error(errorMsg{Code: "resume_expired"})
		return c.finish(closeResume, "resume")
	}
	c.bind(s)
	if old != nil {
		old.finish(int(websocket.StatusNormalClosure), "resumed elsewhere")
	}
	s.room.socketBack(ctx, s)
	return true
}

// bind makes the connection the session's.
func (c *conn) bind(s *session) {
	c.sess = s
	c.cur.Store(s)
	c.nudge()
}

// refuse answers a malformed message; the third ends the connection.
func (c *conn) refuse(m *inbound, field string) bool {
	c.error(errorMsg{Re: m.Seq, Code: "invalid", Field: field})
	if c.sess != nil && m.sequenced() && m.Seq > 0 && c.sess.arrived(m.Seq) == fresh {
		c.sess.took(m.Seq) // refused for good: not to be sent again
	}
	if c.invalid++; c.invalid >= 3 {
		return c.finish(int(websocket.StatusPolicyViolation), "invalid")
	}
	return true
}

// error says an error on this socket, session or not.
func (c *conn) error(e errorMsg) {
	if c.sess != nil {
		c.sess.say("error", e)
		return
	}
	c.direct("error", e)
}

// direct writes without a session: before there is one.
func (c *conn) direct(t string, body any) {
	ctx, cancel := context.WithTimeout(context.Background(), pongWait)
	defer cancel()
	_ = c.ws.Write(ctx, websocket.MessageText, frame(t, 0, 0, body)) // a dead socket ends the read loop
}

// nudge wakes the writer.
func (c *conn) nudge() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// finish closes the connection after what is queued. It returns false, for the
// read loop.
func (c *conn) finish(code int, reason string) bool {
	c.once.Do(func() {
		c.finishing.Store(true)
		c.ended <- closing{code, reason}
	})
	return false
}

// write sends what the session has, pings, and closes.
func (c *conn) write(ctx context.Context) {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.done:
			return
		case e := <-c.ended:
			c.drain(ctx)
			_ = c.ws.Close(websocket.StatusCode(e.code), e.reason)
			return
		case <-ping.C:
			if !c.ping(ctx) {
				return
			}
		case <-c.wake:
			if !c.drain(ctx) {
				return
			}
		}
	}
}

func (c *conn) ping(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, pongWait)
	defer cancel()
	if c.ws.Ping(ctx) != nil {
		c.silent.Store(errors.Is(ctx.Err(), context.DeadlineExceeded))
		return false
	}
	c.heard.Store(c.svc.Clock.Now().UnixMicro())
	return true
}

func (c *conn) drain(ctx context.Context) bool {
	s := c.cur.Load()
	if s == nil {
		return true
	}
	for _, b := range s.pending(c) {
		in, cancel := context.WithTimeout(ctx, pongWait)
		err := c.ws.Write(in, websocket.MessageText, b)
		cancel()
		if err != nil {
			return false
		}
	}
	return true
}
