package events

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"visavis/internal/care"
	"visavis/internal/store"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"
)

const (
	// maxAttempts with the back-off below spans about a week for a fact and six
	// weeks for a job.
	maxAttempts = 1000
	// taskTimeout bounds one run. A run that was cut by a crash is taken up
	// again after rescueAfter.
	taskTimeout = 60 * time.Second
	rescueAfter = 75 * time.Second
)

// Facts have workers of their own: a mail server that does not answer holds up
// letters, never the act that a booking opens.
const (
	factQueue   = "facts"
	factWorkers = 8
	jobWorkers  = 8
)

// task is the one River job kind: a fact for a consumer, or a job of a kind.
type task struct {
	Event    string `json:"event,omitempty"`
	Consumer string `json:"consumer,omitempty"`
	Job      string `json:"job,omitempty"`
	Payload  string `json:"payload,omitempty"` // JSON, as it was written: the MAC covers its bytes
	// MAC tells that we asked for it: who can write to the queue's table alone
	// makes us do nothing.
	MAC string `json:"mac,omitempty"`
}

func (t task) parts() []string { return []string{t.Event, t.Consumer, t.Job, t.Payload} }

// signed gives a task its MAC.
func (b *Bus) signed(t task) (task, error) {
	var err error
	t.MAC, err = b.db.MAC("task", t.parts()...)
	return t, err
}

// Kind names the job for River; it is stored, so it never changes.
func (task) Kind() string { return "visavis.task" }

type worker struct {
	river.WorkerDefaults[task]
	bus *Bus
}

func (w *worker) Work(ctx context.Context, job *river.Job[task]) error {
	return w.bus.run(ctx, job.JobRow, job.Args)
}

// NextRetry of a job, which asks the outside world, waits up to one hour. A
// fact asks our own database only: what fails for longer than a minute is an
// outage, and people wait for the act and the letter when it is over.
func (w *worker) NextRetry(job *river.Job[task]) time.Time {
	most := time.Hour
	if job.Args.Event != "" {
		most = time.Minute
		if job.Attempt > 60 {
			most = 10 * time.Minute
		}
	}
	return time.Now().Add(backoff(job.Attempt, most))
}

// backoff waits 1 s, then twice as long each time, up to most.
func backoff(attempt int, most time.Duration) time.Duration {
	return min(most, time.Second<<min(max(attempt-1, 0), 20))
}

// client hides River's transaction type parameter.
type client struct {
	insert func(ctx context.Context, tx *sql.Tx, t task, o *river.InsertOpts) error
	start  func(ctx context.Context) error
	stop   func(ctx context.Context) error
}

// failures logs a failed run by its error's text: faults hold codes, not values.
type failures struct{ log *slog.Logger }

func (f failures) HandleError(_ context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	f.log.Warn("job failed, will retry", "job", job.ID, "attempt", job.Attempt, "error", err)
	return nil
}

func (f failures) HandlePanic(_ context.Context, job *rivertype.JobRow, v any, trace string) *river.ErrorHandlerResult {
	f.log.Error("job panicked, will retry", "job", job.ID, "attempt", job.Attempt, "panic", fmt.Sprintf("%T", v), "trace", trace)
	return nil
}

// MigrateQueue brings the queue's tables up to date. It needs the role that
// owns the tables.
func MigrateQueue(ctx context.Context, db *store.DB) error {
	pool, err := db.SQL()
	if err != nil {
		return err
	}
	if db.Dialect() == store.SQLite {
		m, err := rivermigrate.New(riversqlite.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			return fmt.Errorf("events: %w", err)
		}
		return migrateQueue(ctx, m)
	}
	m, err := rivermigrate.New(riverdatabasesql.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("events: %w", err)
	}
	return migrateQueue(ctx, m)
}

// migrateQueue writes nothing when the tables are up to date: the application
// role may only read the list of migrations.
func migrateQueue(ctx context.Context, m *rivermigrate.Migrator[*sql.Tx]) error {
	if r, err := m.Validate(ctx); err == nil && r.OK {
		return nil
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("events: queue tables: %w", store.NeedsOwner(err))
	}
	return nil
}

// Open prepares the queue's tables and lets transactions insert. It works
// nothing yet.
func (b *Bus) Open(ctx context.Context) error {
	pool, err := b.db.SQL()
	if err != nil {
		return err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker{bus: b})
	b.takeover = takeover{db: b.db, name: care.NewID(time.Now())}
	cfg := &river.Config{
		ID:                   b.takeover.name,
		Queues:               map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: jobWorkers}, factQueue: {MaxWorkers: factWorkers}},
		Workers:              workers,
		FetchCooldown:        50 * time.Millisecond,
		FetchPollInterval:    250 * time.Millisecond,
		JobTimeout:           taskTimeout,
		RescueStuckJobsAfter: rescueAfter,
		ErrorHandler:         failures{b.log},
		Logger:               slog.New(slog.DiscardHandler),
	}
	for _, t := range b.ticks {
		job, err := b.signed(task{Job: t.name})
		if err != nil {
			return err
		}
		cfg.PeriodicJobs = append(cfg.PeriodicJobs, river.NewPeriodicJob(
			river.PeriodicInterval(t.every),
			func() (river.JobArgs, *river.InsertOpts) { return job, &river.InsertOpts{MaxAttempts: 1} },
			&river.PeriodicJobOpts{RunOnStart: true}))
	}
	if b.db.Dialect() == store.SQLite {
		return open(ctx, b, riversqlite.New(pool), cfg)
	}
	return open(ctx, b, riverdatabasesql.New(pool), cfg)
}

func open(ctx context.Context, b *Bus, d riverdriver.Driver[*sql.Tx], cfg *river.Config) error {
	m, err := rivermigrate.New(d, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("events: %w", err)
	}
	if err := migrateQueue(ctx, m); err != nil {
		return err
	}
	c, err := river.NewClient(d, cfg)
	if err != nil {
		return fmt.Errorf("events: %w", err)
	}
	b.client = client{
		insert: func(ctx context.Context, tx *sql.Tx, t task, o *river.InsertOpts) error {
			_, err := c.InsertTx(ctx, tx, t, o)
			return err
		},
		start: c.Start,
		stop:  c.Stop,
	}
	return nil
}

// Start delivers facts and works jobs until Stop; first those that a process
// which was killed left behind.
func (b *Bus) Start(ctx context.Context) error {
	if err := b.takeover.begin(ctx); err != nil {
		return errors.Join(err, b.takeover.end())
	}
	return b.client.start(context.WithoutCancel(ctx))
}

// Stop waits for running jobs, at most until ctx ends.
func (b *Bus) Stop(ctx context.Context) error {
	return errors.Join(b.client.stop(ctx), b.takeover.end())
}
