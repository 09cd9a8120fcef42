package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"visavis/internal/fault"
	"visavis/internal/store"
	"visavis/internal/testkit"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/ncruces/go-sqlite3"
)

// things is a table of the tests: a unique name, and a parent checked at commit.
const things = `CREATE TABLE things (
	id     BIGINT PRIMARY KEY,
	name   TEXT NOT NULL UNIQUE,
	parent BIGINT REFERENCES things (id) DEFERRABLE INITIALLY DEFERRED
)`

func each(t *testing.T, test func(t *testing.T, db *store.DB)) {
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		pool, err := db.SQL()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pool.Exec(things); err != nil {
			t.Fatal(err)
		}
		test(t, db)
	})
}

func insert(tx *store.Tx, id int, name string) error {
	return tx.G().Exec("INSERT INTO things (id, name) VALUES (?, ?)", id, name).Error
}

func count(t *testing.T, db *store.DB) int {
	t.Helper()
	var n int
	err := db.Read(context.Background(), func(_ context.Context, tx *store.Tx) error {
		return tx.G().Raw("SELECT count(*) FROM things").Scan(&n).Error
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Text that PostgreSQL cannot hold is the caller's mistake, not a failure of ours.
func TestTextNoDatabaseCanHold(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		for _, text := range []string{"a\x00b", "a\xffb"} {
			for name, run := range map[string]func(context.Context, func(context.Context, *store.Tx) error) error{"read": db.Read, "write": db.Tx} {
				err := run(context.Background(), func(_ context.Context, tx *store.Tx) error {
					var n int
					return tx.G().Raw("SELECT count(*) FROM things WHERE name = ?", text).Scan(&n).Error
				})
				if err != nil && fault.KindOf(err) != fault.Malformed {
					t.Errorf("%s of %q: %v", name, text, err)
				}
			}
		}
	})
}

func TestTxCommitsOrLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		if err := db.Tx(ctx, func(_ context.Context, tx *store.Tx) error { return insert(tx, 1, "a") }); err != nil {
			t.Fatal(err)
		}
		refusal := errors.New("refused by a rule")
		after := false
		err := db.Tx(ctx, func(_ context.Context, tx *store.Tx) error {
			tx.AfterCommit(func() { after = true })
			return errors.Join(insert(tx, 2, "b"), refusal)
		})
		if !errors.Is(err, refusal) || after {
			t.Errorf("err = %v, after commit ran: %v", err, after)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_ = db.Tx(ctx, func(_ context.Context, tx *store.Tx) error {
				if err := insert(tx, 3, "c"); err != nil {
					t.Error(err)
				}
				panic("a defect")
			})
		}()
		if n := count(t, db); n != 1 {
			t.Errorf("%d rows, want 1", n)
		}
	})
}

func TestTxJoinsTheTransactionOfItsContext(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		refusal := errors.New("outer refuses")
		var order []string
		outer := func(end error) error {
			return db.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error {
				err := db.Tx(ctx, func(ctx context.Context, inner *store.Tx) error {
					if inner != tx {
						t.Error("the inner transaction is another one")
					}
					inner.AfterCommit(func() { order = append(order, "after commit") })
					return insert(inner, 1, "a")
				})
				if err != nil {
					return err
				}
				err = db.Read(ctx, func(_ context.Context, r *store.Tx) error {
					var n int
					if err := r.G().Raw("SELECT count(*) FROM things").Scan(&n).Error; err != nil || n != 1 {
						return fmt.Errorf("a use case does not see its own change: %d %w", n, err)
					}
					return nil
				})
				order = append(order, "body")
				return errors.Join(err, end)
			})
		}
		if err := outer(refusal); !errors.Is(err, refusal) {
			t.Fatal(err)
		}
		if n := count(t, db); n != 0 {
			t.Errorf("%d rows of a rolled back outer transaction", n)
		}
		if err := outer(nil); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(order, ", "); got != "body, body, after commit" {
			t.Errorf("order: %s", got)
		}
	})
}

// TestFailedCommitIsAnError breaks a constraint that only the commit checks.
func TestFailedCommitIsAnError(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		after := false
		err := db.Tx(context.Background(), func(_ context.Context, tx *store.Tx) error {
			tx.AfterCommit(func() { after = true })
			return tx.G().Exec("INSERT INTO things (id, name, parent) VALUES (1, 'a', 99)").Error
		})
		if err == nil || after {
			t.Errorf("a failed commit was reported as success: %v, after commit ran: %v", err, after)
		}
		if err := db.Tx(context.Background(), func(_ context.Context, tx *store.Tx) error { return insert(tx, 2, "b") }); err != nil {
			t.Errorf("the next transaction is hurt: %v", err)
		}
		if n := count(t, db); n != 1 {
			t.Errorf("%d rows, want 1", n)
		}
	})
}

