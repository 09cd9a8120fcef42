package audit

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"visavis/internal/clock"
	"visavis/internal/store"
)

// Journal is a folder outside the database that holds the id of each entry of
// the last days that was committed here, the newest version that an entry
// told of each guarded row, and the name of each row of a counted table. Who cuts the log in the database, even before an
// entry is numbered or after a restart, does not reach it.
//
// A line is added after the commit and is not synced to the disk: it survives
// the death of the process. What a power cut takes from it is only the proof
// that an entry was there. It holds no word about anybody: ids, versions,
// names of rows and hashes of them.
type Journal struct {
	dir   string
	clock clock.Clock
	log   *slog.Logger

	mu      sync.Mutex
	day     string   // of file
	file    *os.File // opened by the first line of a day
	failing bool
	torn    bool     // the last line may be half there
	open    []string // ids of entries that are not known to be numbered
}

// NewJournal returns the journal of a folder, which is made with its first line.
func NewJournal(dir string, c clock.Clock, log *slog.Logger) *Journal {
	return &Journal{dir: dir, clock: c, log: log}
}

const (
	entriesSuffix = ".entries"
	versionsFile  = "versions"
)

// add keeps a committed entry. That it cannot be kept is an alarm, once; what
// was committed stays so.
func (j *Journal) add(id, object string, version int64) {
	if j == nil {
		return
	}
	line := id + "\n"
	if version > 0 {
		line = id + " " + versionText(store.HashObject(object), version)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.open = append(j.open, id)
	j.writeLocked(line)
}

// writeLocked adds a line to the file of the day.
func (j *Journal) writeLocked(line string) {
	err := j.append(line)
	if err != nil && !j.failing {
		j.log.Error("integrity: an entry of the audit log cannot be kept outside the database", "error", err)
	}
	j.failing = err != nil
}

func versionText(h store.ObjectHash, version int64) string {
	return hex.EncodeToString(h[:]) + " " + strconv.FormatInt(version, 10) + "\n"
}

func (j *Journal) append(line string) error {
	if day := j.clock.Now().UTC().Format(time.DateOnly); j.file == nil || day != j.day {
		if err := j.openDay(day); err != nil {
			return err
		}
	}
	if j.torn { // a full disk left half a line
		line = "\n" + line
	}
	_, err := j.file.WriteString(line)
	j.torn = err != nil
	return err
}

// openDay opens the file of a day. A line that a power cut left half is ended.
func (j *Journal) openDay(day string) error {
	if j.file != nil {
		_ = j.file.Close()
		j.file = nil
	}
	if err := os.MkdirAll(j.dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(j.dir, day+entriesSuffix), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if info, err := f.Stat(); err == nil && info.Size() > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
			_, _ = f.WriteString("\n")
		}
	}
	j.file, j.day = f, day
	return nil
}

// Close closes the file of the day.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	j.file = nil
	return err
}

// kept is one line: an entry, and the version it tells, if any.
type kept struct {
	id      string
	object  store.ObjectHash
	version int64
}

// parseKept reads a line; false for one that is half.
func parseKept(line string) (k kept, ok bool) {
	c := strings.Split(line, " ")
	switch len(c) {
	case 1:
		return kept{id: c[0]}, len(c[0]) == 36
	case 3:
		k.id = c[0]
		k.object, k.version, ok = parseVersion(c[1], c[2])
		return k, ok && len(k.id) == 36
	}
	return k, false
}

func parseVersion(object, version string) (h store.ObjectHash, v int64, ok bool) {
	raw, err := hex.DecodeString(object)
	if err != nil || len(raw) != len(h) {
		return h, 0, false
	}
	copy(h[:], raw)
	v, err = strconv.ParseInt(version, 10, 64)
	return h, v, err == nil && v > 0
}

// days lists the files of entries, oldest first.
func (j *Journal) days() ([]string, error) {
	list, err := filepath.Glob(filepath.Join(j.dir, "*"+entriesSuffix))
	slices.Sort(list)
	return list, err
}

// entries gives what the files of the last days hold.
func (j *Journal) entries() ([]kept, error) {
	list, err := j.days()
	if err != nil {
		return nil, err
	}
	var out []kept
	for _, name := range list {
		raw, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("audit: journal: %w", err)
		}
		for line := range strings.Lines(string(raw)) {
			if k, ok := parseKept(strings.TrimSuffix(line, "\n")); ok && strings.HasSuffix(line, "\n") {
				out = append(out, k)
			}
		}
	}
	return out, nil
}

// versions gives the newest version of each row that the folder knows; found
// is false when the folder was never begun or lost.
func (j *Journal) versions() (newest map[store.ObjectHash]int64, found bool, err error) {
	newest = map[store.ObjectHash]int64{}
	raw, err := os.ReadFile(filepath.Join(j.dir, versionsFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, false, fmt.Errorf("audit: journal: %w", err)
	}
	found = err == nil
	for line := range strings.Lines(string(raw)) {
		object, version, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if h, v, ok := parseVersion(object, version); ok {
			newest[h] = max(newest[h], v)
		}
	}
	list, err := j.entries()
	for _, k := range list {
		if k.version > 0 {
			newest[k.object] = max(newest[k.object], k.version)
		}
	}
	return newest, found, err
}

// writeVersions replaces the file of versions.
func (j *Journal) writeVersions(newest map[store.ObjectHash]int64) error {
	var b bytes.Buffer
	for h, v := range newest {
		b.WriteString(versionText(h, v))
	}
	if err := os.MkdirAll(j.dir, 0o700); err != nil {
		return fmt.Errorf("audit: journal: %w", err)
	}
	name := filepath.Join(j.dir, versionsFile)
	f, err := os.OpenFile(name+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("audit: journal: %w", err)
	}
	_, err = f.Write(b.Bytes())
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(name+".new", name)
	}
	if err != nil {
		return fmt.Errorf("audit: journal: %w", err)
	}
	return nil
}
