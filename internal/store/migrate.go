package store

import (
	"context"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// migrations gives what runs the numbered migrations of this dialect.
func (db *DB) migrations() (*goose.Provider, error) {
	pool, err := db.write.DB()
	if err != nil {
		return nil, err
	}
	dir, err := fs.Sub(migrations, "migrations/"+string(db.dialect))
	if err != nil {
		return nil, err
	}
	dialect := goose.DialectSQLite3
	if db.dialect == Postgres {
		dialect = goose.DialectPostgres
	}
	p, err := goose.NewProvider(dialect, pool, dir, goose.WithAllowOutofOrder(true))
	if err != nil {
		return nil, fmt.Errorf("store: migrations: %w", err)
	}
	return p, nil
}

// Pending tells whether Migrate has something to do. It refuses a database
// that a newer program, or another one, has used.
func (db *DB) Pending(ctx context.Context) (bool, error) { return db.checkVersion(ctx) }

// Migrate runs the migrations of this dialect that have not run yet, each in
// its own transaction, and checks that every table is there afterwards.
func (db *DB) Migrate(ctx context.Context) error {
	pending, err := db.checkVersion(ctx)
	if err != nil {
		return err
	}
	if pending {
		p, err := db.migrations()
		if err != nil {
			return err
		}
		if _, err := p.Up(ctx); err != nil {
			return fmt.Errorf("store: migrate: %w", NeedsOwner(db.explained(err)))
		}
	}
	return db.checkObjects(ctx)
}

// NeedsOwner adds to a refusal of PostgreSQL (SQLSTATE 42501) what to do.
func NeedsOwner(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "42501" {
		return fmt.Errorf("%w: the role of DATABASE_URL does not own the tables or lacks its rights; run visavis migrate with DATABASE_OWNER_URL", err)
	}
	return err
}

// explained names the disk where a SQLite file cannot be written.
func (db *DB) explained(err error) error {
	if db.dialect == SQLite && unwritableDisk(err) {
		return fileFault(db.path, err)
	}
	return err
}

// unreachable tells whether the database could not be talked to.
func unreachable(err error) bool {
	var op *net.OpError
	var con *pgconn.ConnectError
	return errors.As(err, &op) || errors.As(err, &con) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.ErrUnexpectedEOF) || pgconn.Timeout(err)
}
