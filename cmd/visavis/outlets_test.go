package main

import (
	"testing"

	"visavis/internal/config"
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
