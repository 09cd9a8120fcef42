package installation_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"visavis/internal/fault"
	"visavis/internal/installation"
	"visavis/internal/store"

	_ "github.com/ncruces/go-sqlite3/driver"
)

// fill makes the database long enough to have pages of every kind.
func (p *place) fill(i *installation.Installation) {
	p.t.Helper()
	err := i.DB.Tx(context.Background(), func(_ context.Context, tx *store.Tx) error {
		for range 2000 {
			if err := tx.G().Exec("INSERT INTO events (id, name, subject, at, payload) VALUES (?, 'n', 's', 1, ?)", rand.Text(), strings.Repeat(rand.Text(), 8)).Error; err != nil {
				return err
			}
		}
		return nil
	})
	p.must(err)
}

// zero writes zeros over the n-th page of the file.
func (p *place) zero(page int64) {
	p.t.Helper()
	f, err := os.OpenFile(store.File(p.dir), os.O_WRONLY, 0)
	p.must(err)
	_, err = f.WriteAt(make([]byte, 4096), page*4096)
	p.must(errors.Join(err, f.Close()))
}

// TestOpen_DamagedSQLite: what can happen to a copied file. None is served, each
// refusal says what it is, and the file stays as it was.
func TestOpen_DamagedSQLite(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault func(p *place)
		words string
	}{
		{"first page zeroed", func(p *place) { p.zero(0) }, "the key is the right one, so the file is damaged"},
		{"a page in the middle zeroed", func(p *place) { p.zero(p.pages() / 2) }, "damaged"},
		{"the last page zeroed", func(p *place) { p.zero(p.pages() - 1) }, "damaged"},
		{"cut in half", func(p *place) { p.must(os.Truncate(store.File(p.dir), p.pages()/2*4096)) }, "damaged"},
		{"cut inside a page", func(p *place) { p.must(os.Truncate(store.File(p.dir), p.pages()/3*4096+100)) }, "damaged"},
		{"random bytes", func(p *place) {
			raw := make([]byte, 40960)
			rand.Read(raw)
			p.must(os.WriteFile(store.File(p.dir), raw, 0o600))
		}, "damaged"},
		{"a SQLite file of another program", func(p *place) {
			p.must(os.Remove(store.File(p.dir)))
			db, err := sql.Open("sqlite3", "file:"+store.File(p.dir))
			p.must(err)
			_, err = db.Exec("CREATE TABLE notes (text TEXT)")
			p.must(errors.Join(err, db.Close()))
		}, "another program"},
		{"no SQLite file at all", func(p *place) { p.must(os.WriteFile(store.File(p.dir), []byte("%PDF-1.7\n"), 0o600)) }, "damaged"},
		{"a folder in its place", func(p *place) {
			p.must(os.Remove(store.File(p.dir)))
			p.must(os.MkdirAll(filepath.Join(store.File(p.dir), "x"), 0o700))
		}, "visavis.db"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &place{t: t, dir: filepath.Join(t.TempDir(), "data"), key: filepath.Join(t.TempDir(), "master")}
			i, err := p.open(p.options())
			p.must(err)
			p.fill(i)
			p.must(i.Close())
			c.fault(p)
			before := p.files()
			_, err = p.open(p.options())
			if err == nil {
				t.Fatal("served")
			}
			if !strings.Contains(err.Error(), c.words) {
				t.Errorf("%q does not say %q", err, c.words)
			}
			if p.files() != before {
				t.Error("the file was changed")
			}
		})
	}
}

func (p *place) pages() int64 {
	p.t.Helper()
	info, err := os.Stat(store.File(p.dir))
	p.must(err)
	return info.Size() / 4096
}

// TestOpen_Schema: a newer schema, a table that is not there, tables of another
// program; an older schema is brought up to date, unless somebody serves it.
func TestOpen_Schema(t *testing.T) {
	for _, c := range []struct{ name, sql, words string }{
		{"newer", "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)", "a newer visavis has used it"},
		{"a table is gone", "DROP TABLE seal_keys", "lacks seal_keys"},
		{"nothing but another program's", "DROP TABLE goose_db_version", "of another program"},
	} {
		t.Run(c.name, func(t *testing.T) {
			places(t, func(t *testing.T, p *place) {
				p.exec(p.begin(), c.sql)
				if _, err := p.open(p.options()); err == nil || !strings.Contains(err.Error(), c.words) {
					t.Errorf("%v does not say %q", err, c.words)
				}
			})
		})
	}
	t.Run("older", func(t *testing.T) {
		places(t, func(t *testing.T, p *place) {
			p.exec(p.begin(), "DELETE FROM goose_db_version WHERE version_id = 16", "DROP TABLE media_runs")
			i, err := p.open(p.options())
			p.must(err)
			beside := p.options()
			beside.Serve = false
			_, err = p.open(beside)
			p.must(err)
			p.exec(i, "DELETE FROM goose_db_version WHERE version_id = 16", "DROP TABLE media_runs")
			if _, err := p.open(beside); !errors.Is(err, store.ErrHeld) {
				t.Errorf("migrated under who serves: %v", err)
			}
		})
	})
}

