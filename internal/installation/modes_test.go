package installation_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"visavis/internal/installation"
)

// TestTighten: whatever modes a folder has, afterwards nobody but its owner reads
// anything of it, the owner keeps what they had, and what a link names stays as it is.
func TestTighten(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "outside")
	for name, mode := range map[string]fs.FileMode{
		"visavis.db": 0o644, "visavis.db-wal": 0o666, "visavis.log": 0o640, "links.json": 0o604, "heads/2026-03-10-9.head": 0o444,
		"files/ab/x": 0o777, "simulators/mail/a.eml": 0o644, "run/media": 0o755, "installation": 0o600, "keys/master": 0o400,
	} {
		path := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte("x"), 0o600))
		must(t, os.Chmod(path, mode))
		must(t, os.Chmod(filepath.Dir(path), 0o755))
	}
	must(t, os.WriteFile(outside, []byte("x"), 0o600))
	must(t, os.Chmod(outside, 0o644))
	must(t, os.Symlink(outside, filepath.Join(dir, "link")))
	if list, err := installation.Loose(dir, 5); err != nil || len(list) != 5 {
		t.Errorf("%v %v", list, err)
	}
	n, err := installation.Tighten(dir)
	if err != nil || n < 14 {
		t.Errorf("%d repaired, %v", n, err)
	}
	if list, err := installation.Loose(dir, 0); err != nil || len(list) != 0 {
		t.Errorf("left: %v %v", list, err)
	}
	for name, want := range map[string]fs.FileMode{"visavis.db": 0o600, "heads/2026-03-10-9.head": 0o400, "files/ab": 0o700, "keys/master": 0o400} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
	if info, err := os.Stat(outside); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("outside: %v %v", info.Mode(), err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
