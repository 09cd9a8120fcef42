package front

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// lookEvery is how often, at most, the files are looked at.
const lookEvery = time.Second

// pair is a certificate and its key on disk, as they were when last right.
type pair struct {
	cert, key string
	log       *slog.Logger

	mu     sync.Mutex
	now    *tls.Certificate
	seen   [2]stamp
	looked time.Time
}

// stamp tells a file from its next version.
type stamp struct {
	changed time.Time
	size    int64
}

// openPair reads both files. host, when not empty, must be named by the
// certificate: browsers would refuse it. The errors name the setting.
func openPair(cert, key, host string, log *slog.Logger) (*pair, error) {
	p := &pair{cert: cert, key: key, log: log}
	stamps, err := p.stamps()
	if err != nil {
		return nil, err
	}
	if p.now, err = p.read(); err != nil {
		return nil, err
	}
	if host != "" {
		if err := p.now.Leaf.VerifyHostname(host); err != nil {
			return nil, fmt.Errorf("tls-cert (VISAVIS_TLS_CERT): is not for the host of public-url: %w", err)
		}
	}
	p.warn(p.now.Leaf)
	p.seen, p.looked = stamps, time.Now()
	return p, nil
}

func (p *pair) stamps() (s [2]stamp, err error) {
	for i, f := range []struct{ setting, path string }{{"tls-cert (VISAVIS_TLS_CERT)", p.cert}, {"tls-key (VISAVIS_TLS_KEY)", p.key}} {
		info, err := os.Stat(f.path)
		if err != nil {
			return s, fmt.Errorf("%s: %w", f.setting, err)
		}
		s[i] = stamp{info.ModTime(), info.Size()}
	}
	return s, nil
}

func (p *pair) read() (*tls.Certificate, error) {
	c, err := os.ReadFile(p.cert)
	if err != nil {
		return nil, fmt.Errorf("tls-cert (VISAVIS_TLS_CERT): %w", err)
	}
	k, err := os.ReadFile(p.key)
	if err != nil {
		return nil, fmt.Errorf("tls-key (VISAVIS_TLS_KEY): %w", err)
	}
	out, err := tls.X509KeyPair(c, k)
	if err != nil {
		return nil, fmt.Errorf("tls-cert, tls-key (VISAVIS_TLS_CERT, VISAVIS_TLS_KEY): %w", err)
	}
	return &out, nil
}

// warn says when browsers will refuse the certificate.
func (p *pair) warn(leaf *x509.Certificate) {
	if now := time.Now(); now.After(leaf.NotAfter) || now.Before(leaf.NotBefore) {
		p.log.Warn("the certificate is not valid now", "from", leaf.NotBefore, "until", leaf.NotAfter)
	}
}

// get answers a handshake. Files that changed are read again; while they are
// wrong or half written, the last right ones stay.
func (p *pair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.looked) < lookEvery {
		return p.now, nil
	}
	p.looked = time.Now()
	stamps, err := p.stamps()
	if err == nil && stamps != p.seen {
		p.seen = stamps
		var next *tls.Certificate
		if next, err = p.read(); err == nil {
			p.now = next
			p.log.Info("the certificate was read again", "until", next.Leaf.NotAfter)
			p.warn(next.Leaf)
		}
	}
	if err != nil {
		p.log.Warn("the certificate stays as it was", "error", err)
	}
	return p.now, nil
}
