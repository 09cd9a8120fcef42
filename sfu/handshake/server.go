package handshake

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"github.com/pion/transport/v4/packetio"
	"visavis/sfu/session"
	"visavis/sfu/srtp"
)

// ErrFingerprint: the client's certificate is not the one of its offer.
var ErrFingerprint = errors.New("handshake: certificate does not match the offer")

// queue bounds what waits for DTLS, in bytes; what comes on top is lost, and
// DTLS repeats it.
const queue = 16 << 10

// Server makes the DTLS side of peers, all under one certificate of its own,
// made when the server was.
type Server struct {
	cert  tls.Certificate
	print string
	log   *slog.Logger
}

// NewServer makes a certificate (ECDSA P-256) that no other process knows.
func NewServer(log *slog.Logger) (*Server, error) {
	cert, err := selfsign.GenerateSelfSigned()
	if err != nil {
		return nil, fmt.Errorf("handshake: certificate: %w", err)
	}
	return &Server{cert: cert, print: sum(crypto.SHA256, cert.Certificate[0]), log: log}, nil
}

// Fingerprint is the SHA-256 of the certificate, in capitals with colons.
func (s *Server) Fingerprint() string { return s.print }

// Is says whether a datagram is DTLS, by its first byte (RFC 7983).
func Is(b []byte) bool { return len(b) > 0 && b[0] >= 20 && b[0] <= 63 }

// Conn is one peer's DTLS. It is done when Run returns.
type Conn struct {
	server *Server
	print  session.Fingerprint
	in     *packetio.Buffer
	send   func([]byte)
	stop   context.CancelFunc
	ctx    context.Context
}

// Conn prepares for a client with a fingerprint; send carries a datagram to it
// and must not keep the slice.
func (s *Server) Conn(print session.Fingerprint, send func([]byte)) *Conn {
	c := &Conn{server: s, print: print, in: packetio.NewBuffer(), send: send}
	c.in.SetLimitSize(queue)
	c.ctx, c.stop = context.WithCancel(context.Background())
	return c
}

// Feed gives a datagram of the client; it is copied.
func (c *Conn) Feed(b []byte) { _, _ = c.in.Write(b) }

// Close ends Run, which tells the client.
func (c *Conn) Close() { c.stop() }

// Run makes the handshake within a time, gives the keys to ready, and returns
// when the client or Close has ended the connection; nil when the client did
// after the handshake.
func (c *Conn) Run(within time.Duration, ready func(*srtp.Session)) error {
	defer c.stop()
	conn, err := dtls.ServerWithOptions(&pipe{c}, nowhere{}, c.options()...)
	if err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(c.ctx, within)
	err = conn.HandshakeContext(ctx)
	cancel()
	if err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	keys, err := sessionOf(conn)
	if err != nil {
		return err
	}
	ready(keys)
	end := context.AfterFunc(c.ctx, func() { _ = conn.Close() })
	defer end()
	var none [64]byte
	for { // there is no data in this connection, only its end
		if _, err := conn.Read(none[:]); err != nil {
			return nil
		}
	}
}

func sessionOf(conn *dtls.Conn) (*srtp.Session, error) {
	profile, ok := conn.SelectedSRTPProtectionProfile()
	state, known := conn.ConnectionState()
	if !ok || !known {
		return nil, srtp.ErrProfile
	}
	return srtp.New(&state, srtp.Profile(profile))
}

func (c *Conn) options() []dtls.ServerOption {
	shared := []dtls.Option{
		dtls.WithCertificates(c.server.cert),
		dtls.WithSRTPProtectionProfiles(dtls.SRTPProtectionProfile(srtp.GCM), dtls.SRTPProtectionProfile(srtp.CM)),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		dtls.WithInsecureSkipVerify(true), // there is no authority: the fingerprint is the identity (RFC 8827 §6.5)
		dtls.WithVerifyPeerCertificate(c.verify),
		dtls.WithLoggerFactory(logFactory{c.server.log}),
		dtls.WithMTU(1200),
		dtls.WithFlightInterval(300 * time.Millisecond),
	}
	list := []dtls.ServerOption{dtls.WithClientAuth(dtls.RequireAnyClientCert), dtls.WithInsecureSkipVerifyHello(true)}
	for _, o := range shared {
		list = append(list, o)
	}
	return list
}

func (c *Conn) verify(raw [][]byte, _ [][]*x509.Certificate) error {
	hash := map[string]crypto.Hash{"sha-256": crypto.SHA256, "sha-384": crypto.SHA384, "sha-512": crypto.SHA512}[c.print.Hash]
	if len(raw) == 0 || hash == 0 || sum(hash, raw[0]) != c.print.Sum {
		return ErrFingerprint
	}
	return nil
}

// sum is a fingerprint as RFC 8122 §5 writes it.
func sum(h crypto.Hash, cert []byte) string {
	var b []byte
	switch h {
	case crypto.SHA384:
		x := sha512.Sum384(cert)
		b = x[:]
	case crypto.SHA512:
		x := sha512.Sum512(cert)
		b = x[:]
	default:
		x := sha256.Sum256(cert)
		b = x[:]
	}
	parts := make([]string, len(b))
	for i, x := range b {
		parts[i] = strings.ToUpper(hex.EncodeToString([]byte{x}))
	}
	return strings.Join(parts, ":")
}

// pipe is the net.PacketConn that DTLS wants.
type pipe struct{ *Conn }

// nowhere is the address of a client that moves between addresses.
type nowhere struct{}

// Network is a name without meaning.
func (nowhere) Network() string { return "peer" }

func (nowhere) String() string { return "peer" }

func (p *pipe) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := p.in.Read(b)
	return n, nowhere{}, err
}

func (p *pipe) WriteTo(b []byte, _ net.Addr) (int, error) {
	p.send(b)
	return len(b), nil
}

func (p *pipe) Close() error                       { return p.in.Close() }
func (p *pipe) LocalAddr() net.Addr                { return nowhere{} }
func (p *pipe) SetDeadline(t time.Time) error      { return p.in.SetReadDeadline(t) }
func (p *pipe) SetReadDeadline(t time.Time) error  { return p.in.SetReadDeadline(t) }
func (p *pipe) SetWriteDeadline(_ time.Time) error { return nil }
