package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"visavis/internal/fault"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/ncruces/go-sqlite3"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Tx is one transaction. Only store*.go files call G; a service passes the Tx
// on without looking inside.
type Tx struct {
	g       *gorm.DB
	dialect Dialect
	after   []func()
	guard   *guard
	began   int64 // of guard's memory
}

// G gives the transaction's GORM handle.
func (tx *Tx) G() *gorm.DB { return tx.g }

// Locked is G for rows that no other transaction may change before this one
// ends. SQLite has one writer and needs no lock.
func (tx *Tx) Locked() *gorm.DB {
	if tx.dialect != Postgres {
		return tx.g
	}
	return tx.g.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
}

// Missing turns the answer of GORM for a row that is not there into the fault
// of what does not exist or may not be seen. Other errors stay.
func Missing(err error) error {
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return fault.Missing()
	}
	return err
}

// Dialect tells which database this is.
func (tx *Tx) Dialect() Dialect { return tx.dialect }

// SQL gives the underlying transaction, for the job library.
func (tx *Tx) SQL() (*sql.Tx, error) {
	t, ok := tx.g.Statement.ConnPool.(*sql.Tx)
	if !ok {
		return nil, errors.New("store: not in a transaction")
	}
	return t, nil
}

// AfterCommit calls fn once the outermost transaction is durable, never when
// it fails; after a Read of its own, once that ends well. It is for nudges that may be lost, not for facts: those are events.
func (tx *Tx) AfterCommit(fn func()) { tx.after = append(tx.after, fn) }

type txKey struct{}

// Tx runs fn in a transaction that writes. When ctx already carries one (an
// idempotent request, an event being consumed), fn joins it and the outermost
// caller commits. fn may run up to three times, after a serialisation failure
// or a deadlock: it must have no effect outside the transaction. The error of
// a failed commit is returned, never swallowed.
func (db *DB) Tx(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	if tx, ok := ctx.Value(txKey{}).(*Tx); ok {
		return fn(ctx, tx)
	}
	var err error
	for try := range 3 {
		if try > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Duration(try*try) * 20 * time.Millisecond):
			}
		}
		if err = db.once(ctx, fn); err == nil || !transient(err) || isBusy(err) {
			break // who waited for the writer is told so, not made to wait again
		}
	}
	return db.lost(err)
}

// unwritable is PostgreSQL's refusal of text it cannot hold: a zero byte, or
// bytes that are no UTF-8 (SQLSTATE 22021). SQLite takes both.
const unwritable = "22021"

// lost turns a broken connection into an answer that tells people to try again,
// and text no database can hold into one about the request.
func (db *DB) lost(err error) error {
	if err == nil {
		return nil
	}
	var f *fault.Error
	if errors.As(err, &f) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == unwritable {
		return fault.New(fault.Malformed, "not-json").Because(err)
	}
	if waitedInVain(err) {
		db.gaveUp.Store(time.Now().UnixMicro())
		return busy(err)
	}
	if unwritableDisk(err) {
		return fault.New(fault.Unavailable, "storage-full").Because(err)
	}
	if transient(err) || unreachable(err) {
		return fault.New(fault.Unavailable, "database-unavailable").Because(err)
	}
	return err
}

func (db *DB) once(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) (err error) {
	g, release, err := db.begin(ctx, db.write)
	if err != nil {
		return err
	}
	defer release()
	ctx, tx := db.begun(ctx, g)
	done := false
	defer func() {
		if !done {
			g.Rollback()
		}
	}()
	if err = db.fence.check(g, db.dialect); err != nil {
		return err
	}
	if err = fn(ctx, tx); err != nil {
		return err
	}
	done = true
	if err = g.Commit().Error; err != nil {
		return fmt.Errorf("store: commit: %w", err)
	}
	for _, f := range tx.after {
		f()
	}
	return nil
}

// How long a transaction that writes waits for its turn: for the connection
// that writes, then for a lock of another process. Both together stay below
// what a browser waits.
const (
	writerWait = 10 * time.Second
	busyMillis = "5000"
)

// begin starts a transaction on a connection of a pool. One that does not get a
// connection within writerWait is told so; it does not hang.
func (db *DB) begin(ctx context.Context, from *gorm.DB, o ...*sql.TxOptions) (*gorm.DB, func(), error) {
	pool, err := from.DB()
	if err != nil {
		return nil, nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, writerWait)
	conn, err := pool.Conn(waiting)
	cancel()
	if err != nil && waiting.Err() != nil && ctx.Err() == nil {
		return nil, nil, busy(err)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("store: begin: %w", err)
	}
	g := from.Session(&gorm.Session{Context: ctx, NewDB: true})
	g.Statement.ConnPool = conn
	g = g.Begin(o...)
	if g.Error != nil {
		_ = conn.Close()
		if errors.Is(g.Error, sqlite3.BUSY) {
			return nil, nil, busy(g.Error)
		}
		return nil, nil, fmt.Errorf("store: begin: %w", g.Error)
	}
	return g, func() { _ = conn.Close() }, nil // back to the pool
}

const busyCode = "database-busy"

func isBusy(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Code == busyCode
}

func busy(err error) error {
	return fault.New(fault.Unavailable, busyCode).Because(fmt.Errorf("store: the writer was not free in time: %w", err))
}

// begun gives the transaction that g is, in a context that carries it.
func (db *DB) begun(ctx context.Context, g *gorm.DB) (context.Context, *Tx) {
	tx := &Tx{dialect: db.dialect, guard: db.guard, began: db.guard.memory.begin()}
	ctx = context.WithValue(ctx, txKey{}, tx)
	tx.g = g.WithContext(ctx)
	return ctx, tx
}

// Read runs fn on a consistent snapshot that cannot write. Inside a Tx it
// joins it, so that a use case sees its own changes.
func (db *DB) Read(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	if tx, ok := ctx.Value(txKey{}).(*Tx); ok {
		return fn(ctx, tx)
	}
	g, release, err := db.begin(ctx, db.read, &sql.TxOptions{ReadOnly: true, Isolation: db.snapshot()})
	if err != nil {
		return db.lost(err)
	}
	defer release()
	defer g.Rollback()
	ctx, tx := db.begun(ctx, g)
	if err := fn(ctx, tx); err != nil {
		return db.lost(err)
	}
	for _, f := range tx.after {
		f()
	}
	return nil
}

func (db *DB) snapshot() sql.IsolationLevel {
	if db.dialect == Postgres {
		return sql.LevelRepeatableRead
	}
	return sql.LevelDefault
}
