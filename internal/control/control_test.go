package control

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

func key(b byte) Key { return bytes.Repeat([]byte{b}, KeySize) }

// echo answers what it is asked and keeps what it is told.
type echo struct {
	conn *Conn
	told chan string
	hold chan struct{} // "wait" answers when it is closed
}

func (e *echo) Asked(ctx context.Context, what string, body json.RawMessage) (any, error) {
	switch what {
	case "echo":
		return body, nil
	case "no":
		return nil, &Refusal{"room_full"}
	case "broken":
		return nil, errors.New("a secret of the house")
	case "wait":
		select {
		case <-e.hold:
		case <-ctx.Done():
		}
		return "late", nil
	case "back": // asks the caller in turn
		var s string
		err := e.conn.Ask(ctx, "echo", "you", &s)
		return s, err
	}
	return nil, &Refusal{CodeUnknown}
}

func (e *echo) Told(_ string, body json.RawMessage) { e.told <- string(body) }

type pair struct {
	near, far *echo
	listener  *Listener
}

// connect opens both ends.
func connect(t *testing.T, addr string) *pair {
	t.Helper()
	p := &pair{near: &echo{told: make(chan string, 10_000)}, far: &echo{told: make(chan string, 10_000), hold: make(chan struct{})}}
	opened := make(chan struct{}, 1)
	var err error
	p.listener, err = Listen(addr, key(1), func(c *Conn) Handler { p.far.conn = c; opened <- struct{}{}; return p.far })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.listener.Close() })
	p.near.conn, err = Dial(t.Context(), p.listener.Addr(), key(1), func(*Conn) Handler { return p.near })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.near.conn.Close)
	<-opened
	return p
}

func TestBothEndsAskAndTell(t *testing.T) {
	for name, addr := range map[string]string{"unix": "unix:" + filepath.Join(t.TempDir(), "run", "s"), "tcp": "127.0.0.1:0"} {
		t.Run(name, func(t *testing.T) {
			p := connect(t, addr)
			var got string
			if err := p.near.conn.Ask(t.Context(), "echo", "é", &got); err != nil || got != "é" {
				t.Errorf("%q %v", got, err)
			}
			if err := p.near.conn.Ask(t.Context(), "back", nil, &got); err != nil || got != "you" {
				t.Errorf("%q %v", got, err)
			}
			for what, code := range map[string]string{"no": "room_full", "broken": CodeInternal, "of a later version": CodeUnknown} {
				var no *Refusal
				if err := p.near.conn.Ask(t.Context(), what, nil, nil); !errors.As(err, &no) || no.Code != code {
					t.Errorf("%s: %v", what, err)
				}
			}
			for n := range 1000 {
				if err := errors.Join(p.near.conn.Tell("n", n), p.far.conn.Tell("n", n)); err != nil {
					t.Fatal(err)
				}
			}
			for n := range 1000 {
				if a, b := <-p.near.told, <-p.far.told; a != strconv.Itoa(n) || b != a {
					t.Fatalf("%s and %s, want %d: out of order", a, b, n)
				}
			}
		})
	}
}

