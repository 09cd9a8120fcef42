package testkit

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// guardian runs a server and ends it when its standard input closes: when the
// test says so, and also when the test's process dies, however it dies. Unless
// it was told to keep them, it then removes the server's files.
const guardian = `signal=$1; dir=$2; shift 2
"$@" </dev/null &
pid=$!
last=$(cat)
kill -"$signal" "$pid" 2>/dev/null
wait "$pid"
[ "$last" = keep ] || rm -rf "$dir"`

// process is a server started for a test.
type process struct {
	cmd  *exec.Cmd
	hold *os.File // closing it ends the server
	log  string
}

// spawn starts a server whose files and log are in dir; signal is how it is
// asked to end.
func spawn(as *syscall.Credential, signal, dir string, argv ...string) (*process, error) {
	log := filepath.Join(dir, "log")
	out, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	cmd := exec.Command("sh", append([]string{"-c", guardian, "guardian", signal, dir}, argv...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = r, out, out
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: as}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return &process{cmd: cmd, hold: w, log: log}, nil
}

// stop ends the server and waits for it.
func (p *process) stop() error {
	if p == nil || p.hold == nil {
		return nil
	}
	_, err := p.hold.WriteString("keep")
	err = errors.Join(err, p.hold.Close())
	p.hold = nil
	var exit *exec.ExitError
	if werr := p.cmd.Wait(); werr != nil && !errors.As(werr, &exit) {
		err = errors.Join(err, werr)
	}
	return err
}

// failed explains why a server did not come up, with the end of its log.
func (p *process) failed(why error) error {
	tail, err := os.ReadFile(p.log)
	if err != nil {
		return why
	}
	if len(tail) > 2000 {
		tail = tail[len(tail)-2000:]
	}
	return fmt.Errorf("%w\n%s", why, tail)
}

// await asks ready every 10 ms until it answers nil, at most for d.
func await(d time.Duration, ready func() error) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(d)
	for {
		err := ready()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not after %s: %w", d, err)
		}
		<-tick.C
	}
}

// Eventually waits until ok answers true, at most for d. Use it only where
// nothing can be waited for directly.
func Eventually(t testing.TB, d time.Duration, what string, ok func() bool) {
	t.Helper()
	err := await(d, func() error {
		if ok() {
			return nil
		}
		return errors.New(what)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Receive waits for a value on a channel, at most for d.
func Receive[T any](t testing.TB, d time.Duration, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(d):
		t.Fatalf("%s did not come within %s", what, d)
		panic("unreachable")
	}
}

// servant is the user servers run as when the tests run as root; nil otherwise.
func servant(name string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
