package installation

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// others are the permissions that nobody but the owner may have on anything of
// a data folder: folders are 0700, files 0600 or less.
const others fs.FileMode = 0o077

// Loose lists what under dir somebody else than its owner may read, write or
// enter, the first most of them. Links are not followed.
func Loose(dir string, most int) (list []string, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it went meanwhile
		}
		if err != nil || d.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if info.Mode().Perm()&others != 0 {
			if list = append(list, path); len(list) == most {
				return fs.SkipAll
			}
		}
		return nil
	})
	return list, err
}

// Tighten takes from everybody but the owner what Loose lists. It returns how
// many entries it repaired.
func Tighten(dir string) (repaired int, err error) {
	list, err := Loose(dir, 0)
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, path := range list {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.Chmod(path, info.Mode().Perm()&^others)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("data folder: %s can be read by others: %w", path, err))
			continue
		}
		repaired++
	}
	return repaired, errors.Join(errs...)
}

// PrivateFolder makes a folder that only its owner may enter, and refuses one
// that somebody else made first, as in a folder for temporary files.
func PrivateFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("folder %s: %w", dir, err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("folder %s: %w", dir, err)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(owner.Uid) != os.Geteuid() {
		return fmt.Errorf("folder %s is not ours: remove it", dir)
	}
	return closeFolder(dir)
}

// closeFolder lets nobody but the owner enter.
func closeFolder(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && info.Mode().Perm()&others != 0 {
		err = os.Chmod(dir, info.Mode().Perm()&^others)
	}
	if err != nil {
		return fmt.Errorf("folder %s: %w", dir, err)
	}
	return nil
}
