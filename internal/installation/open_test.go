package installation_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"visavis/internal/clock"
	"visavis/internal/installation"
	"visavis/internal/seal"
	"visavis/internal/store"
	"visavis/internal/testkit"
)

// place is where one installation of a test lives.
type place struct {
	t   *testing.T
	dir string // data folder
	key string // key file
	url string // PostgreSQL; SQLite when empty
}

// places runs a test on an installation of each database; with the key apart
// from the data folder, as the runbook asks.
func places(t *testing.T, test func(t *testing.T, p *place)) {
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			p := &place{t: t, dir: filepath.Join(t.TempDir(), "data"), key: filepath.Join(t.TempDir(), "keys", "master")}
			if kind == "postgres" {
				p.url = testkit.EmptyPostgres(t)
			}
			test(t, p)
		})
	}
}

func (p *place) options() installation.Options {
	return installation.Options{KeyFile: p.key, DataDir: p.dir, DatabaseURL: p.url, Begin: true, Serve: true, Clock: clock.System{}}
}

// open opens, and closes with the test.
func (p *place) open(o installation.Options) (*installation.Installation, error) {
	i, err := installation.Open(context.Background(), o)
	if err == nil {
		p.t.Cleanup(func() { _ = i.Close() })
	}
	return i, err
}

// begin makes the installation, writes something that is sealed, and closes.
func (p *place) begin() *installation.Installation {
	p.t.Helper()
	i, err := p.open(p.options())
	if err != nil {
		p.t.Fatal(err)
	}
	p.seal(i)
	if err := i.Close(); err != nil {
		p.t.Fatal(err)
	}
	return i
}

func (p *place) seal(i *installation.Installation) {
	p.t.Helper()
	k, err := seal.NewKeeper(i.Master, clock.System{}, filepath.Join(p.dir, "files"))
	if err != nil {
		p.t.Fatal(err)
	}
	err = i.DB.Tx(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		_, err := k.Seal(ctx, tx, seal.House, seal.Place{Table: "t", Column: "c", Row: "r"}, []byte("x"))
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// files lists what is there, with its contents, to see that nothing changed.
// The lock and the scratch files of an open database say nothing.
func (p *place) files() string {
	p.t.Helper()
	var b strings.Builder
	for _, root := range []string{p.dir, filepath.Dir(p.key)} {
		err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if errors.Is(err, os.ErrNotExist) {
				return nil
			}
			if err != nil || d.IsDir() || d.Name() == "lock" || strings.HasSuffix(path, "-shm") || strings.HasSuffix(path, "-wal") {
				return err
			}
			raw, err := os.ReadFile(path)
			b.WriteString(path + " " + string(raw) + "\n")
			return err
		})
		if err != nil {
			p.t.Fatal(err)
		}
	}
	return b.String()
}

func (p *place) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// otherKey puts a key there that is not the installation's.
func (p *place) otherKey() seal.Master {
	p.t.Helper()
	_ = os.Remove(p.key)
	m, err := seal.MakeMaster(p.key)
	p.must(err)
	return m
}

