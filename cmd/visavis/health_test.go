package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"visavis/internal/audit"
	"visavis/internal/clock"
	"visavis/internal/health"
	"visavis/internal/installation"
	"visavis/internal/medicines"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// look asks one health path, with headers in pairs.
func (r *rig) look(path string, headers ...string) (int, health.Report) {
	r.t.Helper()
	req, err := http.NewRequest(http.MethodGet, r.url+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	began := time.Now()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	if took := time.Since(began); took > 5*time.Second {
		r.t.Errorf("%s answered after %v", path, took)
	}
	var out health.Report
	if path == "/api/health/ready" {
		if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
			r.t.Errorf("%s: %v", path, err)
		}
	}
	return resp.StatusCode, out
}

// becomes waits until ready names a cause, or none when code is empty, and
// checks what the three paths say then.
func (r *rig) becomes(code string, status health.Status) health.Report {
	r.t.Helper()
	var report health.Report
	testkit.Eventually(r.t, 30*time.Second, "ready says "+code+" "+string(status), func() bool {
		_, report = r.look("/api/health/ready")
		if report.Status != status {
			return false
		}
		for _, c := range report.Causes {
			if c.Code == code {
				return true
			}
		}
		return code == ""
	})
	ready, plain := http.StatusOK, http.StatusNoContent
	if status == health.Failing {
		ready, plain = http.StatusServiceUnavailable, http.StatusServiceUnavailable
	}
	for path, want := range map[string]int{"/api/health/live": http.StatusNoContent, "/api/health/ready": ready, "/api/health": plain} {
		if got, _ := r.look(path); got != want {
			r.t.Errorf("%s with %s: %d, want %d", path, code, got, want)
		}
	}
	return report
}

// TestHealth_NamesEachCause: each thing that can be away is named while the
// process lives, and forgotten when it is back.
func TestHealth_NamesEachCause(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the program: not in -short")
	}
	t.Parallel()
	rigs(t, func(t *testing.T, r *rig) {
		r.becomes("", health.OK)

		key := filepath.Join(r.dir, "keys", "master")
		for _, c := range []struct {
			code string
			do   func() error
		}{
			{"key-missing", func() error { return os.Rename(key, key+".away") }},
			{"key-changed", func() error { return os.WriteFile(key, []byte(strings.Repeat("ab", 32)), 0o400) }},
		} {
			if err := c.do(); err != nil {
				t.Fatal(err)
			}
			report := r.becomes(c.code, health.Degraded)
			if report.Causes[0].Detail == "" || report.Causes[0].Since.IsZero() {
				t.Errorf("the operator is told nothing: %+v", report)
			}
			if _, far := r.look("/api/health/ready", "X-Forwarded-For", "203.0.113.7"); len(far.Causes) != 1 || far.Causes[0].Detail != "" {
				t.Errorf("a stranger is told: %+v", far)
			}
		}
		if err := os.Rename(key+".away", key); err != nil {
			t.Fatal(err)
		}
		r.becomes("", health.OK)

		// Somebody else holds the writer: SQLite's lock, the row on PostgreSQL.
		db := r.open()
		r.auditChanged(db)
		hold, held := make(chan struct{}), make(chan struct{})
		done := make(chan error, 1)
		go func() {
			done <- db.Tx(context.Background(), func(_ context.Context, tx *store.Tx) error {
				err := tx.G().Exec("UPDATE installation SET probed = 1").Error
				close(held)
				<-hold
				return err
			})
		}()
		<-held
		r.becomes("database-busy", health.Failing)
		if r.database == "" {
			began := time.Now()
			r.client().Post("/api/links/open", map[string]string{"token": strings.Repeat("a", 43)}).Problem(http.StatusServiceUnavailable, "database-busy")
			if took := time.Since(began); took > 17*time.Second {
				t.Errorf("a request hung for %v", took)
			}
		}
		close(hold)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		r.becomes("", health.OK)
	})
}

