package front

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// The bounds of connections that have not said what they are.
const (
	handshakeWait = 10 * time.Second // trust B4
	firstWait     = 10 * time.Second
	halfOpenHost  = 128 // per /32 or /64: a clinic behind one address opens many at once
	halfOpenAll   = 1024
)

// Config says where the front stands.
type Config struct {
	// Listen is host:port.
	Listen string
	// Cert and Key are PEM files: the chain, the leaf first, and its key.
	Cert, Key string
	// Host must be named by the certificate; not asked when empty.
	Host string
	// Log gets technical lines without addresses. slog.Default.
	Log *slog.Logger

	handshake, first time.Duration // for tests
	perHost, all     int
}

// Front is the listener of HTTPS and of TURN over TLS.
type Front struct {
	cfg   Config
	tcp   net.Listener
	tls   *tls.Config
	web   *lane
	relay *lane

	mu    sync.Mutex
	half  map[net.Conn]bool
	hosts map[netip.Prefix]int
	ended bool
	work  sync.WaitGroup
}

// Open reads the certificate and binds the address. A wrong file is an error
// that names its setting.
func Open(cfg Config) (*Front, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.handshake == 0 {
		cfg.handshake, cfg.first = handshakeWait, firstWait
	}
	if cfg.perHost == 0 {
		cfg.perHost, cfg.all = halfOpenHost, halfOpenAll
	}
	p, err := openPair(cfg.Cert, cfg.Key, cfg.Host, cfg.Log)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("tls-listen (VISAVIS_TLS_LISTEN): %w", err)
	}
	f := &Front{
		cfg: cfg, tcp: l, half: map[net.Conn]bool{}, hosts: map[netip.Prefix]int{},
		tls: &tls.Config{
			MinVersion: tls.VersionTLS12, GetCertificate: p.get,
			NextProtos: []string{"h2", "http/1.1", "stun.turn"}, // RFC 7443
		},
	}
	f.web, f.relay = newLane(l.Addr()), newLane(l.Addr())
	f.work.Go(f.accept)
	return f, nil
}

// Addr is the address that the front listens on.
func (f *Front) Addr() net.Addr { return f.tcp.Addr() }

// Web gives the connections that speak HTTP, decrypted: HTTP/1.1, or HTTP/2 from
// its preface on.
func (f *Front) Web() net.Listener { return f.web }

// Relay gives the connections that speak TURN, decrypted.
func (f *Front) Relay() net.Listener { return f.relay }

// Close frees the address and ends what is half open. Connections that were
// given away are their owners'.
func (f *Front) Close() error {
	f.mu.Lock()
	f.ended = true
	for c := range f.half {
		_ = c.Close()
	}
	f.mu.Unlock()
	err := f.tcp.Close()
	err = errors.Join(err, f.web.Close(), f.relay.Close())
	f.work.Wait()
	return err
}

func (f *Front) accept() {
	var pause time.Duration
	for {
		c, err := f.tcp.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of descriptors: somebody's closing helps
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			f.cfg.Log.Warn("accept", "error", err)
			<-time.After(pause)
			continue
		}
		pause = 0
		host := hostOf(c.RemoteAddr())
		if !f.take(c, host) {
			_ = c.Close()
			continue
		}
		f.work.Go(func() { f.serve(c, host) })
	}
}

// serve sees one connection through until it is known, and gives it away.
func (f *Front) serve(raw net.Conn, host netip.Prefix) {
	c, k, err := f.meet(raw)
	f.give(raw, host)
	if err != nil {
		_ = raw.Close()
		return
	}
	to := f.web
	if k == relay {
		to = f.relay
	}
	if !to.hand(c) {
		_ = raw.Close()
	}
}

// errNeither: the first bytes are neither HTTP nor TURN.
var errNeither = errors.New("front: neither HTTP nor TURN")

// meet shakes hands and reads until the stream is told.
func (f *Front) meet(raw net.Conn) (*conn, kind, error) {
	c := tls.Server(raw, f.tls)
	ctx, cancel := context.WithTimeout(context.Background(), f.cfg.handshake)
	defer cancel()
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, neither, err
	}
	if err := c.SetReadDeadline(time.Now().Add(f.cfg.first)); err != nil {
		return nil, neither, err
	}
	first := make([]byte, 0, enough)
	for {
		n, err := c.Read(first[len(first):cap(first)])
		first = first[:len(first)+n]
		switch k := judge(first); {
		case k == neither:
			return nil, k, errNeither
		case k != undecided:
			return &conn{Conn: c, first: first}, k, c.SetReadDeadline(time.Time{})
		case err != nil:
			return nil, k, err
		}
	}
}

func (f *Front) take(c net.Conn, h netip.Prefix) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended || len(f.half) >= f.cfg.all || f.hosts[h] >= f.cfg.perHost {
		return false
	}
	f.half[c] = true
	f.hosts[h]++
	return true
}

func (f *Front) give(c net.Conn, h netip.Prefix) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.half, c)
	if f.hosts[h]--; f.hosts[h] == 0 {
		delete(f.hosts, h)
	}
}

// hostOf is what counts as one host: /32 of IPv4, /64 of IPv6.
func hostOf(a net.Addr) netip.Prefix {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip := t.AddrPort().Addr().Unmap().WithZone("")
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
