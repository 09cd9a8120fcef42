package messaging

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/store"
	"visavis/internal/testkit"
	"visavis/internal/testkit/mailtest"
	"visavis/messaging/mssante"
	"visavis/messaging/post"
	"visavis/simulators/mail/pki"
)

// realOutlet is the operator's server as seen with the certificate in dir.
func realOutlet(t *testing.T, smtp, imap, dir string) SecureOutlet {
	t.Helper()
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, "client.pem"), filepath.Join(dir, "client.key"))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	conf := &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{cert}, ServerName: mailtest.ServerName, MinVersion: tls.VersionTLS12}
	return SecureOutlet{SMTP: post.Server{Address: smtp, Hello: mailtest.Platform, TLS: conf, Timeout: 10 * time.Second},
		IMAP: mssante.Mailbox{Address: imap, TLS: conf, User: box, Timeout: 20 * time.Second}, Box: box}
}

func credentials(t *testing.T, server *mailtest.Server) string {
	t.Helper()
	conf, err := server.TLS(box)
	if err != nil {
		t.Fatal(err)
	}
	chain, key, err := pki.Encode(conf.Certificates[0])
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, data := range map[string][]byte{"client.pem": chain, "client.key": key, "ca.pem": server.CA()} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// inFile puts the module on the database in dir, with the real mail server.
func inFile(t *testing.T, dir string, secure SecureOutlet) *world {
	t.Helper()
	db, err := store.Open(context.Background(), store.Options{DataDir: dir, Key: testkit.SQLiteKey()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &world{House: testkit.NewHouse(t, db), t: t, town: newTown()}
	w.make(secure, MailOutlet{})
	w.town.set(func(a *Addressee) { a.Doctor = nil })
	return w
}

// TestVictim is not a test: it is the process that gets killed.
func TestVictim(t *testing.T) {
	point := os.Getenv("VISAVIS_KILL_AT")
	if point == "" {
		t.Skip("run by TestKilledAtTheWorstMoments")
	}
	w := inFile(t, os.Getenv("VISAVIS_DIR"), realOutlet(t, os.Getenv("VISAVIS_SMTP"), os.Getenv("VISAVIS_IMAP"), os.Getenv("VISAVIS_CERTS")))
	w.svc.at = func(p string) {
		if p == point {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	w.Clock.Advance(time.Minute)
	if err := w.svc.Deliver(context.Background(), care.DeliveryID(os.Getenv("VISAVIS_DELIVERY"))); err != nil {
		t.Fatal(err)
	}
}

// D5, D11: the process is killed (kill −9) while a letter goes to a real
// server: before anything left, just before the message, and after the server
// said 250 but before that was written. Each time one letter arrives, not two,
// not none.
func TestKilledAtTheWorstMoments(t *testing.T) {
	server := mailtest.Start(t, box, leaBox)
	certs := credentials(t, server)
	secure := realOutlet(t, server.Secure, server.IMAP, certs)
	arrived := 0
	for _, c := range []struct{ point, want string }{
		{"prepared", "queued sending sent"},
		{"marked", "queued sending sending(in-doubt) queued(retry) sending sent"},
		{"handed", "queued sending sent"},
	} {
		t.Run(c.point, func(t *testing.T) {
			dir := testkit.SQLite(t)
			id := plan(t, dir, secure)
			cmd := exec.Command(os.Args[0], "-test.run", "^TestVictim$", "-test.v")
			cmd.Env = append(os.Environ(), "VISAVIS_KILL_AT="+c.point, "VISAVIS_DIR="+dir, "VISAVIS_DELIVERY="+string(id),
				"VISAVIS_SMTP="+server.Secure, "VISAVIS_IMAP="+server.IMAP, "VISAVIS_CERTS="+certs)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("the victim was not killed: %v\n%s", err, out)
			}
			if c.point == "handed" {
				arrived++
				server.WaitMessages(t, leaBox, arrived)
			}
			w := inFile(t, dir, secure)
			w.Clock.Advance(2 * time.Minute)
			for range 4 {
				w.Clock.Advance(6 * time.Minute)
				if err := w.svc.Deliver(context.Background(), id); err != nil {
					t.Fatal(err)
				}
			}
			w.expect(w.one(Documents, MSSante, ToPatient), c.want)
			if c.point != "handed" {
				arrived++
			}
			server.WaitMessages(t, leaBox, arrived)
			// Each letter leaves a witness and a report in our box; a second copy would
			// be in the mailbox before its report is here.
			server.WaitMessages(t, box, 2*arrived)
			if got, err := server.Messages(leaBox); err != nil || len(got) != arrived {
				t.Fatalf("%d letters in the mailbox, %d wanted: %v", len(got), arrived, err)
			}
		})
	}
}

// plan writes a delivery that is due, in a process that then goes away.
func plan(t *testing.T, dir string, secure SecureOutlet) (id care.DeliveryID) {
	t.Helper()
	t.Run("plan", func(t *testing.T) {
		w := inFile(t, dir, secure)
		err := w.DB.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error {
			return w.svc.signed(ctx, tx, events.Event{ID: "e", Name: events.ReportSigned, At: w.Clock.Now(),
				Payload: []byte(`{"documentId":"` + string(report) + `","encounterId":"` + string(act) + `","patientId":"` + string(lea) + `","authorId":"` + string(claire) + `","version":1}`)})
		})
		if err != nil {
			t.Fatal(err)
		}
		id = w.one(Documents, MSSante, ToPatient).ID
	})
	return id
}

// The failures of a real server, from end to end.
func TestARealServerThatRefusesBouncesAndGoesAway(t *testing.T) {
	server := mailtest.Start(t, box, leaBox, drBox)
	w := &world{House: testkit.NewHouse(t, testkit.OpenSQLite(t)), t: t, town: newTown()}
	w.make(realOutlet(t, server.Secure, server.IMAP, credentials(t, server)), MailOutlet{})
	if err := server.Down(); err != nil {
		t.Fatal(err)
	}
	w.sign(events.ReportSigned, report, "")
	w.pass(time.Minute)
	w.expect(w.one(Documents, MSSante, ToPatient), "queued sending queued(retry)")
	if err := server.Up(); err != nil {
		t.Fatal(err)
	}
	if err := server.RemoveMailbox(leaBox); err != nil { // the patient closed Mon espace santé
		t.Fatal(err)
	}
	w.pass(time.Minute)
	server.WaitMessages(t, drBox, 1)
	server.WaitMessages(t, box, 4) // two witnesses, a bounce, a delivery report
	w.collect()
	w.expect(w.one(Documents, MSSante, ToPatient), "queued sending queued(retry) sending sent bounced(mailbox-closed) to-post(mailbox-closed)")
	w.expect(w.one(Documents, MSSante, ToDoctor), "queued sending queued(retry) sending sent accepted(arrived)")
	if left, err := server.Messages(box); err != nil || len(left) != 0 {
		t.Errorf("%d messages stay in the platform's box: %v", len(left), err)
	}
	raw, err := server.Messages(drBox)
	if err != nil || len(raw) != 1 || types(archive(t, raw[0])) != "85208-7" {
		t.Fatalf("the doctor's letter: %v", err)
	}
}
