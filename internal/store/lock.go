package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"visavis/internal/fault"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"
)

// ErrHeld is wrapped by the refusal of a second process.
var ErrHeld = errors.New("another visavis is serving")

// ErrFenced is wrapped by every write of a process that another one followed.
var ErrFenced = errors.New("another visavis took over: this process writes no more")

// lockWait is how long a process that starts waits for the one before it to be
// gone.
const lockWait = 2 * time.Second

// Holder says who holds a lock, for the one who is refused.
type Holder struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
	Name  string    `json:"name,omitempty"` // of its connections to PostgreSQL
}

// Myself is this process as a holder.
func Myself(now time.Time) Holder {
	host, err := os.Hostname()
	if err != nil {
		host = "an unnamed host"
	}
	return Holder{PID: os.Getpid(), Host: host, Since: now.UTC().Truncate(time.Second)}
}

// String is the holder in words.
func (h Holder) String() string {
	if h.PID == 0 {
		return "a process that has not said who it is"
	}
	return fmt.Sprintf("process %d on %s, since %s", h.PID, h.Host, h.Since.Format(time.RFC3339))
}

// FolderLock is held by one process on a folder until Close or its death.
type FolderLock struct{ file *os.File }

// LockFolder takes the lock named name in a folder that exists. When another
// process has it, it waits up to two seconds; the refusal wraps ErrHeld.
func LockFolder(ctx context.Context, dir, name string, me Holder) (*FolderLock, error) {
	path := filepath.Join(dir, name)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fileFault(path, err)
	}
	err = waitFor(ctx, func() (bool, error) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return false, nil
		}
		return err == nil, err
	})
	if errors.Is(err, errWaited) {
		var h Holder
		raw, readErr := os.ReadFile(path)
		if readErr == nil {
			_ = json.Unmarshal(raw, &h) // half written: the name is unknown
		}
		err = fmt.Errorf("%w the data folder %s: %s. Stop it first: several are not supported", ErrHeld, dir, h)
	}
	if err == nil {
		err = writeHolder(f, me)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &FolderLock{f}, nil
}

func writeHolder(f *os.File, me Holder) error {
	raw, err := json.Marshal(me)
	if err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return fileFault(f.Name(), err)
	}
	if _, err := f.WriteAt(append(raw, '\n'), 0); err != nil {
		return fileFault(f.Name(), err)
	}
	return nil
}

// Close gives the lock back. A nil lock has nothing to give.
func (l *FolderLock) Close() error {
	if l == nil {
		return nil
	}
	return l.file.Close()
}

var errWaited = errors.New("waited in vain")

