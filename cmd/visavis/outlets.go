package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"visavis/consent"
	"visavis/internal/clock"
	"visavis/internal/config"
	"visavis/internal/seal/timestamp"
	"visavis/messaging"
	"visavis/messaging/mssante"
	"visavis/messaging/post"
	"visavis/messaging/sms"
)

// mailOutlet is the ordinary mail server of the settings.
func mailOutlet(cfg *config.Config) (messaging.MailOutlet, error) {
	server := post.Server{Address: cfg.Mail.Addr, User: cfg.Mail.User, Password: cfg.Mail.Password.Value()}
	if cfg.Mail.Addr == "" {
		return messaging.MailOutlet{}, nil
	}
	if cfg.Mail.StartTLS {
		host, _, err := net.SplitHostPort(cfg.Mail.Addr)
		if err != nil {
			return messaging.MailOutlet{}, fmt.Errorf("mail-addr: %w", err)
		}
		server.TLS = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	}
	return messaging.MailOutlet{SMTP: server, From: cfg.Mail.From}, nil
}

// pscTransport carries the calls to Pro Santé Connect, with the certificate that
// its token endpoint asks for.
func pscTransport(c config.PSC) (http.RoundTripper, error) {
	if c.Cert == "" && c.CA == "" {
		return nil, nil
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.Cert != "" {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, fmt.Errorf("psc-cert, psc-key: %w", err)
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, fmt.Errorf("psc-ca: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("psc-ca: no certificate in %s", c.CA)
		}
	}
	return &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: conf, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 5 * time.Second, IdleConnTimeout: 90 * time.Second, MaxIdleConnsPerHost: 8}, nil
}

// secureOutlet is our mailbox at the MSSanté operator, with the certificate
// that opens it.
func secureOutlet(cfg *config.Config) (messaging.SecureOutlet, error) {
	m := cfg.MSSante
	if m.SMTP == "" {
		return messaging.SecureOutlet{}, nil
	}
	pair, err := tls.LoadX509KeyPair(m.Cert, m.Key)
	if err != nil {
		return messaging.SecureOutlet{}, fmt.Errorf("mssante-cert, mssante-key: %w", err)
	}
	pem, err := os.ReadFile(m.CA)
	if err != nil {
		return messaging.SecureOutlet{}, fmt.Errorf("mssante-ca: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return messaging.SecureOutlet{}, fmt.Errorf("mssante-ca: no certificate in %s", m.CA)
	}
	conf := func(address string) (*tls.Config, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, fmt.Errorf("mssante: address: %w", err)
		}
		if m.ServerName != "" {
			host = m.ServerName
		}
		return &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}, ServerName: host, MinVersion: tls.VersionTLS12}, nil
	}
	out := messaging.SecureOutlet{
		SMTP: post.Server{Address: m.SMTP}, Box: m.Box, PatientDomain: m.Domain, NIL: m.NIL, OID: cfg.OID, Version: version,
	}
	if out.SMTP.TLS, err = conf(m.SMTP); err != nil {
		return out, err
	}
	if m.IMAP != "" {
		out.IMAP = mssante.Mailbox{Address: m.IMAP, User: m.Box}
		out.IMAP.TLS, err = conf(m.IMAP)
	}
	return out, err
}

// smsOutlet is the SMS gateway of the settings.
func smsOutlet(cfg *config.Config) sms.Gateway {
	return sms.Gateway{
		URL: cfg.SMS.URL, Sender: cfg.SMS.Sender, Secret: cfg.SMS.Secret.Value(), Callback: cfg.PublicURL + "/api/hooks/sms",
		Client: &http.Client{Timeout: 10 * time.Second},
	}
}

// stamping is the time-stamping authority of the settings; nil without one.
func stamping(cfg *config.Config, c clock.Clock) (consent.Stamper, error) {
	if cfg.TSA.URL == "" {
		return nil, nil
	}
	roots, err := stampRoots(cfg.TSA.CA)
	if err != nil {
		return nil, err
	}
	if cfg.TSA.Policy != "" {
		if _, err := timestamp.ParseOID(cfg.TSA.Policy); err != nil {
			return nil, fmt.Errorf("tsa-policy: %w", err)
		}
	}
	return &timestamp.Client{
		URL: cfg.TSA.URL, User: cfg.TSA.User, Password: cfg.TSA.Password.Value(), Roots: roots, Policy: cfg.TSA.Policy, Clock: c,
	}, nil
}

// stampRoots reads the roots that answer for the authority; nil without a file.
func stampRoots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("tsa-ca: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tsa-ca: no certificate in %s", path)
	}
	return roots, nil
}