func (p *place) exec(i *installation.Installation, statements ...string) {
	p.t.Helper()
	db, err := store.Connect(context.Background(), store.Options{URL: p.url, DataDir: p.dir, Key: i.Master.Derive("database")})
	p.must(err)
	for _, s := range statements {
		p.must(db.Tx(context.Background(), func(_ context.Context, tx *store.Tx) error { return tx.G().Exec(s).Error }))
	}
	p.must(db.Close())
}

const inside = "VISAVIS_TEST_DISK"

// TestOpen_Disks: a full disk, one that is mounted read-only, a limit on the size
// of files: the refusal names the disk and never blames the key; a disk that
// fills up while serving is a 503 that heals by itself.
func TestOpen_Disks(t *testing.T) {
	if os.Getenv(inside) == "" {
		t.Run("file size", testFileSize)
		cmd := exec.Command(os.Args[0], "-test.run=^TestOpen_Disks$", "-test.v")
		cmd.Env = append(os.Environ(), inside+"="+t.TempDir())
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}}
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Skipf("no mount namespace here: %v", err)
		}
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	disk := os.Getenv(inside)
	mount := func(flags uintptr, data string) {
		t.Helper()
		if err := syscall.Mount("disk", disk, "tmpfs", flags, data); err != nil {
			t.Fatal(err)
		}
	}
	mount(0, "size=8m")
	p := &place{t: t, dir: filepath.Join(disk, "data"), key: filepath.Join(t.TempDir(), "master")}
	i, err := p.open(p.options())
	p.must(err)
	p.fill(i)
	stuff := filepath.Join(disk, "stuff")
	fillDisk(t, stuff)
	err = i.DB.Tx(context.Background(), func(_ context.Context, tx *store.Tx) error {
		return tx.G().Exec("INSERT INTO events (id, name, subject, at, payload) VALUES ('a', 'n', 's', 1, ?)", strings.Repeat("x", 1<<20)).Error
	})
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "storage-full") {
		t.Errorf("a write on a full disk: %v", err)
	}
	p.must(os.Remove(stuff))
	p.fill(i)
	p.must(i.Close())
	fillDisk(t, stuff)
	if _, err := p.open(p.options()); err == nil || !strings.Contains(err.Error(), "is full") || strings.Contains(err.Error(), "key") {
		t.Errorf("opened on a full disk: %v", err)
	}
	p.must(os.Remove(stuff))
	mount(syscall.MS_REMOUNT|syscall.MS_RDONLY, "size=8m")
	if _, err := p.open(p.options()); err == nil || !strings.Contains(err.Error(), "read-only") || strings.Contains(err.Error(), "wrong key") {
		t.Errorf("opened on a read-only disk: %v", err)
	}
	mount(syscall.MS_REMOUNT, "size=8m")
	i, err = p.open(p.options())
	p.must(err)
	p.must(i.Close())
}

func fillDisk(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = io.Copy(f, rand.Reader); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// testFileSize limits the size of files (setrlimit), as a quota does.
func testFileSize(t *testing.T) {
	p := &place{t: t, dir: filepath.Join(t.TempDir(), "data"), key: filepath.Join(t.TempDir(), "master")}
	i, err := p.open(p.options())
	p.must(err)
	p.fill(i)
	var was syscall.Rlimit
	p.must(syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was))
	p.must(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 64 << 10, Max: was.Max}))
	err = i.DB.Tx(context.Background(), func(_ context.Context, tx *store.Tx) error {
		return tx.G().Exec("INSERT INTO events (id, name, subject, at, payload) VALUES ('a', 'n', 's', 1, ?)", strings.Repeat("x", 1<<20)).Error
	})
	p.must(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was))
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a write above the limit: %v", err)
	}
	p.fill(i)
}
