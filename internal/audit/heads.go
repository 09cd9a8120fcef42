package audit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"visavis/internal/store"

	"golang.org/x/mod/sumdb/tlog"
)

// Kept is a signed head that was copied out of the database.
type Kept struct {
	Name string // of its file
	Note string
}

// Export copies the newest signed head into a folder outside the database,
// where whoever owns the database and the master key cannot change it (trust
// B7.3). The file is named day-size.head, day in UTC; it is never written twice.
// With once, a day that has a file already gets no second one.
//
// The head kept last must be part of the present tree (RFC 6962 §2.1.2), else
// nothing is written and the error wraps ErrTampered. name is empty when there
// was nothing to write.
func (s *Sequencer) Export(ctx context.Context, dir string, once bool) (name, head string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", "", fmt.Errorf("audit: heads: %w", err)
	}
	day := s.clock.Now().UTC().Format(time.DateOnly)
	if today, err := filepath.Glob(filepath.Join(dir, day+"-*.head")); err != nil || once && len(today) > 0 {
		return "", "", err
	}
	kept, err := Heads(dir)
	if err != nil {
		return "", "", err
	}
	var size int64
	err = s.db.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		h, err := lastHead(tx)
		if err != nil {
			return err
		}
		head, size = h.Note, h.Size
		return s.consistent(tx, h, kept)
	})
	if err != nil || size == 0 {
		return "", "", err
	}
	name = fmt.Sprintf("%s-%d.head", day, size)
	if slices.ContainsFunc(kept, func(k Kept) bool { return k.Name == name }) {
		return "", head, nil
	}
	return name, head, create(dir, name, head)
}

// consistent proves that the tree of the last kept head is the beginning of
// the tree of h.
func (s *Sequencer) consistent(tx *store.Tx, h headRow, kept []Kept) error {
	if len(kept) == 0 {
		return nil
	}
	last := kept[len(kept)-1]
	old, _, err := s.openHead(last.Note)
	if err != nil {
		return fmt.Errorf("%s: %w", last.Name, err)
	}
	if h.Size == 0 {
		return cutBefore(last.Name, old.N, 0)
	}
	now, err := s.openStored(h)
	switch {
	case err != nil:
		return err
	case old.N > now.N:
		return cutBefore(last.Name, old.N, now.N)
	case old.N == 0:
		return nil
	}
	proof, err := tlog.ProveTree(now.N, old.N, hashReader(tx))
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	if tlog.CheckTree(proof, now.N, now.Hash, old.N, old.Hash) != nil {
		return forked(last.Name, old.N)
	}
	return nil
}

func cutBefore(name string, kept, remain int64) error {
	return fmt.Errorf("%w: %s was signed over %d entries, %d remain: the end of the log was cut", ErrTampered, name, kept, remain)
}

func forked(name string, size int64) error {
	return fmt.Errorf("%w: %s was signed over other entries before %d: the log was cut and written again, or changed", ErrTampered, name, size)
}

// create writes a file that is not there yet, to the disk.
func create(dir, name, text string) error {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o400)
	if err != nil {
		return fmt.Errorf("audit: heads: %w", err)
	}
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("audit: heads: %w", err)
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("audit: heads: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}

// Heads reads the heads of a folder, in the order they were kept.
func Heads(dir string) ([]Kept, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("audit: heads: %w", err)
	}
	var list []Kept
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".head" {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("audit: heads: %w", err)
		}
		list = append(list, Kept{e.Name(), string(raw)})
	}
	slices.SortFunc(list, func(a, b Kept) int { // of one day, the longer number is the larger
		if d := strings.Compare(a.Name[:min(10, len(a.Name))], b.Name[:min(10, len(b.Name))]); d != 0 {
			return d
		}
		if d := len(a.Name) - len(b.Name); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	return list, nil
}
