package main

import (
	"bytes"
	"database/sql"
	"net/mail"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"visavis/internal/store"
	"visavis/internal/testkit"
	mailsim "visavis/simulators/mail"
	"visavis/simulators/mail/pki"
	smssim "visavis/simulators/sms"
)

// postOffice is the outside world: mail servers and an SMS gateway in the
// process of the test, which outlive every kill and count what really arrived.
type postOffice struct {
	mail     *mailsim.Server
	sms      *smssim.Server
	settings []string
}

func openPostOffice(t *testing.T) *postOffice {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	authority, err := pki.New("the operator", time.Now())
	must(err)
	o := &postOffice{}
	o.mail, err = mailsim.Start(t.Context(), mailsim.Options{Authority: authority})
	must(err)
	o.sms, err = smssim.Start(t.Context(), smssim.Options{Secret: demoSecret})
	must(err)
	t.Cleanup(func() {
		if err := o.sms.Close(); err != nil {
			t.Error(err)
		}
		if err := o.mail.Close(); err != nil {
			t.Error(err)
		}
	})
	pair, err := authority.Client(time.Now(), demoBox)
	must(err)
	chain, key, err := pki.Encode(pair)
	must(err)
	dir := t.TempDir()
	for name, data := range map[string][]byte{"client.pem": chain, "client.key": key, "ca.pem": authority.PEM()} {
		must(os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	o.settings = []string{
		"VISAVIS_MAIL_ADDR=" + o.mail.PlainAddr(), "VISAVIS_MAIL_STARTTLS=false",
		gatewayAt + o.sms.URL(), "VISAVIS_SMS_SECRET=" + demoSecret,
		"VISAVIS_MSSANTE_SMTP=" + o.mail.SecureAddr(), "VISAVIS_MSSANTE_IMAP=" + o.mail.IMAPAddr(), "VISAVIS_MSSANTE_BOX=" + demoBox,
		"VISAVIS_MSSANTE_SERVER_NAME=" + o.mail.Domain(), "VISAVIS_MSSANTE_CERT=" + filepath.Join(dir, "client.pem"),
		"VISAVIS_MSSANTE_KEY=" + filepath.Join(dir, "client.key"), "VISAVIS_MSSANTE_CA=" + filepath.Join(dir, "ca.pem"),
		"VISAVIS_MSSANTE_DOUBT=45s", // the operator of the test shows the copy at once
	}
	return o
}

// counted gives how often each Message-ID lies in a mailbox.
func (o *postOffice) counted(t testing.TB, address string) map[string]int {
	t.Helper()
	n := map[string]int{}
	for _, m := range o.mail.Messages(address) {
		letter, err := mail.ReadMessage(bytes.NewReader(m.Raw))
		if err != nil {
			t.Fatal(err)
		}
		if id := letter.Header.Get("Message-ID"); letter.Header.Get("Auto-Submitted") != "auto-replied" {
			n[id]++
		}
	}
	return n
}

// The patients of the kill test: one with a qualified identity, a phone and a
// referring doctor; one with a qualified identity, an e-mail and a phone; and
// people the house has never seen, whose documents wait for their identity.
const (
	secureBox   = "141092901905473@patient.mssante.fr"
	doctorBox   = "anne.legoff@medecin.mssante.fr"
	secureBox2  = "288079934112337@patient.mssante.fr"
	ordinaryBox = "fatou.diallo@courriel.test"
)

func guestOf(n int) guest {
	switch n % 3 {
	case 0:
		return guest{"familyName": "O'BRIEN", "givenName": "MARCEL", "birthDate": "1941-09-30", "phone": "+33611000005"}
	case 1:
		return guest{"familyName": "DIALLO", "givenName": "FATOU", "birthDate": "1988-07-02", "phone": "+33611000003", "email": ordinaryBox}
	}
	return guest{"familyName": "DURAND", "givenName": "Camille", "birthDate": "1980-02-29", "phone": "+336" + strconv.Itoa(39980000+n)}
}

// How long the last run may take. Facts are told at once: a kill delays none.
// A message the kill fell upon waits for the lease (70 s), then for the copy.
const (
	factsWithin    = time.Minute // on a machine that does other things too
	messagesWithin = 4 * time.Minute
)

// settle starts the program a last time and waits until every fact has been
// told and every message has left or is known not to have.
func (w *witness) settle() {
	db := w.rig.open()
	w.start()
	defer w.kill()
	const facts = "SELECT count(*) FROM river_job WHERE CAST(args AS TEXT) LIKE '%\"event\"%' AND state <> 'completed'"
	const messages = `SELECT count(*) FROM deliveries WHERE about IN ('booked', 'documents') AND state IN ('queued', 'sending')
		AND NOT (channel = 'email' AND reason = 'in-doubt')`
	defer func() {
		if w.t.Failed() {
			w.left(db)
		}
	}()
	start, due := time.Now(), w.count(db, facts)
	testkit.Eventually(w.t, 5*time.Minute, "every fact was told", func() bool { return w.count(db, facts) == 0 })
	took := time.Since(start)
	if took > factsWithin {
		w.t.Errorf("facts were told %v after the last start", took)
	}
	w.t.Logf("%d facts were due after the last kill, told in %v", due, took.Round(time.Millisecond))
	start, due = time.Now(), w.count(db, messages)
	testkit.Eventually(w.t, messagesWithin, "every message left", func() bool { return w.count(db, messages) == 0 })
	w.t.Logf("%d messages were due, settled in %v", due, time.Since(start).Round(time.Second))
}

// left tells what hangs.
func (w *witness) left(db *store.DB) {
	for _, query := range []string{
		"SELECT state, attempt, CAST(args AS TEXT), CAST(errors AS TEXT) FROM river_job WHERE state NOT IN ('completed', 'scheduled') LIMIT 20",
		"SELECT state, attempts, channel || ' ' || about || ' ' || phase, reason FROM deliveries WHERE about <> 'reminder' AND state IN ('queued', 'sending') LIMIT 20",
	} {
		pool, err := db.SQL()
		if err != nil {
			w.t.Error(err)
			return
		}
		rows, err := pool.Query(query)
		if err != nil {
			w.t.Error(err)
			return
		}
		for rows.Next() {
			var state, what string
			var attempt int
			var why sql.NullString
			if err := rows.Scan(&state, &attempt, &what, &why); err != nil {
				w.t.Error(err)
				break
			}
			w.t.Logf("left: %s, attempt %d, %s: %s", state, attempt, what, why.String)
		}
		if err := rows.Close(); err != nil {
			w.t.Error(err)
		}
	}
}

func (w *witness) count(db *store.DB, query string, args ...any) (n int) {
	pool, err := db.SQL()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := pool.QueryRow(query, args...).Scan(&n); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	return n
}

func (w *witness) check() {
	db := w.rig.open()
	for id, s := range w.booked {
		// Ids are ours and of a fixed shape.
		if w.count(db, "SELECT count(*) FROM appointments WHERE id = '"+id+"' AND start_at = "+strconv.FormatInt(store.Micros(s.start), 10)) != 1 {
			w.t.Errorf("LOST: appointment %s of %v was acknowledged", id, s.start)
		}
		if w.count(db, "SELECT count(*) FROM encounters WHERE appointment_id = '"+id+"'") != 1 {
			w.t.Errorf("appointment %s has no act", id)
		}
	}
	for id := range w.consents {
		if w.count(db, "SELECT count(*) FROM consents WHERE id = '"+id+"'") != 1 {
			w.t.Errorf("LOST: consent %s was acknowledged", id)
		}
	}
	for id := range w.signed {
		if w.count(db, "SELECT count(*) FROM documents WHERE id = '"+id+"'") != 1 {
			w.t.Errorf("LOST: document %s was acknowledged", id)
		}
	}
	for what, query := range map[string]string{
		"appointments that overlap": `SELECT count(*) FROM appointments a JOIN appointments b ON a.practitioner_id = b.practitioner_id AND a.id < b.id
			AND a.start_at < b.end_at AND b.start_at < a.end_at AND a.status <> 'cancelled' AND b.status <> 'cancelled'`,
		"deliveries sent twice":     "SELECT count(*) FROM (SELECT 1 FROM delivery_history WHERE state = 'sent' GROUP BY delivery_id HAVING count(*) > 1) d",
		"deliveries asked twice":    "SELECT count(*) FROM (SELECT 1 FROM deliveries GROUP BY once HAVING count(*) > 1) d",
		"signed without a document": "SELECT count(*) FROM reports r WHERE r.status = 'signed' AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.id = r.document_id)",
		"acts signed twice":         "SELECT count(*) FROM (SELECT 1 FROM documents GROUP BY set_id, number HAVING count(*) > 1) d",
	} {
		if n := w.count(db, query); n != 0 {
			w.t.Errorf("%d %s", n, what)
		}
	}
	if !w.enough() {
		w.t.Errorf("too little happened: the test proves nothing")
	}
}
