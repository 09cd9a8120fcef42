package download

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"visavis/internal/medicines"
)

const (
	hidden   = ".new-"    // prefix of a set that is being written
	pointer  = "current"  // names the set in service
	manifest = "set.json" // of a set, inside its folder
)

// File is one file of a set.
type File struct {
	Name       string    `json:"name"`
	Size       int64     `json:"size"` // bytes
	SHA256     string    `json:"sha256"`
	Rows       int       `json:"rows"`
	ModifiedAt time.Time `json:"modifiedAt,omitzero"` // as the server says
}

// Manifest says what a set of files is.
type Manifest struct {
	Name         string    `json:"name"` // of its folder
	On           time.Time `json:"on"`   // day of the oldest file, midnight UTC
	FetchedAt    time.Time `json:"fetchedAt"`
	Files        []File    `json:"files"`
	Specialities int       `json:"specialities"` // on the market
	Odd          int       `json:"odd"`          // odd rows
}

func (m Manifest) rows(name string) int {
	for _, f := range m.Files {
		if f.Name == name {
			return f.Rows
		}
	}
	return 0
}

// same tells whether two sets hold the same bytes.
func (m Manifest) same(o Manifest) bool {
	if m.Name == "" || len(m.Files) != len(o.Files) {
		return false
	}
	for i := range m.Files {
		if m.Files[i].Name != o.Files[i].Name || m.Files[i].SHA256 != o.Files[i].SHA256 {
			return false
		}
	}
	return true
}

// lock takes the lock of the folder, or fails as ErrBusy. The lock ends with the process that holds it.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("medicines: %w", ErrBusy), f.Close())
	}
	return func() { _ = f.Close() }, nil
}

// sweep takes away what a killed update left.
func sweep(folder string) error {
	list, err := os.ReadDir(folder)
	for _, d := range list {
		if strings.HasPrefix(d.Name(), hidden) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(folder, d.Name())))
		}
	}
	return err
}

// publish puts a whole set in service.
func publish(folder, fresh string, m Manifest) error {
	m.Name = m.folder()
	raw, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	if err := write(filepath.Join(fresh, manifest), raw); err != nil {
		return err
	}
	place := filepath.Join(folder, m.Name)
	if err := errors.Join(syncFolder(fresh), os.RemoveAll(place)); err != nil {
		return err
	}
	if err := errors.Join(os.Rename(fresh, place), syncFolder(folder)); err != nil {
		return err
	}
	next := filepath.Join(folder, hidden+pointer)
	if err := write(next, []byte(m.Name+"\n")); err != nil {
		return err
	}
	return errors.Join(os.Rename(next, filepath.Join(folder, pointer)), syncFolder(folder))
}

// folder is the name of the set: its day and when it was fetched.
func (m Manifest) folder() string {
	return m.On.Format(time.DateOnly) + "." + m.FetchedAt.Format("20060102T150405Z")
}

func write(path string, raw []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// prune keeps the set in service and the one before it.
func prune(folder string, keep ...string) error {
	list, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, d := range list {
		if d.IsDir() && d.Name() != keep[0] && d.Name() != keep[1] {
			err = errors.Join(err, os.RemoveAll(filepath.Join(folder, d.Name())))
		}
	}
	return err
}

// Current gives the manifest of the set in service. It fails as fs.ErrNotExist when there never was one.
func Current(folder string) (Manifest, error) {
	name, err := os.ReadFile(filepath.Join(folder, pointer))
	if err != nil {
		return Manifest{}, err
	}
	return read(folder, strings.TrimSpace(string(name)))
}

func read(folder, name string) (Manifest, error) {
	if name == "" || name != filepath.Base(name) || strings.HasPrefix(name, ".") {
		return Manifest{}, fmt.Errorf("medicines: %q names no set", name)
	}
	var m Manifest
	raw, err := os.ReadFile(filepath.Join(folder, name, manifest))
	if err == nil {
		err = json.Unmarshal(raw, &m)
	}
	if err != nil {
		return Manifest{}, fmt.Errorf("medicines: %s: %w", name, err)
	}
	m.Name = name
	return m, nil
}

// Open reads the set in service. When it is damaged, the set before it is read and the error says so: both are given then.
// Without any set it fails as fs.ErrNotExist.
func Open(folder string) (*medicines.Index, Manifest, error) {
	m, err := Current(folder)
	if errors.Is(err, fs.ErrNotExist) && m.Name == "" {
		if _, gone := os.Stat(filepath.Join(folder, pointer)); gone != nil {
			return nil, m, fs.ErrNotExist
		}
	}
	if err == nil {
		var x *medicines.Index
		if x, err = load(folder, m); err == nil {
			return x, m, nil
		}
	}
	list, _ := os.ReadDir(folder)
	for i := len(list) - 1; i >= 0; i-- { // the newest first
		before, bad := read(folder, list[i].Name())
		if bad != nil || before.Name == m.Name {
			continue
		}
		if x, bad := load(folder, before); bad == nil {
			return x, before, fmt.Errorf("the set in service is damaged, the one of %s is used: %w", before.On.Format(time.DateOnly), err)
		}
	}
	return nil, m, fmt.Errorf("the set in service is damaged and there is no other: %w", err)
}

// load reads a set whose files are those of its manifest.
func load(folder string, m Manifest) (*medicines.Index, error) {
	for _, f := range m.Files {
		raw, err := os.ReadFile(filepath.Join(folder, m.Name, filepath.Base(f.Name)))
		if err != nil {
			return nil, err
		}
		if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != f.SHA256 {
			return nil, fmt.Errorf("medicines: %s: %s is not the file that was checked", m.Name, f.Name)
		}
	}
	return medicines.Load(os.DirFS(filepath.Join(folder, m.Name)))
}
