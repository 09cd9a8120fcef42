package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"visavis/internal/fault"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/ncruces/go-sqlite3"
)

// ErrDamaged is wrapped by what says that the SQLite file cannot be read as
// ours: another key, or bytes that were changed or lost.
var ErrDamaged = errors.New("wrong key or damaged file")

// plainHeader is how a SQLite file that nobody encrypted begins.
const plainHeader = "SQLite format 3\x00"

// reserve is the free space below which a failed write is put down to the disk.
const reserve = 1 << 20

// Disk is the state of the file system of a folder.
type Disk struct {
	Free     uint64 // bytes that this process may still write
	Total    uint64 // bytes
	ReadOnly bool
}

// DiskOf asks the file system that holds path, which must exist.
func DiskOf(path string) (Disk, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return Disk{}, fmt.Errorf("store: file system of %s: %w", path, err)
	}
	free := s.Bavail
	if os.Geteuid() == 0 {
		free = s.Bfree
	}
	const readOnly = 1 // ST_RDONLY, statvfs(3)
	return Disk{Free: free * uint64(s.Bsize), Total: s.Blocks * uint64(s.Bsize), ReadOnly: s.Flags&readOnly != 0}, nil
}

// fileFault says in words why the SQLite file at path does not open. The text
// of a driver error may quote the DSN, and the DSN has the key: it is not kept.
func fileFault(path string, err error) error {
	dir := filepath.Dir(path)
	disk, diskErr := DiskOf(dir)
	if diskErr == nil && disk.ReadOnly {
		return fmt.Errorf("store: the disk of %s is mounted read-only: the database cannot be opened", dir)
	}
	if out := outOfSpace(err); out || diskErr == nil && disk.Free < reserve && !errors.Is(err, sqlite3.NOTADB) && !errors.Is(err, sqlite3.CORRUPT) {
		return fmt.Errorf("store: the disk of %s is full (%d kB free) or a limit on file size is reached: the database cannot be opened", dir, disk.Free>>10)
	}
	if errors.Is(err, sqlite3.CANTOPEN) || errors.Is(err, sqlite3.READONLY) || errors.Is(err, sqlite3.PERM) {
		return fmt.Errorf("store: %s cannot be opened for writing: check the owner and the mode of the file and of its folder", path)
	}
	if errors.Is(err, sqlite3.BUSY) {
		return fmt.Errorf("store: %s is locked by another process", path)
	}
	if errors.Is(err, sqlite3.IOERR) {
		return fmt.Errorf("store: the disk of %s fails: the database cannot be read or written", dir)
	}
	return fmt.Errorf("store: cannot open the SQLite file %s: %w", path, ErrDamaged)
}

// outOfSpace tells whether a write failed for want of room: SQLite's own
// answer, the kernel's, or PostgreSQL's class 53 disk_full.
func outOfSpace(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "53100"
	}
	return errors.Is(err, sqlite3.FULL) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// unwritableDisk tells whether a write failed because of what lies under the
// database: no room, read-only, a failing disk.
func unwritableDisk(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "53100" || pg.Code == "58030" || pg.Code == "25006"
	}
	return outOfSpace(err) || errors.Is(err, sqlite3.IOERR) || errors.Is(err, sqlite3.READONLY) || errors.Is(err, sqlite3.CANTOPEN)
}

// StorageFault turns a file operation that failed for want of room, or on a
// read-only or failing disk, into the fault people are told; other errors stay.
func StorageFault(err error) error {
	var f *fault.Error
	if err == nil || errors.As(err, &f) {
		return err
	}
	if outOfSpace(err) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EIO) {
		return fault.New(fault.Unavailable, "storage-full").Because(err)
	}
	return err
}

// checkHeader refuses a file that is not ours before it is opened with our key.
// It answers false when there is no file yet.
func checkHeader(path string) (exists bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("store: %w", err)
	}
	head := make([]byte, len(plainHeader))
	n, _ := f.Read(head) // fewer bytes are not that header
	if err := f.Close(); err != nil {
		return false, fmt.Errorf("store: %w", err)
	}
	if n == 0 {
		return false, nil
	}
	if string(head[:n]) == plainHeader {
		return true, fmt.Errorf("store: %s is a SQLite file of another program: ours are encrypted", path)
	}
	return true, nil
}
