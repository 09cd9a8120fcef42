package tsa

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// identity is a certificate with its key.
type identity struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// unit is what stamps: the authority, and the certificates of its faults.
type unit struct {
	root    identity
	good    identity
	foreign identity // of a root nobody knows
	server  identity // of our root, for TLS servers
	expired identity // of our root, over since 2001
}

func issue(name string, by *identity, from, until time.Time, change func(*x509.Certificate)) (identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return identity{}, fmt.Errorf("tsa simulator: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return identity{}, fmt.Errorf("tsa simulator: %w", err)
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name, Organization: []string{"visavis simulators"}, Country: []string{"FR"}},
		NotBefore: from, NotAfter: until, KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	change(t)
	parent, signer := t, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, &key.PublicKey, signer)
	if err != nil {
		return identity{}, fmt.Errorf("tsa simulator: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	return identity{cert, key}, err
}

func authority(t *x509.Certificate) {
	t.IsCA, t.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
}

// stamping marks a certificate for time stamping alone; crypto/x509 never
// writes that extension as critical, RFC 3161 §2.3 asks it.
func stamping(t *x509.Certificate) {
	value, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		return // a list of identifiers always marshals
	}
	t.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: value}}
}

// newUnit makes every certificate, or takes root and good from dir, where it
// leaves them: tokens made before a restart stay verifiable.
func newUnit(dir string, now time.Time) (u unit, err error) {
	from, until := now.AddDate(-1, 0, 0), now.AddDate(10, 0, 0)
	u.root, err = kept(dir, "root", func() (identity, error) { return issue("visavis simulated TSA root", nil, from, until, authority) })
	if err != nil {
		return u, err
	}
	u.good, err = kept(dir, "unit", func() (identity, error) { return issue("visavis simulated TSA", &u.root, from, until, stamping) })
	if err != nil {
		return u, err
	}
	stranger, err := issue("a root nobody knows", nil, from, until, authority)
	if err != nil {
		return u, err
	}
	var errs [3]error
	u.foreign, errs[0] = issue("visavis simulated TSA", &stranger, from, until, stamping)
	u.server, errs[1] = issue("a web server", &u.root, from, until, func(t *x509.Certificate) { t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	long := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	u.expired, errs[2] = issue("an old TSA", &u.root, long, long.AddDate(1, 0, 0), stamping)
	return u, errors.Join(errs[:]...)
}

// kept reads an identity from dir, or makes and writes it; without dir it only
// makes it.
func kept(dir, name string, make func() (identity, error)) (identity, error) {
	if dir == "" {
		return make()
	}
	path := filepath.Join(dir, name+".pem")
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		id, err := make()
		if err != nil {
			return id, err
		}
		key, err := x509.MarshalPKCS8PrivateKey(id.key)
		if err != nil {
			return id, fmt.Errorf("tsa simulator: %w", err)
		}
		out := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: id.cert.Raw})...)
		return id, errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(path, out, 0o600))
	}
	if err != nil {
		return identity{}, fmt.Errorf("tsa simulator: %w", err)
	}
	first, rest := pem.Decode(raw)
	second, _ := pem.Decode(rest)
	if first == nil || second == nil {
		return identity{}, fmt.Errorf("tsa simulator: %s is damaged", path)
	}
	key, err := x509.ParsePKCS8PrivateKey(first.Bytes)
	if err != nil {
		return identity{}, fmt.Errorf("tsa simulator: %w", err)
	}
	private, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return identity{}, fmt.Errorf("tsa simulator: %s is damaged", path)
	}
	cert, err := x509.ParseCertificate(second.Bytes)
	return identity{cert, private}, err
}
