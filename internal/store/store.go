// Package store opens the database, SQLite or PostgreSQL, and runs
// transactions. With internal/events and the store*.go file of each module it
// is all of visavis that knows GORM.
//
// Times are stored as microseconds since 1970 UTC in BIGINT columns on both
// databases: they sort, compare and round-trip the same way everywhere.
package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/ncruces/go-sqlite3/gormlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	_ "github.com/ncruces/go-sqlite3/vfs/adiantum" // the encrypted file system
)

// Dialect names the database in use.
type Dialect string

// The databases visavis runs on.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// Options say which database to open.
type Options struct {
	// URL is a postgres:// address. Empty means SQLite in DataDir.
	URL string
	// DataDir holds visavis.db. It is created with mode 0700.
	DataDir string
	// Key encrypts the SQLite file, 32 bytes (Adiantum).
	Key []byte
	// RowKey is the key of the MACs of guarded rows, 32 bytes. Without it no
	// guarded row can be read or written.
	RowKey []byte
}

// DB is an open database: one pool that writes and one that reads. On SQLite
// the first has a single connection, so that writers queue instead of failing.
type DB struct {
	dialect Dialect
	write   *gorm.DB
	read    *gorm.DB
	url     string // of PostgreSQL
	name    string // of this process there, as application_name
	path    string // of the SQLite file

	lock  *appLock // PostgreSQL: held by the process that serves
	fence fence
	guard *guard

	gaveUp atomic.Int64 // when a lock was last waited for in vain, in microseconds since 1970; 0 for never
}