// TestHealth_TableLock: a table that another session of PostgreSQL locks makes requests wait for a bounded time; then they
// are refused by name with a time to try again, and health names the lock until it is gone.
func TestHealth_TableLock(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the program: not in -short")
	}
	t.Parallel()
	r := newRig(t, testkit.EmptyPostgres(t)+"&lock_timeout=3000", "")
	r.becomes("", health.OK)
	pool, err := sql.Open("pgx", r.database)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	tx, err := pool.Begin()
	if err == nil {
		_, err = tx.Exec("LOCK TABLE links IN ACCESS EXCLUSIVE MODE")
	}
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var answer *testkit.Answer
	began := time.Now()
	go func() {
		defer close(done)
		answer = r.client().Post("/api/links/open", map[string]string{"token": strings.Repeat("a", 43)})
	}()
	report := r.becomes("database-busy", health.Degraded)
	if !strings.Contains(report.Causes[0].Detail, "lock of another session") {
		t.Errorf("%+v", report)
	}
	<-done
	answer.Problem(http.StatusServiceUnavailable, "database-busy")
	if took := time.Since(began); took > 15*time.Second || answer.Header.Get("Retry-After") == "" {
		t.Errorf("after %v, Retry-After %q", took, answer.Header.Get("Retry-After"))
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	r.becomes("", health.OK)
	r.patient(0).Get("/api/me").Want(http.StatusOK)
}