// TestOpen_WhatDoesNotFit: everything that belongs together, taken away or
// exchanged one by one, after the installation was used. Each is refused in
// words that name what is wrong; no file is made or changed; put back, all opens.
func TestOpen_WhatDoesNotFit(t *testing.T) {
	for _, c := range []struct {
		name  string
		only  string // dialect
		fault func(p *place)
		words []string
	}{
		{"key lost", "", func(p *place) { p.must(os.Remove(p.key)) }, []string{"master key is missing", "belongs to key {key}", "put the key back"}},
		{"another key", "", func(p *place) { p.otherKey() }, []string{"belongs to key {key}", "holds key"}},
		{"another key, nothing in the folder", "", func(p *place) { p.otherKey(); p.must(os.Remove(filepath.Join(p.dir, "installation"))) }, nil},
		{"key cut", "", func(p *place) { p.must(os.Chmod(p.key, 0o600)); p.must(os.Truncate(p.key, 20)) }, []string{"hexadecimal digits"}},
		{"database gone", "sqlite", func(p *place) { p.must(os.Remove(store.File(p.dir))) }, []string{"belongs to a sqlite database that is not here"}},
		{"database emptied", "sqlite", func(p *place) { p.must(os.Truncate(store.File(p.dir), 0)) }, []string{"belongs to a sqlite database that is not here"}},
		{"data folder not mounted", "sqlite", func(p *place) { p.must(os.RemoveAll(p.dir)) }, []string{"is there and its database is not", "--new-database"}},
		{"data folder not mounted, a flag left behind", "sqlite", func(p *place) {
			p.must(os.Remove(store.File(p.dir)))
		}, []string{"belongs to a sqlite database that is not here"}},
		{"data folder not mounted", "postgres", func(p *place) { p.must(os.RemoveAll(p.dir)) }, []string{"data folder", "Is its disk mounted?"}},
		{"another data folder", "postgres", func(p *place) {
			other := &place{t: p.t, dir: filepath.Join(p.t.TempDir(), "d"), key: filepath.Join(p.t.TempDir(), "m"), url: testkit.EmptyPostgres(p.t)}
			other.begin()
			raw, err := os.ReadFile(filepath.Join(other.dir, "installation"))
			p.must(err)
			p.must(os.WriteFile(filepath.Join(p.dir, "installation"), raw, 0o600))
		}, []string{"data folder", "another database"}},
		{"DATABASE_URL names an empty database", "postgres", func(p *place) { p.url = testkit.EmptyPostgres(p.t) }, []string{"belongs to a postgres database that is not here"}},
		{"DATABASE_URL forgotten", "postgres", func(p *place) { p.url = "" }, []string{"belongs to a postgres database that is not here"}},
		{"DATABASE_URL added", "sqlite", func(p *place) { p.url = testkit.EmptyPostgres(p.t) }, []string{"belongs to a sqlite database that is not here"}},
		{"mark of the folder damaged", "", func(p *place) { p.must(os.WriteFile(filepath.Join(p.dir, "installation"), []byte("{"), 0o600)) }, []string{"is damaged"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			places(t, func(t *testing.T, p *place) {
				kind := "sqlite"
				if p.url != "" {
					kind = "postgres"
				}
				if c.only != "" && c.only != kind {
					t.Skip("not for this database")
				}
				name := p.begin().Master.Name()
				c.fault(p)
				before := p.files()
				for _, serve := range []bool{true, false} {
					o := p.options()
					o.Serve, o.NewDatabase = serve, strings.Contains(c.name, "flag")
					_, err := p.open(o)
					if err == nil {
						t.Fatal("opened")
					}
					for _, w := range c.words {
						if w = strings.ReplaceAll(w, "{key}", name); !strings.Contains(err.Error(), w) {
							t.Errorf("%q does not say %q", err, w)
						}
					}
				}
				if after := p.files(); after != before {
					t.Errorf("something was written:\n%s\nbefore:\n%s", after, before)
				}
			})
		})
	}
}

// TestOpen_BeginsOnceAndGoesOn: a key is made with its database, opened again as
// it is, and never made by who only reads.
func TestOpen_BeginsOnceAndGoesOn(t *testing.T) {
	places(t, func(t *testing.T, p *place) {
		o := p.options()
		o.Begin, o.Serve = false, false
		if _, err := p.open(o); !errors.Is(err, installation.ErrNotBegun) {
			t.Errorf("reading nothing: %v", err)
		}
		p.must(os.MkdirAll(p.dir, 0o700))
		if _, err := p.open(o); !errors.Is(err, installation.ErrNotBegun) || p.files() != "" {
			t.Errorf("reading nothing: %v, made %s", err, p.files())
		}
		first := p.begin()
		again, err := p.open(p.options())
		if err != nil || again.Master != first.Master {
			t.Fatalf("again: %v", err)
		}
		p.seal(again)
		p.must(again.Close())
		if _, err := p.open(o); err != nil {
			t.Errorf("reading: %v", err)
		}
	})
}

