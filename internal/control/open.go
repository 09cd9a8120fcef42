package control

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	handshakeWait = 4 * time.Second
	maxStrangers  = 16 // handshakes at once
)

// network takes an address apart: unix:/path, or host:port.
func network(addr string) (name, at string) {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		return "unix", path
	}
	return "tcp", addr
}

// Dial connects to the other role at addr, unix:/path or host:port. open gets
// the connection before anything is heard on it.
func Dial(ctx context.Context, addr string, k Key, open func(*Conn) Handler) (*Conn, error) {
	settings, err := k.settings(caller, answerer)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeWait)
	defer cancel()
	name, at := network(addr)
	var d net.Dialer
	raw, err := d.DialContext(ctx, name, at)
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	nc := tls.Client(raw, settings)
	if err := nc.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("control: handshake: %w", err), raw.Close())
	}
	c := newConn(nc)
	c.begin(open(c))
	return c, nil
}

// Listener accepts connections of the other role.
type Listener struct {
	net      net.Listener
	settings *tls.Config
	open     func(*Conn) Handler
	done     chan struct{}
	working  sync.WaitGroup
	limit    chan struct{}

	mu    sync.Mutex
	conns map[*Conn]bool
	ended bool
}

// Listen accepts at addr, unix:/path or host:port, until Close. A Unix socket
// that nobody answers any more is replaced; one that somebody does is not.
func Listen(addr string, k Key, open func(*Conn) Handler) (*Listener, error) {
	settings, err := k.settings(answerer, caller)
	if err != nil {
		return nil, err
	}
	name, at := network(addr)
	if name == "unix" {
		if err := vacate(at); err != nil {
			return nil, err
		}
	}
	nl, err := net.Listen(name, at)
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	if name == "unix" {
		if err := os.Chmod(at, 0o600); err != nil {
			return nil, errors.Join(fmt.Errorf("control: %w", err), nl.Close())
		}
	}
	l := &Listener{net: nl, settings: settings, open: open, done: make(chan struct{}), limit: make(chan struct{}, maxStrangers), conns: map[*Conn]bool{}}
	l.working.Go(l.accept)
	return l, nil
}

func vacate(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("control: %w", err)
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		return errors.Join(fmt.Errorf("control: another process listens at %s", path), c.Close())
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("control: %w", err)
	}
	return nil
}

// Addr is where the listener is, as Dial takes it.
func (l *Listener) Addr() string {
	if l.net.Addr().Network() == "unix" {
		return "unix:" + l.net.Addr().String()
	}
	return l.net.Addr().String()
}

func (l *Listener) accept() {
	for {
		raw, err := l.net.Accept()
		if err != nil {
			select {
			case <-l.done:
				return
			case <-time.After(50 * time.Millisecond): // out of descriptors, for a moment
				continue
			}
		}
		select {
		case l.limit <- struct{}{}:
			l.working.Go(func() { l.greet(raw) })
		default:
			_ = raw.Close()
		}
	}
}

// greet lets in who holds the key. What a stranger did wrong interests nobody.
func (l *Listener) greet(raw net.Conn) {
	defer func() { <-l.limit }()
	ctx, cancel := context.WithTimeout(context.Background(), handshakeWait)
	defer cancel()
	nc := tls.Server(raw, l.settings)
	if nc.HandshakeContext(ctx) != nil {
		_ = raw.Close()
		return
	}
	c := newConn(nc)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		_ = raw.Close()
		return
	}
	l.conns[c] = true
	c.begin(l.open(c))
	l.working.Go(func() {
		c.Wait()
		l.mu.Lock()
		delete(l.conns, c)
		l.mu.Unlock()
	})
}

// Close ends every connection and returns when their handlers have.
func (l *Listener) Close() error {
	l.mu.Lock()
	if l.ended {
		l.mu.Unlock()
		return nil
	}
	l.ended = true
	close(l.done)
	err := l.net.Close()
	for c := range l.conns {
		c.Close()
	}
	l.mu.Unlock()
	l.working.Wait()
	return err
}
