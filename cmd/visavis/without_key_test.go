package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"visavis/internal/audit"
	"visavis/internal/care"
	"visavis/internal/config"
	"visavis/internal/telemetry"
	"visavis/internal/testkit"
	"visavis/internal/testkit/rtcclient"
)

// TestHostile_DatabaseWithoutKey is acceptance 2 of issue 9: a program that has
// the database and not the key tries to read, to enter and to hide, over the real
// HTTP API and socket. Every forged row and every row that is put back is refused
// and reported, and visavis verify finds each of them and every cut of the log.
// go test -run Hostile -v prints the table.
func TestHostile_DatabaseWithoutKey(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the program: not in -short")
	}
	t.Parallel()
	stores(t, func(t *testing.T, database, redis string) {
		h := newHostile(t, database, redis)
		h.sessions()
		h.linkRows()
		h.staffRows()
		h.acts()
		h.contacts()
		h.consents()
		h.seatRows()
		h.unnumbered()
		h.writers()
		h.wasTold()
		h.stopped()
		h.restarted()
		h.print()
		if out := h.rig.verify(); !strings.Contains(out, "every one as it was written") {
			t.Errorf("the honest database at the end: %s", out)
		}
	})
}

// hostile is a program with the database and without the key. It knows what is in
// the tables, and has an honest session of level 1 of its own.
type hostile struct {
	*call
	pool                     *sql.DB
	victim                   *testkit.Client // a patient with a signed report and a session of level 2
	theirs                   string          // their appointment
	act                      string          // their act
	document                 string          // their report
	own                      *testkit.Client // a patient's session of level 1: who attacks
	other                    *testkit.Client // a doctor with no care relation to the victim
	ended                    saved           // a session as it was before it ended
	revoked                  saved           // a link as it was before it was revoked
	withdrawn                saved           // the head of a consent before it was withdrawn
	lines                    []line
	endedToken, revokedToken string

	socket *rtcclient.Client // of the patient who withdrew
	offers int

	reported int // refusals found in the log and as an alarm

	told []string // objects that must have been reported
}

// line is one attempt.
type line struct{ what, before, answer, verify string }

func newHostile(t *testing.T, database, redis string) *hostile {
	r := newRig(t, database, redis)
	h := &hostile{call: &call{spy: &spy{witness: &witness{rig: r, doctor: r.staff(account("MARTIN"))}}}}
	h.prepare()
	h.pool = h.connect()
	h.victim, h.own, h.other = r.patient(2), r.patient(1), r.staff(account("DUPRÉ-LACROIX"))
	h.report()
	h.level2(h.victim)
	return h
}

// report signs a report about the victim.
func (h *hostile) report() {
	h.t.Helper()
	var me struct{ AppointmentID string }
	h.victim.Get("/api/me").Want(200).JSON(&me)
	h.theirs = me.AppointmentID
	h.booked[h.theirs] = slot{start: h.links.Patients[2].Start}
	h.act = h.spy.encounter(make(chan struct{}), h.theirs)
	h.consentOral(h.theirs)
	h.began(h.act)
	path := "/api/encounters/" + h.act
	h.do("POST", path+"/identity", map[string]string{"how": "document"}, nil)
	h.do("POST", path+"/finish", nil, nil)
	h.do("PUT", path+"/report", map[string]string{"motive": "Toux", "text": "Examen normal.", "conclusion": "Rhume.", "followUp": "Revoir si fièvre."}, nil, testkit.Match("0"))
	var signed struct{ DocumentID string }
	h.do("POST", path+"/report/sign", map[string]int{"version": 1}, &signed)
	h.document = signed.DocumentID
}

// connect opens the database as whoever has its address can. A SQLite file is
// encrypted under the master key: without it there is nothing to try, so the
// test lends the key of the file, and only that.
func (h *hostile) connect() *sql.DB {
	h.t.Helper()
	pool, err := h.db.SQL()
	if err != nil {
		h.t.Fatal(err)
	}
	testkit.AllowAuditChanges(h.t, h.db) // whoever owns the tables takes the triggers away
	h.pool = pool
	statements := []string{"ALTER TABLE consents DISABLE TRIGGER USER", "ALTER TABLE consent_stamps DISABLE TRIGGER USER"}
	if h.database == "" {
		statements = nil
		for _, row := range h.save("sqlite_master", "type = 'trigger' AND tbl_name IN ('consents', 'consent_stamps')").rows {
			statements = append(statements, fmt.Sprint("DROP TRIGGER ", row[1]))
		}
	}
	for _, s := range statements {
		h.exec(s)
	}
	return pool
}

