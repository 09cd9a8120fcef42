package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"visavis/internal/fault"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

// lockMillis is how long a statement on PostgreSQL waits for a lock, on a table
// or a row, before it is given up (SQLSTATE 55P03). A lock_timeout in the
// address of the database replaces it.
const lockMillis = "8000"

// lockTimeout is the SQLSTATE of a statement that waited too long for a lock.
const lockTimeout = "55P03"

// openPostgres opens the pool. Each connection bounds its waits for a lock,
// bears the name of this process, and is refused once another process took over:
// so the job queue, which runs its own statements, is fenced as well.
func (db *DB) openPostgres(url string, cfg *gorm.Config) error {
	conf, err := pgx.ParseConfig(url)
	if err != nil {
		return errors.New("store: cannot reach PostgreSQL at DATABASE_URL: " + reason(err))
	}
	var id [8]byte
	rand.Read(id[:])
	db.dialect, db.url, db.name = Postgres, url, "visavis-"+hex.EncodeToString(id[:])
	conf.RuntimeParams["application_name"] = db.name
	if conf.RuntimeParams["lock_timeout"] == "" {
		conf.RuntimeParams["lock_timeout"] = lockMillis
	}
	pool := stdlib.OpenDB(*conf, stdlib.OptionAfterConnect(db.admit))
	pool.SetMaxOpenConns(20)
	pool.SetMaxIdleConns(10)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	g, err := gorm.Open(postgres.New(postgres.Config{Conn: pool}), cfg)
	if err != nil {
		return errors.Join(errors.New("store: cannot reach PostgreSQL at DATABASE_URL: "+reason(err)), pool.Close())
	}
	db.write, db.read = g, g
	return nil
}

// admit refuses a new connection of a process that another one followed.
func (db *DB) admit(ctx context.Context, conn *pgx.Conn) error {
	mine := db.fence.generation.Load()
	if mine == 0 {
		return nil
	}
	var now int64
	if err := conn.QueryRow(ctx, "SELECT generation FROM installation WHERE id = 1").Scan(&now); err != nil {
		return err
	}
	if now != mine {
		db.fence.end()
		return fault.New(fault.Unavailable, "stopping").Because(ErrFenced)
	}
	return nil
}

// Followed says whether another process serves this database by now. It asks for
// at most a second; what cannot be asked counts as no.
func (db *DB) Followed(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	err := db.Tx(ctx, func(context.Context, *Tx) error { return nil })
	return errors.Is(err, ErrFenced)
}

// former gives the name under which the process that held this database before
// was connected; empty when it is not known, or is this process.
func (db *DB) former(ctx context.Context) (string, error) {
	m, err := db.Mark(ctx)
	if err != nil {
		return "", err
	}
	var h Holder
	_ = json.Unmarshal([]byte(m.Holder), &h) // none yet
	if h.Name == db.name {
		return "", nil
	}
	return h.Name, nil
}

// endNamed ends the connections of the process of a name: one that stands still
// may hold locks, and idle connections of one that wakes up are not asked for its
// generation again.
func (l *appLock) endNamed(ctx context.Context, name string) error {
	if name == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err := l.conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = $1 AND pid <> pg_backend_pid()`, name)
	if err != nil {
		return fmt.Errorf("store: take over: the connections of the process before stay open: %s", reason(err))
	}
	return nil
}

// gaveUpFor is how long a lock that was waited for in vain is said to be busy.
const gaveUpFor = 5 * time.Second

// Blocked says in words that statements of this process wait for a lock, or
// waited in vain just now; empty when there is none. It is always empty on SQLite,
// where the one writer is what is waited for.
func (db *DB) Blocked(ctx context.Context, longer time.Duration) (string, error) {
	if db.dialect != Postgres {
		return "", nil
	}
	var n int
	var seconds float64
	err := db.read.WithContext(ctx).Raw(`SELECT count(*), coalesce(max(extract(epoch FROM clock_timestamp() - query_start)), 0)::float8 FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = ? AND wait_event_type = 'Lock' AND clock_timestamp() - query_start > make_interval(secs => ?)`,
		db.name, longer.Seconds()).Row().Scan(&n, &seconds)
	switch last := db.gaveUp.Load(); {
	case err != nil:
		return "", db.lost(err)
	case n > 0:
		return fmt.Sprintf("%d statements wait for a lock of another session, the first for %.0f s", n, seconds), nil
	case last > 0 && time.Since(time.UnixMicro(last)) < gaveUpFor:
		return "a lock of another session was waited for in vain at " + time.UnixMicro(last).UTC().Format(time.RFC3339), nil
	}
	return "", nil
}

// waitedInVain tells whether a statement gave up waiting for a lock.
func waitedInVain(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == lockTimeout
}
