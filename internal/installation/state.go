package installation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"visavis/internal/seal"
	"visavis/internal/store"
)

// state is what was found, before anything is changed.
type state struct {
	hasKey   bool // the key file is there
	hasDraft bool // a key that was made for a database that may not exist
	master   seal.Master
	database store.Contents
	db       store.Mark // PostgreSQL only: a SQLite file cannot be read without its key
	folder   folderMark
	traces   bool // the data folder holds sealed files or signed heads
}

// folderMark is the file `installation` of a data folder.
type folderMark struct {
	Name     string `json:"name"`     // that of the database
	Key      string `json:"key"`      // name of its master key
	Database string `json:"database"` // sqlite or postgres
}

const markName = "installation"

// look reads what is there.
func look(ctx context.Context, o Options) (*state, error) {
	s := &state{}
	var err error
	s.master, err = seal.LoadMaster(o.KeyFile)
	s.hasKey = err == nil
	if errors.Is(err, fs.ErrNotExist) {
		s.master, err = seal.LoadMaster(draft(o.KeyFile))
		s.hasDraft = err == nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if s.folder, err = readMark(o.DataDir); err != nil {
		return nil, err
	}
	url := o.DatabaseURL
	if o.OwnerURL != "" {
		url = o.OwnerURL // before the first migration the application role may read nothing
	}
	s.database, s.db, err = store.Probe(ctx, store.Options{URL: url, DataDir: o.DataDir})
	if err == nil && s.database.Empty() {
		s.traces, err = hasTraces(o.DataDir)
	}
	return s, err
}

func kind(o Options) string {
	if o.DatabaseURL != "" {
		return string(store.Postgres)
	}
	return string(store.SQLite)
}

// decide tells whether a new installation begins here. What does not fit is
// refused, in words for the operator.
func (s *state) decide(o Options) (begin bool, err error) {
	where := "the SQLite file " + store.File(o.DataDir)
	if o.DatabaseURL != "" {
		where = "the PostgreSQL database of DATABASE_URL"
	}
	if s.database.Empty() {
		return true, s.mayBegin(o, where)
	}
	want := s.db.KeyName
	if want == "" {
		want = s.folder.Key
	}
	switch {
	case !s.hasKey && !s.hasDraft && want != "":
		return false, fmt.Errorf("the master key is missing: %s belongs to key %s and there is no file %s; put the key back, nothing was changed", where, want, o.KeyFile)
	case !s.hasKey && !s.hasDraft:
		return false, fmt.Errorf("the master key is missing: %s is in use and there is no file %s; put the key back, nothing was changed", where, o.KeyFile)
	case want != "" && want != s.master.Name():
		return false, otherKey(want, s.master.Name(), o.KeyFile)
	case s.db.Name != "" && s.folder.Name == "":
		return false, fmt.Errorf("the data folder %s is not the one of this database: it has no file %q. Is its disk mounted? The signed documents of the database are in the folder it was begun with; nothing was changed", o.DataDir, markName)
	case s.db.Name != "" && s.folder.Name != s.db.Name:
		return false, otherFolder(o.DataDir)
	}
	return false, nil
}

// mayBegin refuses to begin where something was, or where its key still is.
func (s *state) mayBegin(o Options, where string) error {
	switch {
	case s.folder.Name != "":
		return fmt.Errorf("the data folder %s belongs to a %s database that is not here: %s is missing or empty. Put it back or restore it (is its disk mounted, is DATABASE_URL right?); nothing was changed", o.DataDir, s.folder.Database, where)
	case s.traces:
		return fmt.Errorf("the data folder %s holds files of a database that is not here: %s is missing or empty. Put it back or restore it, or begin in an empty folder; nothing was changed", o.DataDir, where)
	case s.hasKey && !o.NewDatabase:
		return fmt.Errorf("the master key %s (key %s) is there and its database is not: %s is missing or empty. Put it back or restore it. To begin a new one with this key, start once with --new-database; nothing was changed", o.KeyFile, s.master.Name(), where)
	}
	return nil
}

func otherKey(want, have, file string) error {
	return fmt.Errorf("the master key is not the right one: this database belongs to key %s; the key file %s holds key %s; nothing was changed", want, file, have)
}

func otherFolder(dir string) error {
	return fmt.Errorf("the data folder %s belongs to another database; nothing was changed", dir)
}

// explain adds to the refusal of a SQLite file what the data folder knows.
func (s *state) explain(err error) error {
	if errors.Is(err, store.ErrDamaged) && s.folder.Key != "" && s.folder.Key == s.master.Name() {
		return fmt.Errorf("%w (the key is the right one, so the file is damaged: restore the last backup)", err)
	}
	return err
}

// prove compares the key and the folder with what the open database says,
// before anything is written to it. A database of before it said so is asked
// whether its data keys open.
func (s *state) prove(ctx context.Context, db *store.DB, m seal.Master) error {
	found, err := db.Contents(ctx)
	if err != nil || found.Empty() {
		return err
	}
	if found.Marked {
		mark, err := db.Mark(ctx)
		switch {
		case err != nil:
			return err
		case mark.Name != "" && mark.KeyName != m.Name():
			return fmt.Errorf("the master key is not the right one: this database belongs to key %s, not to %s; nothing was changed", mark.KeyName, m.Name())
		case mark.Name != "" && s.folder.Name != "" && mark.Name != s.folder.Name:
			return errors.New("the data folder belongs to another database; nothing was changed")
		case mark.Name != "":
			return nil
		}
	}
	ok, known, err := seal.Proved(ctx, db, m)
	if err == nil && known && !ok {
		err = fmt.Errorf("the master key is not the right one: the data of this database were sealed with another key than %s; nothing was changed", m.Name())
	}
	return err
}

// Begun tells whether a data folder belongs to a database already.
func Begun(dir string) bool {
	m, err := readMark(dir)
	return err != nil || m.Name != ""
}

func readMark(dir string) (m folderMark, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, markName))
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, fmt.Errorf("installation: %w", err)
	}
	if err := json.Unmarshal(raw, &m); err != nil || m.Name == "" {
		return m, fmt.Errorf("installation: %s is damaged: restore it with the data folder", filepath.Join(dir, markName))
	}
	return m, nil
}

// writeMark writes the whole file before it has its name.
func writeMark(dir string, m folderMark) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".installation-*")
	if err != nil {
		return fmt.Errorf("installation: %w", err)
	}
	_, err = f.Write(append(raw, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, markName))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("installation: %w", err), os.Remove(f.Name()))
	}
	return syncFolder(dir)
}

// hasTraces tells whether the folder holds what only a used installation
// makes: sealed files, signed heads.
func hasTraces(dir string) (bool, error) {
	for _, pattern := range []string{filepath.Join("files", "*", "*"), filepath.Join("heads", "*.head*")} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(found) > 0 {
			return len(found) > 0, err
		}
	}
	return false, nil
}
