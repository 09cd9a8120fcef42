package installation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"visavis/internal/care"
	"visavis/internal/clock"
	"visavis/internal/seal"
	"visavis/internal/store"
	"visavis/internal/store/roles"
)

// ErrNotBegun is wrapped where nothing was begun yet and the caller may not
// begin it.
var ErrNotBegun = errors.New("nothing is here yet: the first start of serve, demo or migrate makes the key and the database")

// Options say what to open.
type Options struct {
	KeyFile     string // of the master key
	DataDir     string
	DatabaseURL string // postgres://…; empty means SQLite in DataDir
	OwnerURL    string // of the role that owns the tables, to migrate; empty when DatabaseURL is it
	Begin       bool   // make the key and the database where there is neither
	NewDatabase bool   // begin an empty database with a key that is there already
	Serve       bool   // take the locks: this process serves
	Clock       clock.Clock

	// Prepare makes tables of libraries, after the migrations, as the owner of
	// OwnerURL. It is not called without one.
	Prepare func(ctx context.Context, owner *store.DB) error
}

// Installation is the key with its database, open.
type Installation struct {
	Master seal.Master
	DB     *store.DB

	folder *store.FolderLock // of the process that serves
}

// Close closes the database and gives the locks back.
func (i *Installation) Close() error { return errors.Join(i.DB.Close(), i.folder.Close()) }

// lockName is the file of the data folder that the serving process locks.
const lockName = "lock"

// Open opens an installation, or begins one. Everything that does not fit is
// refused with a sentence for the operator; ErrNotBegun, store.ErrHeld and
// store.ErrDamaged are wrapped where they apply.
func Open(ctx context.Context, o Options) (*Installation, error) {
	if err := prepareFolder(o); err != nil {
		return nil, err
	}
	i := &Installation{}
	err := i.lock(ctx, o, o.Serve)
	if err == nil {
		err = i.open(ctx, o)
	}
	if err == nil && !o.Serve {
		err, i.folder = i.folder.Close(), nil
	}
	if err != nil {
		return nil, errors.Join(err, i.abandon())
	}
	return i, nil
}

func (i *Installation) abandon() error {
	if i.DB == nil {
		return i.folder.Close()
	}
	return i.Close()
}

// prepareFolder makes the data folder where something may begin.
func prepareFolder(o Options) error {
	if o.Begin {
		if err := os.MkdirAll(o.DataDir, 0o700); err != nil {
			return fmt.Errorf("data folder: %w", store.StorageFault(err))
		}
		return closeFolder(o.DataDir) // what is inside is repaired by Tighten
	}
	if _, err := os.Stat(o.DataDir); err != nil {
		return fmt.Errorf("data folder: %w (is its disk mounted?): %w", err, ErrNotBegun)
	}
	return nil
}

// lock takes the folder's lock, once, when it is wanted.
func (i *Installation) lock(ctx context.Context, o Options, wanted bool) (err error) {
	if wanted && i.folder == nil {
		i.folder, err = store.LockFolder(ctx, o.DataDir, lockName, store.Myself(o.Clock.Now()))
	}
	return err
}

func (i *Installation) open(ctx context.Context, o Options) error {
	s, err := look(ctx, o)
	if err != nil {
		return err
	}
	begin, err := s.decide(o)
	if err != nil {
		return err
	}
	if begin && !o.Begin {
		return ErrNotBegun
	}
	if begin && i.folder == nil { // a command that begins: alone, and after another look
		if err := i.lock(ctx, o, true); err != nil {
			return err
		}
		return i.open(ctx, o)
	}
	if i.Master, err = s.key(o, begin); err != nil {
		return err
	}
	if err := i.migrateAsOwner(ctx, o, s); err != nil {
		return err
	}
	if i.DB, err = store.Connect(ctx, storeOptions(o, i.Master)); err != nil {
		return s.explain(err)
	}
	if err := s.prove(ctx, i.DB, i.Master); err != nil {
		return err
	}
	if err := i.migrate(ctx, o); err != nil {
		return err
	}
	if err := s.mark(ctx, o, i); err != nil {
		return err
	}
	if o.Serve {
		return i.DB.Hold(ctx, store.Myself(o.Clock.Now()))
	}
	return i.DB.Unlock()
}

