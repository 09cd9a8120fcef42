package store_test

import (
	"context"
	"errors"
	"testing"

	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

type factRow struct {
	ID, Name, Subject string
	At                int64
	Payload           string
	store.Guarded
}

func (factRow) TableName() string { return "events" }

// TestGuard_ForgedAndReturned: who has the database and no key changes each
// column, inserts a row, or puts an older one back, with or without the entry of
// the audit log that tells the later version.
func TestGuard_ForgedAndReturned(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		ctx := context.Background()
		pool, err := h.DB.SQL()
		if err != nil {
			t.Fatal(err)
		}
		in := func(fn func(tx *store.Tx) error) {
			t.Helper()
			if err := h.DB.Tx(ctx, func(_ context.Context, tx *store.Tx) error { return fn(tx) }); err != nil {
				t.Fatal(err)
			}
		}
		raw := func(q string) {
			t.Helper()
			if _, err := pool.Exec(q); err != nil {
				t.Fatal(err)
			}
		}
		stands := func() bool {
			var rows []factRow
			in(func(tx *store.Tx) error { return tx.G().Where("id = 'f1' OR id = 'f2'").Find(&rows).Error })
			return len(rows) == 1
		}
		in(func(tx *store.Tx) error {
			return tx.G().Create(&factRow{ID: "f1", Name: "n", Subject: "s", At: 1, Payload: "p"}).Error
		})
		if !stands() {
			t.Fatal("an honest row is refused")
		}
		for _, c := range [][2]string{{"name = 'x'", "name = 'n'"}, {"subject = 'x'", "subject = 's'"}, {"at = 2", "at = 1"}, {"payload = 'x'", "payload = 'p'"}, {"rev = 2", "rev = 1"}, {"id = 'f2'", "id = 'f1'"}} {
			raw("UPDATE events SET " + c[0])
			if stands() {
				t.Errorf("NOT REFUSED: %s", c[0])
			}
			raw("UPDATE events SET " + c[1])
		}
		var old string
		if err := pool.QueryRow("SELECT mac FROM events").Scan(&old); err != nil {
			t.Fatal(err)
		}
		in(func(tx *store.Tx) error {
			return tx.G().Model(&factRow{}).Where("id = 'f1'").Updates(map[string]any{"payload": "later"}).Error
		})
		if !stands() {
			t.Fatal("a changed row is refused")
		}
		raw("UPDATE events SET payload = 'p', rev = 1, mac = '" + old + "'")
		if stands() {
			t.Error("NOT REFUSED: an older row put back")
		}
		testkit.AllowAuditChanges(t, h.DB)
		raw("DELETE FROM audit WHERE object = 'events/f1'")
		if stands() {
			t.Error("NOT REFUSED: put back, with the audit entry removed")
		}
		if len(h.DB.Findings()) == 0 {
			t.Error("nobody is told")
		}
	})
}

// TestGuard_WriteOnRefusedRow: a statement that would change or delete a refused
// row fails, and changes nothing: whoever asked must not be told that it is done.
// Beside genuine ones a refused row is left as it is.
func TestGuard_WriteOnRefusedRow(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		ctx := context.Background()
		pool, err := h.DB.SQL()
		if err != nil {
			t.Fatal(err)
		}
		in := func(fn func(tx *store.Tx) error) error {
			return h.DB.Tx(ctx, func(_ context.Context, tx *store.Tx) error { return fn(tx) })
		}
		if err := in(func(tx *store.Tx) error {
			return tx.G().Create(&[]factRow{{ID: "f1", Name: "n", Subject: "s", At: 1, Payload: "p"}, {ID: "f2", Name: "n", Subject: "s", At: 1, Payload: "p"}}).Error
		}); err != nil {
			t.Fatal(err)
		}
		payload := func(id string) (text string) {
			if err := pool.QueryRow("SELECT payload FROM events WHERE id = '" + id + "'").Scan(&text); err != nil {
				t.Fatal(err)
			}
			return text
		}
		if _, err := pool.Exec("UPDATE events SET subject = 'x' WHERE id = 'f1'"); err != nil {
			t.Fatal(err)
		}
		for what, write := range map[string]func(tx *store.Tx) error{
			"change": func(tx *store.Tx) error {
				return tx.G().Model(&factRow{}).Where("id = 'f1'").Updates(map[string]any{"payload": "later"}).Error
			},
			"change with a condition": func(tx *store.Tx) error {
				return tx.G().Model(&factRow{}).Where("id = 'f1' AND payload = 'p'").Update("payload", "later").Error
			},
			"delete": func(tx *store.Tx) error { return tx.G().Where("id = 'f1'").Delete(&factRow{}).Error },
		} {
			err := in(write)
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Conflict || f.Code != "row-refused" {
				t.Errorf("%s: %v", what, err)
			}
			if payload("f1") != "p" {
				t.Errorf("%s: it was changed", what)
			}
			if len(h.DB.Findings()) == 0 {
				t.Errorf("%s: nobody is told", what)
			}
		}
		if err := in(func(tx *store.Tx) error {
			res := tx.G().Model(&factRow{}).Where("name = 'n'").Updates(map[string]any{"payload": "all"})
			if res.Error == nil && res.RowsAffected != 1 {
				t.Errorf("%d rows changed, want the genuine one", res.RowsAffected)
			}
			return res.Error
		}); err != nil || payload("f1") != "p" || payload("f2") != "all" {
			t.Errorf("beside a genuine one: %v, %s %s", err, payload("f1"), payload("f2"))
		}
		if err := in(func(tx *store.Tx) error {
			return tx.G().Model(&factRow{}).Where("id = 'none'").Updates(map[string]any{"payload": "all"}).Error
		}); err != nil {
			t.Errorf("no row at all: %v", err)
		}
	})
}
