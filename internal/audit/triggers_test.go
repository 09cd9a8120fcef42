package audit_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"visavis/internal/audit"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// TestAuditTables_AddedToOnly: on both databases, whoever may write SQL to the
// log changes no column of an entry, numbered or not, gives no second number,
// and takes no row away, in any of the three tables. Every column that there is
// or will be is tried.
func TestAuditTables_AddedToOnly(t *testing.T) {
	testkit.Houses(t, func(t *testing.T, h *testkit.House) {
		ctx := context.Background()
		write(t, h, "document/1", 3)
		if err := h.DB.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
			return h.Audit.Append(ctx, tx, audit.Entry{Action: "document.read", Object: "document/2"}) // stays without a number
		}); err != nil {
			t.Fatal(err)
		}
		pool, err := h.DB.SQL()
		if err != nil {
			t.Fatal(err)
		}
		statements := []string{
			"DELETE FROM audit", "DELETE FROM audit WHERE seq IS NULL", "DELETE FROM audit_hashes", "DELETE FROM audit_heads",
			"UPDATE audit SET seq = NULL", "UPDATE audit SET seq = 90 WHERE seq = 0", "UPDATE audit SET seq = seq", "UPDATE audit SET seq = 90, outcome = 'x' WHERE seq IS NULL",
			"INSERT INTO audit SELECT * FROM audit WHERE seq = 0", insertLike("audit", "seq = 0", "id", "'other'", "seq", "91"),
		}
		if h.DB.Dialect() == store.SQLite {
			statements = append(statements, "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq IS NULL", "UPDATE OR REPLACE audit SET seq = 0 WHERE seq IS NULL",
				"INSERT OR REPLACE INTO audit_heads SELECT size, at + 1, note FROM audit_heads", "INSERT OR REPLACE INTO audit_hashes SELECT idx, X'00' FROM audit_hashes")
		} else {
			statements = append(statements, "TRUNCATE audit", "TRUNCATE audit_hashes", "TRUNCATE audit_heads",
				"INSERT INTO audit_heads SELECT * FROM audit_heads ON CONFLICT (size) DO UPDATE SET at = 1")
		}
		for _, table := range []string{"audit", "audit_hashes", "audit_heads"} {
			rows, err := pool.Query("SELECT * FROM " + table + " LIMIT 0")
			if err != nil {
				t.Fatal(err)
			}
			names, err := rows.Columns()
			if err != nil || len(names) < 2 {
				t.Fatal(names, err)
			}
			if err := rows.Close(); err != nil {
				t.Fatal(err)
			}
			for _, name := range names {
				if name == "seq" {
					continue
				}
				value := "'changed'"
				switch name {
				case "at", "version", "size", "idx":
					value = name + " + 1000"
				case "detail", "hash":
					value = map[store.Dialect]string{store.SQLite: "X'00'", store.Postgres: `'\x00'`}[h.DB.Dialect()]
				}
				statements = append(statements, fmt.Sprintf("UPDATE %s SET %s = %s", table, name, value))
				if table == "audit" {
					statements = append(statements, fmt.Sprintf("UPDATE audit SET seq = 92, %s = %s WHERE seq IS NULL", name, value))
				}
			}
		}
		for _, s := range statements {
			if _, err := pool.Exec(s); err == nil || !strings.Contains(err.Error(), "audit") {
				t.Errorf("NOT REFUSED: %s: %v", s, err)
			}
		}
		if n, err := h.Sequencer.Sequence(ctx); err != nil || n != 1 {
			t.Errorf("an honest entry is not numbered any more: %d %v", n, err)
		}
	})
}

// insertLike copies a row of audit with other values in some columns.
func insertLike(table, where string, pairs ...string) string {
	names := []string{"id", "at", "actor", "role", "proof", "action", "object", "patient", "outcome", "detail", "request", "seq", "version", "mac"}
	values := append([]string(nil), names...)
	for i := 0; i < len(pairs); i += 2 {
		for j, n := range names {
			if n == pairs[i] {
				values[j] = pairs[i+1]
			}
		}
	}
	return fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s WHERE %s", table, strings.Join(names, ", "), strings.Join(values, ", "), table, where)
}
