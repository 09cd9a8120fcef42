package audit_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"visavis/internal/audit"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// TestCheckNewest_OlderCopy: a database that lost its end since a head was kept,
// as a copy without its write-ahead log or a restored backup, is refused at the
// start, and taken when its owner has put the newer heads aside.
func TestCheckNewest_OlderCopy(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		ctx := context.Background()
		dir := filepath.Join(t.TempDir(), "heads")
		check := func(what string, refused bool) {
			t.Helper()
			err := h.Sequencer.CheckNewest(ctx, dir)
			if refused != errors.Is(err, audit.ErrTampered) || !refused && err != nil {
				t.Errorf("%s: %v", what, err)
			}
			if refused && err != nil && !strings.Contains(err.Error(), "move the newer heads") {
				t.Errorf("%s: no way out in %v", what, err)
			}
		}
		check("nothing yet", false)
		write(t, h, "document/1", 9)
		older := export(t, h, dir)
		h.Clock.Advance(24 * time.Hour)
		check("whole", false)
		write(t, h, "document/2", 3)
		newer := export(t, h, dir)
		check("whole, two heads", false)

		testkit.AllowAuditChanges(t, h.DB)
		err := h.DB.Tx(ctx, func(_ context.Context, tx *store.Tx) error {
			for _, statement := range []string{"DELETE FROM audit WHERE seq >= 9", "DELETE FROM audit_heads WHERE size > 9", "DELETE FROM audit_hashes WHERE idx >= 16"} {
				if err := tx.G().Exec(statement).Error; err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		check("its end is gone", true)
		if err := os.Remove(filepath.Join(dir, strings.Split(newer, ":")[0])); err != nil {
			t.Fatal(err)
		}
		check("the newer heads were put aside: "+older, false)
		pool, err := h.DB.SQL()
		if err != nil {
			t.Fatal(err)
		}
		undo := snapshot(t, pool)
		if _, err := pool.Exec("UPDATE audit_hashes SET hash = (SELECT hash FROM audit_hashes WHERE idx = 1) WHERE idx = 14"); err != nil {
			t.Fatal(err)
		}
		if err := h.Sequencer.CheckNewest(ctx, dir); !errors.Is(err, audit.ErrTampered) {
			t.Errorf("a stored hash was changed: %v", err)
		}
		undo()
		restarted(t, h)
	})
}
