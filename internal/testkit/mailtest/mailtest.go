// Package mailtest runs a real mail server for tests: postfix for SMTP and
// dovecot for IMAP, each with its own configuration, queue and mailboxes in a
// temporary folder, on free loopback ports. It plays the operator of the
// secure messaging space (STARTTLS, client certificate, private authority) and
// an ordinary mail server.
//
// Recipients of the secure port are judged after the message was accepted, as
// an operator that relays to Mon espace santé does: an unknown mailbox gives a
// bounce. Three families of addresses answer at once instead: refuse…@ (550),
// busy…@ (450) and full…@ (552).
package mailtest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"visavis/simulators/mail/pki"
)

// Server is a running mail server.
type Server struct {
	// Secure is host:port of the port that wants STARTTLS and a client
	// certificate; Plain the ordinary one; IMAP wants STARTTLS and a client
	// certificate whose common name is the mailbox.
	Secure, Plain, IMAP string
	// Roots trusts the server's certificate.
	Roots *x509.CertPool
	// Domains are served: any mailbox must be added first.
	Domains []string

	authority *pki.Authority
	dir       string
	mu        sync.Mutex
	boxes     map[string]bool
	postfix   *exec.Cmd
	dovecot   *exec.Cmd
}

// ServerName is the name in the server's certificate.
const ServerName = "mail.mssante.test"

// Domains served by every Server.
const (
	Platform  = "visavis.mssante.test"
	Patients  = "patient.mssante.test"
	Doctors   = "medecin.mssante.test"
	Ordinary  = "example.test"
	mailOwner = "postfix"
)

// Missing says why a server cannot run here, "" when it can.
func Missing() string {
	if os.Geteuid() != 0 {
		return "postfix wants to be started as root"
	}
	var packages []string
	for _, p := range []struct{ path, pkg string }{
		{"/usr/sbin/postfix", "postfix"}, {"/usr/sbin/dovecot", "dovecot-core"}, {"/usr/lib/dovecot/imap", "dovecot-imapd"},
	} {
		if _, err := os.Stat(p.path); err != nil {
			packages = append(packages, p.pkg)
		}
	}
	if len(packages) > 0 {
		return "apt-get install -y --no-install-recommends " + strings.Join(packages, " ")
	}
	return ""
}

// Start runs a server with these mailboxes until the test ends. The test is
// skipped, saying what is missing, where it cannot run; with
// VISAVIS_TEST_ALL=1 it fails instead.
func Start(t testing.TB, mailboxes ...string) *Server {
	t.Helper()
	if why := Missing(); why != "" {
		if os.Getenv("VISAVIS_TEST_ALL") == "1" {
			t.Fatalf("no mail server: %s", why)
		}
		t.Skipf("no mail server: %s", why)
	}
	s := &Server{Domains: []string{Platform, Patients, Doctors, Ordinary}, boxes: map[string]bool{}}
	for _, m := range mailboxes {
		s.boxes[m] = true
	}
	t.Cleanup(func() { s.stop(t) })
	if err := s.start(); err != nil {
		t.Fatalf("mail server: %v\n%s", err, s.Log())
	}
	return s
}

func (s *Server) start() error {
	var err error
	// Not t.TempDir: the mail system's own users must be able to enter.
	if s.dir, err = os.MkdirTemp("", "visavis-mail-"); err != nil {
		return err
	}
	if err := os.Chmod(s.dir, 0o755); err != nil {
		return err
	}
	if s.authority, err = pki.New("visavis test authority", time.Now()); err != nil {
		return err
	}
	s.Roots = s.authority.Pool()
	if err := s.certificates(); err != nil {
		return err
	}
	var ports [3]string
	for i := range ports {
		if ports[i], err = freePort(); err != nil {
			return err
		}
	}
	s.Secure, s.Plain, s.IMAP = ports[0], ports[1], ports[2]
	if err := s.configurePostfix(); err != nil {
		return err
	}
	if err := s.configureDovecot(); err != nil {
		return err
	}
	if err := s.Up(); err != nil {
		return err
	}
	s.dovecot = exec.Command("/usr/sbin/dovecot", "-F", "-c", filepath.Join(s.dir, "dovecot.conf"))
	if err := s.run(s.dovecot, "dovecot.out"); err != nil {
		return err
	}
	return s.wait(s.IMAP)
}

