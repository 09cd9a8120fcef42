package audit

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"visavis/internal/audit/headlog"
	"visavis/internal/store"
)

// Restore gives the newest versions of rows that the journal knows to db, so
// that a row that is put back is refused after a restart too, whatever happened
// to the entry that told of its later version. A folder that was never begun, or
// lost, is filled from the log.
func (j *Journal) Restore(ctx context.Context, db *store.DB) error {
	newest, found, err := j.versions()
	if err != nil {
		return err
	}
	if !found {
		told, err := db.ToldVersions(ctx)
		if err != nil {
			return err
		}
		for object, v := range told {
			h := store.HashObject(object)
			newest[h] = max(newest[h], v)
		}
		if err := j.writeVersions(newest); err != nil {
			return err
		}
	}
	if err := j.restoreRows(ctx, db); err != nil {
		return err
	}
	for h, v := range newest {
		db.Remember(h, v)
	}
	list, err := j.entries()
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, k := range list {
		j.open = append(j.open, k.id)
	}
	return nil
}

// Compact folds the files of days before yesterday into the file of versions.
// A file stays as long as one of its entries is missing, or no head of a later
// day is kept in heads.
func (j *Journal) Compact(ctx context.Context, s *Sequencer, heads string) error {
	list, err := j.days()
	if err != nil {
		return err
	}
	signed, known, err := headlog.Newest(heads)
	if err != nil || !known {
		return err
	}
	before := min(j.clock.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly), signed.Name)
	list = slices.DeleteFunc(list, func(name string) bool {
		return strings.TrimSuffix(filepath.Base(name), entriesSuffix) >= before[:min(len(before), len(time.DateOnly))]
	})
	if len(list) == 0 {
		return nil
	}
	missing, err := s.missing(ctx, j)
	if err != nil || len(missing) > 0 {
		return err
	}
	newest, _, err := j.versions()
	if err == nil {
		err = j.writeVersions(newest)
	}
	if err == nil {
		err = j.foldRows(list)
	}
	for _, name := range list {
		if err == nil {
			err = os.Remove(name)
		}
	}
	return err
}

// CheckJournal reports entries that were committed and are not in the database
// any more: they were deleted before they had a number. It looks at those that
// were not known to be numbered when it was asked last.
func (s *Sequencer) CheckJournal(ctx context.Context, j *Journal) error {
	j.mu.Lock()
	ids := j.open
	j.open = nil
	j.mu.Unlock()
	var left []string
	err := s.db.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		left = nil
		for part := range slices.Chunk(ids, batch) {
			known, err := numbersOf(tx, part)
			if err != nil {
				return err
			}
			for _, id := range part {
				numbered, there := known[id]
				switch {
				case !there:
					tx.Report(store.Finding{Object: "audit/" + id, Reason: "removed"})
				case !numbered:
					left = append(left, id)
				}
			}
		}
		return nil
	})
	if err != nil {
		left = ids
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.open = append(left, j.open...)
	return err
}

// missing lists entries of the journal that are not in the log with a number.
func (s *Sequencer) missing(ctx context.Context, j *Journal) (ids []string, err error) {
	list, err := j.entries()
	if err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		ids = nil
		for part := range slices.Chunk(list, batch) {
			var names []string
			for _, k := range part {
				names = append(names, k.id)
			}
			known, err := numbersOf(tx, names)
			if err != nil {
				return err
			}
			for _, id := range names {
				if !known[id] {
					ids = append(ids, id)
				}
			}
		}
		return nil
	})
	return ids, err
}

// VerifyJournal checks that every entry of the journal is in the log, with a
// number: call Sequence before. It returns how many there are.
func (s *Sequencer) VerifyJournal(ctx context.Context, j *Journal) (int, error) {
	list, err := j.entries()
	if err != nil {
		return 0, err
	}
	ids, err := s.missing(ctx, j)
	if err != nil || len(ids) == 0 {
		return len(list), err
	}
	// An entry may have been committed since Sequence ran: it is there, without a number.
	if _, err := s.Sequence(ctx); err != nil {
		return 0, err
	}
	if ids, err = s.missing(ctx, j); err != nil || len(ids) == 0 {
		return len(list), err
	}
	return 0, fmt.Errorf("%w: %d entries of the last days are not in the log any more, or were changed before they had a number; the first is %s (kept in %s)",
		ErrTampered, len(ids), ids[0], j.dir)
}
