package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/pressly/goose/v3"
)

// quickFor bounds what a start spends on looking through a SQLite file: a file
// of some hundred megabytes. The rest of a longer check is CheckFile's.
const quickFor = 700 * time.Millisecond

// File is the path of the SQLite file of a data folder.
func File(dir string) string { return filepath.Join(dir, "visavis.db") }

// Contents says what a database holds, without changing it.
type Contents struct {
	Version int64 // of the schema; 0 when there is none of ours
	Foreign int   // tables in a database without a schema of ours
	Marked  bool  // it has the table that says whose key it belongs to
}

// Empty says that nobody has used the database yet.
func (c Contents) Empty() bool { return c.Version == 0 && c.Foreign == 0 }

// Contents reads what the database holds.
func (db *DB) Contents(ctx context.Context) (c Contents, err error) {
	names, err := db.tables(ctx)
	if err != nil {
		return c, err
	}
	c.Marked = names["installation"]
	if !names["goose_db_version"] {
		c.Foreign = len(names)
		return c, nil
	}
	pool, err := db.write.DB()
	if err == nil {
		err = pool.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied").Scan(&c.Version)
	}
	if err != nil {
		return c, fmt.Errorf("store: schema version: %w", NeedsOwner(err))
	}
	return c, nil
}

// tables names the tables of our schema in this database.
func (db *DB) tables(ctx context.Context) (map[string]bool, error) {
	query := "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
	if db.dialect == Postgres {
		// information_schema hides tables on which the role has no right: a
		// database with a schema would look empty to the application role.
		query = "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema()"
	}
	pool, err := db.write.DB()
	if err != nil {
		return nil, err
	}
	rows, err := pool.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("store: tables: %w", err)
	}
	names := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, errors.Join(fmt.Errorf("store: tables: %w", err), rows.Close())
		}
		names[name] = true
	}
	return names, errors.Join(rows.Err(), rows.Close())
}

// checkVersion refuses a database that a newer program has used, and tells
// whether there are migrations to run.
func (db *DB) checkVersion(ctx context.Context) (pending bool, err error) {
	have, err := db.Contents(ctx)
	if err != nil {
		return false, err
	}
	if have.Foreign > 0 {
		return false, fmt.Errorf("store: the database holds %d tables of another program and none of visavis", have.Foreign)
	}
	if have.Version == 0 {
		return true, nil
	}
	known, newest, err := knownVersions(db.dialect)
	if err != nil {
		return false, err
	}
	applied, err := db.applied(ctx)
	if err != nil {
		return false, err
	}
	done := 0
	for _, v := range applied {
		if !known[v] {
			return false, fmt.Errorf("store: the database has schema %d and this program knows schema %d: a newer visavis has used it, run that one (or restore a backup of before)", v, newest)
		}
		done++
	}
	return done < len(known), nil
}

// applied lists the migrations that the database has had, newest first.
func (db *DB) applied(ctx context.Context) ([]int64, error) {
	pool, err := db.write.DB()
	if err != nil {
		return nil, err
	}
	rows, err := pool.QueryContext(ctx, "SELECT DISTINCT version_id FROM goose_db_version WHERE is_applied AND version_id > 0 ORDER BY version_id DESC")
	if err != nil {
		return nil, fmt.Errorf("store: schema version: %w", err)
	}
	var list []int64
	for rows.Next() {
		var v int64
		if err := rows.Scan(&v); err != nil {
			return nil, errors.Join(fmt.Errorf("store: schema version: %w", err), rows.Close())
		}
		list = append(list, v)
	}
	return list, errors.Join(rows.Err(), rows.Close())
}

// knownVersions are the numbers of the migrations in this program.
func knownVersions(d Dialect) (known map[int64]bool, newest int64, err error) {
	files, err := fs.Glob(migrations, "migrations/"+string(d)+"/*.sql")
	if err != nil {
		return nil, 0, err
	}
	known = map[int64]bool{}
	for _, f := range files {
		v, err := goose.NumericComponent(f)
		if err != nil {
			return nil, 0, fmt.Errorf("store: migrations: %w", err)
		}
		known[v], newest = true, max(newest, v)
	}
	return known, newest, nil
}

// quickCheck looks through the SQLite file for pages that are not what they
// were, at most for quickFor.
func (db *DB) quickCheck(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, quickFor)
	defer cancel()
	err := db.CheckFile(ctx)
	if ctx.Err() != nil && !errors.Is(err, ErrDamaged) {
		return nil
	}
	return err
}

