package testkit

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"visavis/internal/store"
)

// SignRows gives every row of guarded tables the MAC of what it holds now: for
// tests that write to the database by hand, in the place of a program with the
// key. The version stays. A row that a server changes meanwhile keeps its own.
func SignRows(t testing.TB, db *store.DB, tables ...string) {
	t.Helper()
	SignRowsWith(t, db, RowKey(), tables...)
}

// SignRowsWith is SignRows under another key than that of tests.
func SignRowsWith(t testing.TB, db *store.DB, key []byte, tables ...string) {
	t.Helper()
	rules, err := store.TableRules()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		for _, table := range tables {
			if r.Guarded && r.Table == table {
				if err := signTable(db, key, r); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func signTable(db *store.DB, key []byte, r store.TableRule) error {
	pool, err := db.SQL()
	if err != nil {
		return err
	}
	list, err := allRows(pool, r.Table) // closed first: SQLite has one writer connection
	if err != nil {
		return err
	}
	mark := func(n int) string {
		if db.Dialect() == store.Postgres {
			return fmt.Sprintf("$%d", n)
		}
		return "?"
	}
	for _, row := range list {
		rev := max(row["rev"].(int64), 1)
		mac, err := store.RowMAC(key, r, rev, row)
		if err != nil {
			return err
		}
		if row["rev"] == rev && fmt.Sprintf("%s", row["mac"]) == mac {
			continue
		}
		// A server that changed the row meanwhile has signed it.
		args := []any{rev, mac, row["rev"]}
		where := []string{"rev = " + mark(3)}
		for _, k := range r.Key {
			args = append(args, row[k])
			where = append(where, k+" = "+mark(len(args)))
		}
		if _, err := pool.Exec("UPDATE "+r.Table+" SET rev = "+mark(1)+", mac = "+mark(2)+" WHERE "+strings.Join(where, " AND "), args...); err != nil {
			return err
		}
	}
	return nil
}

// allRows reads a table, column by column.
func allRows(pool *sql.DB, table string) (list []map[string]any, err error) {
	rows, err := pool.Query("SELECT * FROM " + table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		row := map[string]any{}
		for i, n := range names {
			row[n] = values[i]
		}
		list = append(list, row)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return list, rows.Close()
}

// AllowAuditChanges takes away the triggers that keep the audit log as it was
// written, as the owner of the tables can: for tests that tamper with it.
func AllowAuditChanges(t testing.TB, db *store.DB) {
	t.Helper()
	pool, err := db.SQL()
	if err != nil {
		t.Fatal(err)
	}
	run := func(q string) {
		t.Helper()
		if _, err := pool.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	for _, table := range []string{"audit", "audit_hashes", "audit_heads"} {
		if db.Dialect() == store.Postgres {
			run("ALTER TABLE " + table + " DISABLE TRIGGER USER")
			continue
		}
		for _, what := range []string{"insert", "update", "delete"} {
			run("DROP TRIGGER IF EXISTS " + table + "_" + what)
		}
	}
}
