package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"visavis/internal/audit/headlog"
	"visavis/internal/testkit"
)

// TestACutAuditLogIsFound is trust B7.3 on the program: it keeps heads by itself
// and visavis audit head keeps the newest, in two places. After the end of the log
// was cut in the database, whole and signed, verify tells by each entry of the
// journal and by the heads of the first place, and by those of the second when the
// first was cut too; it names the entries and the time. The next start and the
// next head are refused.
func TestACutAuditLogIsFound(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the program: not in -short")
	}
	t.Parallel()
	stores(t, func(t *testing.T, database, redis string) {
		second := t.TempDir()
		r := newRig(t, database, redis, "VISAVIS_AUDIT_HEADS_COPY="+second)
		dir := filepath.Join(r.dir, "heads")
		list := func(dir string) []headlog.Head {
			k, err := headlog.Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			return k.Heads
		}
		testkit.Eventually(t, 100*time.Second, "the program kept a head in both places", func() bool { return len(list(dir)) > 0 && len(list(second)) > 0 })
		before := len(list(dir))
		r.patient(0) // opening a link is a row of the log
		var printed string
		testkit.Eventually(t, 30*time.Second, "the command kept a newer head", func() bool {
			printed = r.must("audit", "head")
			return len(list(dir)) > before
		})
		r.kill()
		printed = r.must("audit", "head")
		kept := list(dir)
		newest := kept[len(kept)-1]
		if !strings.Contains(printed, newest.Note) || !slices.Equal(kept, list(second)) {
			t.Fatalf("printed %q, kept %v and %v", printed, kept, list(second))
		}
		out := r.must("verify", "--heads", dir)
		for _, want := range []string{fmt.Sprintf("heads: %d kept elsewhere", 2*len(kept)), fmt.Sprintf("heads in %s: %d;", second, len(kept))} {
			if !strings.Contains(out, want) {
				t.Fatalf("the honest log: no %q in %s", want, out)
			}
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
		says := func(what string, args []string, words ...string) {
			t.Helper()
			out, err := r.say(args...)
			for _, w := range words {
				if err == nil || !strings.Contains(out, w) {
					t.Errorf("NOT DETECTED: %s: no %q: %v %s", what, w, err, out)
				}
			}
		}
		gone := []string{"was cut", newest.Name, fmt.Sprintf("covers %d entries and %d remain", newest.Size, size), fmt.Sprintf("entries %d to %d are gone, written after 20", size, newest.Size-1)}
		says("by the first place", []string{"verify"}, append(gone, dir, "are not in the log any more")...)
		says("by the next head", []string{"audit", "head"}, "was cut")
		for _, folder := range []string{dir, filepath.Join(r.dir, "audit")} { // the attacker empties the data folder as well
			if err := os.RemoveAll(folder); err != nil {
				t.Fatal(err)
			}
		}
		says("by the second place", []string{"verify"}, append(gone, filepath.Join(second, newest.Name), "they were taken out there")...)
		if err := r.begin(); err == nil || !strings.Contains(err.Error(), "was cut") {
			t.Errorf("NOT DETECTED by the next start: %v", err)
		}
		if db, err := r.open().SQL(); err != nil {
			t.Fatal(err)
		} else if _, err := db.Exec("DELETE FROM audit_heads"); err != nil {
			t.Fatal(err)
		}
		says("after every head of the database was deleted", []string{"verify"}, "audit log was tampered with")
	})
}
