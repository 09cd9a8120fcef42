package roles_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/care"
	"visavis/internal/events"
	"visavis/internal/store"
	"visavis/internal/store/roles"
	"visavis/internal/testkit"
)

// begin migrates an empty database as its owner and gives the application role
// its rights.
func begin(t *testing.T) (owner, app string) {
	t.Helper()
	ctx := context.Background()
	owner, app = testkit.TwoRoles(t)
	db, err := store.Open(ctx, store.Options{URL: owner, RowKey: testkit.RowKey()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := events.MigrateQueue(ctx, db); err != nil {
		t.Fatal(err)
	}
	for range 2 { // it may be repeated
		if err := roles.Separate(ctx, owner, app); err != nil {
			t.Fatal(err)
		}
	}
	return owner, app
}

func pool(t *testing.T, url string) *sql.DB {
	t.Helper()
	p, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// TestSeparate_WhatTheApplicationMayNot: as the application role, on a log that
// it filled itself, no statement changes or removes an entry, takes the
// protection away, or makes or changes an object of the schema.
func TestSeparate_WhatTheApplicationMayNot(t *testing.T) {
	t.Parallel()
	_, app := begin(t)
	db, err := store.Open(context.Background(), store.Options{URL: app, RowKey: testkit.RowKey()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	h := testkit.NewHouse(t, db)
	doctor := testkit.As(authz.Actor{Role: care.Doctor, StaffID: "doctor-1"})
	for range 3 {
		err := h.DB.Tx(doctor, func(ctx context.Context, tx *store.Tx) error {
			return h.Audit.Append(ctx, tx, audit.Entry{Action: "document.read", Object: "document/1"})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n, err := h.Sequencer.Sequence(doctor); err != nil || n != 3 {
		t.Fatalf("numbering as the application role: %d %v", n, err)
	}
	p := pool(t, app)
	statements := []string{
		"DROP TRIGGER audit_delete ON audit", "DROP TRIGGER audit_update ON audit", "ALTER TABLE audit DISABLE TRIGGER USER", "ALTER TABLE audit DISABLE TRIGGER ALL",
		"SET session_replication_role = replica", "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'", "DROP FUNCTION audit_refuse() CASCADE",
		"UPDATE audit SET seq = 7 WHERE seq = 0", "UPDATE audit SET seq = NULL",
		"CREATE TABLE mine (id integer)", "CREATE TEMPORARY TABLE audit (id integer)", "CREATE VIEW mine AS SELECT 1", "CREATE SCHEMA mine", "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
		"CREATE INDEX mine ON audit (at)", "CREATE TRIGGER mine BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse()", "CREATE RULE mine AS ON INSERT TO audit DO INSTEAD NOTHING",
		"ALTER TABLE audit ADD COLUMN mine integer", "ALTER TABLE audit RENAME TO other", "ALTER TABLE audit OWNER TO CURRENT_USER", "DROP TABLE audit", "DROP TABLE sessions", "ALTER TABLE sessions DROP COLUMN level",
		"DELETE FROM installation", "UPDATE installation SET key_name = 'x'", "DELETE FROM goose_db_version", "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)",
		"TRUNCATE sessions", "DELETE FROM river_migration",
	}
	for _, table := range []string{"audit", "audit_hashes", "audit_heads"} {
		statements = append(statements, "DELETE FROM "+table, "TRUNCATE "+table, "TRUNCATE "+table+" CASCADE", "LOCK TABLE "+table+" IN ACCESS EXCLUSIVE MODE", "DROP TABLE "+table+" CASCADE")
		names, err := columnsOf(p, table)
		if err != nil || len(names) < 2 {
			t.Fatal(table, names, err)
		}
		for _, c := range names {
			statements = append(statements, fmt.Sprintf("UPDATE %s SET %s = %s", table, c, c))
		}
	}
	// PostgreSQL answers this with a warning and grants nothing.
	if _, err := p.Exec("GRANT ALL ON audit, audit_hashes, audit_heads TO CURRENT_USER"); err != nil {
		t.Log(err)
	}
	for _, s := range statements {
		if _, err := p.Exec(s); err == nil {
			t.Errorf("NOT REFUSED: %s", s)
		}
	}
	if n, err := h.Sequencer.Verify(doctor); err != nil || n != 3 {
		t.Errorf("the log afterwards: %d %v", n, err)
	}
}

func columnsOf(p *sql.DB, table string) ([]string, error) {
	rows, err := p.Query("SELECT * FROM " + table + " LIMIT 0")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return rows.Columns()
}

// TestSeparate_EveryTable: the application role can do its work on every table
// of the schema, and on one that the owner makes later.
func TestSeparate_EveryTable(t *testing.T) {
	t.Parallel()
	owner, app := begin(t)
	if _, err := pool(t, owner).Exec("CREATE TABLE later (id bigserial PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	p := pool(t, app)
	if _, err := p.Exec("INSERT INTO later DEFAULT VALUES"); err != nil {
		t.Error(err)
	}
	rows, err := p.Query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	seen := 0
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			t.Fatal(err)
		}
		seen++
		var sees, writes, deletes bool
		q := "SELECT has_table_privilege($1, 'SELECT'), has_table_privilege($1, 'INSERT') AND has_any_column_privilege($1, 'UPDATE'), has_table_privilege($1, 'DELETE')"
		if err := pool(t, app).QueryRow(q, table).Scan(&sees, &writes, &deletes); err != nil {
			t.Fatal(err)
		}
		want := [3]bool{true, true, true}
		switch table {
		case "audit", "installation":
			want = [3]bool{true, true, false}
		case "audit_hashes", "audit_heads", "goose_db_version", "river_migration":
			want = [3]bool{true, false, false}
		}
		if got := [3]bool{sees, writes, deletes}; got != want {
			t.Errorf("%s: select, write, delete are %v, want %v", table, got, want)
		}
	}
	if seen < 40 {
		t.Errorf("only %d tables were looked at", seen)
	}
}

// TestInspect: what the connected role may do to the log is asked, one sentence
// for each way in, and none for a role that was separated.
func TestInspect(t *testing.T) {
	t.Parallel()
	owner, app := begin(t)
	super := strings.Replace(strings.Split(owner, "user=")[0]+"user=visavis", "&&", "&", 1)
	role := app[strings.LastIndex(app, "user=")+len("user="):]
	ownerRole := owner[strings.LastIndex(owner, "user=")+len("user="):]
	inspect := func(url string) roles.Report {
		t.Helper()
		r, err := roles.Inspect(context.Background(), pool(t, url))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := inspect(app); r.Owns || len(r.Findings) > 0 || r.Role != role {
		t.Fatalf("%+v", r)
	}
	for _, url := range []string{owner, super} {
		if r := inspect(url); !r.Owns {
			t.Errorf("%s: %+v", url, r)
		}
	}
	for _, c := range []struct{ do, undo, want string }{
		{"GRANT DELETE ON audit TO " + role, "REVOKE DELETE ON audit FROM " + role, "DELETE on audit"},
		{"GRANT TRUNCATE ON audit_heads TO " + role, "REVOKE TRUNCATE ON audit_heads FROM " + role, "TRUNCATE on audit_heads"},
		{"GRANT UPDATE (object) ON audit TO PUBLIC", "REVOKE UPDATE (object) ON audit FROM PUBLIC", "UPDATE on audit.object"},
		{"GRANT UPDATE ON audit_hashes TO " + role, "REVOKE UPDATE ON audit_hashes FROM " + role, "UPDATE on audit_hashes.hash"},
		{"GRANT CREATE ON SCHEMA public TO " + role, "REVOKE CREATE ON SCHEMA public FROM " + role, "create objects in the schema public"},
		{"GRANT INSERT ON goose_db_version TO " + role, "REVOKE INSERT ON goose_db_version FROM " + role, "list of migrations goose_db_version"},
		{"ALTER TABLE audit DISABLE TRIGGER audit_update", "ALTER TABLE audit ENABLE TRIGGER audit_update", "7 of 8"},
		{"ALTER ROLE " + role + " CREATEROLE", "ALTER ROLE " + role + " NOCREATEROLE", "CREATEROLE"},
	} {
		if _, err := pool(t, super).Exec(c.do); err != nil {
			t.Fatal(err)
		}
		if r := inspect(app); r.Owns || !strings.Contains(strings.Join(r.Findings, "\n"), c.want) {
			t.Errorf("%s: %q, want %q", c.do, r.Findings, c.want)
		}
		if _, err := pool(t, super).Exec(c.undo); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := pool(t, super).Exec("GRANT " + ownerRole + " TO " + role); err != nil {
		t.Fatal(err)
	}
	if r := inspect(app); !r.Owns {
		t.Errorf("a member of the owner: %+v", r)
	}
}

// TestSeparate_TwoDatabases refuses addresses that do not belong together.
func TestSeparate_TwoDatabases(t *testing.T) {
	t.Parallel()
	owner, _ := testkit.TwoRoles(t)
	_, app := testkit.TwoRoles(t)
	if err := roles.Separate(context.Background(), owner, app); err == nil || !strings.Contains(err.Error(), "two databases") {
		t.Errorf("%v", err)
	}
}
