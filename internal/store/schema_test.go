package store_test

import (
	"cmp"
	"database/sql"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"visavis/internal/store"
	"visavis/internal/testkit"

	gocmp "github.com/google/go-cmp/cmp"
)

// TestBothDialectsHaveOneSchema compares what the migrations made: tables,
// columns, whether they may be null, and the class of their type.
func TestBothDialectsHaveOneSchema(t *testing.T) {
	lite := columns(t, testkit.OpenSQLite(t), `
		SELECT m.name, c.name, c.type, c."notnull" OR c.pk > 0
		FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'`)
	post := columns(t, testkit.OpenPostgres(t), `
		SELECT table_name, column_name, data_type, is_nullable = 'NO'
		FROM information_schema.columns WHERE table_schema = 'public'`)
	if len(lite) < 20 {
		t.Fatalf("only %d columns: the query of the test is wrong", len(lite))
	}
	if diff := gocmp.Diff(lite, post); diff != "" {
		t.Errorf("sqlite (-) and postgres (+) differ:\n%s", diff)
	}
}

// TestBothDialectsHaveTheSameMigrations: one number, one name, two files.
func TestBothDialectsHaveTheSameMigrations(t *testing.T) {
	names := map[string][]string{}
	for _, dialect := range []string{"sqlite", "postgres"} {
		files, err := fs.Glob(os.DirFS("migrations/"+dialect), "*.sql")
		if err != nil {
			t.Fatal(err)
		}
		numbers := map[string]string{}
		for _, f := range files {
			number, _, _ := strings.Cut(f, "_")
			if other, taken := numbers[number]; taken || len(number) != 4 {
				t.Errorf("%s: %s and %s: a migration is NNNN_<module>.sql, NNNN used once", dialect, f, other)
			}
			numbers[number] = f
		}
		names[dialect] = files
	}
	if diff := gocmp.Diff(names["sqlite"], names["postgres"]); diff != "" {
		t.Errorf("sqlite (-) and postgres (+) have other migrations:\n%s", diff)
	}
}

// classes are the types both databases can hold alike. Anything else has no
// twin on the other side and is refused.
var classes = map[string]string{
	"TEXT": "text", "text": "text", "BIGINT": "integer", "bigint": "integer", "INTEGER": "integer", "integer": "integer",
	"BLOB": "bytes", "bytea": "bytes", "BOOLEAN": "boolean", "boolean": "boolean",
}

type column struct {
	Table, Name, Class string
	NotNull            bool
}

func columns(t *testing.T, db *store.DB, query string) []column {
	t.Helper()
	pool, err := db.SQL()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := pool.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []column
	for rows.Next() {
		var c column
		var kind string
		if err := rows.Scan(&c.Table, &c.Name, &kind, &c.NotNull); err != nil {
			t.Fatal(err)
		}
		if foreign(c.Table) {
			continue
		}
		class, ok := classes[kind]
		if !ok {
			t.Errorf("%s.%s is %q: use TEXT, BIGINT, INTEGER, BOOLEAN, or BLOB and BYTEA", c.Table, c.Name, kind)
		}
		c.Class = class
		out = append(out, c)
	}
	if err := rows.Err(); err != nil && err != sql.ErrNoRows {
		t.Fatal(err)
	}
	slices.SortFunc(out, func(a, b column) int { return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Name, b.Name)) })
	return out
}

// foreign tables are made by libraries.
func foreign(table string) bool {
	return strings.HasPrefix(table, "river_") || strings.HasPrefix(table, "goose_") || strings.HasPrefix(table, "sqlite_")
}
