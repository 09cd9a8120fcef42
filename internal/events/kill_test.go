package events_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	osexec "os/exec"
	"testing"
	"time"

	"visavis/internal/clock"
	"visavis/internal/events"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

const (
	childURL = "VISAVIS_TEST_EVENTS_URL"
	childDir = "VISAVIS_TEST_EVENTS_DIR"
)

// TestDispatcherChild is the process that TestKilledDispatcher kills.
func TestDispatcherChild(t *testing.T) {
	url, dir := os.Getenv(childURL), os.Getenv(childDir)
	if url == "" && dir == "" {
		t.Skip("runs as a child of TestKilledDispatcher only")
	}
	ctx := context.Background()
	db, err := store.Open(ctx, store.Options{URL: url, DataDir: dir, Key: testkit.SQLiteKey(), RowKey: testkit.RowKey()})
	if err != nil {
		t.Fatal(err)
	}
	bus := events.New(db, clock.System{}, slog.New(slog.DiscardHandler))
	bus.On(events.ReportSigned, "test.a", func(_ context.Context, tx *store.Tx, e events.Event) error { return note(tx, e, "a") })
	bus.On(events.ReportSigned, "test.b", func(_ context.Context, tx *store.Tx, e events.Event) error { return note(tx, e, "b") })
	if err := errors.Join(bus.Open(ctx), bus.Start(ctx)); err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString("up\n")
	io.Copy(io.Discard, os.Stdin) // until the parent is gone
}

// TestKilledDispatcher is D11 in small: facts are delivered by a process that
// is killed again and again; each consumer's effect happens exactly once.
func TestKilledDispatcher(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for some seconds")
	}
	for _, dialect := range []store.Dialect{store.SQLite, store.Postgres} {
		t.Run(string(dialect), func(t *testing.T) {
			o := store.Options{Key: testkit.SQLiteKey(), RowKey: testkit.RowKey()}
			if dialect == store.SQLite {
				o.DataDir = testkit.SQLite(t)
			} else {
				o.URL = testkit.Postgres(t)
			}
			db, err := store.Open(context.Background(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			kill(t, db, o)
		})
	}
}

func kill(t *testing.T, db *store.DB, o store.Options) {
	const facts, kills = 400, 12
	pool, err := db.SQL()
	if err != nil {
		t.Fatal(err)
	}
	exec(t, db, ledger)
	bus := events.New(db, clock.System{}, slog.New(slog.DiscardHandler))
	for _, c := range []string{"test.a", "test.b"} {
		bus.On(events.ReportSigned, c, func(context.Context, *store.Tx, events.Event) error { return errors.New("not delivered here") })
	}
	if err := bus.Open(context.Background()); err != nil {
		t.Fatal(err)
	}
	err = db.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		for range facts {
			if err := bus.Publish(ctx, tx, events.ReportSigned, "x", events.Document{}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(11, 11))
	cut := 0 // kills that really fell into the work
	for k := range kills + 1 {
		began := time.Now()
		child := dispatcher(t, o)
		if k == kills {
			testkit.Eventually(t, 60*time.Second, "every fact delivered", func() bool {
				return effects(t, db, "a") >= facts && effects(t, db, "b") >= facts
			})
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("what the kills left was delivered %v after the start, not at once", took)
			}
		} else {
			<-time.After(time.Duration(random.IntN(300)) * time.Millisecond) // when the blow falls is the point
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait() // killed, as asked
		if n := effects(t, db, "a"); n > 0 && n < facts {
			cut++
		}
	}
	var doubled int
	if err := pool.QueryRow("SELECT count(*) FROM (SELECT 1 FROM ledger GROUP BY event, consumer HAVING count(*) > 1) d").Scan(&doubled); err != nil {
		t.Fatal(err)
	}
	if a, b := effects(t, db, "a"), effects(t, db, "b"); doubled > 0 || a != facts || b != facts {
		t.Errorf("%d facts: %d and %d effects, %d doubled", facts, a, b, doubled)
	}
	if cut == 0 {
		t.Error("no kill fell while facts were delivered: the test proves nothing")
	}
	t.Logf("%d kills, %d of them in the middle of the work", kills, cut)
}

func dispatcher(t *testing.T, o store.Options) *osexec.Cmd {
	t.Helper()
	child := osexec.Command(os.Args[0], "-test.run=^TestDispatcherChild$")
	child.Env = append(os.Environ(), childURL+"="+o.URL, childDir+"="+o.DataDir)
	if _, err := child.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	up := make([]byte, 3)
	if _, err := io.ReadFull(out, up); err != nil || string(up) != "up\n" {
		t.Fatalf("the dispatcher did not come up: %q %v", up, err)
	}
	return child
}
