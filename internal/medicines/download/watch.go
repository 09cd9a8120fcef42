package download

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"visavis/internal/medicines"
)

// The hours of the night in which files are fetched, and what else times it.
const (
	nightFrom, nightUntil = 2, 6           // local hours
	overdue               = 72 * time.Hour // files checked longer ago are fetched at any hour
	again                 = time.Hour      // between two attempts that fail
	lookEvery             = time.Minute    // at the folder, for files that the command or the clinic put there
)

// Watch keeps the index in service in step with the files on disk, and fetches new ones at night.
type Watch struct {
	Base    *medicines.Base
	Options Options // Zone may be nil for UTC
	Folder  string  // files that the clinic keeps itself; then nothing is fetched
	Nightly bool    // fetch even before the first update by command
	Off     bool    // never fetch
	Log     *slog.Logger

	seen    string    // what was loaded
	waiting string    // a change of the clinic's folder, seen once
	tried   time.Time // last attempt to fetch

	failure atomic.Pointer[Failure]
}

// Failure is why the newest files are not in service.
type Failure struct {
	Since time.Time // of the first of the failures that follow one another
	Err   error
}

// Failing gives the failure of the last update or of the last reading of the files; nil when it went well, or when there was
// none since the start. It is safe for concurrent use.
func (w *Watch) Failing() *Failure { return w.failure.Load() }

// note keeps how the last attempt ended.
func (w *Watch) note(err error) {
	if err == nil {
		w.failure.Store(nil)
		return
	}
	f := &Failure{Since: w.Options.Clock.Now(), Err: err}
	if before := w.failure.Load(); before != nil {
		f.Since = before.Since
	}
	w.failure.Store(f)
}

// Open puts in service what is on disk: the clinic's folder, the last good set, or the sample. A clinic's folder that cannot
// be read is an error; a damaged set is only logged, the one before it or the sample serves.
func (w *Watch) Open() error {
	w.Base = medicines.NewBase(medicines.Sample(), time.Time{})
	w.seen = w.mark()
	if w.Folder != "" {
		return w.loadFolder()
	}
	w.loadSet()
	return nil
}

// Run looks at the files until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.Look(ctx)
		}
	}
}

// Look fetches new files when it is time to, and loads what changed on disk.
func (w *Watch) Look(ctx context.Context) {
	if w.due() {
		w.tried = w.Options.Clock.Now()
		m, changed, err := Update(ctx, w.Options)
		switch {
		case errors.Is(err, ErrBusy): // the command runs
		case err != nil && ctx.Err() == nil:
			w.note(err)
			w.Log.Error("medicines: the nightly update failed, the last good files stay", "error", err)
		case err == nil:
			w.note(nil)
			w.Log.Info("medicines: nightly update", "changed", changed, "day", m.On.Format(time.DateOnly), "specialities", m.Specialities, "odd", m.Odd)
		}
	}
	mark := w.mark()
	if mark == w.seen {
		w.waiting = ""
		return
	}
	if w.Folder == "" {
		w.seen = mark
		w.loadSet()
		return
	}
	if mark != w.waiting { // still being copied, perhaps
		w.waiting = mark
		return
	}
	w.seen, w.waiting = mark, ""
	err := w.loadFolder()
	if w.note(err); err != nil {
		w.Log.Error("medicines: the files of the folder are not taken, the last good ones stay", "error", err)
	}
}

// due tells whether to fetch now.
func (w *Watch) due() bool {
	if w.Off || w.Folder != "" {
		return false
	}
	now := w.Options.Clock.Now()
	last, err := Current(w.Options.Folder)
	if err != nil && !w.Nightly {
		return false
	}
	if now.Sub(w.tried) < again {
		return false
	}
	checked := last.FetchedAt
	if at, err := os.Stat(filepath.Join(w.Options.Folder, "lock")); err == nil && at.ModTime().After(checked) && at.ModTime().Before(now) {
		checked = at.ModTime() // the same files were found again
	}
	hour := now.In(w.zone()).Hour()
	if hour >= nightFrom && hour < nightUntil {
		return now.Sub(checked) > 12*time.Hour
	}
	return now.Sub(checked) > overdue
}

func (w *Watch) zone() *time.Location {
	if w.Options.Zone == nil {
		return time.UTC
	}
	return w.Options.Zone
}

// mark tells one state of the files from another.
func (w *Watch) mark() string {
	if w.Folder == "" {
		name, _ := os.ReadFile(filepath.Join(w.Options.Folder, pointer))
		return string(name)
	}
	var parts []string
	for _, name := range append(medicines.Names(), DateFile) {
		if at, err := os.Stat(filepath.Join(w.Folder, name)); err == nil {
			parts = append(parts, fmt.Sprint(name, at.Size(), at.ModTime().UnixNano()))
		}
	}
	return strings.Join(parts, " ")
}

// DateFile is the name of the file in a clinic's folder that says of which day the other files are: 2026-11-29. When they
// were copied says nothing of it.
const DateFile = "date.txt"

// loadFolder loads the clinic's own files, and their day when DateFile says it. Files that hold less than four fifths of the
// specialities in service are refused, and so is a day that cannot be read.
func (w *Watch) loadFolder() error {
	x, err := medicines.Load(os.DirFS(w.Folder))
	if err != nil {
		return fmt.Errorf("medicines: %w", err)
	}
	if now := w.Base.Edition(); !now.Sample && float64(x.Len()) < shrunk*float64(now.Count) {
		return fmt.Errorf("medicines: %w: %d specialities, %d before", ErrImplausible, x.Len(), now.Count)
	}
	on, err := w.folderDay()
	if err != nil {
		return err
	}
	w.put(x, on)
	return nil
}

// folderDay is the day that DateFile says, zero without that file.
func (w *Watch) folderDay() (time.Time, error) {
	raw, err := os.ReadFile(filepath.Join(w.Folder, DateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("medicines: %w", err)
	}
	on, err := time.Parse(time.DateOnly, strings.TrimSpace(string(raw)))
	if err != nil || on.After(dayIn(w.Options.Clock.Now(), w.zone())) {
		return time.Time{}, fmt.Errorf("medicines: %s must hold one day, as 2026-11-29, that has come", DateFile)
	}
	return on, nil
}

func (w *Watch) loadSet() {
	x, m, err := Open(w.Options.Folder)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // nothing was fetched yet
	}
	if w.note(err); err != nil {
		w.Log.Error("medicines: "+err.Error(), "folder", w.Options.Folder)
	}
	if x != nil {
		w.put(x, m.On)
	}
}

func (w *Watch) put(x *medicines.Index, on time.Time) {
	w.Base.Set(x, on)
	day := "unknown"
	if !on.IsZero() {
		day = on.Format(time.DateOnly)
	}
	w.Log.Info("medicines: base in service", "specialities", x.Len(), "day", day)
	if lines := x.Report().Lines(); len(lines) > 0 {
		w.Log.Warn("medicines: odd rows", "rows", lines)
	}
}
