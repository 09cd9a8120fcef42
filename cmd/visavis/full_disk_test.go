package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"visavis/internal/health"
	"visavis/internal/testkit"
)

// insideDisk names the folder in which the test that runs in a mount namespace of its own has a small disk.
const insideDisk = "VISAVIS_TEST_FULL_DISK"

// TestHealth_FullDisk: with the data folder on a disk that fills up, readiness names the disk, bookings are refused with a
// sentence and never half done, whatever was acknowledged is there afterwards, and all is well when space returns.
func TestHealth_FullDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the program: not in -short")
	}
	disk := os.Getenv(insideDisk)
	if disk == "" {
		t.Parallel()
		cmd := exec.Command(os.Args[0], "-test.run=^TestHealth_FullDisk$", "-test.v")
		cmd.Env = append(os.Environ(), insideDisk+"="+t.TempDir())
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}}
		out, err := cmd.CombinedOutput()
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			t.Skipf("SKIPPED, NOT TESTED: this machine gives no mount namespace: %v", err)
		}
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	if err := syscall.Mount("disk", disk, "tmpfs", 0, "size=96m"); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", disk)
	r := newRig(t, "", "")
	r.becomes("storage-low", health.Degraded)
	free := r.slots("martin")
	people := 24
	if len(free) < people {
		t.Fatalf("%d free slots", len(free))
	}
	var bodies []map[string]any
	for n := range people {
		bodies = append(bodies, r.booking(free[n], n))
	}
	book := func(n int) *testkit.Answer {
		return r.home().Post("/api/appointments", bodies[n], testkit.Key(fmt.Sprintf("0190b5c0-0000-7000-8000-%012d", n)))
	}
	var kept []string
	acknowledged := func(a *testkit.Answer) {
		var made struct{ ID string }
		a.Want(http.StatusCreated).JSON(&made)
		kept = append(kept, made.ID)
	}
	acknowledged(book(0))

	stuff := filepath.Join(disk, "stuff")
	f, err := os.Create(stuff)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = io.Copy(f, rand.Reader); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	report := r.becomes("storage-full", health.Failing)
	if !strings.Contains(fmt.Sprint(report.Causes), disk) {
		t.Errorf("the disk is not named: %+v", report.Causes)
	}
	if out, _ := r.say("check"); !strings.Contains(out, "no space left") {
		t.Errorf("check: %s", out)
	}
	refused := map[int]bool{}
	for n := 1; n < people; n++ {
		began := time.Now()
		a := book(n)
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("an answer after %v", took)
		}
		if a.Status == http.StatusCreated {
			acknowledged(a) // there was room in the log of the database
			continue
		}
		a.Problem(http.StatusServiceUnavailable, "storage-full")
		if a.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		refused[n] = true
		if len(refused) == 3 {
			break
		}
	}
	if len(refused) == 0 {
		t.Error("a full disk refuses nothing")
	}
	if err := errors.Join(f.Close(), os.Remove(stuff)); err != nil {
		t.Fatal(err)
	}
	r.becomes("storage-low", health.Degraded)
	for n := range refused {
		acknowledged(book(n)) // the same request, as the page repeats it
	}
	r.kill()
	r.start()
	r.becomes("storage-low", health.Degraded)
	r.kill()
	db := r.open()
	pool, err := db.SQL()
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range kept {
		var n int
		if err := pool.QueryRow("SELECT count(*) FROM appointments WHERE id = ?", id).Scan(&n); err != nil || n != 1 {
			t.Errorf("the appointment %s was acknowledged and is %d times there, %v", id, n, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if out := r.verify(); !strings.Contains(out, "every one as it was written") {
		t.Errorf("verify: %s", out)
	}
	t.Logf("%d acknowledged, %d refused first", len(kept), len(refused))
}
