// Command mail runs the mail simulator on its own and writes, in the folder
// given, the authority's certificate and a client certificate for one mailbox.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"visavis/simulators/mail"
	"visavis/simulators/mail/pki"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	o := mail.Options{Log: slog.Default()}
	flag.StringVar(&o.SecureAddr, "secure", "127.0.0.1:2587", "SMTP of the secure space")
	flag.StringVar(&o.PlainAddr, "plain", "127.0.0.1:2525", "ordinary SMTP")
	flag.StringVar(&o.IMAPAddr, "imap", "127.0.0.1:2143", "IMAP of the secure space")
	flag.StringVar(&o.WebAddr, "web", "127.0.0.1:8094", "page of the mailboxes")
	box := flag.String("box", "plateforme@visavis.mssante.fr", "mailbox of the client certificate")
	dir := flag.String("certs", "mail-certs", "folder for ca.pem, client.pem and client.key")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	authority, err := pki.New("visavis simulator authority", time.Now())
	if err != nil {
		return err
	}
	cert, err := authority.Client(time.Now(), *box)
	if err != nil {
		return err
	}
	chain, key, err := pki.Encode(cert)
	if err != nil {
		return err
	}
	err = errors.Join(os.MkdirAll(*dir, 0o700), os.WriteFile(filepath.Join(*dir, "ca.pem"), authority.PEM(), 0o600),
		os.WriteFile(filepath.Join(*dir, "client.pem"), chain, 0o600), os.WriteFile(filepath.Join(*dir, "client.key"), key, 0o600))
	if err != nil {
		return err
	}
	o.Authority = authority
	s, err := mail.Start(ctx, o)
	if err != nil {
		return err
	}
	fmt.Println("SMTP, secure:", s.SecureAddr())
	fmt.Println("SMTP, plain:", s.PlainAddr())
	fmt.Println("IMAP:", s.IMAPAddr())
	fmt.Println("Mailboxes:", s.URL())
	<-ctx.Done()
	return s.Close()
}