// TestSwallowedErrorIsNotSuccess: on PostgreSQL a failed statement dooms the
// transaction; a service that forgets it must not be told that it committed.
func TestSwallowedErrorIsNotSuccess(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		err := db.Tx(context.Background(), func(_ context.Context, tx *store.Tx) error {
			if err := insert(tx, 1, "a"); err != nil {
				return err
			}
			_ = insert(tx, 1, "a again")
			return nil
		})
		kept := count(t, db) == 1
		if kept != (err == nil) {
			t.Errorf("row kept: %v, error: %v", kept, err)
		}
	})
}

func TestReadCannotWrite(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		for name, write := range map[string]func(ctx context.Context, tx *store.Tx) error{
			"directly": func(_ context.Context, tx *store.Tx) error { return insert(tx, 1, "a") },
			"through a joined Tx": func(ctx context.Context, _ *store.Tx) error {
				return db.Tx(ctx, func(_ context.Context, tx *store.Tx) error { return insert(tx, 1, "a") })
			},
		} {
			if err := db.Read(context.Background(), write); err == nil {
				t.Errorf("a read-only transaction wrote %s", name)
			}
		}
		if n := count(t, db); n != 0 {
			t.Errorf("%d rows", n)
		}
	})
}

func TestReadIsOneSnapshot(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		err := db.Read(ctx, func(_ context.Context, tx *store.Tx) error {
			var before, then int
			if err := tx.G().Raw("SELECT count(*) FROM things").Scan(&before).Error; err != nil {
				return err
			}
			if err := db.Tx(ctx, func(_ context.Context, w *store.Tx) error { return insert(w, 1, "a") }); err != nil {
				return err
			}
			if err := tx.G().Raw("SELECT count(*) FROM things").Scan(&then).Error; err != nil {
				return err
			}
			if before != 0 || then != 0 {
				t.Errorf("the snapshot moved: %d then %d", before, then)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := count(t, db); n != 1 {
			t.Errorf("%d rows", n)
		}
	})
}

func TestDuplicate(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		add := func(id int, name string) error {
			return db.Tx(ctx, func(_ context.Context, tx *store.Tx) error { return insert(tx, id, name) })
		}
		if err := add(1, "a"); err != nil {
			t.Fatal(err)
		}
		for what, err := range map[string]error{"primary key": add(1, "b"), "unique": add(2, "a")} {
			if name, ok := store.Duplicate(err); !ok || !strings.Contains(name, "things") {
				t.Errorf("%s: Duplicate(%v) = %q, %v", what, err, name, ok)
			}
		}
		foreign := db.Tx(ctx, func(_ context.Context, tx *store.Tx) error {
			return tx.G().Exec("INSERT INTO things (id, name, parent) VALUES (3, NULL, NULL)").Error
		})
		if _, ok := store.Duplicate(foreign); ok || foreign == nil {
			t.Errorf("a null is no duplicate: %v", foreign)
		}
		if _, ok := store.Duplicate(nil); ok {
			t.Error("no error is no duplicate")
		}
	})
}

// TestTransientFailuresAreRetried is D9: 5 % of the tries fail as a database
// under load fails, in the body; every call must succeed within three tries, with
// exactly one effect.
func TestTransientFailuresAreRetried(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		injected := []error{&pgconn.PgError{Code: "40001"}, &pgconn.PgError{Code: "40P01"}, sqlite3.BUSY, sqlite3.BUSY_SNAPSHOT}
		random := rand.New(rand.NewPCG(1, 2))
		const calls = 300
		failed, tries := 0, 0
		for i := range calls {
			err := db.Tx(context.Background(), func(_ context.Context, tx *store.Tx) error {
				tries++
				if err := insert(tx, i, fmt.Sprint(i)); err != nil {
					return err
				}
				if random.IntN(20) == 0 {
					return fmt.Errorf("store of a module: %w", injected[random.IntN(len(injected))])
				}
				return nil
			})
			if err != nil {
				failed++
			}
		}
		if failed > 0 || tries == calls {
			t.Errorf("%d of %d calls failed, %d tries", failed, calls, tries)
		}
		if n := count(t, db); n != calls-failed {
			t.Errorf("%d rows, want %d", n, calls-failed)
		}
	})
}

func TestTriesAreBounded(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		tries := 0
		err := db.Tx(context.Background(), func(context.Context, *store.Tx) error {
			tries++
			return &pgconn.PgError{Code: "40001"}
		})
		if tries != 3 || fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%d tries, %v", tries, err)
		}
		tries = 0
		err = db.Tx(context.Background(), func(context.Context, *store.Tx) error {
			tries++
			return fault.New(fault.Conflict, "slot-taken").Because(&pgconn.PgError{Code: "23P01"})
		})
		if tries != 1 || fault.KindOf(err) != fault.Conflict {
			t.Errorf("a refusal was tried %d times: %v", tries, err)
		}
	})
}

