package store_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// holder opens a database as a process that serves.
func holder(t *testing.T, o store.Options) *store.DB {
	t.Helper()
	ctx := context.Background()
	db, err := store.Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	m, err := db.Mark(ctx)
	if err == nil && m.Name == "" {
		err = db.SetMark(ctx, store.Mark{Name: "n", KeyName: "k"}, time.Now())
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Lock(ctx), db.Hold(ctx, store.Myself(time.Now()))); err != nil {
		t.Fatal(err)
	}
	return db
}

// TestHold_FormerIsCutOff: a process that stands still in the middle of a write, and loses the connection of its lock, is
// followed within a bounded time; when it goes on, none of its statements runs, those beside our transactions (the job queue)
// included, and it is told.
func TestHold_FormerIsCutOff(t *testing.T) {
	url := testkit.EmptyPostgres(t)
	former := holder(t, store.Options{URL: url})
	pool, err := former.SQL()
	if err != nil {
		t.Fatal(err)
	}
	beside, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	still, going := make(chan struct{}), make(chan struct{})
	written := make(chan error, 1)
	go func() {
		written <- former.Tx(context.Background(), func(_ context.Context, tx *store.Tx) error {
			err := tx.G().Exec("UPDATE installation SET probed = 7 WHERE id = 1").Error
			close(still)
			<-going
			if err == nil {
				err = tx.G().Exec("UPDATE installation SET probed = 8 WHERE id = 1").Error
			}
			return err
		})
	}()
	<-still
	if _, err := beside.Exec("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 0 AND objsubid = 2 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	next := holder(t, store.Options{URL: url})
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the next one waited for %v", took)
	}
	close(going)
	if err := testkit.Receive(t, 10*time.Second, "the end of the write", written); err == nil {
		t.Error("the former wrote")
	}
	if _, err := pool.Exec("UPDATE installation SET probed = 9 WHERE id = 1"); !errors.Is(err, store.ErrFenced) {
		t.Errorf("a statement of the job queue: %v", err)
	}
	if err := former.Tx(context.Background(), func(context.Context, *store.Tx) error { return nil }); !errors.Is(err, store.ErrFenced) {
		t.Errorf("a transaction: %v", err)
	}
	if err := former.Read(context.Background(), func(context.Context, *store.Tx) error { return nil }); !errors.Is(err, store.ErrFenced) {
		t.Errorf("a read: %v", err)
	}
	select {
	case <-former.Fenced():
	case <-time.After(5 * time.Second):
		t.Error("the former is not told")
	}
	if !former.Followed(context.Background()) || next.Followed(context.Background()) {
		t.Error("who follows whom is not known")
	}
	var probed int64
	if err := beside.QueryRow("SELECT probed FROM installation WHERE id = 1").Scan(&probed); err != nil || probed == 7 || probed == 8 || probed == 9 {
		t.Errorf("written: %d %v", probed, err)
	}
	if err := next.ProbeWriter(context.Background(), time.Now()); err != nil {
		t.Errorf("the next one: %v", err)
	}
}

// TestHold_FormerOnSQLite: a process whose folder lock was lost, as on a shared disk, and which another one followed, writes no
// more: SQLite cuts no connection, so each transaction asks.
func TestHold_FormerOnSQLite(t *testing.T) {
	o := store.Options{DataDir: testkit.SQLite(t), Key: testkit.SQLiteKey()}
	former := holder(t, o)
	write := func(db *store.DB) error { return db.ProbeWriter(context.Background(), time.Now()) }
	if err := write(former); err != nil {
		t.Fatal(err)
	}
	next := holder(t, o)
	if err := write(former); !errors.Is(err, store.ErrFenced) {
		t.Errorf("the former writes: %v", err)
	}
	testkit.Receive(t, 5*time.Second, "what tells the former", former.Fenced())
	if err := write(next); err != nil {
		t.Errorf("the next one: %v", err)
	}
}

// TestTx_LockOfAnotherSession: a table that another session locks makes a write and a read wait for a bounded time, then
// both say that the database is busy; what waits is named meanwhile, and all is well when the lock is gone.
func TestTx_LockOfAnotherSession(t *testing.T) {
	url := testkit.EmptyPostgres(t)
	ctx := context.Background()
	db, err := store.Open(ctx, store.Options{URL: url + "&lock_timeout=700"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	other, err := store.Open(ctx, store.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var bound string
	if err := other.Tx(ctx, func(_ context.Context, tx *store.Tx) error { return tx.G().Raw("SHOW lock_timeout").Row().Scan(&bound) }); err != nil || bound != "8s" {
		t.Errorf("without a setting a lock is waited for %q, %v", bound, err)
	}
	uses := map[string]func() error{
		"write": func() error {
			return db.Tx(ctx, func(_ context.Context, tx *store.Tx) error { return tx.G().Exec("DELETE FROM events").Error })
		},
		"read": func() error {
			return db.Read(ctx, func(_ context.Context, tx *store.Tx) error {
				var n int
				return tx.G().Raw("SELECT count(*) FROM events").Row().Scan(&n)
			})
		},
	}
	if text, err := db.Blocked(ctx, 0); text != "" || err != nil {
		t.Errorf("before: %q %v", text, err)
	}
	err = other.Tx(ctx, func(_ context.Context, tx *store.Tx) error {
		if err := tx.G().Exec("LOCK TABLE events IN ACCESS EXCLUSIVE MODE").Error; err != nil {
			return err
		}
		for what, use := range uses {
			began, done := time.Now(), make(chan error, 1)
			go func() { done <- use() }()
			testkit.Eventually(t, 5*time.Second, "the wait is named", func() bool {
				text, err := db.Blocked(ctx, 100*time.Millisecond)
				return err == nil && strings.Contains(text, "1 statements wait for a lock")
			})
			err := testkit.Receive(t, 5*time.Second, "the end of the "+what, done)
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Unavailable || f.Code != "database-busy" {
				t.Errorf("%s: %v", what, err)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("%s: waited for %v", what, took)
			}
			if text, err := db.Blocked(ctx, 0); !strings.Contains(text, "in vain") || err != nil {
				t.Errorf("afterwards: %q %v", text, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for what, use := range uses {
		if err := use(); err != nil {
			t.Errorf("%s, without the lock: %v", what, err)
		}
	}
}

// TestRead_WaitsForAConnection: when every connection is taken, a read waits for a bounded time too.
func TestRead_WaitsForAConnection(t *testing.T) {
	if testing.Short() {
		t.Skip("waits as long as a person does")
	}
	t.Parallel()
	db, err := store.Open(context.Background(), store.Options{URL: testkit.EmptyPostgres(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	pool, err := db.SQL()
	if err != nil {
		t.Fatal(err)
	}
	pool.SetMaxOpenConns(1)
	conn, err := pool.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	began := time.Now()
	err = db.Read(context.Background(), func(context.Context, *store.Tx) error { return nil })
	if fault.KindOf(err) != fault.Unavailable || time.Since(began) > 15*time.Second {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
}
