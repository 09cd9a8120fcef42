package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"visavis/internal/health"
	"visavis/internal/installation"
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
		t.Skip("starts the program")
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

// TestHealth_NoMedia: an app without a media role says so, and still books.
func TestHealth_NoMedia(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the program")
	}
	t.Parallel()
	r := newRig(t, "", "", "VISAVIS_ROLE=app")
	r.becomes("no-media", health.Degraded)
}

// TestDataFolder_IsPrivate: with a generous umask and loosened modes, nothing in
// the data folder of the running demo is for others; check says so before.
func TestDataFolder_IsPrivate(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the program")
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
