package audit

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"visavis/internal/store"
)

// The lines of the journal about rows of counted tables (internal/store/rows.tsv).
const (
	rowMade = "made"
	rowGone = "gone"
)

// rowsFile holds such lines of days that were folded; lines are only added.
const rowsFile = "rows"

// note keeps that a row was inserted or deleted.
func (j *Journal) note(what, object string) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.writeLocked(rowLine(what, object))
}

// rowLine ends with a sign, so that half a name, which a full disk leaves, is no
// name of a row.
func rowLine(what, object string) string { return what + " " + object + ";\n" }

// parseRow reads a line about a row; false for another one, or for half of one.
func parseRow(line string) (what, object string, ok bool) {
	what, object, ok = strings.Cut(line, " ")
	object, whole := strings.CutSuffix(object, ";")
	return what, object, ok && whole && (what == rowMade || what == rowGone) && !strings.Contains(object, " ")
}

// eachRow reads the lines about rows, of folded days first.
func (j *Journal) eachRow(fn func(what, object string)) error {
	days, err := j.days()
	if err != nil {
		return err
	}
	for _, name := range append([]string{filepath.Join(j.dir, rowsFile)}, days...) {
		if err := readRows(name, fn); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("audit: journal: %w", err)
		}
	}
	return nil
}

func readRows(name string, fn func(what, object string)) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if what, object, ok := parseRow(lines.Text()); ok {
			fn(what, object)
		}
	}
	return lines.Err()
}

// rows gives the rows that must be there.
func (j *Journal) rows() (map[string]bool, error) {
	there := map[string]bool{}
	err := j.eachRow(func(what, object string) {
		if what == rowMade {
			there[object] = true
		} else {
			delete(there, object)
		}
	})
	return there, err
}

// restoreRows begins the file of rows with those of the database, where there is
// none: a folder that is new, or was lost.
func (j *Journal) restoreRows(ctx context.Context, db *store.DB) error {
	name := filepath.Join(j.dir, rowsFile)
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var text strings.Builder
	err := db.CountedRows(ctx, func(object string) { text.WriteString(rowLine(rowMade, object)) })
	if err != nil {
		return err
	}
	if err := os.MkdirAll(j.dir, 0o700); err != nil {
		return fmt.Errorf("audit: journal: %w", err)
	}
	if err := os.WriteFile(name+".new", []byte(text.String()), 0o600); err != nil {
		return fmt.Errorf("audit: journal: %w", err)
	}
	return os.Rename(name+".new", name)
}

// foldRows adds the lines of days that will be removed to the file of rows. Lines
// that are added twice change nothing.
func (j *Journal) foldRows(days []string) error {
	f, err := os.OpenFile(filepath.Join(j.dir, rowsFile), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("audit: journal: %w", err)
	}
	out := bufio.NewWriter(f)
	for _, name := range days {
		err = errors.Join(err, readRows(name, func(what, object string) { _, _ = out.WriteString(rowLine(what, object)) }))
	}
	return errors.Join(err, out.Flush(), f.Sync(), f.Close())
}

// MissingRows lists rows of counted tables that were written and are not in the
// database any more, though the program deleted none of them. It may run beside
// the program. Rows that are older than the folder are known
// from the first start with it.
func (j *Journal) MissingRows(ctx context.Context, db *store.DB) (missing []string, err error) {
	expected, err := j.rows()
	if err != nil {
		return nil, err
	}
	if err := db.CountedRows(ctx, func(object string) { delete(expected, object) }); err != nil || len(expected) == 0 {
		return nil, err
	}
	now, err := j.rows() // without those that were deleted meanwhile
	for object := range expected {
		if now[object] {
			missing = append(missing, object)
		}
	}
	return missing, err
}

// ReportMissingRows gives the rows of MissingRows to the alarm of db, as removed.
func (j *Journal) ReportMissingRows(ctx context.Context, db *store.DB) error {
	missing, err := j.MissingRows(ctx, db)
	for _, object := range missing {
		db.Report(store.Finding{Object: object, Reason: "removed"})
	}
	return err
}
