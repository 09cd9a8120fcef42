package audit_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

type guardedHead struct {
	AppointmentID string
	Seq           int64
	State, Hash   string
	store.Guarded
}

func (guardedHead) TableName() string { return "consent_heads" }

// TestJournal_MissingRows: a row of a counted table that somebody deletes by SQL is
// listed: after a restart, after the journal of its day was folded, and after the
// folder was lost and begun again. A row that the program deletes is not listed, nor
// is one whose transaction did not commit.
func TestJournal_MissingRows(t *testing.T) {
	databases(t, func(t *testing.T, o store.Options) {
		ctx, dir, heads := context.Background(), filepath.Join(t.TempDir(), "audit"), t.TempDir()
		h, j := journalled(t, o, dir)
		in := func(fn func(tx *store.Tx) error) error {
			return h.DB.Tx(testkit.As(authz.SystemActor()), func(_ context.Context, tx *store.Tx) error { return fn(tx) })
		}
		insert := func(ids ...string) {
			t.Helper()
			var rows []guardedHead
			for _, id := range ids {
				rows = append(rows, guardedHead{AppointmentID: id, Seq: 1, State: "granted", Hash: "h"})
			}
			if err := in(func(tx *store.Tx) error { return tx.G().Create(&rows).Error }); err != nil {
				t.Fatal(err)
			}
		}
		insert("a", "b", "c", "d")
		if err := in(func(tx *store.Tx) error { return tx.G().Where("appointment_id = 'd'").Delete(&guardedHead{}).Error }); err != nil {
			t.Fatal(err)
		}
		if err := in(func(tx *store.Tx) error {
			if err := tx.G().Create(&guardedHead{AppointmentID: "never", Seq: 1, State: "granted", Hash: "h"}).Error; err != nil {
				return err
			}
			return os.ErrClosed
		}); err == nil {
			t.Fatal("committed")
		}
		missing := func(when string, want ...string) {
			t.Helper()
			again := audit.NewJournal(dir, h.Clock, h.Log)
			if err := again.Restore(ctx, h.DB); err != nil {
				t.Fatal(err)
			}
			got, err := again.MissingRows(ctx, h.DB)
			slices.Sort(got)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: missing %v, %v, want %v", when, got, err, want)
			}
		}
		pool, err := h.DB.SQL()
		if err != nil {
			t.Fatal(err)
		}
		exec := func(q string) {
			t.Helper()
			if _, err := pool.Exec(q); err != nil {
				t.Fatal(err)
			}
		}
		missing("untouched")
		day := filepath.Join(dir, "2026-03-10.entries")
		file, err := os.OpenFile(day, os.O_APPEND|os.O_WRONLY, 0)
		if err == nil { // what a full disk leaves
			_, err = file.WriteString("made consent_heads/half\nmade consent_heads/hamade consent_heads/b;\nmade cons\n")
			err = errors.Join(err, file.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		missing("lines that are half there")
		exec("DELETE FROM consent_heads WHERE appointment_id = 'a'")
		missing("deleted", "consent_heads/a")
		exec("UPDATE consent_heads SET appointment_id = 'x' WHERE appointment_id = 'b'")
		missing("another name", "consent_heads/a", "consent_heads/b")
		if err := j.ReportMissingRows(ctx, h.DB); err != nil {
			t.Fatal(err)
		}
		if found := h.DB.Findings(); !slices.Contains(found, store.Finding{Object: "consent_heads/a", Reason: "removed"}) {
			t.Errorf("told %v", found)
		}

		write(t, h, "document/1", 3)
		export(t, h, heads)
		h.Clock.Advance(3 * 24 * time.Hour)
		write(t, h, "document/2", 3)
		export(t, h, heads)
		if err := j.Compact(ctx, h.Sequencer, heads); err != nil {
			t.Fatal(err)
		}
		if list, _ := filepath.Glob(filepath.Join(dir, "2026-03-10.entries")); len(list) != 0 {
			t.Fatal("not folded")
		}
		missing("folded", "consent_heads/a", "consent_heads/b")

		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		exec("UPDATE consent_heads SET appointment_id = 'b' WHERE appointment_id = 'x'")
		missing("the folder lost")
		exec("DELETE FROM consent_heads WHERE appointment_id = 'c'")
		missing("deleted afterwards", "consent_heads/c")
	})
}