// TestHealth_Medicines: readiness says which base is in service; one that is old, or an update that failed, is named and
// degrades, and never makes the program not ready.
func TestHealth_Medicines(t *testing.T) {
	p := wired(t)
	look := func() (status int, state, on string, causes []string) {
		t.Helper()
		w := httptest.NewRecorder()
		q := httptest.NewRequest(http.MethodGet, "/api/health/ready", nil)
		q.RemoteAddr = "127.0.0.1:4711"
		p.vitals.monitor = health.New(p.log, health.Probe{Name: "medicines-old", Run: p.probeBase}, health.Probe{Name: "medicines-not-updated", Run: p.probeUpdate})
		p.ready(w, q)
		var body struct {
			health.Report
			Medicines struct{ State, On string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Fatalf("%v: %s", err, w.Body)
		}
		for _, c := range body.Causes {
			if c.Status != health.Degraded || c.Detail == "" {
				t.Errorf("%+v", c)
			}
			causes = append(causes, c.Code)
		}
		return w.Code, body.Medicines.State, body.Medicines.On, causes
	}
	put := func(days int) {
		y, m, d := p.clock.Now().Date()
		p.medicines.Base.Set(index(t), time.Date(y, m, d-days, 0, 0, 0, 0, time.UTC))
	}
	want := func(name, state, causes string) {
		t.Helper()
		status, is, on, list := look()
		if status != http.StatusOK || is != state || strings.Join(list, " ") != causes || (on == "") != (state == "sample") {
			t.Errorf("%s: %d %s of %q, %v; want %s, %q", name, status, is, on, list, state, causes)
		}
	}
	want("the sample", "sample", "")
	put(3)
	want("three days", "ok", "")
	put(400)
	want("400 days", "old", "medicines-old")
	p.cfg.BDPM.OldAfter = 500
	want("400 days where 500 are allowed", "ok", "")
	p.cfg.BDPM.OldAfter = 0
	put(3)
	o := p.medicines.Options
	o.URL, o.Folder = "http://127.0.0.1:1/", t.TempDir() // nobody answers
	p.medicines.Options, p.medicines.Nightly, p.medicines.Folder = o, true, ""
	p.medicines.Look(t.Context())
	want("after a night without the site", "ok", "medicines-not-updated")
}

// index is a base of one speciality.
func index(t *testing.T) *medicines.Index {
	t.Helper()
	x, err := medicines.Load(fstest.MapFS{"CIS_bdpm.txt": {Data: []byte("60000001\tNEUTRE 1 mg, comprim\xe9\tcomprim\xe9\torale\tAutorisation active\tProc\xe9dure nationale\tCommercialis\xe9e\t01/01/2000\t\t\t X\tNon\r\n")}})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// auditChanged cuts the end of the audit log, with hashes and heads, under the
// program that numbers it: that is a cause with what to do, care goes on, and an
// end put back is the end of the cause.
func (r *rig) auditChanged(db *store.DB) {
	r.t.Helper()
	testkit.AllowAuditChanges(r.t, db)
	pool, err := db.SQL()
	if err != nil {
		r.t.Fatal(err)
	}
	exec := func(q string) {
		r.t.Helper()
		if _, err := pool.Exec(q); err != nil {
			r.t.Fatalf("%s: %v", q, err)
		}
	}
	testkit.Eventually(r.t, 30*time.Second, "every entry is numbered under a head", func() bool {
		var heads, open int
		err := pool.QueryRow("SELECT (SELECT count(*) FROM audit_heads), (SELECT count(*) FROM audit WHERE seq IS NULL)").Scan(&heads, &open)
		<-time.After(100 * time.Millisecond)
		return err == nil && heads > 0 && open == 0
	})
	exec("CREATE TABLE kept_heads AS SELECT * FROM audit_heads")
	exec("DELETE FROM audit_heads")
	report := r.becomes("audit-changed", health.Degraded)
	for _, c := range report.Causes {
		if c.Code == "audit-changed" && !strings.Contains(c.Detail, "visavis verify") {
			r.t.Errorf("the operator is not told what to do: %s", c.Detail)
		}
	}
	r.slots("MARTIN") // people are served
	exec("DELETE FROM audit_heads")
	exec("INSERT INTO audit_heads SELECT * FROM kept_heads")
	exec("DROP TABLE kept_heads")
	r.becomes("", health.OK)
}

// TestHealth_Numbering: whatever stops the numbering of the audit log is a cause,
// with its name and since when.
func TestHealth_Numbering(t *testing.T) {
	now := clock.NewFake(testkit.Morning())
	p := &platform{foundation: &foundation{clock: now}}
	says := func(what, code string) {
		t.Helper()
		err := p.probeNumbering(t.Context())
		var e *health.Error
		switch {
		case code == "" && err != nil:
			t.Errorf("%s: %v", what, err)
		case code != "" && (!errors.As(err, &e) || e.Code != code || !e.Degraded || e.Detail == ""):
			t.Errorf("%s: %v, want %s", what, err, code)
		}
	}
	says("before the start", "")
	p.numbering.begin(now.Now())
	says("at the start", "")
	now.Advance(numberedLate + time.Second)
	says("it never ran", "audit-not-numbered")
	p.numbering.note(nil, now.Now())
	says("it ran", "")
	p.numbering.note(errors.New("the disk is full"), now.Now())
	says("it failed once", "")
	now.Advance(numberedLate + time.Second)
	if fresh := p.numbering.note(errors.New("the disk is full"), now.Now()); fresh {
		t.Error("the same failure is told again")
	}
	says("it fails for minutes", "audit-not-numbered")
	p.numbering.note(fmt.Errorf("%w: cut", audit.ErrTampered), now.Now())
	says("the log was changed", "audit-changed")
	p.numbering.note(nil, now.Now())
	says("it is whole again", "")
}

// TestHealth_NoMedia: an app without a media role says so, and still books.
func TestHealth_NoMedia(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the program: not in -short")
	}
	t.Parallel()
	r := newRig(t, "", "", "VISAVIS_ROLE=app")
	r.becomes("no-media", health.Degraded)
}

// TestDataFolder_IsPrivate: with a generous umask and loosened modes, nothing in
// the data folder of the running demo is for others; check says so before.
func TestDataFolder_IsPrivate(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the program: not in -short")
	}
	t.Parallel()
	r := newRig(t, "", "")
	r.kill()
	for _, name := range []string{"", "visavis.db", "visavis.log", "links.json", "simulators", "installation"} {
		if err := os.Chmod(filepath.Join(r.dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if out, _ := r.command("check").CombinedOutput(); !strings.Contains(string(out), "✗  data folder, for its owner only: others may read "+r.dir) {
		t.Errorf("check does not tell:\n%s", out)
	}
	r.start()
	r.patient(0).Get("/api/me").Want(http.StatusOK)
	testkit.Eventually(t, 20*time.Second, "nothing is for others", func() bool {
		list, err := installation.Loose(r.dir, 0)
		// The test itself writes the output of the program there.
		return err == nil && (len(list) == 0 || len(list) == 1 && filepath.Base(list[0]) == "out")
	})
}
