package front

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// The bounds of passing streams on to another process.
const (
	passWait   = 5 * time.Second // for a process that is starting again
	passEvery  = 50 * time.Millisecond
	headerWait = 2 * time.Second
	maxHeader  = 64
)

// Pass takes the streams of l and joins each to the Unix socket at path, which
// another process of ours receives, until l is closed. A stream waits a moment
// for that process.
func Pass(l net.Listener, path string, log *slog.Logger) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			if err := pass(c, path); err != nil {
				log.Debug("front: a stream was not passed on", "err", err)
			}
		}()
	}
}

func pass(c net.Conn, path string) error {
	ctx, cancel := context.WithTimeout(context.Background(), passWait)
	defer cancel()
	to, err := reach(ctx, path)
	if err != nil {
		return errors.Join(err, c.Close())
	}
	from, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err == nil {
		_, err = to.Write(header(from))
	}
	if err != nil {
		return errors.Join(err, to.Close(), c.Close())
	}
	join(c, to)
	return nil
}

// reach dials until somebody is there.
func reach(ctx context.Context, path string) (net.Conn, error) {
	for {
		var d net.Dialer
		c, err := d.DialContext(ctx, "unix", path)
		if err == nil {
			return c, nil
		}
		select {
		case <-time.After(passEvery):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// header says where a stream came from: a length and an address.
func header(from netip.AddrPort) []byte {
	text := from.String()
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(text))), text...)
}

// join copies both ways until both are done; either may stop writing first.
func join(a, b net.Conn) {
	var both sync.WaitGroup
	one := func(to, from net.Conn) {
		_, err := io.Copy(to, from)
		half, ok := to.(interface{ CloseWrite() error })
		if err != nil || !ok || half.CloseWrite() != nil {
			_ = a.Close()
			_ = b.Close()
		}
	}
	both.Go(func() { one(a, b) })
	both.Go(func() { one(b, a) })
	both.Wait()
	_ = a.Close()
	_ = b.Close()
}

// Receive listens at path for the streams that Pass joins to it; each shows the
// address of its client. Only our own user can reach the socket.
func Receive(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("front: %w", err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("front: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("front: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("front: %w", err), l.Close())
	}
	r := &receiver{Listener: l, lane: newLane(l.Addr())}
	go r.run()
	return r, nil
}

// receiver reads the headers off what it gives.
type receiver struct {
	net.Listener
	lane *lane
}

// Accept gives the next stream.
func (r *receiver) Accept() (net.Conn, error) { return r.lane.Accept() }

// Close takes no more streams.
func (r *receiver) Close() error { return errors.Join(r.Listener.Close(), r.lane.Close()) }

func (r *receiver) run() {
	for {
		c, err := r.Listener.Accept()
		if err != nil {
			_ = r.lane.Close()
			return
		}
		go func() {
			p, err := readHeader(c)
			if err != nil || !r.lane.hand(p) {
				_ = c.Close()
			}
		}()
	}
}

// passed is a stream with the address of its client.
type passed struct {
	net.Conn
	from net.Addr
}

// RemoteAddr is the client's.
func (p *passed) RemoteAddr() net.Addr { return p.from }

// CloseWrite says that nothing more comes.
func (p *passed) CloseWrite() error {
	if u, ok := p.Conn.(*net.UnixConn); ok {
		return u.CloseWrite()
	}
	return p.Conn.Close()
}

func readHeader(c net.Conn) (net.Conn, error) {
	if err := c.SetReadDeadline(time.Now().Add(headerWait)); err != nil {
		return nil, err
	}
	var size [2]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint16(size[:])
	if n > maxHeader {
		return nil, errors.New("front: header too long")
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(c, text); err != nil {
		return nil, err
	}
	from, err := netip.ParseAddrPort(string(text))
	if err != nil {
		return nil, fmt.Errorf("front: header: %w", err)
	}
	return &passed{Conn: c, from: net.TCPAddrFromAddrPort(from)}, c.SetReadDeadline(time.Time{})
}
