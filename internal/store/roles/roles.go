// Package roles keeps two PostgreSQL roles apart: the owner of the tables, who
// migrates, and the application role, which serves and may neither change the
// schema nor change or delete what the audit log holds.
package roles

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// narrow lists the tables on which the application role has less than SELECT,
// INSERT, UPDATE and DELETE. Entries of the audit log get their number by an
// update of seq, which the trigger audit_update allows once.
func narrow() map[string]string {
	return map[string]string{
		"audit":            "SELECT, INSERT, UPDATE (seq)",
		"audit_hashes":     "SELECT, INSERT",
		"audit_heads":      "SELECT, INSERT",
		"installation":     "SELECT, INSERT, UPDATE (generation, holder, held_since, probed)",
		"goose_db_version": "SELECT",
		"river_migration":  "SELECT",
	}
}

const whole = "SELECT, INSERT, UPDATE, DELETE"

// session says who is connected, and to which database of which server start.
type session struct {
	role     string
	database string
	schema   string
	oid      uint32
	started  string
}

func about(ctx context.Context, q *pgx.Conn) (s session, err error) {
	err = q.QueryRow(ctx, `SELECT current_user, current_database(), coalesce(current_schema(), ''), d.oid, pg_postmaster_start_time()::text
		FROM pg_database d WHERE d.datname = current_database()`).Scan(&s.role, &s.database, &s.schema, &s.oid, &s.started)
	return s, err
}

// Separate gives the role of application exactly what serving needs, and takes
// everything else from it and from PUBLIC: no DDL, and no UPDATE, DELETE or
// TRUNCATE on the audit tables. Both arguments are addresses of one database;
// owner is that of the role that owns the tables. It may be repeated at any
// time; tables made later by the owner are usable at once. With one role for
// both it does nothing: Inspect tells.
func Separate(ctx context.Context, owner, application string) error {
	app, err := identify(ctx, application)
	if err != nil {
		return fmt.Errorf("DATABASE_URL: %w", err)
	}
	conn, err := pgx.Connect(ctx, owner)
	if err != nil {
		return fmt.Errorf("DATABASE_OWNER_URL: %w", reason(err))
	}
	defer conn.Close(context.WithoutCancel(ctx))
	own, err := about(ctx, conn)
	if err != nil {
		return fmt.Errorf("DATABASE_OWNER_URL: %w", reason(err))
	}
	if own.oid != app.oid || own.started != app.started || own.schema != app.schema {
		return fmt.Errorf("DATABASE_OWNER_URL and DATABASE_URL name two databases: %s (schema %s) and %s (schema %s)", own.database, own.schema, app.database, app.schema)
	}
	if own.role == app.role {
		return nil
	}
	if err := grant(ctx, conn, own, app.role); err != nil {
		return fmt.Errorf("rights of the role %s, given by %s: %w", app.role, own.role, reason(err))
	}
	return nil
}

