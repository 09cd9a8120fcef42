package testkit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the pgx driver of database/sql
)

// errNoPostgres says that the server is not on this machine.
var errNoPostgres = errors.New("no PostgreSQL server programs in PATH or /usr/lib/postgresql")

// PostgresServer is a server of our own with durable settings, reached through
// a socket that only this user can open.
type PostgresServer struct {
	bin  string
	dir  string
	as   *syscall.Credential
	proc *process
	made atomic.Int64
}

// StartPostgres makes a cluster in a temporary folder and starts it. It ends
// with Close, or with this process.
func StartPostgres() (*PostgresServer, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	as, err := servant("postgres")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "visavis-pg-")
	if err != nil {
		return nil, err
	}
	s := &PostgresServer{bin: bin, dir: dir, as: as}
	if as != nil {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", s.data(), "-U", "visavis", "-A", "trust", "-E", "UTF8",
		"--locale=C.UTF-8", "--no-sync", "--no-instructions")
	initdb.Dir = "/"
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("initdb: %w\n%s", err, out), s.Close())
	}
	if err := s.Start(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func postgresBin() (string, error) {
	if p, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(p), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errNoPostgres
	}
	slices.Sort(found)
	return filepath.Dir(found[len(found)-1]), nil
}

func (s *PostgresServer) data() string { return filepath.Join(s.dir, "data") }

// URL is the address of a database of this server.
func (s *PostgresServer) URL(database string) string {
	return "postgres:///" + database + "?" + url.Values{"host": {s.dir}, "user": {"visavis"}}.Encode()
}

// Start starts a stopped server and waits until it answers.
func (s *PostgresServer) Start() error {
	var err error
	s.proc, err = spawn(s.as, "INT", s.dir, filepath.Join(s.bin, "postgres"), "-D", s.data(),
		"-c", "listen_addresses=", "-c", "unix_socket_directories="+s.dir, "-c", "unix_socket_permissions=0700",
		"-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "full_page_writes=on",
		"-c", "max_connections=200", "-c", "shared_buffers=32MB", "-c", "checkpoint_timeout=1h", "-c", "max_wal_size=4GB", "-c", "timezone=UTC", "-c", "log_min_messages=warning")
	if err != nil {
		return err
	}
	err = await(30*time.Second, func() error { return s.exec("postgres", "SELECT 1") })
	if err != nil {
		return s.proc.failed(fmt.Errorf("PostgreSQL does not answer: %w", err))
	}
	return nil
}

// Stop ends the server at once, as an operator's fast restart does. The data stay.
func (s *PostgresServer) Stop() error { return s.proc.stop() }

// Close stops the server and removes its data.
func (s *PostgresServer) Close() error {
	return errors.Join(s.Stop(), os.RemoveAll(s.dir))
}

// Create makes a database, a copy of template when it is not empty, and
// returns its name.
func (s *PostgresServer) Create(template string) (name string, err error) {
	name = fmt.Sprintf("t%d", s.made.Add(1))
	q := "CREATE DATABASE " + name
	if template != "" {
		q += " TEMPLATE " + template
	}
	return name, s.exec("postgres", q)
}

func (s *PostgresServer) exec(database, query string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	db, err := sql.Open("pgx", s.URL(database))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, query)
	return errors.Join(err, db.Close())
}

// sharedPostgres is the one server of this test process, with a migrated
// template that tests copy.
var sharedPostgres = sync.OnceValues(func() (*PostgresServer, error) {
	s, err := StartPostgres()
	if err != nil {
		return nil, err
	}
	name, err := s.Create("")
	if err != nil {
		return nil, err
	}
	return s, errors.Join(prepare(s.URL(name), ""), s.exec("postgres", "ALTER DATABASE "+name+" RENAME TO template_visavis"))
})

// Postgres gives the URL of a fresh, migrated database of the shared server.
// It goes with the server: dropping it would cost a checkpoint each time.
func Postgres(t testing.TB) string {
	t.Helper()
	s := postgresOrSkip(t)
	name, err := s.Create("template_visavis")
	if err != nil {
		t.Fatal(err)
	}
	return s.URL(name)
}

// EmptyPostgres gives the URL of a database without any table.
func EmptyPostgres(t testing.TB) string {
	t.Helper()
	s := postgresOrSkip(t)
	name, err := s.Create("")
	if err != nil {
		t.Fatal(err)
	}
	return s.URL(name)
}

// OwnPostgres starts a server for one test, which may stop and start it.
func OwnPostgres(t testing.TB) *PostgresServer {
	t.Helper()
	s, err := StartPostgres()
	if errors.Is(err, errNoPostgres) {
		missing(t, "PostgreSQL", "postgresql")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func postgresOrSkip(t testing.TB) *PostgresServer {
	t.Helper()
	s, err := sharedPostgres()
	if errors.Is(err, errNoPostgres) {
		missing(t, "PostgreSQL", "postgresql")
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TwoRoles gives two addresses of one empty database: of the role that owns it,
// and of one that may connect and nothing else yet.
func TwoRoles(t testing.TB) (owner, application string) {
	t.Helper()
	s := postgresOrSkip(t)
	name, err := s.Create("")
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		"CREATE ROLE " + name + "_owner LOGIN", "CREATE ROLE " + name + "_app LOGIN",
		"ALTER DATABASE " + name + " OWNER TO " + name + "_owner",
	} {
		if err := s.exec("postgres", q); err != nil {
			t.Fatal(err)
		}
	}
	as := func(role string) string {
		return "postgres:///" + name + "?" + url.Values{"host": {s.dir}, "user": {name + role}}.Encode()
	}
	return as("_owner"), as("_app")
}
