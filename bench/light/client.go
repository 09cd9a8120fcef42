//go:build linux

package light

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"
	"github.com/pion/transport/v4/packetio"

	"visavis/sfu/srtp"
	own "visavis/sfu/stun"
	"visavis/sfu/twcc"
)

// certificate is one for all clients: what is measured is the server.
type certificate struct{ tls.Certificate }

func (c certificate) print() string {
	sum := sha256.Sum256(c.Certificate.Certificate[0])
	text := strings.ToUpper(hex.EncodeToString(sum[:]))
	parts := make([]string, 0, len(sum))
	for i := 0; i < len(text); i += 2 {
		parts = append(parts, text[i:i+2])
	}
	return strings.Join(parts, ":")
}

// Client is one person: a voice, a picture, and what the others send.
type Client struct {
	e     *Engine
	fd    int
	port  int
	wants int // streams to come
	name  string

	ufrag, pwd       string
	theirs, theirPwd string
	way              chan struct{} // closed: the server has answered a check
	checked          bool
	dtls             *packetio.Buffer
	conn             *dtls.Conn
	keys             *srtp.Session
	full             chan struct{} // closed: all streams have come
	first            time.Time     // of media; zero: none
	some             chan struct{} // closed: some media has come

	sends    []*sending
	comes    []*coming
	streams  int               // of comes, without retransmissions
	repairs  map[uint32]uint32 // by SSRC of retransmissions
	arrivals twcc.Recorder
	beats    int
	packets  int
	floor    bool
}

// New makes a client that waits for so many streams of others.
func (e *Engine) New(name string, streams int) (*Client, error) {
	fd, port, err := socket()
	if err != nil {
		return nil, err
	}
	var b [24]byte
	if _, err := rand.Read(b[:]); err != nil {
		return nil, err
	}
	text := hex.EncodeToString(b[:])
	c := &Client{e: e, fd: fd, port: port, wants: streams, name: name, ufrag: text[:8], pwd: text[8:], dtls: packetio.NewBuffer(), repairs: map[uint32]uint32{},
		way: make(chan struct{}), full: make(chan struct{}), some: make(chan struct{})}
	if err := c.voiceAndPicture(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.clients[int32(fd)] = c
	return c, e.watch(fd)
}

// write sends a datagram; one that the kernel does not take is lost.
func (c *Client) write(b []byte) { _, _ = syscall.Write(c.fd, b) }

// Answer takes the server's answer and makes the way: ICE, then DTLS. Media
// flows when it returns.
func (c *Client) Answer(ctx context.Context, sdp string) error {
	to, err := c.read(sdp)
	if err != nil {
		return err
	}
	if err := connect(c.fd, to); err != nil {
		return err
	}
	for done := false; !done; {
		if err := c.check(); err != nil {
			return err
		}
		select {
		case <-c.way:
			done = true
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("ice: %w", ctx.Err())
		}
	}
	if c.conn, err = dtls.ClientWithOptions(&pipe{c}, to, c.options()...); err != nil {
		return fmt.Errorf("dtls: %w", err)
	}
	if err := c.conn.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("dtls: %w", err)
	}
	state, ok := c.conn.ConnectionState()
	if !ok {
		return errors.New("dtls: no state")
	}
	return c.start(&state)
}

// start lets media flow under the keys of x.
func (c *Client) start(x srtp.Exporter) error {
	keys, err := srtp.New(clientSide{x}, srtp.GCM)
	if err != nil {
		return err
	}
	c.e.mu.Lock()
	defer c.e.mu.Unlock()
	c.keys = keys
	for _, s := range c.sends {
		c.e.again(c, s.every, func(now int64) { c.send(s, now) })
	}
	if !c.floor {
		c.e.again(c, 100*time.Millisecond, c.beat)
	}
	return nil
}

// Floor goes to a server that knows no way but the address, under keys of x;
// hello is the datagram that it is told its room by.
func (c *Client) Floor(to *net.UDPAddr, hello []byte, x srtp.Exporter) error {
	c.floor = true
	if err := connect(c.fd, to); err != nil {
		return err
	}
	c.write(hello)
	return c.start(x)
}