// Open is Connect and Migrate.
func Open(ctx context.Context, o Options) (*DB, error) {
	db, err := Connect(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Connect opens the database and changes nothing in it. It refuses a PostgreSQL
// that may lose an acknowledged commit (trust B11), a SQLite file that is
// damaged or somebody else's, and a schema that a newer program made.
func Connect(ctx context.Context, o Options) (*DB, error) {
	exists := false
	if o.URL == "" {
		var err error
		if exists, err = checkHeader(File(o.DataDir)); err != nil {
			return nil, err
		}
	}
	db, err := connect(o)
	if err != nil {
		return nil, err
	}
	err = db.checkDurability(ctx)
	if err == nil && exists {
		err = db.quickCheck(ctx)
	}
	if err == nil {
		_, err = db.checkVersion(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// guardRows makes every statement check the rows that rows.tsv names.
func (db *DB) guardRows(key []byte) error {
	g, err := newGuard(key, db.dialect)
	if err != nil {
		return err
	}
	db.guard = g
	if err := g.install(db.write); err != nil || db.read == db.write {
		return err
	}
	return g.install(db.read)
}

func connect(o Options) (*DB, error) {
	cfg := func() *gorm.Config {
		return &gorm.Config{Logger: logger.Discard, SkipDefaultTransaction: true, TranslateError: false}
	}
	if o.URL != "" {
		db := &DB{fence: newFence()}
		if err := db.openPostgres(o.URL, cfg()); err != nil {
			return nil, err
		}
		return db, db.guardRows(o.RowKey)
	}
	if len(o.Key) != 32 {
		return nil, errors.New("store: the SQLite key must be 32 bytes")
	}
	if err := os.MkdirAll(o.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("store: data folder: %w", err)
	}
	path := File(o.DataDir)
	if err := reserveFile(path); err != nil {
		return nil, err
	}
	write, err := openSQLite(path, o.Key, 1, "_txlock=immediate", cfg())
	if err != nil {
		return nil, err
	}
	read, err := openSQLite(path, o.Key, 4, "_pragma=query_only(1)", cfg())
	if err != nil {
		return nil, err
	}
	db := &DB{dialect: SQLite, write: write, read: read, path: path, fence: newFence()}
	return db, db.guardRows(o.RowKey)
}

// reserveFile makes an empty file that only its owner may read, before SQLite
// makes one that others may.
func reserveFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fileFault(path, err)
	}
	return f.Close()
}

// sqliteTimes is how times that libraries store (the job queue) are written:
// SQLite's own datetime format, in UTC, so that they compare with its datetime().
// The driver's default, RFC 3339, sorts after it: a retry would wait for the
// next day. Our own tables hold integers.
const sqliteTimes = "&_timefmt=2006-01-02%2015:04:05.000"

func openSQLite(path string, key []byte, conns int, extra string, cfg *gorm.Config) (*gorm.DB, error) {
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?vfs=adiantum&modeof=" + url.QueryEscape(path) + "&_pragma=hexkey('" + hex.EncodeToString(key) + "')" +
		"&_pragma=busy_timeout(" + busyMillis + ")&_pragma=journal_mode(wal)&_pragma=synchronous(full)" +
		"&_pragma=foreign_keys(1)&_pragma=temp_store(memory)" + sqliteTimes + "&" + extra
	pool, err := driver.Open(dsn)
	if err != nil {
		return nil, fileFault(path, err)
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	g, err := gorm.Open(gormlite.OpenDB(pool), cfg)
	if err != nil {
		return nil, errors.Join(fileFault(path, err), pool.Close())
	}
	return g, nil
}

// reason keeps what helps an operator and drops connection strings.
func reason(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Message
	}
	var con *pgconn.ConnectError
	if errors.As(err, &con) {
		if u := con.Unwrap(); u != nil {
			return u.Error()
		}
	}
	return "connection failed"
}

func (db *DB) checkDurability(ctx context.Context) error {
	if db.dialect == SQLite {
		return nil // the pragmas of the DSN are ours
	}
	for _, setting := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		var v string
		if err := db.write.WithContext(ctx).Raw("SELECT current_setting(?)", setting).Scan(&v).Error; err != nil {
			return fmt.Errorf("store: %s", reason(err))
		}
		if v == "off" {
			return fmt.Errorf("store: PostgreSQL runs with %s=off: an acknowledged record could be lost", setting)
		}
	}
	return nil
}

// Dialect tells which database this is.
func (db *DB) Dialect() Dialect { return db.dialect }

// SQL gives the pool that writes, for libraries that bring their own tables.
func (db *DB) SQL() (*sql.DB, error) { return db.write.DB() }

// Ping checks that the database answers.
func (db *DB) Ping(ctx context.Context) error {
	pool, err := db.read.DB()
	if err != nil {
		return err
	}
	return pool.PingContext(ctx)
}

// Close closes every connection.
func (db *DB) Close() error {
	errs := []error{db.Unlock()}
	for _, g := range []*gorm.DB{db.write, db.read} {
		pool, err := g.DB()
		if err == nil {
			err = pool.Close()
		}
		errs = append(errs, err)
		if db.dialect == Postgres {
			break
		}
	}
	return errors.Join(errs...)
}

// Micros is how a time is stored: microseconds since 1970 UTC; 0 for the zero time.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Time reads a stored time back; 0 is the zero time.
func Time(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// transient tells whether trying the whole transaction again may succeed:
// serialisation failure, deadlock, busy database, lost connection before commit.
func transient(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "40001" || pg.Code == "40P01" || pg.Code == "57P01"
	}
	return errors.Is(err, sqlite3.BUSY) || pgconn.SafeToRetry(err)
}

// Duplicate tells whether err is a violated unique or exclusion constraint,
// and names it where the database does.
func Duplicate(err error) (constraint string, ok bool) {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && (pg.Code == "23505" || pg.Code == "23P01") {
		return pg.ConstraintName, true
	}
	if errors.Is(err, sqlite3.CONSTRAINT_UNIQUE) || errors.Is(err, sqlite3.CONSTRAINT_PRIMARYKEY) || errors.Is(err, sqlite3.CONSTRAINT_TRIGGER) {
		msg := err.Error()
		return msg[strings.LastIndexByte(msg, ':')+1:], true
	}
	return "", false
}
