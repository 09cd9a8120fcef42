package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"visavis/internal/config"
	"visavis/internal/front"
	"visavis/internal/store"
)

// The supervisor's patience.
const (
	againAfter = 50 * time.Millisecond // the first wait after a death; it doubles
	againMost  = 5 * time.Second
	steady     = 10 * time.Second // who lived that long is started again at once
	overdue    = 5 * time.Second  // on top of the time a role may take to stop
)

// supervisor runs this very program as two roles and starts them again when
// they die. It owns the addresses of the pages, so that nobody is turned away
// while app is away: requests wait for the next one.
type supervisor struct {
	cfg  *config.Config
	log  *slog.Logger
	exe  string
	args []string
	lock *store.FolderLock // one supervisor for each data folder
	web  *os.File          // the plain listener, handed to app
	door *front.Front
}

// supervise looks after an app and a media until ctx ends; app is told to stop
// first. A role that never comes up ends the other and is the error. SIGHUP has
// app stop and start again, from the binary that is there by then; SIGUSR1 media.
func supervise(ctx context.Context, cfg *config.Config, log *slog.Logger) error {
	s, err := newSupervisor(cfg, log)
	if err != nil {
		return err
	}
	defer s.close()
	again := make(chan os.Signal, 4)
	signal.Notify(again, syscall.SIGHUP, syscall.SIGUSR1)
	defer signal.Stop(again)

	media := &charge{sup: s, role: config.RoleMedia, limit: handOver + 2*overdue}
	app := &charge{sup: s, role: config.RoleApp, limit: cfg.Drain + overdue, files: []*os.File{s.web}}
	stopApp, endApp := context.WithCancelCause(ctx)
	stopMedia, endMedia := context.WithCancel(context.WithoutCancel(ctx))
	defer endMedia()
	defer endApp(nil)
	go func() {
		for sig := range again {
			if sig == syscall.SIGHUP {
				app.restart()
			} else {
				media.restart()
			}
		}
	}()
	var both sync.WaitGroup
	both.Go(func() { endApp(media.tend(stopMedia)) })
	failed := app.tend(stopApp)
	endMedia()
	both.Wait()
	signal.Stop(again)
	close(again)
	if why := context.Cause(stopApp); failed == nil && !errors.Is(why, context.Canceled) {
		failed = why
	}
	return failed
}

func newSupervisor(cfg *config.Config, log *slog.Logger) (*supervisor, error) {
	exe, err := os.Executable() // before somebody replaces it
	if err != nil {
		return nil, err
	}
	s := &supervisor{cfg: cfg, log: log, exe: exe, args: os.Args[1:]}
	if s.lock, err = lockSupervisor(cfg); err != nil {
		return nil, err
	}
	if err := s.listen(); err != nil {
		return nil, errors.Join(err, s.lock.Close())
	}
	return s, nil
}

// lockSupervisor refuses a second supervisor on a data folder before it starts
// a media role that would take calls from the first.
func lockSupervisor(cfg *config.Config) (*store.FolderLock, error) {
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := runFolder(cfg); err != nil {
		return nil, err
	}
	return store.LockFolder(context.Background(), cfg.DataDir, "supervisor.lock", store.Myself(time.Now()))
}

// listen opens what the roles hear on: the plain listener and the door.
func (s *supervisor) listen() error {
	cfg := s.cfg
	if _, err := controlKey(cfg); err != nil {
		return err
	}
	l, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen (VISAVIS_LISTEN): %w", err)
	}
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return fmt.Errorf("listen (VISAVIS_LISTEN): %T", l)
	}
	s.web, err = tcp.File()
	if err = errors.Join(err, l.Close()); err != nil {
		return err
	}
	if s.door, err = openDoor(cfg, s.log); err != nil {
		return errors.Join(err, s.web.Close())
	}
	if s.door != nil {
		go front.Pass(s.door.Web(), filepath.Join(cfg.RunDir(), "web"), s.log)
		go front.Pass(s.door.Relay(), filepath.Join(cfg.RunDir(), "relay"), s.log)
	}
	return nil
}

func (s *supervisor) close() {
	err := errors.Join(s.web.Close(), s.lock.Close())
	if s.door != nil {
		err = errors.Join(err, s.door.Close())
	}
	if err != nil {
		s.log.Warn("supervisor: closing", "err", err)
	}
}

// charge is one role that the supervisor looks after.
type charge struct {
	sup   *supervisor
	role  string
	limit time.Duration // from being told to stop to being killed
	files []*os.File    // from inheritedFrom on

	asked   atomic.Bool // to start again
	process atomic.Pointer[os.Process]
}

// restart tells the process to stop; tend starts the next one at once.
func (c *charge) restart() {
	c.asked.Store(true)
	if p := c.process.Load(); p != nil {
		_ = p.Signal(syscall.SIGTERM) // it has just ended by itself
		time.AfterFunc(c.limit, func() {
			if c.process.Load() == p {
				_ = p.Kill()
			}
		})
	}
}

// tend keeps the role running until ctx ends. It fails when the role never came
// up, and when another process serves the database by now.
func (c *charge) tend(ctx context.Context) error {
	wait, everReady := againAfter, false
	for {
		began := time.Now()
		ready, err := c.once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		everReady = everReady || ready
		if !everReady {
			return fmt.Errorf("%s did not come up: %w", c.role, err)
		}
		if ended := (*exec.ExitError)(nil); errors.As(err, &ended) && ended.ExitCode() == exitFenced {
			return fmt.Errorf("%s: %w: %w", c.role, store.ErrFenced, err)
		}
		if c.asked.Swap(false) || time.Since(began) > steady {
			wait = againAfter
		}
		c.sup.log.Warn("supervisor: a role ended and is started again", "role", c.role, "in", wait, "err", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
		wait = min(2*wait, againMost)
	}
}

// once starts the role and returns when it has ended: told to by ctx, or by
// itself. ready says whether it came up.
func (c *charge) once(ctx context.Context) (ready bool, err error) {
	lifeline, hold, err := os.Pipe() // the role ends when hold is closed, however that happens
	if err != nil {
		return false, err
	}
	defer hold.Close()
	said, say, err := os.Pipe()
	if err != nil {
		return false, errors.Join(err, lifeline.Close())
	}
	defer said.Close()
	cmd := exec.Command(c.sup.exe, append(c.sup.args[:len(c.sup.args):len(c.sup.args)], "--role="+c.role)...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr // one log, each line written whole
	cmd.ExtraFiles = append([]*os.File{lifeline, say}, c.files...)
	cmd.Env = append(environment(c.role), supervised+"=1")
	err = cmd.Start()
	if err = errors.Join(err, lifeline.Close(), say.Close()); err != nil {
		return false, err
	}
	c.process.Store(cmd.Process)
	ended := make(chan error, 1)
	up := make(chan bool, 1)
	go func() {
		n, _ := io.ReadFull(said, make([]byte, 1)) // nothing said: it ended before
		up <- n == 1
	}()
	go func() { ended <- cmd.Wait() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
		late := time.AfterFunc(c.limit, func() { _ = cmd.Process.Kill() })
		err = <-ended
		late.Stop()
	}
	c.process.Store(nil)
	return <-up, err
}

// environment is what a role inherits. The address of the owner of the tables
// is for app alone, which migrates.
func environment(role string) []string {
	if role == config.RoleApp {
		return os.Environ()
	}
	return slices.DeleteFunc(os.Environ(), func(setting string) bool { return strings.HasPrefix(setting, "DATABASE_OWNER_URL") })
}
