package store_test

import (
	"context"
	"testing"

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
