package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"visavis/internal/testkit"
)

// TestACutAuditLogIsFound is trust B7.3 on the program: it keeps a head by
// itself, visavis audit head keeps another, and after the end of the log was cut
// in the database, whole and signed, verify tells by each entry that was kept and
// verify --heads by the head.
func TestACutAuditLogIsFound(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the program")
	}
	t.Parallel()
	rigs(t, func(t *testing.T, r *rig) {
		dir := filepath.Join(r.dir, "heads")
		list := func() []string {
			names, err := filepath.Glob(filepath.Join(dir, "*.head"))
			if err != nil {
				t.Fatal(err)
			}
			return names
		}
		testkit.Eventually(t, 100*time.Second, "the program kept a head", func() bool { return len(list()) == 1 })
		r.patient(0) // opening a link is a row of the log
		var printed string
		testkit.Eventually(t, 30*time.Second, "the command kept a newer head", func() bool {
			printed = r.must("audit", "head")
			return len(list()) == 2
		})
		kept, err := os.ReadFile(list()[1])
		if err != nil || !strings.Contains(printed, string(kept)) {
			t.Fatalf("printed %q, kept %q %v", printed, kept, err)
		}
		r.kill()
		if out := r.must("verify", "--heads", dir); !strings.Contains(out, "heads: 2 kept elsewhere") {
			t.Fatalf("the honest log: %s", out)
		}
		empty := t.TempDir()
		if out, err := r.say("verify", "--heads", empty); err == nil || !strings.Contains(out, "holds no head") {
			t.Errorf("a folder without heads proves nothing: %v %s", err, out)
		}

		db := r.open()
		testkit.AllowAuditChanges(t, db)
		pool, err := db.SQL()
		if err != nil {
			t.Fatal(err)
		}
		var size int64
		if err := pool.QueryRow("SELECT max(size) FROM audit_heads WHERE size < (SELECT max(size) FROM audit_heads)").Scan(&size); err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{ // back to the head before: whole and signed
			"DELETE FROM audit WHERE seq IS NULL OR seq >= (SELECT max(size) FROM audit_heads WHERE size < (SELECT max(size) FROM audit_heads))",
			"DELETE FROM audit_heads WHERE size = (SELECT max(size) FROM audit_heads)",
		} {
			if _, err := pool.Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
		// n leaves make 2n - popcount(n) hashes.
		hashes := 2 * size
		for n := size; n > 0; n &= n - 1 {
			hashes--
		}
		query := "DELETE FROM audit_hashes WHERE idx >= ?"
		if r.database != "" {
			query = "DELETE FROM audit_hashes WHERE idx >= $1"
		}
		if _, err := pool.Exec(query, hashes); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if out, err := r.say("verify"); err == nil || !strings.Contains(out, "are not in the log any more") {
			t.Errorf("NOT DETECTED by what was kept of each entry: %v %s", err, out)
		}
		out, err := r.say("verify", "--heads", dir)
		if err == nil || !strings.Contains(out, filepath.Base(list()[1])) || !strings.Contains(out, "was cut") {
			t.Errorf("NOT DETECTED: %v %s", err, out)
		}
		if out, err := r.say("audit", "head"); err == nil || !strings.Contains(out, "was cut") {
			t.Errorf("NOT DETECTED by the next head: %v %s", err, out)
		}
	})
}