// migrate brings the schema up to date, with nobody serving meanwhile.
func (i *Installation) migrate(ctx context.Context, o Options) error {
	pending, err := i.DB.Pending(ctx)
	if err != nil {
		return err
	}
	if pending {
		err = i.lock(ctx, o, true)
	}
	if err == nil && (pending || o.Serve) {
		err = i.DB.Lock(ctx)
	}
	if err == nil {
		err = i.DB.Migrate(ctx)
	}
	return err
}

// migrateAsOwner brings the schema up to date as the role of OwnerURL, gives
// the application role its rights, and closes the connection of the owner.
// Whoever only reads runs it when there is something to migrate.
func (i *Installation) migrateAsOwner(ctx context.Context, o Options, s *state) (err error) {
	if o.OwnerURL == "" {
		return nil
	}
	db, err := store.Connect(ctx, store.Options{URL: o.OwnerURL, RowKey: i.Master.Derive("rows")})
	if err != nil {
		return fmt.Errorf("DATABASE_OWNER_URL: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }() // gives the lock back
	pending, err := db.Pending(ctx)
	if err == nil {
		err = s.prove(ctx, db, i.Master)
	}
	if err != nil || !pending && !o.Begin {
		return err
	}
	if err = i.lock(ctx, o, pending || o.Serve); err == nil && (pending || o.Serve) {
		err = db.Lock(ctx)
	}
	if err == nil {
		err = db.Migrate(ctx)
	}
	if err == nil && o.Prepare != nil {
		err = o.Prepare(ctx, db)
	}
	if err != nil {
		return err
	}
	return roles.Separate(ctx, o.OwnerURL, o.DatabaseURL)
}

func storeOptions(o Options, m seal.Master) store.Options {
	return store.Options{URL: o.DatabaseURL, DataDir: o.DataDir, Key: m.Derive("database"), RowKey: m.Derive("rows")}
}

// key gives the key to open with; to begin, it makes one where there is none.
// A key that is made keeps a name of its own until its database exists.
func (s *state) key(o Options, begin bool) (seal.Master, error) {
	if !begin || s.hasKey || s.hasDraft {
		return s.master, nil
	}
	return seal.MakeMaster(draft(o.KeyFile))
}

// draft is where a key waits for its database.
func draft(keyFile string) string { return keyFile + ".new" }

// mark writes down, in the data folder and in the database, that they belong
// together and to the key, and gives the key its name at last. It is begun
// again where it was interrupted.
func (s *state) mark(ctx context.Context, o Options, i *Installation) error {
	m, err := i.DB.Mark(ctx)
	if err != nil {
		return err
	}
	fresh := m.Name == ""
	if fresh {
		m = store.Mark{Name: s.folder.Name, KeyName: i.Master.Name()}
		if m.Name == "" {
			m.Name = care.NewID(o.Clock.Now())
		}
	}
	if m.KeyName != i.Master.Name() { // two began at once
		return otherKey(m.KeyName, i.Master.Name(), o.KeyFile)
	}
	if s.folder.Name == "" {
		err = writeMark(o.DataDir, folderMark{Name: m.Name, Key: m.KeyName, Database: kind(o)})
	} else if s.folder.Name != m.Name {
		err = otherFolder(o.DataDir)
	}
	if err == nil && fresh {
		err = i.DB.SetMark(ctx, m, o.Clock.Now())
	}
	if err != nil || s.hasKey {
		return err
	}
	if err := os.Rename(draft(o.KeyFile), o.KeyFile); err != nil {
		return fmt.Errorf("installation: master key: %w", err)
	}
	return syncFolder(filepath.Dir(o.KeyFile))
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("installation: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}
