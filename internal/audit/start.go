package audit

import (
	"context"
	"fmt"

	"visavis/internal/audit/headlog"
	"visavis/internal/store"
)

// CheckNewest is the check of a start: the newest signed head of the database
// is ours and is the root of the stored tree, and the newest head that was kept
// in dir is part of it. A database that lost its end (a restored copy, a copy
// without its write-ahead log) is found by that. It reads a few rows and
// the end of one file only; Verify reads all. A folder that is not there holds no head.
func (s *Sequencer) CheckNewest(ctx context.Context, dir string) error {
	last, known, err := headlog.Newest(dir)
	if err != nil {
		return err
	}
	return s.db.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		h, err := lastHead(tx)
		if err != nil {
			return err
		}
		if err := s.checkLast(h, hashReader(tx)); err != nil {
			return err
		}
		if !known {
			return nil
		}
		if err := s.consistent(tx, h, Kept{last.Name, last.Note}); err != nil {
			return fmt.Errorf("%w. If this is an older backup that you restored on purpose, move the newer heads, the files of that day and later, out of %s, and the folder audit out of the data folder", err, dir)
		}
		return nil
	})
}