// TestRealDeadlocksResolve makes writers take two rows in opposite orders.
func TestRealDeadlocksResolve(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		err := db.Tx(ctx, func(_ context.Context, tx *store.Tx) error {
			return errors.Join(insert(tx, 1, "a"), insert(tx, 2, "b"))
		})
		if err != nil {
			t.Fatal(err)
		}
		var tries atomic.Int32
		both := make(chan struct{}) // closed once each has its first row
		var first sync.WaitGroup
		first.Add(2)
		go func() { first.Wait(); close(both) }()
		var g sync.WaitGroup
		for _, order := range [][2]int{{1, 2}, {2, 1}} {
			g.Go(func() {
				alone := true
				err := db.Tx(ctx, func(_ context.Context, tx *store.Tx) error {
					tries.Add(1)
					if err := tx.G().Exec("UPDATE things SET parent = NULL WHERE id = ?", order[0]).Error; err != nil {
						return err
					}
					if alone && db.Dialect() == store.Postgres {
						alone = false
						first.Done()
						<-both
					}
					return tx.G().Exec("UPDATE things SET parent = NULL WHERE id = ?", order[1]).Error
				})
				if err != nil {
					t.Errorf("%v: %v", order, err)
				}
			})
		}
		if db.Dialect() == store.SQLite {
			first.Add(-2)
		}
		g.Wait()
		if db.Dialect() == store.Postgres && tries.Load() < 3 {
			t.Errorf("%d tries: there was no deadlock, the test proves nothing", tries.Load())
		}
	})
}

func TestPostgresRestartIsUnavailableThenHeals(t *testing.T) {
	s := testkit.OwnPostgres(t)
	ctx := context.Background()
	db, err := store.Open(ctx, store.Options{URL: s.URL("postgres")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, started := range []bool{false, true} {
		err := db.Tx(ctx, func(_ context.Context, tx *store.Tx) error {
			if started {
				// The connection dies under a transaction that has begun.
				if err := s.Stop(); err != nil {
					t.Error(err)
				}
			} else if err := tx.G().Exec("SELECT pg_terminate_backend(pg_backend_pid())").Error; err != nil {
				return err
			}
			return tx.G().Exec("SELECT 1").Error
		})
		if fault.KindOf(err) != fault.Unavailable {
			t.Errorf("server stopped %v: %v is not Unavailable", started, err)
		}
	}
	for what, call := range map[string]func(context.Context, func(context.Context, *store.Tx) error) error{"Tx": db.Tx, "Read": db.Read} {
		err := call(ctx, func(context.Context, *store.Tx) error { return nil })
		if fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s without a server: %v", what, err)
		}
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if err := db.Tx(ctx, func(_ context.Context, tx *store.Tx) error { return tx.G().Exec("SELECT 1").Error }); err != nil {
		t.Errorf("after the restart: %v", err)
	}
}

func TestOpenRefusesAServerThatMayLoseCommits(t *testing.T) {
	url := testkit.Postgres(t)
	for _, setting := range []string{"synchronous_commit"} {
		_, err := store.Open(context.Background(), store.Options{URL: url + "&" + setting + "=off"})
		if err == nil || !strings.Contains(err.Error(), setting) {
			t.Errorf("%s=off: %v", setting, err)
		}
	}
}

func TestOpenNeverTellsSecrets(t *testing.T) {
	dir := testkit.SQLite(t)
	wrong := []byte(strings.Repeat("k", 32))
	for what, o := range map[string]store.Options{
		"no server": {URL: "postgres://visavis:hunter2@127.0.0.1:1/visavis"},
		"bad url":   {URL: "postgres://visavis:hunter2@%zz/visavis"},
		"wrong key": {DataDir: dir, Key: wrong},
		"short key": {DataDir: dir, Key: []byte("hunter2")},
	} {
		db, err := store.Open(context.Background(), o)
		if err == nil {
			_ = db.Close()
			t.Errorf("%s: opened", what)
			continue
		}
		for _, secret := range []string{"hunter2", fmt.Sprintf("%x", wrong), "kkkk"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the error tells a secret: %v", what, err)
			}
		}
	}
}

func TestSQLiteFileIsPrivateAndUnreadable(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	db, err := store.Open(context.Background(), store.Options{DataDir: dir, Key: testkit.SQLiteKey()})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("data folder mode %v", info.Mode())
	}
	raw, err := os.ReadFile(filepath.Join(dir, "visavis.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"SQLite format 3", "CREATE TABLE", "seal_keys"} {
		if strings.Contains(string(raw), word) {
			t.Errorf("the file holds %q in clear", word)
		}
	}
}

func TestTimesRoundTrip(t *testing.T) {
	for _, at := range []time.Time{{}, time.UnixMicro(1), time.Date(1907, 2, 3, 4, 5, 6, 7000, time.UTC), testkit.Morning()} {
		if got := store.Time(store.Micros(at)); !got.Equal(at) || got.Location() != time.UTC {
			t.Errorf("%v became %v", at, got)
		}
	}
}
