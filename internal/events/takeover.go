package events

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"visavis/internal/store"
)

// lookEvery is how often a node looks for nodes that died.
const lookEvery = 15 * time.Second

// A node that is killed leaves jobs marked as running, and leadership of the
// queue, behind. The queue itself would wait 15 s for the leadership and 75 s
// or more for the jobs; takeover gives both back as soon as it is certain that
// their node is gone.
//
// On PostgreSQL each node holds a session lock in its own name: the server
// lets go of it when the connection of a dead process closes. A node that only
// lost its connection may see its running jobs worked twice, which facts
// (inbox) and jobs (Work) bear. On SQLite there is one process: what was
// running when it starts is of a dead one.
type takeover struct {
	db   *store.DB
	name string
	held *sql.Conn // PostgreSQL: the connection with our lock
	stop context.CancelFunc
	done chan struct{}
}

// lockKey is the PostgreSQL advisory lock of a node.
func lockKey(name string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("visavis.events." + name))
	return int64(h.Sum64())
}

// begin takes our own lock, then gives back what dead nodes held and lets what
// failed before be tried at once: a start may be the repair.
func (k *takeover) begin(ctx context.Context) error {
	pool, err := k.db.SQL()
	if err != nil {
		return err
	}
	k.done = make(chan struct{})
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	k.stop = stop
	if k.db.Dialect() == store.SQLite {
		close(k.done)
		return errors.Join(release(ctx, pool, ownedByAll), run(ctx, pool, "DELETE FROM river_leader"), hurry(ctx, pool, "datetime('now', 'subsec')"))
	}
	if k.held, err = pool.Conn(ctx); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	if _, err := k.held.ExecContext(ctx, "SELECT pg_advisory_lock($1)", lockKey(k.name)); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	if err := errors.Join(k.look(ctx, pool), hurry(ctx, pool, "now()")); err != nil {
		return err
	}
	go k.watch(background, pool)
	return nil
}

// watch looks for dead nodes until stop. A failed look is repeated: the queue's
// own rescue stands behind it.
func (k *takeover) watch(ctx context.Context, pool *sql.DB) {
	defer close(k.done)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = k.look(ctx, pool)
		}
	}
}

// end gives our lock back.
func (k *takeover) end() error {
	if k.stop == nil {
		return nil
	}
	k.stop()
	<-k.done
	if k.held == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	// A connection that broke gave the lock back already.
	_, _ = k.held.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", lockKey(k.name))
	err := k.held.Close()
	k.held = nil
	if errors.Is(err, sql.ErrConnDone) {
		return nil
	}
	return err
}

// look finds the nodes that hold jobs or the leadership and are gone.
func (k *takeover) look(ctx context.Context, pool *sql.DB) error {
	rows, err := pool.QueryContext(ctx, `SELECT attempted_by[cardinality(attempted_by)] FROM river_job WHERE state = 'running'
		UNION SELECT leader_id FROM river_leader`)
	if err != nil {
		return fmt.Errorf("events: %w", err)
	}
	var names []string
	for rows.Next() {
		var n sql.NullString
		if err := rows.Scan(&n); err != nil {
			return errors.Join(fmt.Errorf("events: %w", err), rows.Close())
		}
		if n.String != k.name {
			names = append(names, n.String)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	for _, name := range names {
		if err := k.bury(ctx, pool, name); err != nil {
			return err
		}
	}
	return nil
}

// bury gives back what a node held, when its lock is free.
func (k *takeover) bury(ctx context.Context, pool *sql.DB, name string) error {
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("events: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	var gone bool
	if err := tx.QueryRowContext(ctx, "SELECT pg_try_advisory_xact_lock($1)", lockKey(name)).Scan(&gone); err != nil || !gone {
		return err
	}
	if err := release(ctx, tx, "coalesce(attempted_by[cardinality(attempted_by)], '') = $1", name); err != nil {
		return err
	}
	if err := run(ctx, tx, "DELETE FROM river_leader WHERE leader_id = $1", name); err != nil {
		return err
	}
	return tx.Commit()
}

type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func run(ctx context.Context, x execer, query string, args ...any) error {
	if _, err := x.ExecContext(ctx, query, args...); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	return nil
}

const ownedByAll = "1 = 1"

// release makes running jobs due again. A kill is no failure of the job: it
// never uses up the attempts. Periodic jobs have one attempt and come back by
// themselves.
func release(ctx context.Context, x execer, whose string, args ...any) error {
	return errors.Join(
		run(ctx, x, "DELETE FROM river_job WHERE state = 'running' AND max_attempts = 1 AND "+whose, args...),
		run(ctx, x, `UPDATE river_job SET state = 'available',
			max_attempts = CASE WHEN attempt >= max_attempts AND max_attempts < 30000 THEN attempt + 1 ELSE max_attempts END
			WHERE state = 'running' AND `+whose, args...))
}

// hurry makes due what waits for another try after a failure.
func hurry(ctx context.Context, x execer, now string) error {
	return run(ctx, x, "UPDATE river_job SET state = 'available', scheduled_at = "+now+" WHERE state = 'retryable'")
}
