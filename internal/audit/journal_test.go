package audit_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// journalled gives a house on o whose log has a journal in dir.
func journalled(t *testing.T, o store.Options, dir string) (*testkit.House, *audit.Journal) {
	t.Helper()
	db, err := store.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	h := testkit.NewHouse(t, db)
	j := audit.NewJournal(dir, h.Clock, h.Log)
	t.Cleanup(func() { _ = j.Close() })
	h.Audit.SetJournal(j)
	testkit.AllowAuditChanges(t, db)
	if err := j.Restore(context.Background(), db); err != nil {
		t.Fatal(err)
	}
	return h, j
}

func databases(t *testing.T, test func(t *testing.T, o store.Options)) {
	t.Run("sqlite", func(t *testing.T) {
		test(t, store.Options{DataDir: testkit.SQLite(t), Key: testkit.SQLiteKey(), RowKey: testkit.RowKey()})
	})
	t.Run("postgres", func(t *testing.T) { test(t, store.Options{URL: testkit.Postgres(t), RowKey: testkit.RowKey()}) })
}

type guardedFact struct {
	ID, Name, Subject string
	At                int64
	Payload           string
	store.Guarded
}

func (guardedFact) TableName() string { return "events" }

// TestJournal_RemovedEntries: entries that were committed are deleted before they
// have a number, or after it with their hashes and heads; the process tells, and
// so does a verification in another one.
func TestJournal_RemovedEntries(t *testing.T) {
	databases(t, func(t *testing.T, o store.Options) {
		ctx := context.Background()
		h, j := journalled(t, o, t.TempDir())
		write(t, h, "document/1", 9)
		pool, err := h.DB.SQL()
		if err != nil {
			t.Fatal(err)
		}
		missing := func(what string, want bool) {
			t.Helper()
			if err := h.Sequencer.CheckJournal(ctx, j); err != nil {
				t.Fatal(err)
			}
			found := false
			for _, f := range h.DB.Findings() {
				found = found || strings.HasPrefix(f.Object, "audit/") && f.Reason == "removed"
			}
			if found != want {
				t.Errorf("%s: reported %v", what, found)
			}
			if _, err := h.Sequencer.VerifyJournal(ctx, j); errors.Is(err, audit.ErrTampered) != want {
				t.Errorf("%s: verify says %v", what, err)
			}
		}
		missing("whole", false)
		undo := snapshot(t, pool)
		err = h.DB.Tx(testkit.As(authz.SystemActor()), func(ctx context.Context, tx *store.Tx) error {
			return h.Audit.Append(ctx, tx, audit.Entry{Action: "document.read", Object: "document/2"})
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pool.Exec("DELETE FROM audit WHERE seq IS NULL"); err != nil {
			t.Fatal(err)
		}
		missing("deleted before it has a number", true)
		undo()
	})
}

// TestJournal_Versions: a row is changed, the program starts again, and somebody
// puts the older row back and removes the entry that told of the later one. It is
// refused: also when the entries were folded, and when the folder was lost before.
func TestJournal_Versions(t *testing.T) {
	databases(t, func(t *testing.T, o store.Options) {
		ctx, dir, heads := context.Background(), filepath.Join(t.TempDir(), "audit"), t.TempDir()
		h, j := journalled(t, o, dir)
		in := func(h *testkit.House, fn func(tx *store.Tx) error) {
			t.Helper()
			if err := h.DB.Tx(testkit.As(authz.SystemActor()), func(_ context.Context, tx *store.Tx) error { return fn(tx) }); err != nil {
				t.Fatal(err)
			}
		}
		in(h, func(tx *store.Tx) error {
			return tx.G().Create(&guardedFact{ID: "f1", Name: "n", Subject: "s", At: 1, Payload: "p"}).Error
		})
		pool, err := h.DB.SQL()
		if err != nil {
			t.Fatal(err)
		}
		var old string
		if err := pool.QueryRow("SELECT mac FROM events").Scan(&old); err != nil {
			t.Fatal(err)
		}
		in(h, func(tx *store.Tx) error {
			return tx.G().Model(&guardedFact{}).Where("id = 'f1'").Updates(map[string]any{"payload": "later"}).Error
		})
		write(t, h, "document/1", 3)
		entries := snapshot(t, pool)
		refused := func(when string) {
			t.Helper()
			again, _ := journalled(t, o, dir)
			if _, err := pool.Exec("UPDATE events SET payload = 'p', rev = 1, mac = '" + old + "'"); err != nil {
				t.Fatal(err)
			}
			if _, err := pool.Exec("DELETE FROM audit WHERE object = 'events/f1'"); err != nil {
				t.Fatal(err)
			}
			var rows []guardedFact
			in(again, func(tx *store.Tx) error { return tx.G().Where("id = 'f1'").Find(&rows).Error })
			if len(rows) != 0 {
				t.Errorf("NOT REFUSED %s", when)
			}
			entries()
			entries = snapshot(t, pool)
		}
		refused("after a restart")

		export(t, h, heads)
		files := func() int {
			list, err := filepath.Glob(filepath.Join(dir, "*.entries"))
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		}
		h.Clock.Advance(3 * 24 * time.Hour)
		if err := j.Compact(ctx, h.Sequencer, heads); err != nil || files() != 1 {
			t.Fatalf("folded although no later head is kept: %v, %d files", err, files())
		}
		export(t, h, heads)
		if err := j.Compact(ctx, h.Sequencer, heads); err != nil || files() != 0 {
			t.Fatalf("not folded: %v, %d files", err, files())
		}
		refused("after its entries were folded")

		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		lost := audit.NewJournal(dir, h.Clock, slog.New(slog.DiscardHandler))
		if err := lost.Restore(ctx, h.DB); err != nil {
			t.Fatal(err)
		}
		refused("after the folder was lost and filled from the log")
		entries()
	})
}
