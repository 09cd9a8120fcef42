package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"visavis/internal/fault"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Tx is one transaction. Only store*.go files call G; a service passes the Tx
// on without looking inside.
type Tx struct {
	g       *gorm.DB
	dialect Dialect
	after   []func()
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
		if err = db.once(ctx, fn); err == nil || !transient(err) {
			break
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
	if transient(err) || unreachable(err) {
		return fault.New(fault.Unavailable, "database-unavailable").Because(err)
	}
	return err
}

func (db *DB) once(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) (err error) {
	g := db.write.WithContext(ctx).Begin()
	if g.Error != nil {
		return fmt.Errorf("store: begin: %w", g.Error)
	}
	tx := &Tx{g: g, dialect: db.dialect}
	done := false
	defer func() {
		if !done {
			g.Rollback()
		}
	}()
	if err = fn(context.WithValue(ctx, txKey{}, tx), tx); err != nil {
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

// Read runs fn on a consistent snapshot that cannot write. Inside a Tx it
// joins it, so that a use case sees its own changes.
func (db *DB) Read(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	if tx, ok := ctx.Value(txKey{}).(*Tx); ok {
		return fn(ctx, tx)
	}
	g := db.read.WithContext(ctx).Begin(&sql.TxOptions{ReadOnly: true, Isolation: db.snapshot()})
	if g.Error != nil {
		return db.lost(fmt.Errorf("store: begin: %w", g.Error))
	}
	defer g.Rollback()
	tx := &Tx{g: g, dialect: db.dialect}
	if err := fn(context.WithValue(ctx, txKey{}, tx), tx); err != nil {
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
