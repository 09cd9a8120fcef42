package audit_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"visavis/internal/audit"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// TestSequence_ForgedEntryWithoutNumber: an entry written without the key gets no
// number, is reported once, delays no other entry, and is named by Verify, whichever
// of its columns was forged.
func TestSequence_ForgedEntryWithoutNumber(t *testing.T) {
	const forged = "01900000-0000-7000-8000-000000000000"
	for what, values := range map[string][]string{
		"with the MAC of another": {"id", "'" + forged + "'", "seq", "NULL"},
		"without a MAC":           {"id", "'" + forged + "'", "seq", "NULL", "mac", "''"},
		"another actor":           {"id", "'" + forged + "'", "seq", "NULL", "actor", "'somebody'"},
	} {
		t.Run(what, func(t *testing.T) {
			testkit.Houses(t, func(t *testing.T, h *testkit.House) {
				ctx := context.Background()
				write(t, h, "document/1", 3)
				testkit.AllowAuditChanges(t, h.DB)
				pool, err := h.DB.SQL()
				if err != nil {
					t.Fatal(err)
				}
				if _, err := pool.Exec(insertLike("audit", "seq = 0", values...)); err != nil {
					t.Fatal(err)
				}
				err = h.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
					return h.Audit.Append(ctx, tx, audit.Entry{Action: "document.read", Object: "document/2"})
				})
				if err != nil {
					t.Fatal(err)
				}
				for round := range 3 {
					took, err := h.Sequencer.Sequence(ctx)
					if err != nil || took != map[bool]int{true: 1}[round == 0] {
						t.Fatalf("round %d: %d numbered, %v", round, took, err)
					}
					found := h.DB.Findings()
					want := store.Finding{Object: "audit/" + forged, Reason: "forged"}
					if told := len(found) == 1 && found[0] == want; told != (round == 0) {
						t.Errorf("round %d: told %+v", round, found)
					}
				}
				if _, err := h.Sequencer.Verify(ctx); !errors.Is(err, audit.ErrTampered) || !strings.Contains(err.Error(), forged) {
					t.Errorf("verify: %v", err)
				}
				if _, err := pool.Exec("DELETE FROM audit WHERE id = '" + forged + "'"); err != nil {
					t.Fatal(err)
				}
				if _, err := h.Sequencer.Verify(ctx); err != nil {
					t.Errorf("without it: %v", err)
				}
			})
		})
	}
}
