package main

import (
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"visavis/internal/health"
	"visavis/internal/testkit"
)

// TestFence_PausedHolder: a program that stands still (SIGSTOP) and loses the connection of its lock is followed by another
// on the same PostgreSQL. When it wakes up it ends by itself with a sentence, takes no job, and the other serves on.
func TestFence_PausedHolder(t *testing.T) {
	if testing.Short() {
		t.Skip("starts two programs: not in -short")
	}
	t.Parallel()
	database := testkit.EmptyPostgres(t)
	first := newRig(t, database, "")
	pool, err := sql.Open("pgx", database)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	workers := func() (out []string) {
		rows, err := pool.Query("SELECT DISTINCT w FROM river_job, unnest(attempted_by) w UNION SELECT leader_id FROM river_leader")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var w string
			if err := rows.Scan(&w); err != nil {
				t.Fatal(err)
			}
			out = append(out, w)
		}
		return out
	}
	testkit.Eventually(t, 20*time.Second, "the first works on jobs", func() bool { return len(workers()) == 1 })
	name := workers()[0]

	group := -first.cmd.Process.Pid
	if err := syscall.Kill(group, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	second := &rig{t: t, dir: t.TempDir(), database: database, api: first.api}
	t.Cleanup(second.kill)
	if out, err := exec.Command("cp", "-a", first.dir+"/.", second.dir).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	second.settle(nil)
	if err := second.begin(); err == nil || !strings.Contains(err.Error(), "another visavis is serving this PostgreSQL database") {
		t.Fatalf("while the lock is held: %v", err)
	}
	// The server, or the network, ends the connection of the lock.
	if _, err := pool.Exec(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 0 AND objsubid = 2
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`); err != nil {
		t.Fatal(err)
	}
	second.start()
	second.becomes("", health.OK)

	var woken time.Time
	if err := pool.QueryRow("SELECT clock_timestamp()").Scan(&woken); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(group, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	cmd := first.cmd
	testkit.Eventually(t, 30*time.Second, "the first ends by itself", func() bool {
		return errors.Is(cmd.Process.Signal(syscall.Signal(0)), os.ErrProcessDone)
	})
	out, err := os.ReadFile(filepath.Join(first.dir, "out"))
	if err != nil || !strings.Contains(string(out), "visavis: another visavis took over: this process writes no more") {
		t.Errorf("%v: %s", err, out)
	}
	if code := cmd.ProcessState.ExitCode(); code != exitFenced {
		t.Errorf("exit status %d", code)
	}
	var stolen int
	if err := pool.QueryRow("SELECT count(*) FROM river_job WHERE attempted_by[cardinality(attempted_by)] = $1 AND (attempted_at > $2 OR finalized_at > $2)", name, woken).Scan(&stolen); err != nil || stolen > 0 {
		t.Errorf("%d jobs were taken, %v", stolen, err)
	}
	second.becomes("", health.OK)
	free := second.slots("martin")
	second.home().Post("/api/appointments", second.booking(free[0], 1), testkit.Key("0190b5c0-0000-7000-8000-000000000001")).Want(http.StatusCreated)
	if report := second.becomes("", health.OK); len(report.Causes) > 0 {
		raw, _ := json.Marshal(report)
		t.Errorf("%s", raw)
	}
}

// TestFence_PausedSQLite: on a folder the lock stays with a process that stands still, and another is refused.
func TestFence_PausedSQLite(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the program: not in -short")
	}
	t.Parallel()
	r := newRig(t, "", "")
	group := -r.cmd.Process.Pid
	if err := syscall.Kill(group, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	out, err := r.command("serve").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "another visavis is serving the data folder") {
		t.Errorf("%v: %s", err, out)
	}
	if err := syscall.Kill(group, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	r.becomes("", health.OK)
}
