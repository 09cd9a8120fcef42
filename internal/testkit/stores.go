package testkit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"visavis/internal/clock"
	"visavis/internal/events"
	"visavis/internal/seal"
	"visavis/internal/store"
)

// Master is the master key of tests: not a secret.
func Master() seal.Master {
	var m seal.Master
	copy(m[:], "master key of the tests, no secret")
	return m
}

// SQLiteKey is the key of the SQLite files of tests.
func SQLiteKey() []byte { return Master().Derive("sqlite") }

// RowKey is the key of the MACs of rows of tests.
func RowKey() []byte { return Master().Derive("rows") }

// Stores runs a test on SQLite and on PostgreSQL, each time on a fresh,
// migrated database of its own.
func Stores(t *testing.T, test func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, OpenSQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, OpenPostgres(t)) })
}

// OpenSQLite opens a fresh encrypted SQLite file; it closes with the test.
func OpenSQLite(t testing.TB) *store.DB {
	t.Helper()
	return open(t, store.Options{DataDir: SQLite(t), Key: SQLiteKey(), RowKey: RowKey()})
}

// OpenPostgres opens a fresh PostgreSQL database; it closes with the test.
func OpenPostgres(t testing.TB) *store.DB {
	t.Helper()
	return open(t, store.Options{URL: Postgres(t), RowKey: RowKey()})
}

func open(t testing.TB, o store.Options) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("closing the database: %v", err)
		}
	})
	return db
}

// SQLite gives a data folder with a fresh, migrated visavis.db in it.
func SQLite(t testing.TB) string {
	t.Helper()
	template, err := sharedSQLite()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "visavis.db"), template, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// sharedSQLite is a migrated file, made once per test process.
var sharedSQLite = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "visavis-sqlite-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := prepare("", dir); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, "visavis.db"))
})

// prepare migrates an empty database, the tables of the queue included.
func prepare(url, dir string) error {
	ctx := context.Background()
	db, err := store.Open(ctx, store.Options{URL: url, DataDir: dir, Key: SQLiteKey(), RowKey: RowKey()})
	if err != nil {
		return fmt.Errorf("testkit: %w", err)
	}
	err = events.New(db, clock.System{}, slog.New(slog.DiscardHandler)).Open(ctx)
	return errors.Join(err, db.Close())
}