// level2 types the code that a patient's telephone gets.
func (h *hostile) level2(c *testkit.Client) {
	h.t.Helper()
	before := len(h.smses())
	c.Post("/api/me/code", map[string]string{"channel": "sms"}).Want(202)
	code := ""
	testkit.Eventually(h.t, 30*time.Second, "the code came", func() bool {
		for _, m := range h.smses()[before:] {
			code = max(code, digits8.FindString(m.Text), digits6.FindString(m.Text))
		}
		return code != ""
	})
	c.Post("/api/me/code/verify", map[string]string{"code": code}).Want(200)
}

// exec runs a statement as the hostile program, with ? for values.
func (h *hostile) exec(query string, args ...any) int64 {
	h.t.Helper()
	res, err := h.pool.Exec(h.numbered(query), args...)
	if err != nil {
		h.t.Fatalf("%s: %v", query, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

// change is exec that must change something: an attempt that changes nothing
// proves nothing.
func (h *hostile) change(query string, args ...any) {
	h.t.Helper()
	if h.exec(query, args...) == 0 {
		h.t.Fatalf("%s changed nothing", query)
	}
}

func (h *hostile) numbered(query string) string {
	if h.database == "" {
		return query
	}
	for n := 1; strings.Contains(query, "?"); n++ {
		query = strings.Replace(query, "?", fmt.Sprintf("$%d", n), 1)
	}
	return query
}

// text reads one value.
func (h *hostile) text(query string, args ...any) (value string) {
	h.t.Helper()
	if err := h.pool.QueryRow(h.numbered(query), args...).Scan(&value); err != nil {
		h.t.Fatalf("%s: %v", query, err)
	}
	return value
}

// saved are rows of a table as they were, to put back.
type saved struct {
	h     *hostile
	table string
	where string
	args  []any
	names []string
	rows  [][]any
}

// save keeps the rows of a table that a condition finds.
func (h *hostile) save(table, where string, args ...any) saved {
	h.t.Helper()
	rows, err := h.pool.Query(h.numbered("SELECT * FROM "+table+" WHERE "+where), args...)
	if err != nil {
		h.t.Fatal(err)
	}
	defer rows.Close()
	s := saved{h: h, table: table, where: where, args: args}
	if s.names, err = rows.Columns(); err != nil {
		h.t.Fatal(err)
	}
	for rows.Next() {
		values, into := make([]any, len(s.names)), make([]any, len(s.names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			h.t.Fatal(err)
		}
		s.rows = append(s.rows, values)
	}
	if err := rows.Err(); err != nil {
		h.t.Fatal(err)
	}
	return s
}

// putBack makes the rows that the condition finds what they were. The first
// column names a row.
func (s saved) putBack() {
	s.h.t.Helper()
	tx, err := s.h.pool.Begin()
	if err != nil {
		s.h.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if len(s.rows) == 0 {
		_, err = tx.Exec(s.h.numbered("DELETE FROM "+s.table+" WHERE "+s.where), s.args...)
	}
	for _, row := range s.rows {
		var set []string
		for _, n := range s.names {
			set = append(set, n+" = ?")
		}
		res, e := tx.Exec(s.h.numbered("UPDATE "+s.table+" SET "+strings.Join(set, ", ")+" WHERE "+s.names[0]+" = ?"), append(slices.Clone(row), row[0])...)
		if e == nil {
			if n, _ := res.RowsAffected(); n == 0 {
				_, e = tx.Exec(s.insertion(), row...)
			}
		}
		err = errors.Join(err, e)
	}
	if err = errors.Join(err, tx.Commit()); err != nil {
		s.h.t.Fatalf("%s: %v", s.table, err)
	}
}

func (s saved) insertion() string {
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(s.names)), ", ")
	return s.h.numbered("INSERT INTO " + s.table + " (" + strings.Join(s.names, ", ") + ") VALUES (" + marks + ")")
}

// copyRow inserts the saved row with other values in some columns.
func (s saved) copyRow(changes map[string]any) {
	s.h.t.Helper()
	row := slices.Clone(s.rows[0])
	for i, n := range s.names {
		if v, ok := changes[n]; ok {
			row[i] = v
		}
	}
	if _, err := s.h.pool.Exec(s.insertion(), row...); err != nil {
		s.h.t.Fatalf("%s: %v", s.table, err)
	}
}

// value of a column of the saved row.
func (s saved) value(name string) any { return s.rows[0][slices.Index(s.names, name)] }

// forgery is a row that is forged or put back while the program runs.
type forgery struct {
	what   string
	object string  // table/key that must be reported; empty where nobody reads the row
	rows   []saved // what is to be put back afterwards
	do     func()  // the attack
	ask    func() answered
	before int // status of ask before the attack; 0: refused already
	undo   func()

	unverified bool // verify does not read the table: its rows prove themselves where they are used
}

// answered is what the server said to ask.
type answered struct {
	status int
	code   string
}

func (a answered) String() string { return strings.TrimSpace(fmt.Sprint(a.status, " ", a.code)) }

// of reads the problem of an answer.
func of(a *testkit.Answer) answered {
	var p struct{ Code string }
	_ = json.Unmarshal(a.Body, &p)
	return answered{a.Status, p.Code}
}

// try asks before the attack and after it, has the database verified, and takes
// the attack back. After it the answer is a refusal of 4xx.
func (h *hostile) try(a forgery) {
	h.t.Helper()
	before := a.ask()
	if before.status != a.before && (a.before != 0 || before.status < 400 || before.status >= 500) {
		h.t.Errorf("%s: before the attempt the answer is %v, want %d: the test proves nothing", a.what, before, a.before)
	}
	a.do()
	after := a.ask()
	if after.status < 400 || after.status >= 500 {
		h.t.Errorf("NOT REFUSED: %s: %v", a.what, after)
	}
	if a.unverified {
		h.lines = append(h.lines, line{a.what, before.String(), after.String(), "-"})
	} else {
		h.found(a.what, before, after)
	}
	if a.object != "" {
		h.told = append(h.told, a.object)
	}
	for _, s := range a.rows {
		s.putBack()
	}
	if a.undo != nil {
		a.undo()
	}
}

// found has the database verified, which must fail, and writes the line.
func (h *hostile) found(what string, before, after answered) {
	h.t.Helper()
	out, err := h.verification()
	if err == nil {
		h.t.Errorf("NOT DETECTED by verify: %s\n%s", what, out)
		err = errors.New("nothing")
	}
	said := strings.ReplaceAll(err.Error(), "\n", "; ")
	for text := range strings.Lines(out) {
		if strings.HasPrefix(text, "row ") {
			said = strings.TrimSpace(text)
		}
	}
	h.lines = append(h.lines, line{what, before.String(), after.String(), said})
}

// verification is visavis verify, in this process: it knows the key, and nothing
// of what the program has in memory.
func (h *hostile) verification() (string, error) {
	h.t.Helper()
	cfg := &config.Config{DataDir: h.dir, KeyFile: filepath.Join(h.dir, "keys", "master"), HeadsDir: filepath.Join(h.dir, "heads"),
		PublicURL: h.url, Zone: "Europe/Paris", DatabaseURL: config.Secret(h.database)}
	f, err := lay(h.t.Context(), cfg, telemetry.NewLog(io.Discard, false), toRead)
	if err != nil {
		h.t.Fatal(err)
	}
	var out bytes.Buffer
	err = verifyCmd{}.verify(h.t.Context(), f, &out)
	if e := f.close(); e != nil {
		h.t.Fatal(e)
	}
	if err != nil && !errors.Is(err, audit.ErrTampered) && !strings.Contains(err.Error(), "not genuine") && !strings.Contains(err.Error(), "altered or moved") {
		h.t.Errorf("verify: %v", err)
	}
	return out.String(), err
}

// wasTold waits until everything that was refused is in the log as refused, and
// an alarm for who operates the program.
func (h *hostile) wasTold() {
	h.t.Helper()
	for _, object := range h.told {
		h.reported++
		testkit.Eventually(h.t, 10*time.Second, object+" is an entry of the log", func() bool {
			return h.text("SELECT CAST(count(*) AS TEXT) FROM audit WHERE action = 'row.refuse' AND outcome = 'refused' AND object = ?", object) != "0"
		})
		raw, err := os.ReadFile(filepath.Join(h.dir, "visavis.log"))
		if err != nil {
			h.t.Fatal(err)
		}
		table, _, _ := strings.Cut(object, "/") // the log hides what looks like a secret, as the hash of one does
		if !bytes.Contains(raw, []byte("integrity: a row was refused")) || !bytes.Contains(raw, []byte(table+"/")) {
			h.t.Errorf("no alarm about %s", object)
		}
	}
	h.told = nil
}

// print writes the table.
func (h *hostile) print() {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-66s | %-8s | %-28s | %s\n", "attempt", "before", "answer", "visavis verify")
	for _, l := range h.lines {
		fmt.Fprintf(&b, "%-66s | %-8s | %-28s | %s\n", l.what, l.before, l.answer, l.verify)
	}
	fmt.Fprintf(&b, "%d attempts; %d rows reported in the log and as an alarm", len(h.lines), h.reported)
	h.t.Log(strings.ReplaceAll(b.String(), h.dir, "DATA"))
}

// secret makes a secret as the program does, and its hash.
func secret() (string, []byte) {
	raw := make([]byte, 32)
	rand.Read(raw)
	text := base64.RawURLEncoding.EncodeToString(raw)
	sum := sha256.Sum256([]byte(text))
	return text, sum[:]
}

func hashed(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

func newID() string { return care.NewID(time.Now()) }
