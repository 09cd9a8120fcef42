package audit_test

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

const entries = 40

// fill writes entries in three heads and returns the pool that tampers.
func fill(t *testing.T, h *testkit.House) *sql.DB {
	t.Helper()
	ctx := testkit.As(authz.Actor{Role: care.Doctor, StaffID: "doctor-1", Proof: "psc eidas1"})
	for i := range entries {
		err := h.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
			return h.Audit.Append(ctx, tx, audit.Entry{
				Action: "document.read", Object: fmt.Sprintf("document/%d", i), Patient: "patient-1",
				Detail: map[string]string{"title": "Compte rendu"},
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		if i%15 == 0 || i == entries-1 {
			if _, err := h.Sequencer.Sequence(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	testkit.AllowAuditChanges(t, h.DB)
	if n, err := h.Sequencer.Verify(ctx); err != nil || n != entries {
		t.Fatalf("the untouched log: %d %v", n, err)
	}
	pool, err := h.DB.SQL()
	if err != nil {
		t.Fatal(err)
	}
	return pool
}

// under runs a tampering, asks Verify, and undoes the tampering.
func under(t *testing.T, h *testkit.House, pool *sql.DB, what, known string, statements ...string) {
	t.Helper()
	undo := snapshot(t, pool)
	for _, s := range statements {
		res, err := pool.Exec(s)
		if err != nil {
			t.Fatalf("%s: %s: %v", what, s, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			t.Fatalf("%s: %s changed nothing: the test proves nothing", what, s)
		}
	}
	var kept []audit.Kept
	if known != "" {
		kept = append(kept, audit.Kept{Name: "known", Note: known})
	}
	if _, err := h.Sequencer.Verify(context.Background(), kept...); !errors.Is(err, audit.ErrTampered) {
		t.Errorf("NOT DETECTED: %s (%s): %v", what, strings.Join(statements, "; "), err)
	}
	undo()
}

// snapshot keeps the three tables and gives a function that puts them back.
func snapshot(t *testing.T, pool *sql.DB) func() {
	t.Helper()
	run := func(q string) {
		if _, err := pool.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	tables := []string{"audit", "audit_hashes", "audit_heads"}
	for _, name := range tables {
		run("CREATE TABLE kept_" + name + " AS SELECT * FROM " + name)
	}
	return func() {
		for _, name := range tables {
			run("DELETE FROM " + name)
			run("INSERT INTO " + name + " SELECT * FROM kept_" + name)
			run("DROP TABLE kept_" + name)
		}
	}
}

// TestTamperingIsDetected is S15: whatever is changed in the rows that a head
// covers, in the stored tree or in the heads, Verify finds.
func TestTamperingIsDetected(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		pool := fill(t, h)
		random := rand.New(rand.NewPCG(15, 15))
		hexes := map[store.Dialect]string{store.SQLite: "X'%x'", store.Postgres: "'\\x%x'"}[h.DB.Dialect()]
		for _, column := range []string{"id", "actor", "role", "proof", "action", "object", "patient", "outcome", "request"} {
			for range 4 {
				seq := random.IntN(entries)
				under(t, h, pool, "flip in "+column, "", fmt.Sprintf("UPDATE audit SET %s = %s WHERE seq = %d", column, flipped(t, pool, random, column, seq), seq))
			}
		}
		for range 8 {
			seq := random.IntN(entries)
			under(t, h, pool, "another time", "", fmt.Sprintf("UPDATE audit SET at = at + %d WHERE seq = %d", 1+random.IntN(1e6), seq))
			var detail []byte
			if err := pool.QueryRow(fmt.Sprintf("SELECT detail FROM audit WHERE seq = %d", seq)).Scan(&detail); err != nil {
				t.Fatal(err)
			}
			detail[random.IntN(len(detail))] ^= 1 << random.IntN(8)
			under(t, h, pool, "flip in detail", "", fmt.Sprintf("UPDATE audit SET detail = "+hexes+" WHERE seq = %d", detail, seq))
			under(t, h, pool, "deleted entry", "", fmt.Sprintf("DELETE FROM audit WHERE seq = %d", seq))
			a, b := random.IntN(entries-1), 0
			b = a + 1 + random.IntN(entries-a-1)
			under(t, h, pool, "two entries swapped", "",
				fmt.Sprintf("UPDATE audit SET seq = -1 WHERE seq = %d", a), fmt.Sprintf("UPDATE audit SET seq = %d WHERE seq = %d", a, b),
				fmt.Sprintf("UPDATE audit SET seq = %d WHERE seq = -1", b))
			under(t, h, pool, "stored hash", "", fmt.Sprintf("UPDATE audit_hashes SET hash = "+hexes+" WHERE idx = %d", make([]byte, 32), random.IntN(70)))
		}
		under(t, h, pool, "stored hash gone", "", "DELETE FROM audit_hashes WHERE idx = 5")
		under(t, h, pool, "hash of an entry that is not", "", fmt.Sprintf("INSERT INTO audit_hashes (idx, hash) VALUES (100000, "+hexes+")", make([]byte, 32)))
		under(t, h, pool, "entry added at the end", "", forged(entries))
		under(t, h, pool, "entry before the first", "", forged(-1))
		under(t, h, pool, "head's time", "", "UPDATE audit_heads SET at = at + 1 WHERE size = 1")
		under(t, h, pool, "last head gone", "", fmt.Sprintf("DELETE FROM audit_heads WHERE size = %d", entries))
		under(t, h, pool, "head of another size", "", fmt.Sprintf("UPDATE audit_heads SET size = 39 WHERE size = %d", entries))
		under(t, h, pool, "all heads gone", "", "DELETE FROM audit_heads")
		under(t, h, pool, "everything gone but the heads", "", "DELETE FROM audit")
		for range 20 {
			under(t, h, pool, "flip in a head", "", "UPDATE audit_heads SET note = "+flippedNote(t, pool, random)+" WHERE size = 16")
		}
	})
}

func forged(seq int) string {
	detail := "''"
	return fmt.Sprintf(`INSERT INTO audit (id, at, actor, role, proof, action, object, patient, outcome, detail, request, seq)
		VALUES ('forged', 1, 'a', 'doctor', 'p', 'document.read', 'document/1', 'p', 'done', %s, 'r', %d)`, detail, seq)
}

func flipped(t *testing.T, pool *sql.DB, random *rand.Rand, column string, seq int) string {
	t.Helper()
	var text string
	if err := pool.QueryRow(fmt.Sprintf("SELECT %s FROM audit WHERE seq = %d", column, seq)).Scan(&text); err != nil {
		t.Fatal(err)
	}
	b := []byte(text)
	b[random.IntN(len(b))] ^= 1 << random.IntN(3) // stays printable or nearly
	return "'" + strings.NewReplacer("'", "''", "\x00", "~").Replace(string(b)) + "'"
}

// flippedNote changes one character of the signed part or of the signature.
func flippedNote(t *testing.T, pool *sql.DB, random *rand.Rand) string {
	t.Helper()
	var text string
	if err := pool.QueryRow("SELECT note FROM audit_heads WHERE size = 16").Scan(&text); err != nil {
		t.Fatal(err)
	}
	b := []byte(text)
	for {
		i := random.IntN(len(b))
		c := byte('A' + random.IntN(26))
		// The last characters of a base64 line may encode spare bits.
		if b[i] != '\n' && b[i] != '=' && b[i] != c && (i+3 >= len(b) || b[i+1] != '=' && b[i+1] != '\n') {
			b[i] = c
			return "'" + string(b) + "'"
		}
	}
}

// TestKeptHeadFindsWhatTheDatabaseForgot: somebody with the whole database cuts
// the tail with its heads, or forks the log and has it signed again. Only a
// head kept elsewhere tells.
func TestKeptHeadFindsWhatTheDatabaseForgot(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		pool := fill(t, h)
		ctx := context.Background()
		kept, err := h.Sequencer.Head(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Sequencer.Verify(ctx, audit.Kept{Name: "kept", Note: kept}); err != nil {
			t.Fatalf("the honest log against its own head: %v", err)
		}
		cut := []string{
			"DELETE FROM audit WHERE seq >= 31", "DELETE FROM audit_heads WHERE size > 31",
			// 31 leaves make 31 + 15 + 7 + 3 + 1 stored hashes.
			"DELETE FROM audit_hashes WHERE idx >= 57",
		}
		under(t, h, pool, "tail cut with its heads", kept, cut...)
		undo := snapshot(t, pool)
		for _, s := range cut {
			if _, err := pool.Exec(s); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := h.Sequencer.Sequence(ctx); !errors.Is(err, audit.ErrTampered) {
			t.Errorf("NOT DETECTED by the process that signed the longer log: %v", err)
		}
		restarted(t, h)
		actor := testkit.As(authz.Actor{Role: care.Doctor, StaffID: "doctor-2"})
		for i := range entries - 31 {
			err := h.DB.Tx(actor, func(ctx context.Context, tx *store.Tx) error {
				return h.Audit.Append(ctx, tx, audit.Entry{Action: "document.read", Object: fmt.Sprintf("document/other-%d", i)})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := h.Sequencer.Sequence(ctx); err != nil {
			t.Fatal(err)
		}
		if n, err := h.Sequencer.Verify(ctx); err != nil || n != entries {
			t.Fatalf("the fork is whole in itself: %d %v", n, err)
		}
		if _, err := h.Sequencer.Verify(ctx, audit.Kept{Name: "kept", Note: kept}); !errors.Is(err, audit.ErrTampered) {
			t.Errorf("NOT DETECTED: fork signed by the platform itself: %v", err)
		}
		undo()
		restarted(t, h)
		if _, err := h.Sequencer.Verify(ctx, audit.Kept{Name: "theirs", Note: "go.sum database tree\n1\nAAAA\n\n— other AAAA\n"}); !errors.Is(err, audit.ErrTampered) {
			t.Errorf("a head of somebody else: %v", err)
		}
	})
}

// TestSequencerDoesNotBuildOnATamperedTree: a changed hash must not end up
// under a fresh signature, which would spoil the log for ever.
func TestSequencerDoesNotBuildOnATamperedTree(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		pool := fill(t, h)
		undo := snapshot(t, pool)
		if _, err := pool.Exec("UPDATE audit_hashes SET hash = (SELECT hash FROM audit_hashes WHERE idx = 0) WHERE idx = 62"); err != nil {
			t.Fatal(err)
		}
		ctx := testkit.As(authz.Actor{Role: care.Doctor, StaffID: "doctor-1"})
		err := h.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
			return h.Audit.Append(ctx, tx, audit.Entry{Action: "document.read", Object: "document/late"})
		})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := h.Sequencer.Sequence(ctx); !errors.Is(err, audit.ErrTampered) || n != 0 {
			t.Errorf("numbered %d entries on a tampered tree: %v", n, err)
		}
		undo()
		if _, err := h.Sequencer.Verify(ctx); err != nil {
			t.Error(err)
		}
	})
}

// TestTheClinicMayChangeItsAddress: heads signed under another name by the same
// key hold, those of another key do not.
func TestTheClinicMayChangeItsAddress(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		write(t, h, "document/1", 3)
		moved, err := audit.NewSequencer(h.DB, h.Clock, "new.clinic.test", h.Signer.Private())
		if err != nil {
			t.Fatal(err)
		}
		before, err := h.Sequencer.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h.Sequencer = moved
		write(t, h, "document/2", 3)
		if n, err := moved.Verify(t.Context(), audit.Kept{Name: "before", Note: before}); err != nil || n != 6 {
			t.Errorf("after the move: %d entries, %v", n, err)
		}
		_, strange, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		other, err := audit.NewSequencer(h.DB, h.Clock, "new.clinic.test", strange)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.Verify(t.Context()); !errors.Is(err, audit.ErrTampered) {
			t.Errorf("heads of another key: %v", err)
		}
	})
}
