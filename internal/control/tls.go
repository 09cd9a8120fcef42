package control

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// protocol is the version that is spoken; a process also speaks the one before
// it, once there is one (ALPN picks, RFC 7301).
const protocol = "visavis-control/1"

// The two ends of a connection.
const (
	caller   = "app"
	answerer = "media"
)

// errStranger: the other end does not hold our key.
var errStranger = errors.New("control: the other end does not hold our key")

// settings are those of one end.
func (k Key) settings(own, other string) (*tls.Config, error) {
	if len(k) != KeySize {
		return nil, fmt.Errorf("control: a key has %d bytes, not %d", KeySize, len(k))
	}
	secret := ed25519.NewKeyFromSeed(k.Derive(own))
	want, _ := ed25519.NewKeyFromSeed(k.Derive(other)).Public().(ed25519.PublicKey)
	now := time.Now()
	sheet := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "visavis " + own},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(nil, sheet, sheet, secret.Public(), secret)
	if err != nil {
		return nil, fmt.Errorf("control: certificate: %w", err)
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{protocol}, SessionTicketsDisabled: true,
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: secret}},
		ClientAuth:   tls.RequireAnyClientCert,
		// Names and authorities are not asked: VerifyConnection wants the very key.
		InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) != 1 || !want.Equal(s.PeerCertificates[0].PublicKey) {
				return errStranger
			}
			if s.NegotiatedProtocol == "" {
				return errors.New("control: no version in common")
			}
			return nil
		},
	}, nil
}
