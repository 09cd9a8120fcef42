package testkit

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// RedisServer is a real redis-server of one test, on a socket only it can open.
type RedisServer struct {
	bin  string
	dir  string
	proc *process
}

// StartRedis starts a server. It ends with Close, or with this process.
func StartRedis() (*RedisServer, error) {
	bin, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "visavis-redis-")
	if err != nil {
		return nil, err
	}
	s := &RedisServer{bin: bin, dir: dir}
	if err := s.Start(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *RedisServer) socket() string { return filepath.Join(s.dir, "redis.sock") }

// client never retries and obeys its context, so that tests see what happens.
func (s *RedisServer) client() *redis.Client {
	return redis.NewClient(&redis.Options{
		Network: "unix", Addr: s.socket(), MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
	})
}

// URL is the server's address, as REDIS_URL takes it.
func (s *RedisServer) URL() string { return "unix://" + s.socket() }

// Start starts a stopped server, empty, and waits until it answers.
func (s *RedisServer) Start() error {
	var err error
	s.proc, err = spawn(nil, "TERM", s.dir, s.bin, "--port", "0", "--unixsocket", s.socket(),
		"--unixsocketperm", "700", "--save", "", "--appendonly", "no", "--dir", s.dir)
	if err != nil {
		return err
	}
	err = await(30*time.Second, func() error {
		if _, err := os.Stat(s.socket()); err != nil {
			return err
		}
		c := s.client()
		return errors.Join(c.Ping(context.Background()).Err(), c.Close())
	})
	if err != nil {
		return s.proc.failed(fmt.Errorf("Redis does not answer: %w", err))
	}
	return nil
}

// Stop ends the server: callers see it gone.
func (s *RedisServer) Stop() error { return s.proc.stop() }

// Close stops the server and removes its folder.
func (s *RedisServer) Close() error { return errors.Join(s.Stop(), os.RemoveAll(s.dir)) }

// Hang stops the server from answering without closing its connections, until
// the returned function is called.
func (s *RedisServer) Hang(t testing.TB) (resume func()) {
	t.Helper()
	// The guardian and the server share a process group.
	group := -s.proc.cmd.Process.Pid
	if err := syscall.Kill(group, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := syscall.Kill(group, syscall.SIGCONT); err != nil {
			t.Error(err)
		}
	}
}

// Redis starts a server for a test, with a client that closes with it.
func Redis(t testing.TB) (*RedisServer, *redis.Client) {
	t.Helper()
	s, err := StartRedis()
	if errors.Is(err, exec.ErrNotFound) {
		missing(t, "Redis", "redis-server")
	}
	if err != nil {
		t.Fatal(err)
	}
	c := s.client()
	t.Cleanup(func() {
		if err := errors.Join(c.Close(), s.Close()); err != nil {
			t.Error(err)
		}
	})
	return s, c
}

// FreePort gives a TCP port of the loopback that nobody listens to now. Prefer
// to listen on port 0 where the code under test allows it.
func FreePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
