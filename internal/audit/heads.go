package audit

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"visavis/internal/audit/headlog"
	"visavis/internal/store"

	"golang.org/x/mod/sumdb/tlog"
)

// Kept is a signed head that was copied out of the database.
type Kept struct {
	Name string // where: file and size
	Note string
}

// Export adds the newest signed head to a folder outside the database, where
// whoever owns the database and the master key cannot change it (trust B7.3).
// name is where it is kept (headlog.Head); empty when the newest is there
// already, or there is none. A day has its own line, also when nothing happened.
//
// The head kept last must be part of the present tree (RFC 6962 §2.1.2), else
// nothing is written and the error wraps ErrTampered.
func (s *Sequencer) Export(ctx context.Context, dir string) (name, head string, err error) {
	last, known, err := headlog.Newest(dir)
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
		if !known {
			return nil
		}
		return s.consistent(tx, h, Kept{last.Name, last.Note})
	})
	if err != nil || size == 0 {
		return "", "", err
	}
	now := s.clock.Now()
	if known && last.Note == head && strings.HasPrefix(last.Name, now.UTC().Format(time.DateOnly)) {
		return "", head, nil
	}
	name, err = headlog.Append(dir, now, size, head)
	return name, head, err
}

// consistent proves that the tree of a kept head is the beginning of the tree
// of h.
func (s *Sequencer) consistent(tx *store.Tx, h headRow, last Kept) error {
	old, text, err := s.openHead(last.Note)
	if err != nil {
		return fmt.Errorf("%s: %w", last.Name, err)
	}
	if h.Size == 0 {
		return cutBefore(last.Name, signedAt(text), old.N, 0)
	}
	now, err := s.openStored(h)
	switch {
	case err != nil:
		return err
	case old.N > now.N:
		return cutBefore(last.Name, signedAt(text), old.N, now.N)
	case old.N == 0:
		return nil
	}
	proof, err := tlog.ProveTree(now.N, old.N, hashReader(tx))
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	if tlog.CheckTree(proof, now.N, now.Hash, old.N, old.Hash) != nil {
		return forked(last.Name, signedAt(text), old.N)
	}
	return nil
}

func cutBefore(name string, at time.Time, kept, remain int64) error {
	return fmt.Errorf("%w: the head %s%s covers %d entries and %d remain: the end of the log was cut", ErrTampered, name, whenSigned(at), kept, remain)
}

func forked(name string, at time.Time, size int64) error {
	return fmt.Errorf("%w: the head %s%s covers other entries before %d: the log was cut and written again, or changed", ErrTampered, name, whenSigned(at), size)
}

func whenSigned(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return ", signed at " + minute(at) + ","
}

func minute(at time.Time) string {
	return at.Format("2006-01-02 15:04:05 UTC")
}

// signedAt reads when a head was signed from its text; zero when it does not say.
func signedAt(text string) time.Time {
	_, at, _ := strings.Cut(text, "\nat ")
	micros, err := strconv.ParseInt(strings.TrimSuffix(at, "\n"), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return store.Time(micros)
}

// Heads reads the heads of a folder, in the order they were kept.
func Heads(dir string) ([]Kept, error) {
	k, err := headlog.Read(dir)
	if err != nil {
		return nil, err
	}
	list := make([]Kept, 0, len(k.Heads))
	for _, h := range k.Heads {
		list = append(list, Kept{h.Name, h.Note})
	}
	return list, nil
}