// clientSide is the keying material with the two sides in each other's place:
// srtp.Session is the DTLS server's (RFC 5764 §4.2).
type clientSide struct{ srtp.Exporter }

// ExportKeyingMaterial knows the lengths of AEAD_AES_128_GCM.
func (x clientSide) ExportKeyingMaterial(label string, context []byte, n int) ([]byte, error) {
	const key, salt = 16, 12
	b, err := x.Exporter.ExportKeyingMaterial(label, context, n)
	if err != nil || len(b) != 2*(key+salt) {
		return b, err
	}
	out := append(make([]byte, 0, n), b[key:2*key]...)
	out = append(out, b[:key]...)
	out = append(out, b[2*key+salt:]...)
	return append(out, b[2*key:2*key+salt]...), nil
}

// check asks whether the way is open, and chooses it.
func (c *Client) check() error {
	m, err := stun.Build(stun.BindingRequest, stun.TransactionID, stun.NewUsername(c.theirs+":"+c.ufrag), ice.AttrControlling(1), ice.PriorityAttr(110<<24|65535<<8|255),
		ice.UseCandidate(), stun.NewShortTermIntegrity(c.theirPwd), stun.Fingerprint)
	if err != nil {
		return err
	}
	c.write(m.Raw)
	return nil
}

// stun answers the server's check, or takes its answer.
func (c *Client) stun(b []byte) {
	if b[0] == 1 { // a success; nobody else knows this socket
		if !c.checked {
			c.checked = true
			close(c.way)
		}
		return
	}
	x, err := own.Parse(b)
	if err != nil || x.Verify(c.pwd) != nil {
		return
	}
	to, err := syscall.Getpeername(c.fd)
	if v4, ok := to.(*syscall.SockaddrInet4); err == nil && ok {
		var out [128]byte
		c.write(out[:x.Answer(out[:], c.pwd, addrPort(v4))])
	}
}

func (c *Client) options() (list []dtls.ClientOption) {
	for _, o := range []dtls.Option{
		dtls.WithCertificates(c.e.cert.Certificate),
		dtls.WithSRTPProtectionProfiles(dtls.SRTPProtectionProfile(srtp.GCM)),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		dtls.WithInsecureSkipVerify(true), // a server of this very program
	} {
		list = append(list, o)
	}
	return list
}

// Until waits for some media, or for all streams.
func (c *Client) Until(ctx context.Context, all bool) error {
	ch := c.some
	if all {
		ch = c.full
	}
	select {
	case <-ch:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s waits for media: %w", c.name, ctx.Err())
	}
}

// First is when the first media came, after Until.
func (c *Client) First() time.Time { return c.first }

// Packets is how many have come.
func (c *Client) Packets() int {
	c.e.mu.Lock()
	defer c.e.mu.Unlock()
	return c.packets
}

// Close leaves and says so.
func (c *Client) Close() {
	if c.conn != nil {
		_ = c.conn.Close()
	}
	_ = c.dtls.Close()
	e := c.e
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.clients, int32(c.fd))
	kept := e.agenda[:0]
	for _, t := range e.agenda {
		if t.of != c {
			kept = append(kept, t)
		}
	}
	clear(e.agenda[len(kept):])
	e.agenda = kept
	_ = syscall.Close(c.fd) // which takes it out of epoll
}

// pipe is the net.PacketConn that DTLS wants.
type pipe struct{ *Client }

func (p *pipe) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := p.dtls.Read(b)
	if errors.Is(err, io.EOF) {
		err = net.ErrClosed
	}
	return n, p.LocalAddr(), err
}

func (p *pipe) WriteTo(b []byte, _ net.Addr) (int, error) {
	p.write(b)
	return len(b), nil
}

func (p *pipe) Close() error                       { return p.dtls.Close() }
func (p *pipe) LocalAddr() net.Addr                { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: p.port} }
func (p *pipe) SetDeadline(t time.Time) error      { return p.dtls.SetReadDeadline(t) }
func (p *pipe) SetReadDeadline(t time.Time) error  { return p.dtls.SetReadDeadline(t) }
func (p *pipe) SetWriteDeadline(_ time.Time) error { return nil }