// Up starts postfix, after Down.
func (s *Server) Up() error {
	s.postfix = exec.Command("/usr/sbin/postfix", "-c", filepath.Join(s.dir, "postfix"), "start-fg")
	if err := s.run(s.postfix, "postfix.out"); err != nil {
		return err
	}
	return s.wait(s.Secure, s.Plain)
}

// Down stops postfix: connections are refused until Up.
func (s *Server) Down() error {
	if s.postfix == nil {
		return nil
	}
	err := exec.Command("/usr/sbin/postfix", "-c", filepath.Join(s.dir, "postfix"), "stop").Run()
	_ = s.postfix.Wait()
	s.postfix = nil
	return err
}

func (s *Server) stop(t testing.TB) {
	if err := s.Down(); err != nil {
		t.Logf("stop postfix: %v", err)
	}
	if s.dovecot != nil {
		_ = s.dovecot.Process.Signal(os.Interrupt)
		_ = s.dovecot.Wait()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

func (s *Server) run(cmd *exec.Cmd, output string) error {
	f, err := os.Create(filepath.Join(s.dir, output))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	cmd.Stdout, cmd.Stderr = f, f
	return cmd.Start()
}

func (s *Server) wait(addresses ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for _, a := range addresses {
		for {
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", a)
			if err == nil {
				_ = conn.Close()
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("%s does not answer: %w", a, err)
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	return nil
}

// AddMailbox makes a mailbox exist.
func (s *Server) AddMailbox(address string) error {
	s.mu.Lock()
	s.boxes[address] = true
	s.mu.Unlock()
	return s.reload()
}

// RemoveMailbox closes a mailbox, as a patient may close Mon espace santé:
// messages to it bounce.
func (s *Server) RemoveMailbox(address string) error {
	s.mu.Lock()
	delete(s.boxes, address)
	s.mu.Unlock()
	return s.reload()
}

func (s *Server) reload() error {
	if err := s.writeMailboxes(); err != nil {
		return err
	}
	if err := exec.Command("/usr/sbin/postfix", "-c", filepath.Join(s.dir, "postfix"), "reload").Run(); err != nil {
		return fmt.Errorf("postfix reload: %w", err)
	}
	return s.wait(s.Secure, s.Plain)
}

// TLS gives the client side of the secure ports for the owner of a mailbox.
func (s *Server) TLS(mailbox string) (*tls.Config, error) {
	cert, err := s.authority.Client(time.Now(), mailbox)
	if err != nil {
		return nil, err
	}
	return &tls.Config{RootCAs: s.Roots, Certificates: []tls.Certificate{cert}, ServerName: ServerName, MinVersion: tls.VersionTLS12}, nil
}

// Messages gives the messages that lie in a mailbox, in no order.
func (s *Server) Messages(address string) ([][]byte, error) {
	local, domain, _ := strings.Cut(address, "@")
	var out [][]byte
	for _, sub := range []string{"new", "cur"} {
		names, err := filepath.Glob(filepath.Join(s.dir, "mail", domain, local, sub, "*"))
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			data, err := os.ReadFile(n)
			if os.IsNotExist(err) {
				continue // moved from new to cur meanwhile
			}
			if err != nil {
				return nil, err
			}
			out = append(out, data)
		}
	}
	return out, nil
}

// WaitMessages waits until a mailbox holds at least n messages.
func (s *Server) WaitMessages(t testing.TB, address string, n int) [][]byte {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		got, err := s.Messages(address)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) >= n {
			return got
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s holds %d messages, %d wanted\n%s", address, len(got), n, s.Log())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Log gives what both servers logged.
func (s *Server) Log() string {
	var b strings.Builder
	for _, n := range []string{"postfix.out", "postfix.log", "dovecot.out", "dovecot.log"} {
		if data, err := os.ReadFile(filepath.Join(s.dir, n)); err == nil && len(data) > 0 {
			fmt.Fprintf(&b, "--- %s\n%s\n", n, data)
		}
	}
	return b.String()
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// CA gives the certificate of the server's authority, as PEM, for another
// process.
func (s *Server) CA() []byte { return s.authority.PEM() }
