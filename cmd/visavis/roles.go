package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"visavis/internal/clock"
	"visavis/internal/config"
	"visavis/internal/control"
	"visavis/internal/front"
	"visavis/internal/installation"
	"visavis/internal/limit"
	"visavis/signaling/local"
	"visavis/signaling/remote"
)

// supervised is set for the roles that a supervisor started.
const supervised = "VISAVIS_SUPERVISED"

// What a supervised role inherits.
const (
	lifelineFD = 3 // ends with the supervisor
	readyFD    = 4 // takes one byte when the role is up
	webFD      = 5 // app: the plain listener
)

// parented tells whether a supervisor looks after this process.
func parented() bool { return os.Getenv(supervised) != "" }

// obey gives the context that ends when the process is told to stop. A
// supervised role leaves Ctrl-C to its supervisor, and ends with it. The second
// signal ends the process as it is.
func obey() (context.Context, context.CancelFunc) {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if parented() {
		signals = signals[1:]
		signal.Ignore(os.Interrupt, syscall.SIGHUP, syscall.SIGUSR1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	context.AfterFunc(ctx, stop)
	if !parented() {
		return ctx, stop
	}
	ctx, cancel := context.WithCancel(ctx)
	lifeline := os.NewFile(lifelineFD, "lifeline")
	go func() {
		_, _ = io.Copy(io.Discard, lifeline) // until it ends
		cancel()
	}()
	return ctx, cancel
}

// isReady tells the supervisor, if any, that the role is up.
func isReady() error {
	if !parented() {
		return nil
	}
	f := os.NewFile(readyFD, "ready")
	_, err := f.Write([]byte{1})
	return errors.Join(err, f.Close())
}

// inherited is the plain listener that the supervisor keeps for app; nil
// without one.
func inherited(cfg *config.Config) (net.Listener, error) {
	if !parented() || cfg.Role != config.RoleApp {
		return nil, nil
	}
	f := os.NewFile(webFD, "web")
	l, err := net.FileListener(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("the supervisor's listener: %w", err)
	}
	return l, nil
}

// lane is what comes through the supervisor's door for this role; nil without a
// door, or where the process has its own.
func lane(cfg *config.Config, name string) (net.Listener, error) {
	if !parented() || !cfg.TLS.On() {
		return nil, nil
	}
	return front.Receive(filepath.Join(cfg.RunDir(), name))
}

// runFolder makes the folder of the sockets. One that is not in the data folder is
// where everybody may make folders: it must be ours.
func runFolder(cfg *config.Config) error {
	dir := cfg.RunDir()
	if filepath.Base(dir) == "run" {
		return os.MkdirAll(dir, 0o700)
	}
	return installation.PrivateFolder(dir)
}

// controlKey loads the key between the roles. It is made where all of them are
// of this machine, and at the first start of one that others may join; a key
// that went missing afterwards is not replaced in silence, for the other
// machines would not be answered any more.
func controlKey(cfg *config.Config) (control.Key, error) {
	own := cfg.Control.KeyFile == filepath.Join(cfg.DataDir, "keys", "control")
	apart := cfg.Control.Listen != "" || len(cfg.Control.Nodes) > 0
	shared := cfg.RedisURL != "" && installation.Begun(cfg.DataDir)
	key, err := control.LoadKey(cfg.Control.KeyFile, own && !apart && !shared)
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%w: copy it from a machine that has it, or make one for all of them (openssl rand -hex 32, mode 0600)", err)
	}
	return key, err
}

// socket is where the media role of this machine hears its app.
func socket(cfg *config.Config) string { return "unix:" + filepath.Join(cfg.RunDir(), "media") }

// serveMedia is the media role: it carries calls until ctx ends, then lets them
// move elsewhere for as long as cfg says.
func serveMedia(ctx context.Context, cfg *config.Config, log *slog.Logger) error {
	log = log.With("role", config.RoleMedia)
	if err := runFolder(cfg); err != nil {
		return err
	}
	key, err := controlKey(cfg)
	if err != nil {
		return err
	}
	streams, closers, err := relayStreams(cfg, log)
	if err != nil {
		return err
	}
	carrier, err := openMedia(cfg, streams, clock.System{}, log)
	if err != nil {
		return errors.Join(err, closers())
	}
	addr := cfg.Control.Listen
	if addr == "" {
		addr = socket(cfg)
	}
	node, err := remote.OpenNode(remote.NodeConfig{Addr: addr, Key: key, Carrier: carrier, Keep: cfg.Control.Keep, Log: log})
	if err != nil {
		return errors.Join(err, carrier.Close(context.Background()), closers())
	}
	leased, err := announce(cfg, node, log)
	if err == nil {
		err = isReady()
	}
	if err == nil {
		<-ctx.Done()
	}
	return errors.Join(err, endMedia(cfg, node, carrier, log), leased(), closers())
}

// handOver is how long a media role that another one follows at once waits for
// its calls to move to a third.
const handOver = 2 * time.Minute

// endMedia drains in the steps of trust B12 and closes: no new room from now on;
// calls go on until the soft deadline and then move; what is left at the hard one
// ends. Where a supervisor starts the next media at once there is nothing to go
// on for: calls move now, or come back to the next one. A second signal ends the
// process before.
func endMedia(cfg *config.Config, node *remote.Node, carrier *local.Carrier, log *slog.Logger) error {
	soft, hard := cfg.Control.DrainSoft, cfg.Control.DrainHard
	if parented() {
		soft, hard = 0, handOver
	}
	began := time.Now()
	draining, cancel := context.WithTimeout(context.Background(), hard)
	defer cancel()
	empty := node.Drain(draining, soft, !parented())
	log.Info("media: drained", "empty", empty, "after", time.Since(began).Round(time.Millisecond))
	closing, cancel := context.WithTimeout(context.Background(), overdue)
	defer cancel()
	if empty {
		// Who moved gives its relay back; that is not waited for for long.
		_ = carrier.Drain(closing)
	}
	closing, cancel = context.WithTimeout(context.Background(), overdue)
	defer cancel()
	return errors.Join(node.Close(closing), carrier.Close(closing))
}

// relayStreams are TURN's streams over TLS: from the supervisor's door, or from
// a door of the media role's own.
func relayStreams(cfg *config.Config, log *slog.Logger) ([]net.Listener, func() error, error) {
	none := func() error { return nil }
	if !cfg.TLS.On() {
		return nil, none, nil
	}
	if parented() {
		l, err := lane(cfg, "relay")
		return []net.Listener{l}, none, err // TURN closes it
	}
	door, err := openDoor(cfg, log)
	if err != nil {
		return nil, none, err
	}
	return []net.Listener{door.Relay()}, func() error { return errors.Join(door.Web().Close(), door.Close()) }, nil
}

// announce keeps a lease in Redis where other machines may reach the node; the
// function it gives ends that.
func announce(cfg *config.Config, node *remote.Node, log *slog.Logger) (func() error, error) {
	none := func() error { return nil }
	if cfg.RedisURL == "" || cfg.Control.Listen == "" {
		return none, nil
	}
	_, port, err := net.SplitHostPort(node.Addr())
	if err != nil {
		return none, err
	}
	rdb, err := limit.Connect(cfg.RedisURL.Value())
	if err != nil {
		return none, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		node.Announce(ctx, rdb, net.JoinHostPort(cfg.Media.Host, port), log)
	}()
	return func() error {
		cancel()
		<-done
		return rdb.Close()
	}, nil
}

// reach makes the way to the media roles: the one of this machine, those that
// are named, and those that share our Redis.
func (f *foundation) reach() (*remote.Pool, error) {
	key, err := controlKey(f.cfg)
	if err != nil {
		return nil, err
	}
	c := remote.PoolConfig{Key: key, Nodes: f.cfg.Control.Nodes, Followed: f.db.Followed, Log: f.log}
	if f.cfg.Control.Listen == "" && (parented() || len(c.Nodes) == 0 && f.redis == nil) {
		c.Nodes = append(c.Nodes, socket(f.cfg))
	}
	if f.redis != nil {
		c.Find = remote.Registered(f.redis)
	}
	return remote.NewPool(c), nil
}