// waitFor tries until it works, fails, or lockWait is over (errWaited).
func waitFor(ctx context.Context, try func() (bool, error)) error {
	end := time.NewTimer(lockWait)
	defer end.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if done, err := try(); done || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-end.C:
			return errWaited
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// fence stops the writes of a process that another one followed. Its number is
// the generation that the database had when this process took over; 0 for a
// command that runs beside the server and is never fenced.
type fence struct {
	generation atomic.Int64
	once       *sync.Once
	lost       chan struct{}
}

func newFence() fence { return fence{once: &sync.Once{}, lost: make(chan struct{})} }

func (f *fence) end() { f.once.Do(func() { close(f.lost) }) }

// Fenced is closed when another process serves this database: the one that
// asks must end.
func (db *DB) Fenced() <-chan struct{} { return db.fence.lost }

// Numbers of the advisory locks of PostgreSQL: (lockClass, 0) is held by the
// process that serves, (lockClass, generation) shared by each transaction of a
// generation, and for good by the process that ended it.
const lockClass = 0x76697361

// check refuses the transaction of a former generation. On SQLite the
// transaction has the only write lock already. On PostgreSQL it takes a share
// of its generation, which Hold of the next process waits for: no write of the
// former comes after the first read of the next.
func (f *fence) check(g *gorm.DB, d Dialect) error {
	mine := f.generation.Load()
	if mine == 0 {
		return nil
	}
	var now int64
	open := true
	var err error
	if d == Postgres {
		err = g.Raw("SELECT pg_try_advisory_xact_lock_shared(?, ?::int4), (SELECT generation FROM installation WHERE id = 1)", lockClass, mine).Row().Scan(&open, &now)
	} else {
		err = g.Raw("SELECT generation FROM installation WHERE id = 1").Row().Scan(&now)
	}
	if err != nil {
		return fmt.Errorf("store: generation: %w", err)
	}
	if !open || now != mine {
		f.end()
		return fault.New(fault.Unavailable, "stopping").Because(ErrFenced)
	}
	return nil
}

// Lock takes the lock of the process that serves this database, and keeps it
// until Close or the death of the process. On SQLite there is nothing to do:
// LockFolder is the lock. The refusal of a second process wraps ErrHeld.
func (db *DB) Lock(ctx context.Context) error {
	if db.dialect == SQLite {
		return nil
	}
	l := &appLock{db: db}
	err := waitFor(ctx, func() (bool, error) { return l.try(ctx) })
	if errors.Is(err, errWaited) {
		m, markErr := Mark{}, error(nil)
		if c, err := db.Contents(ctx); err == nil && c.Marked {
			m, markErr = db.Mark(ctx)
		}
		var h Holder
		_ = json.Unmarshal([]byte(m.Holder), &h) // none yet: it is starting
		err = errors.Join(fmt.Errorf("%w this PostgreSQL database: %s. Stop it first: several are not supported", ErrHeld, h), markErr)
		return err
	}
	if err != nil {
		return err
	}
	db.lock = l
	return nil
}

// Hold makes this process the one whose writes count, from now on: it gives
// the database a new generation, and returns when no transaction of the former
// one is left. Call it with the locks held and the schema up to date.
func (db *DB) Hold(ctx context.Context, me Holder) error {
	me.Name = db.name
	raw, err := json.Marshal(me)
	if err != nil {
		return err
	}
	former := ""
	if db.lock != nil {
		if former, err = db.former(ctx); err == nil {
			err = db.lock.endNamed(ctx, former) // it may hold the row that is written below
		}
		if err != nil {
			return err
		}
	}
	var next int64
	err = db.Tx(ctx, func(_ context.Context, tx *Tx) error {
		if err := tx.g.Exec("UPDATE installation SET generation = generation + 1, holder = ?, held_since = ? WHERE id = 1", string(raw), Micros(me.Since)).Error; err != nil {
			return err
		}
		return tx.g.Raw("SELECT generation FROM installation WHERE id = 1").Row().Scan(&next)
	})
	if err != nil {
		return fmt.Errorf("store: take over: %w", db.explained(err))
	}
	if db.lock != nil {
		if err := errors.Join(db.lock.endFormer(ctx, next-1), db.lock.endNamed(ctx, former)); err != nil {
			return err
		}
		db.lock.watch(next)
	}
	db.fence.generation.Store(next)
	return nil
}

// ProbeWriter writes one row, to see whether writing works within ctx.
func (db *DB) ProbeWriter(ctx context.Context, now time.Time) error {
	return db.Tx(ctx, func(_ context.Context, tx *Tx) error {
		return tx.g.Exec("UPDATE installation SET probed = ? WHERE id = 1", Micros(now)).Error
	})
}

// Unlock gives back what Lock took; Close does it too.
func (db *DB) Unlock() error {
	if db.lock == nil {
		return nil
	}
	err := db.lock.close()
	db.lock = nil
	return err
}

// appLock is the advisory lock on a connection of its own.
type appLock struct {
	db   *DB
	conn *pgx.Conn
	held bool // on conn
	stop context.CancelFunc
	done chan struct{}
}

const (
	// watchEvery is how often the connection of the lock is tried, and how
	// often a lost one is asked for again.
	watchEvery = time.Second
	// formerWait is how long a transaction of the former holder may go on.
	formerWait = 500 * time.Millisecond
)

// try connects when needed, and asks for the lock once.
func (l *appLock) try(ctx context.Context) (held bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if l.conn == nil {
		conn, err := pgx.Connect(ctx, l.db.url)
		if err != nil {
			return false, errors.New("store: cannot reach PostgreSQL at DATABASE_URL: " + reason(err))
		}
		l.conn = conn
		// The server notices within 15 s that the machine of a holder is gone.
		if _, err := conn.Exec(ctx, "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 3; SET tcp_keepalives_count = 3"); err != nil {
			return false, errors.Join(fmt.Errorf("store: lock: %s", reason(err)), l.drop())
		}
	}
	if err := l.conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1, 0)", lockClass).Scan(&held); err != nil {
		return false, errors.Join(fmt.Errorf("store: lock: %s", reason(err)), l.drop())
	}
	l.held = held
	return held, nil
}

func (l *appLock) drop() error {
	if l.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = l.conn.Close(ctx) // it is broken already, or the server lets go
	l.conn, l.held = nil, false
	return nil
}

// endFormer waits until no transaction of a generation is left; what does not
// end by itself, as that of a process that stands still, is ended.
func (l *appLock) endFormer(ctx context.Context, generation int64) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	began := time.Now()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		var free bool
		if err := l.conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1, $2)", lockClass, int32(generation)).Scan(&free); err != nil {
			return fmt.Errorf("store: take over: %s", reason(err))
		}
		if free {
			return nil
		}
		if time.Since(began) > formerWait {
			_, err := l.conn.Exec(ctx, `SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
				WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.classid = $1 AND l.objid = $2 AND l.objsubid = 2 AND l.pid <> pg_backend_pid()`,
				lockClass, int32(generation))
			if err != nil {
				return fmt.Errorf("store: take over: the transactions of the process before go on: %s", reason(err))
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("store: take over: the transactions of the process before go on: %w", ctx.Err())
		}
	}
}

// watch keeps the lock from now on: a connection that broke, as when PostgreSQL
// restarts, is made again. Who finds another generation by then is followed.
func (l *appLock) watch(generation int64) {
	ctx, stop := context.WithCancel(context.Background())
	l.stop, l.done = stop, make(chan struct{})
	go func() {
		defer close(l.done)
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if !l.keep(ctx, generation) {
				l.db.fence.end()
				return
			}
		}
	}()
}

// keep answers false when another process has taken over.
func (l *appLock) keep(ctx context.Context, generation int64) bool {
	trying, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if l.held && l.conn.Ping(trying) == nil {
		return true
	}
	if l.held {
		_ = l.drop()
	}
	if _, err := l.try(trying); err != nil || l.conn == nil {
		return true // PostgreSQL is away: nobody else can have it either
	}
	var now int64
	err := l.conn.QueryRow(trying, "SELECT generation FROM installation WHERE id = 1").Scan(&now)
	return err != nil || now == generation
}

func (l *appLock) close() error {
	if l.stop != nil {
		l.stop()
		<-l.done
	}
	return l.drop()
}