// TestOpen_InterruptedBeginning: killed between any two steps of a beginning,
// the next start finishes it with the same key.
func TestOpen_InterruptedBeginning(t *testing.T) {
	for _, c := range []struct {
		name string
		undo func(p *place, i *installation.Installation)
	}{
		{"key without its name", func(p *place, _ *installation.Installation) { p.must(os.Rename(p.key, p.key+".new")) }},
		{"database without its mark", func(p *place, i *installation.Installation) {
			p.must(os.Rename(p.key, p.key+".new"))
			p.unmark(i)
		}},
		{"neither mark", func(p *place, i *installation.Installation) {
			p.must(os.Rename(p.key, p.key+".new"))
			p.unmark(i)
			p.must(os.Remove(filepath.Join(p.dir, "installation")))
		}},
		{"an installation of before the marks", func(p *place, i *installation.Installation) {
			p.unmark(i)
			p.must(os.Remove(filepath.Join(p.dir, "installation")))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			places(t, func(t *testing.T, p *place) {
				first := p.begin()
				c.undo(p, first)
				again, err := p.open(p.options())
				if err != nil || again.Master != first.Master {
					t.Fatalf("not finished: %v", err)
				}
				p.seal(again)
				if _, err := os.Stat(p.key); err != nil {
					t.Error(err)
				}
				if m, err := again.DB.Mark(context.Background()); err != nil || m.KeyName != first.Master.Name() || !installation.Begun(p.dir) {
					t.Errorf("mark %v %v", m, err)
				}
			})
		})
	}
}

// unmark takes the row away, as in a database of before there was one.
func (p *place) unmark(i *installation.Installation) {
	p.t.Helper()
	db, err := store.Open(context.Background(), store.Options{URL: p.url, DataDir: p.dir, Key: i.Master.Derive("database")})
	p.must(err)
	p.must(db.Tx(context.Background(), func(_ context.Context, tx *store.Tx) error { return tx.G().Exec("DELETE FROM installation").Error }))
	p.must(db.Close())
}

// TestOpen_OldDatabaseProvesItsKey: a database that does not name its key yet
// refuses another one by what was sealed.
func TestOpen_OldDatabaseProvesItsKey(t *testing.T) {
	places(t, func(t *testing.T, p *place) {
		p.unmark(p.begin())
		p.must(os.Remove(filepath.Join(p.dir, "installation")))
		p.otherKey()
		if _, err := p.open(p.options()); err == nil || !strings.Contains(err.Error(), "another key") && !errors.Is(err, store.ErrDamaged) {
			t.Errorf("opened: %v", err)
		}
	})
}

// TestOpen_PreparedKey: a key that was there before the database is taken when
// that is said, and not before.
func TestOpen_PreparedKey(t *testing.T) {
	places(t, func(t *testing.T, p *place) {
		m := p.otherKey()
		if _, err := p.open(p.options()); err == nil {
			t.Fatal("began with a key that may be of a lost database")
		}
		o := p.options()
		o.NewDatabase = true
		i, err := p.open(o)
		if err != nil || i.Master != m {
			t.Fatal(err)
		}
		p.must(i.Close())
		if _, err := p.open(o); err != nil {
			t.Errorf("again: %v", err)
		}
	})
}

// TestOpen_OneServes: the second process on a folder or a database is refused and
// hears who has it; commands may run beside; the lock ends with its holder.
func TestOpen_OneServes(t *testing.T) {
	places(t, func(t *testing.T, p *place) {
		p.begin()
		first, err := p.open(p.options())
		p.must(err)
		_, err = p.open(p.options())
		if !errors.Is(err, store.ErrHeld) || !strings.Contains(err.Error(), "process ") || !strings.Contains(err.Error(), "since ") {
			t.Errorf("a second: %v", err)
		}
		if p.url != "" {
			// The same database from another machine, with a copy of the folder.
			other := *p
			other.dir = t.TempDir()
			raw, err := os.ReadFile(filepath.Join(p.dir, "installation"))
			p.must(err)
			p.must(os.WriteFile(filepath.Join(other.dir, "installation"), raw, 0o600))
			if _, err := other.open(other.options()); !errors.Is(err, store.ErrHeld) || !strings.Contains(err.Error(), "process ") {
				t.Errorf("a second on another machine: %v", err)
			}
		}
		o := p.options()
		o.Serve = false
		beside, err := p.open(o)
		p.must(err)
		p.seal(beside)
		p.seal(first)
		p.must(first.Close())
		next, err := p.open(p.options())
		p.must(err)
		p.seal(next)
	})
}
