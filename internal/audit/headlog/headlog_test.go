package headlog_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"visavis/internal/audit/headlog"
)

var morning = time.Date(2026, 3, 10, 8, 0, 0, 0, time.UTC)

func add(t *testing.T, dir string, at time.Time, size int64) headlog.Head {
	t.Helper()
	note := fmt.Sprintf("tree\n%d\n", size)
	name, err := headlog.Append(dir, at, size, note)
	if err != nil {
		t.Fatal(err)
	}
	return headlog.Head{Name: name, Size: size, Note: note}
}

func newest(t *testing.T, dir string, want headlog.Head) {
	t.Helper()
	h, ok, err := headlog.Newest(dir)
	if err != nil || h != want || ok != (want.Name != "") {
		t.Errorf("newest %+v %v %v, want %+v", h, ok, err, want)
	}
}

// TestNewest_OneFile: the newest head is the last whole line of the newest file,
// whatever is half, and older files are not opened.
func TestNewest_OneFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "heads")
	newest(t, dir, headlog.Head{})
	older := add(t, dir, morning, 5)
	newest(t, dir, older)
	h := add(t, dir, morning.AddDate(0, 0, 1), 9)
	if err := os.WriteFile(filepath.Join(dir, "2026-03-10.heads"), []byte("not JSON\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	newest(t, dir, h)
	for range 12 { // more time stamps than the end that is read first holds
		if err := headlog.AppendStamp(dir, morning.AddDate(0, 0, 1), h, bytes.Repeat([]byte{1}, 8<<10)); err != nil {
			t.Fatal(err)
		}
	}
	newest(t, dir, h)
	f, err := os.OpenFile(filepath.Join(dir, "2026-03-11.heads"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"at":"2026-03-11T08:00:00Z","size":12,"no`); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	newest(t, dir, h) // the power went
	last := add(t, dir, morning.AddDate(0, 0, 1), 13)
	newest(t, dir, last)
	k, err := headlog.Read(dir)
	if err != nil || len(k.Heads) != 2 || len(k.Stamps) != 12 || len(k.Broken) != 2 || k.Stamps[3].Sum != h.Sum() || len(k.Stamps[3].Token) != 8<<10 {
		t.Errorf("%v, %d heads, %d stamps, broken %q", err, len(k.Heads), len(k.Stamps), k.Broken)
	}
	if s, ok, err := headlog.NewestStamp(dir); err != nil || !ok || s.Sum != h.Sum() || !s.At.Equal(morning.AddDate(0, 0, 1)) {
		t.Errorf("%+v %v %v", s.At, ok, err)
	}
	// A day's file that a crash left empty says nothing.
	if err := os.WriteFile(filepath.Join(dir, "2026-03-12.heads"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	newest(t, dir, last)
}

// TestCopy_SecondPlace: it gets what it lacks, whole lines only, after any
// interruption; what it has and the first lacks is told, and never changed; a
// folder that is not there is not made.
func TestCopy_SecondPlace(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	same := func() {
		t.Helper()
		if err := headlog.Copy(first, second); err != nil {
			t.Fatal(err)
		}
		a, err := headlog.Read(first)
		if err != nil {
			t.Fatal(err)
		}
		b, err := headlog.Read(second)
		if err != nil || fmt.Sprint(a) != fmt.Sprint(b) {
			t.Fatalf("%v: %v and %v", err, a, b)
		}
	}
	same()
	add(t, first, morning, 5)
	add(t, first, morning, 6)
	add(t, first, morning.AddDate(0, 0, 1), 7)
	same()
	add(t, first, morning.AddDate(0, 0, 1), 8)
	add(t, first, morning.AddDate(0, 0, 3), 9)
	same()
	name := filepath.Join(second, "2026-03-13.heads")
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, whole[:20], 0o600); err != nil { // the share went away in the middle
		t.Fatal(err)
	}
	same()
	refused := func(what string) {
		t.Helper()
		before, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := headlog.Copy(first, second); !errors.Is(err, headlog.ErrOther) {
			t.Errorf("%s: %v", what, err)
		}
		if after, err := os.ReadFile(name); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s: the second place was changed", what)
		}
	}
	add(t, second, morning.AddDate(0, 0, 3), 10)
	refused("the first lacks a head")
	add(t, first, morning.AddDate(0, 0, 3), 11)
	refused("the first has another head there")
	if err := os.Remove(filepath.Join(first, "2026-03-13.heads")); err != nil {
		t.Fatal(err)
	}
	refused("the first lacks a day")
	missing := filepath.Join(t.TempDir(), "not-mounted")
	if err := headlog.Copy(first, missing); err == nil || !strings.Contains(err.Error(), "not-mounted") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("a folder was made where a share is mounted")
	}
}