// CheckFile reads the whole SQLite file and finds damaged pages; the error then
// wraps ErrDamaged. It reads beside everything else, for as long as ctx allows.
// PostgreSQL has its own checksums: nothing is done there.
func (db *DB) CheckFile(ctx context.Context) error {
	if db.dialect == Postgres {
		return nil
	}
	pool, err := db.read.DB()
	if err != nil {
		return err
	}
	var found string
	err = pool.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&found)
	switch {
	case errors.Is(err, sqlite3.CORRUPT), errors.Is(err, sqlite3.NOTADB), err == nil && found != "ok":
		return fmt.Errorf("store: %s is damaged (%s): %w; restore the last backup", db.path, cleaned(found, err), ErrDamaged)
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fileFault(db.path, err)
	}
	return nil
}

// cleaned is the finding of SQLite on one line. It names pages and tables,
// never values.
func cleaned(found string, err error) string {
	if err != nil {
		found = "malformed"
	}
	return strings.Join(strings.Fields(found), " ")
}

// checkObjects refuses a database that lacks a table its migrations made.
func (db *DB) checkObjects(ctx context.Context) error {
	want, err := expected(db.dialect)
	if err != nil {
		return err
	}
	have, err := db.tables(ctx)
	if err != nil {
		return err
	}
	var missing []string
	for _, name := range want {
		if !have[name] {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("store: the database says that its schema is complete and lacks %s: %w; restore the last backup", strings.Join(missing, ", "), ErrDamaged)
	}
	return nil
}

var tableMade = regexp.MustCompile(`(?im)^\s*(?:CREATE TABLE (?:IF NOT EXISTS )?(\w+)|DROP TABLE (?:IF EXISTS )?(\w+)|ALTER TABLE (\w+) RENAME TO (\w+))`)

// expected names the tables that are there once every migration has run.
func expected(d Dialect) ([]string, error) {
	files, err := fs.Glob(migrations, "migrations/"+string(d)+"/*.sql")
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, f := range files {
		text, err := migrations.ReadFile(f)
		if err != nil {
			return nil, err
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		for _, statement := range strings.SplitAfter(up, ";") {
			for _, m := range tableMade.FindAllStringSubmatch(statement, -1) {
				delete(names, m[2])
				delete(names, m[3])
				for _, made := range []string{m[1], m[4]} {
					if made != "" {
						names[made] = true
					}
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}

// used tells whether the SQLite file of o is there with something in it.
func used(o Options) (bool, error) {
	info, err := os.Stat(File(o.DataDir))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("store: %w", err)
	}
	return info.Size() > 0, nil
}

// Probe connects to a database and reads what it holds, without a key and
// without a change. A SQLite file is encrypted: only whether it is there is
// said, as a version of -1.
func Probe(ctx context.Context, o Options) (Contents, Mark, error) {
	if o.URL == "" {
		there, err := used(o)
		if err != nil || !there {
			return Contents{}, Mark{}, err
		}
		return Contents{Version: -1}, Mark{}, nil
	}
	db, err := connect(o)
	if err != nil {
		return Contents{}, Mark{}, err
	}
	c, err := db.Contents(ctx)
	var m Mark
	if err == nil && c.Marked {
		m, err = db.Mark(ctx)
	}
	return c, m, errors.Join(err, db.Close())
}

// Mark is what a database says of itself.
type Mark struct {
	Name      string // random, also in the data folder
	KeyName   string // name of the master key it belongs to (seal.Master.Name)
	Holder    string // the process that serves it, or served it last
	HeldSince time.Time
}

// Mark reads the row; it is zero when there is none.
func (db *DB) Mark(ctx context.Context) (m Mark, err error) {
	pool, err := db.write.DB()
	if err != nil {
		return m, err
	}
	var since int64
	err = pool.QueryRowContext(ctx, "SELECT name, key_name, holder, held_since FROM installation WHERE id = 1").Scan(&m.Name, &m.KeyName, &m.Holder, &since)
	if errors.Is(err, sql.ErrNoRows) {
		return m, nil
	}
	if err != nil {
		return m, fmt.Errorf("store: installation: %w", err)
	}
	m.HeldSince = Time(since)
	return m, nil
}

// SetMark writes the row once; a second one is refused as a duplicate.
func (db *DB) SetMark(ctx context.Context, m Mark, at time.Time) error {
	return db.Tx(ctx, func(_ context.Context, tx *Tx) error {
		return tx.g.Exec("INSERT INTO installation (id, name, key_name, made, generation, holder, held_since, probed) VALUES (1, ?, ?, ?, 0, '', 0, 0)",
			m.Name, m.KeyName, Micros(at)).Error
	})
}