func identify(ctx context.Context, url string) (s session, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return s, reason(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if s, err = about(ctx, conn); err != nil {
		err = reason(err)
	}
	return s, err
}

// grant replaces the rights of a role, in one transaction.
func grant(ctx context.Context, conn *pgx.Conn, own session, role string) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	var ownsDatabase, ownsSchema bool
	err = tx.QueryRow(ctx, `SELECT pg_has_role(d.datdba, 'USAGE'), pg_has_role(n.nspowner, 'USAGE')
		FROM pg_database d, pg_namespace n WHERE d.datname = current_database() AND n.nspname = current_schema()`).Scan(&ownsDatabase, &ownsSchema)
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND pg_has_role(tableowner, 'USAGE') ORDER BY 1")
	if err != nil {
		return err
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	to, schema := name(role), name(own.schema)
	var list []string
	if ownsDatabase { // else its owner does it: runbook, "Two roles"
		list = append(list, "REVOKE CREATE, TEMPORARY ON DATABASE "+name(own.database)+" FROM PUBLIC, "+to, "GRANT CONNECT ON DATABASE "+name(own.database)+" TO "+to)
	}
	if ownsSchema {
		list = append(list, "REVOKE CREATE ON SCHEMA "+schema+" FROM PUBLIC, "+to, "GRANT USAGE ON SCHEMA "+schema+" TO "+to)
	}
	for _, t := range tables {
		rights, ok := narrow()[t]
		if !ok {
			rights = whole
		}
		list = append(list, "REVOKE ALL ON TABLE "+name(own.schema, t)+" FROM PUBLIC, "+to, "GRANT "+rights+" ON TABLE "+name(own.schema, t)+" TO "+to)
	}
	list = append(list,
		"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA "+schema+" TO "+to,
		"ALTER DEFAULT PRIVILEGES IN SCHEMA "+schema+" GRANT "+whole+" ON TABLES TO "+to,
		"ALTER DEFAULT PRIVILEGES IN SCHEMA "+schema+" GRANT USAGE, SELECT ON SEQUENCES TO "+to)
	for _, statement := range list {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return tx.Commit(ctx)
}

func name(parts ...string) string { return pgx.Identifier(parts).Sanitize() }

// reason keeps what helps an operator and drops connection strings.
func reason(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return errors.New(pg.Message)
	}
	var con *pgconn.ConnectError
	if errors.As(err, &con) {
		if u := con.Unwrap(); u != nil {
			return u
		}
		return errors.New("cannot reach PostgreSQL")
	}
	return err
}

// Report says what the role that is connected may do to the audit log.
type Report struct {
	Role     string
	Owns     bool     // it owns the tables: it migrates and serves
	Findings []string // what lets it delete, change or hide entries, one sentence each
}

// Inspect asks the database what the connected role may do. A role that owns
// the tables may do everything; no further finding is listed for it.
func Inspect(ctx context.Context, pool *sql.DB) (r Report, err error) {
	var super, createRole bool
	err = pool.QueryRowContext(ctx, "SELECT rolname, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user").Scan(&r.Role, &super, &createRole)
	if err == nil {
		// A member of the owner can become the owner; a superuser is a member of all.
		err = pool.QueryRowContext(ctx, `SELECT count(*) > 0 FROM pg_tables WHERE schemaname = current_schema() AND pg_has_role(tableowner, 'MEMBER')`).Scan(&r.Owns)
	}
	if err != nil || r.Owns {
		return r, reason(err)
	}
	if createRole {
		r.Findings = append(r.Findings, fmt.Sprintf("the role %s may give itself other roles (CREATEROLE), that of the owner too", r.Role))
	}
	for _, ask := range questions() {
		rows, err := pool.QueryContext(ctx, ask.query)
		if err != nil {
			return r, reason(err)
		}
		for rows.Next() {
			var what string
			if err := rows.Scan(&what); err != nil {
				return r, errors.Join(err, rows.Close())
			}
			r.Findings = append(r.Findings, fmt.Sprintf(ask.sentence, r.Role, what))
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return r, reason(err)
		}
	}
	return r, nil
}

type question struct{ query, sentence string }

// questions are asked with the rights of the application role. Each row of an
// answer is a finding.
func questions() []question {
	const tables = "(VALUES ('audit'), ('audit_hashes'), ('audit_heads')) AS t (name)"
	return []question{
		{"SELECT p || ' on ' || t.name FROM " + tables + ", (VALUES ('DELETE'), ('TRUNCATE'), ('TRIGGER')) AS p (p) WHERE has_table_privilege(t.name, p)",
			"the role %s can remove or hide audit rows: it has %s"},
		{`SELECT t.name || '.' || a.attname FROM ` + tables + ` JOIN pg_attribute a ON a.attrelid = t.name::regclass AND a.attnum > 0 AND NOT a.attisdropped
			WHERE has_column_privilege(t.name, a.attname, 'UPDATE') AND (t.name, a.attname) <> ('audit', 'seq')`,
			"the role %s can change audit rows: it has UPDATE on %s"},
		{"SELECT 'schema ' || current_schema() WHERE has_schema_privilege(current_schema(), 'CREATE') UNION ALL SELECT 'database ' || current_database() WHERE has_database_privilege(current_database(), 'CREATE')",
			"the role %s can create objects in the %s"},
		{`SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename IN ('goose_db_version', 'river_migration')
			AND (has_table_privilege(schemaname || '.' || tablename, 'INSERT') OR has_table_privilege(schemaname || '.' || tablename, 'UPDATE') OR has_table_privilege(schemaname || '.' || tablename, 'DELETE'))`,
			"the role %s can write the list of migrations %s"},
		{fmt.Sprintf(`SELECT n || ' of %d are there and on' FROM (SELECT count(*) AS n FROM pg_trigger WHERE tgrelid IN ('audit'::regclass, 'audit_hashes'::regclass, 'audit_heads'::regclass)
			AND NOT tgisinternal AND tgenabled IN ('O', 'A')) AS found WHERE n < %d`, triggers, triggers),
			"the triggers that keep audit entries as they were written do not all protect from the role %s: %s"},
	}
}

// triggers is how many migration 0038 makes on PostgreSQL.
const triggers = 8