// What waits for an answer hinders nobody: events go on, and so do answers of
// the other direction.
func TestAnAnswerThatTakesLongStopsNothingElse(t *testing.T) {
	p := connect(t, "127.0.0.1:0")
	var g sync.WaitGroup
	g.Go(func() {
		var got string
		if err := p.near.conn.Ask(t.Context(), "wait", nil, &got); err != nil || got != "late" {
			t.Errorf("%q %v", got, err)
		}
	})
	if err := p.near.conn.Tell("n", 7); err != nil || <-p.far.told != "7" {
		t.Error(err)
	}
	var got string
	if err := p.far.conn.Ask(t.Context(), "echo", "x", &got); err != nil || got != "x" {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := p.near.conn.Ask(ctx, "wait", nil, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	close(p.far.hold)
	g.Wait()
}

func TestAStrangerGetsNoWordIn(t *testing.T) {
	p := connect(t, "127.0.0.1:0")
	c, err := Dial(t.Context(), p.listener.Addr(), key(2), func(*Conn) Handler { return &echo{} })
	if err == nil {
		t.Errorf("the wrong key: connected")
		c.Close()
	}
	// The role that listens is not taken for the one that calls.
	settings, err := key(1).settings(answerer, answerer)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := tls.Dial("tcp", p.listener.Addr(), settings)
	if err == nil {
		_, err = raw.Read(make([]byte, 1))
	}
	if err == nil {
		t.Error("the same role was let in")
	}
	// No common version.
	settings, err = key(1).settings(caller, answerer)
	if err != nil {
		t.Fatal(err)
	}
	settings.NextProtos = []string{"visavis-control/9"}
	if _, err := tls.Dial("tcp", p.listener.Addr(), settings); err == nil {
		t.Error("a version that nobody speaks was let in")
	}
	if err := p.near.conn.Ask(t.Context(), "echo", 1, nil); err != nil {
		t.Errorf("the right one suffers: %v", err)
	}
}

// Who says nothing, or too much, loses the connection; the other end is told.
func TestBounds(t *testing.T) {
	p := connect(t, "127.0.0.1:0")
	if err := p.near.conn.Tell("big", make([]byte, maxFrame)); err == nil {
		t.Error("a frame above the bound was sent")
	}
	var head [4]byte
	binary.BigEndian.PutUint32(head[:], maxFrame+1)
	if _, err := p.near.conn.net.Write(head[:]); err != nil {
		t.Fatal(err)
	}
	<-p.far.conn.Done()
	<-p.near.conn.Done()
	if err := p.near.conn.Ask(t.Context(), "echo", 1, nil); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	p = connect(t, "127.0.0.1:0")
	go func() {
		for p.near.conn.say(frame{Type: "ask", ID: 1, What: "wait"}, nil) == nil {
		}
	}()
	<-p.far.conn.Done()
	if err := p.far.conn.Err(); err == nil || errors.Is(err, ErrClosed) {
		t.Errorf("closed by %v", err)
	}
}

// A peer that hangs is found out by its silence.
func TestSilenceEndsAConnection(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for three seconds")
	}
	a, b := net.Pipe()
	defer b.Close()
	c := newConn(a)
	go func() { // it takes everything and says nothing
		buffer := make([]byte, 1024)
		for {
			if _, err := b.Read(buffer); err != nil {
				return
			}
		}
	}()
	c.begin(&echo{})
	<-c.Done()
	c.Wait()
}

func TestASocketThatIsInUseIsNotTaken(t *testing.T) {
	addr := "unix:" + filepath.Join(t.TempDir(), "s")
	p := connect(t, addr)
	if l, err := Listen(addr, key(1), nil); err == nil {
		_ = l.Close()
		t.Fatal("two listen at the same place")
	}
	if err := p.listener.Close(); err != nil {
		t.Fatal(err)
	}
	<-p.near.conn.Done()
	if err := os.WriteFile(addr[len("unix:"):], nil, 0o600); err != nil { // as a killed process leaves it
		t.Fatal(err)
	}
	connect(t, addr)
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "control")
	if _, err := LoadKey(path, false); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no key: %v", err)
	}
	var all [8]Key
	var g sync.WaitGroup
	for i := range all {
		g.Go(func() {
			var err error
			if all[i], err = LoadKey(path, true); err != nil {
				t.Error(err)
			}
		})
	}
	g.Wait()
	for _, k := range all {
		if len(k) != KeySize || !bytes.Equal(k, all[0]) {
			t.Fatal("made at once, they are not the same")
		}
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("%v %v", left, err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadKey(path, true); err == nil {
		t.Error("everybody may read the key")
	}
	if err := errors.Join(os.Chmod(path, 0o600), os.WriteFile(path, []byte("abc"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadKey(path, true); err == nil {
		t.Error("half a key was read")
	}
	if _, err := (Key{1}).settings(caller, answerer); err == nil {
		t.Error("a short key was used")
	}
}
