package messaging

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	db, err := store.Open(context.Background(), store.Options{DataDir: dir, Key: testkit.SQLiteKey(), RowKey: testkit.RowKey()})
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
	if point == "random" {
		w.workAll(os.Getenv("VISAVIS_NOW"))
		return
	}
	w.Clock.Advance(time.Minute)
	if err := w.svc.Deliver(context.Background(), care.DeliveryID(os.Getenv("VISAVIS_DELIVERY"))); err != nil {
		t.Fatal(err)
	}
}

// workAll does everything that is due, as a node that just started would, and
// says "working" once it has begun.
func (w *world) workAll(now string) {
	w.t.Helper()
	at, err := time.Parse(time.RFC3339, now)
	if err != nil {
		w.t.Fatal(err)
	}
	w.Clock.Set(at)
	_, _ = os.Stdout.WriteString("working\n")
	var ids []care.DeliveryID
	if err := w.DB.Read(context.Background(), func(_ context.Context, tx *store.Tx) (err error) {
		ids, err = due(tx, w.Clock.Now())
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	for _, id := range ids {
		if err := w.svc.Deliver(context.Background(), id); err != nil {
			w.t.Fatal(err)
		}
	}
}

// D5, D11: the process is killed (kill −9) while a letter goes to a real
// server: before anything left, just before the message, and after the server
// said 250 but before that was written. Each time one letter arrives, not two,
// not none.
func TestKilledAtTheWorstMoments(t *testing.T) {
	t.Parallel()
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

// The same at random moments: twenty letters, a process killed again and again
// while it sends them, each time another one takes over.
func TestKilledAtRandomMoments(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t, box, leaBox)
	certs := credentials(t, server)
	secure := realOutlet(t, server.Secure, server.IMAP, certs)
	dir := testkit.SQLite(t)
	const letters = 20
	t.Run("plan", func(t *testing.T) {
		w := inFile(t, dir, secure)
		for i := range letters {
			id := care.DocumentID(fmt.Sprintf("%s%04d", massed, i))
			err := w.DB.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error {
				return w.svc.include(ctx, tx, Delivery{About: Documents, Channel: MSSante, Recipient: ToPatient, PatientID: lea, PractitionerID: claire,
					OrganizationID: clinic, EncounterID: care.EncounterID(id), Language: care.French, NextAt: w.Clock.Now()},
					events.Document{DocumentID: id, EncounterID: care.EncounterID(id)}, addressed{Label: "Léa Moreau"})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	now, kills, left := testkit.Morning().Add(time.Minute), 0, letters
	for round := 0; left > 0 && round < 60; round++ {
		now = now.Add(15 * time.Minute)
		kills += killWhileWorking(t, dir, server, certs, now, time.Duration(20+round*37%500)*time.Millisecond)
		left = letters - sentIn(t, dir, secure)
	}
	if left > 0 || kills < 5 {
		t.Fatalf("%d letters are not sent after %d kills", left, kills)
	}
	server.WaitMessages(t, box, 2*letters)
	got := server.WaitMessages(t, leaBox, letters)
	ids := map[string]int{}
	for _, raw := range got {
		ids[regexp.MustCompile(`(?m)^Message-ID: (\S+)`).FindStringSubmatch(string(raw))[1]]++
	}
	if len(got) != letters || len(ids) != letters {
		t.Fatalf("%d letters in the mailbox with %d different ids, want %d once each", len(got), len(ids), letters)
	}
	t.Logf("%d letters, %d kills, each arrived once", letters, kills)
}

// killWhileWorking runs a process that works and kills it a little after it
// began; 1 when it had not finished.
func killWhileWorking(t *testing.T, dir string, server *mailtest.Server, certs string, now time.Time, after time.Duration) int {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestVictim$")
	cmd.Env = append(os.Environ(), "VISAVIS_KILL_AT=random", "VISAVIS_DIR="+dir, "VISAVIS_NOW="+now.Format(time.RFC3339),
		"VISAVIS_SMTP="+server.Secure, "VISAVIS_IMAP="+server.IMAP, "VISAVIS_CERTS="+certs)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("the victim did not start: %v", err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	err = cmd.Wait()
	timer.Stop()
	if err == nil {
		return 0
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the victim failed by itself: %v", err)
	}
	return 1
}

// sentIn counts the deliveries that our mail server answers for.
func sentIn(t *testing.T, dir string, secure SecureOutlet) (n int) {
	t.Helper()
	t.Run("count", func(t *testing.T) {
		w := inFile(t, dir, secure)
		if err := w.DB.Read(context.Background(), func(_ context.Context, tx *store.Tx) error {
			list, err := find(tx.G().Where("state = ?", string(Sent)))
			n = len(list)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
	return n
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
	t.Parallel()
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
