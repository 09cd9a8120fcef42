package signaling_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/httpx"
	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
	"visavis/signaling/sockets"

	"github.com/coder/websocket"
)

func (c *clinic) dial(who string) (*rtcclient.Client, error) {
	var cookies []*http.Cookie
	if who != "" {
		cookies = append(cookies, &http.Cookie{Name: httpx.CookieName, Value: who})
	}
	return rtcclient.Connect(c.ctx, c.web.URL("/api/live"), origin, cookies...)
}

func (c *clinic) pharmacist() authz.Actor {
	return authz.Actor{Role: care.Pharmacist, StaffID: "0190-pharmacist", OrganizationID: "org", SessionID: "s-pharmacist", Level: authz.LevelPSC}
}

// No upgrade without a session (issue 9, C5), and none for who never has a seat.
func TestSockets_NoUpgradeWithoutASession(t *testing.T) {
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	for who, want := range map[string]string{"": "status 401", "ended-session": "status 401", "pharmacist": "status 404"} {
		if _, err := c.dial(who); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", who, err, want)
		}
	}
}

// Only hello and resume stop the timer of the first message.
func TestSockets_NothingButHelloKeepsASocket(t *testing.T) {
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	for name, say := range map[string]map[string]any{
		"ping": {"t": "ping"}, "ack": {"t": "ack", "ack": 3}, "nothing": nil,
		"takeover": {"t": "takeover"}, "chat": {"t": "chat", "seq": 1, "id": "1", "text": "x"}, "a hello without a tab": {"t": "hello", "ticket": "x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cl := c.connect("patient")
			start := time.Now()
			stop := make(chan struct{})
			go func() {
				again := time.NewTicker(300 * time.Millisecond)
				defer again.Stop()
				for {
					select {
					case <-stop:
						return
					case <-again.C:
						if say != nil {
							_ = cl.Raw(say)
						}
					}
				}
			}()
			defer close(stop)
			ctx, cancel := context.WithTimeout(c.ctx, 12*time.Second)
			defer cancel()
			code, err := cl.CloseCode(ctx)
			if err != nil || code != 4002 && code != 1008 {
				t.Errorf("closed with %d (%v) after %v", code, err, time.Since(start))
			}
		})
	}
}

func TestSockets_Caps(t *testing.T) {
	for name, x := range map[string]struct {
		limits sockets.Limits
		second string
		want   string
	}{
		"of a session": {sockets.Limits{Session: 2}, "patient", "status 429"},
		"of a network": {sockets.Limits{Network: 2}, "doctor", "status 429"},
		"in all":       {sockets.Limits{All: 2}, "doctor", "status 503"},
	} {
		t.Run(name, func(t *testing.T) {
			c := openLater(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
			c.sockets = x.limits
			c.start()
			first, _ := c.enter("patient", "p")
			_ = c.connect("patient")
			if _, err := c.dial(x.second); err == nil || !strings.Contains(err.Error(), x.want) {
				t.Fatalf("the third: %v, want %s", err, x.want)
			}
			c.send(first, "leave", nil)
			c.closes(first, 1000)
			for end := time.Now().Add(10 * time.Second); ; { // the server notes the end a moment after we do
				cl, err := c.dial(x.second)
				if err == nil {
					cl.Cut()
					return
				}
				if time.Now().After(end) {
					t.Fatalf("a place that was left is not given again: %v", err)
				}
			}
		})
	}
}

// What a hostile client does, and how it ends.
func TestSockets_OddClients(t *testing.T) {
	c := open(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	doctor, _ := c.enter("doctor", "d")
	patient, _ := c.enter("patient", "p")
	t.Run("hello twice", func(t *testing.T) {
		_ = patient.Hello(c.ticket("patient"), "p")
		if e := c.wait(patient, "error", nil); e.Str("code") != "invalid" || e.Str("field") != "t" {
			t.Errorf("%v", e)
		}
	})
	t.Run("somebody else's session", func(t *testing.T) {
		cl := c.connect("companion")
		cl.Over(doctor)
		_ = cl.Resume()
		c.closes(cl, 4003)
	})
	t.Run("an oversized frame before hello", func(t *testing.T) {
		cl := c.connect("patient")
		_ = cl.Raw(map[string]any{"t": "hello", "ticket": strings.Repeat("x", 70<<10)})
		c.closes(cl, 1009)
	})
	t.Run("a message in fragments without end", func(t *testing.T) {
		ws, _, err := websocket.Dial(c.ctx, strings.Replace(c.web.URL("/api/live"), "http", "ws", 1), &websocket.DialOptions{
			HTTPHeader: http.Header{"Origin": {origin}, "Cookie": {httpx.CookieName + "=patient"}}, Subprotocols: []string{"visavis.v1"},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = ws.CloseNow() }()
		w, err := ws.Writer(c.ctx, websocket.MessageText)
		start, n := time.Now(), 0
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for ; err == nil && time.Since(start) < 30*time.Second; n++ {
			_, err = w.Write([]byte(" "))
			<-tick.C
		}
		if err == nil {
			t.Errorf("%d fragments in %v and still open", n, time.Since(start))
		}
	})
	t.Run("a client that acks nothing", func(t *testing.T) {
		doctor.SetQuiet()
		nobody, _ := c.enter("companion", "c")
		nobody.Silent = true
		go func() {
			pace := time.NewTicker(40 * time.Millisecond)
			defer pace.Stop()
			for n := 0; n < 400; n++ { // each change is a message to everybody
				if _, err := doctor.Send("mute", map[string]any{"mic": n%2 == 0}); err != nil {
					return
				}
				<-pace.C
			}
		}()
		c.closes(nobody, 4003)
	})
}

// What a socket costs that has said hello to nobody yet, on the server's side
// and the test client's together.
func TestSockets_MemoryOfAnIdleSocket(t *testing.T) {
	const n = 500
	c := openLater(t, testkit.NewHouse(t, testkit.OpenSQLite(t)))
	c.sockets = sockets.Limits{Session: n + 1}
	c.start()
	used := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	before := used()
	for range n {
		c.connect("patient")
	}
	per := (used() - before) / n
	t.Logf("%s per idle socket, both ends", fmt.Sprint(per))
	if per > 96<<10 {
		t.Errorf("%d bytes per idle socket, at most 96 KiB", per)
	}
}
