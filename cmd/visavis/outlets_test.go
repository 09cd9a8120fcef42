package main

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"visavis/internal/clock"
	"visavis/internal/config"
	"visavis/simulators/mail/pki"
	"visavis/simulators/tsa"
)

// TestTheMailAccountIsUsed: a server that asks for an account gets the one of
// the settings.
func TestTheMailAccountIsUsed(t *testing.T) {
	cfg := &config.Config{Mail: config.Mail{Addr: "mail.test:587", From: "rdv@clinic.test", User: "clinic", Password: "s3cret", StartTLS: true}}
	out, err := mailOutlet(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if out.SMTP.User != "clinic" || out.SMTP.Password != "s3cret" || out.SMTP.TLS == nil || out.SMTP.TLS.ServerName != "mail.test" {
		t.Errorf("user %q, password given: %v, TLS %v", out.SMTP.User, out.SMTP.Password != "", out.SMTP.TLS)
	}
}

// TestTheAuthorityOfTheSettings: none is no error; a wrong setting stops the
// program with its name (O1).
func TestTheAuthorityOfTheSettings(t *testing.T) {
	if s, err := stamping(&config.Config{}, clock.System{}); s != nil || err != nil {
		t.Errorf("%v, %v", s, err)
	}
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, tsa := range map[string]config.TSA{
		"tsa-ca: open":           {URL: "https://tsa.test", CA: filepath.Join(dir, "none.pem")},
		"tsa-ca: no certificate": {URL: "https://tsa.test", CA: empty},
	} {
		if _, err := stamping(&config.Config{TSA: tsa}, clock.System{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	sim, err := tsa.Start(t.Context(), tsa.Options{User: "u", Password: "p"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	ca := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(ca, sim.RootPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := &config.Config{TSA: config.TSA{URL: sim.URL(), CA: ca, User: "u", Password: "p"}}
	if err := tryStamp(t.Context(), cfg); err != nil {
		t.Error(err)
	}
	if err := sim.SetFault(tsa.Foreign); err != nil {
		t.Fatal(err)
	}
	if err := tryStamp(t.Context(), cfg); err == nil {
		t.Error("check is content with a foreign certificate")
	}
	if err := tryStamp(t.Context(), &config.Config{}); !errors.Is(err, errUnset) || !strings.Contains(err.Error(), "signed, not time-stamped") {
		t.Error(err)
	}
	cfg.TSA.Policy = "not.an.oid"
	if _, err := stamping(cfg, clock.System{}); err == nil || !strings.Contains(err.Error(), "tsa-policy") {
		t.Error(err)
	}
}

// TestOurCertificateGoesToProSanteConnect: the files of the settings are what
// the calls carry, to a server those authorities vouch for and to no other.
func TestOurCertificateGoesToProSanteConnect(t *testing.T) {
	authority, err := pki.New("autorité d’essai", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name string, raw []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pair, err := authority.Client(time.Now(), "visavis")
	if err != nil {
		t.Fatal(err)
	}
	chain, key, err := pki.Encode(pair)
	if err != nil {
		t.Fatal(err)
	}
	c := config.PSC{Cert: file("cert.pem", chain), Key: file("key.pem", key), CA: file("ca.pem", authority.PEM())}
	host, err := authority.Server(time.Now(), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Client", r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{host}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority.Pool()}
	server.StartTLS()
	defer server.Close()
	call := func(c config.PSC) (*http.Response, error) {
		transport, err := pscTransport(c)
		if err != nil {
			t.Fatal(err)
		}
		res, err := (&http.Client{Transport: transport}).Get(server.URL)
		if err == nil {
			res.Body.Close()
		}
		return res, err
	}
	if res, err := call(c); err != nil || res.Header.Get("X-Client") != "visavis" {
		t.Errorf("with our certificate: %v %v", res, err)
	}
	if _, err := call(config.PSC{CA: c.CA}); err == nil {
		t.Error("without a certificate it passes")
	}
	if _, err := call(config.PSC{Cert: c.Cert, Key: c.Key}); err == nil {
		t.Error("a server of an unknown authority passes")
	}
	for name, bad := range map[string]config.PSC{"no such file": {Cert: "none.pem", Key: c.Key}, "no certificate": {CA: c.Key}} {
		if _, err := pscTransport(bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
