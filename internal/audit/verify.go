package audit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"visavis/internal/store"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// ErrTampered is wrapped by every finding of Verify.
var ErrTampered = errors.New("audit log was tampered with")

// Verify recomputes the whole tree from the rows and checks it against every
// signed head and every stored hash. kept are heads copied elsewhere before
// (Export): the log must still begin with each of them. Only such a head tells
// when somebody with the database and the master key cut the tail of the log, or
// wrote another one. It returns the number of entries.
func (s *Sequencer) Verify(ctx context.Context, kept ...Kept) (int64, error) {
	var n int64
	err := s.db.Read(ctx, func(ctx context.Context, tx *store.Tx) error {
		v := verification{s: s, tx: tx, tree: map[int64]tlog.Hash{}, signed: map[int64][]signed{}}
		err := v.run(kept)
		n = v.size
		return err
	})
	return n, err
}

// verification is one run of Verify.
type verification struct {
	s      *Sequencer
	tx     *store.Tx
	tree   map[int64]tlog.Hash // recomputed from the rows
	signed map[int64][]signed  // heads not reached yet, by size
	size   int64               // entries read
	fits   signed              // the largest head that was met and fits
}

// signed is a head to be met; by name when it was kept elsewhere.
type signed struct {
	tlog.Tree
	at   time.Time
	name string
}

func (v *verification) run(kept []Kept) error {
	last, err := v.heads(kept)
	if err != nil {
		return err
	}
	for {
		rows, err := numbered(v.tx, v.size, batch)
		if err != nil {
			return err
		}
		if err := v.extend(rows); err != nil {
			return err
		}
		if len(rows) < batch {
			break
		}
	}
	if left := slices.Sorted(maps.Keys(v.signed)); len(left) > 0 {
		at := left[0]
		if h := v.signed[at][len(v.signed[at])-1]; h.name != "" {
			return fmt.Errorf("%w; entries %d to %d are gone, %s", cutBefore(h.name, h.at, at, v.size), v.size, left[len(left)-1]-1, v.since(h))
		}
		return fmt.Errorf("%w: head of %d entries, %d remain", ErrTampered, at, v.size)
	}
	if last != v.size {
		return fmt.Errorf("%w: %d entries are numbered and no head covers them all", ErrTampered, v.size)
	}
	n, err := countNumbered(v.tx)
	if err != nil {
		return err
	}
	if n != v.size {
		return fmt.Errorf("%w: %d entries have a number, %d are in the chain", ErrTampered, n, v.size)
	}
	switch id, err := firstForgedEntry(v.tx); {
	case err != nil:
		return err
	case id != "":
		return fmt.Errorf("%w: entry %s has no number, and nobody with the key wrote it so", ErrTampered, id)
	}
	return v.hashes()
}

// since says between which minutes entries were written that are not what a
// kept head covers.
func (v *verification) since(h signed) string {
	if v.fits.N == 0 {
		return "written before " + minute(h.at)
	}
	return "written after " + minute(v.fits.at) + ", when the last head that still fits was signed over " + fmt.Sprint(v.fits.N)
}

// heads reads every signed head and returns the size of the last stored one.
func (v *verification) heads(kept []Kept) (last int64, err error) {
	all, err := heads(v.tx)
	if err != nil {
		return 0, err
	}
	for _, h := range all {
		t, err := v.s.openStored(h)
		if err != nil {
			return 0, err
		}
		v.signed[t.N] = append(v.signed[t.N], signed{Tree: t, at: store.Time(h.At)})
		last = t.N
	}
	for _, k := range kept {
		t, text, err := v.s.openHead(k.Note)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", k.Name, err)
		}
		v.signed[t.N] = append(v.signed[t.N], signed{t, signedAt(text), k.Name})
	}
	return last, nil
}

// extend adds rows to the recomputed tree and checks the heads it reaches.
func (v *verification) extend(rows []row) error {
	missing := func(idx []int64) ([]tlog.Hash, error) { return nil, fmt.Errorf("audit: no hash %v", idx) }
	reader := tlog.HashReaderFunc(func(idx []int64) ([]tlog.Hash, error) { return readThrough(idx, v.tree, missing) })
	for _, r := range rows {
		if *r.Seq != v.size {
			return fmt.Errorf("%w: entry %d is missing", ErrTampered, v.size)
		}
		fresh, err := tlog.StoredHashes(v.size, leaf(r), reader)
		if err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		at := tlog.StoredHashIndex(0, v.size)
		for i, h := range fresh {
			v.tree[at+int64(i)] = h
		}
		v.size++
		for _, t := range v.signed[v.size] {
			root, err := tlog.TreeHash(v.size, reader)
			if err != nil {
				return fmt.Errorf("audit: %w", err)
			}
			if t.Hash != root && t.name != "" {
				return fmt.Errorf("%w; entries from %d on are not those that were signed, %s", forked(t.name, t.at, t.N), v.fits.N, v.since(t))
			}
			if t.Hash != root {
				return v.changed()
			}
			if t.name != "" {
				v.fits = t
			}
		}
		delete(v.signed, v.size)
	}
	return nil
}

// changed names the first entry that is not what its stored hash says, for a
// head that does not match. Who changed the hashes too leaves no better trace
// than the head.
func (v *verification) changed() error {
	err := eachHash(v.tx, func(h hashRow) error {
		level, n := tlog.SplitStoredHashIndex(h.Idx)
		if now, ok := v.tree[h.Idx]; ok && level == 0 && string(now[:]) != string(h.Hash) {
			return fmt.Errorf("%w: entry %d was changed", ErrTampered, n)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: an entry before %d was changed, and its hash", ErrTampered, v.size)
}

// hashes compares the stored tree with the recomputed one.
func (v *verification) hashes() error {
	var n int
	err := eachHash(v.tx, func(h hashRow) error {
		want, ok := v.tree[h.Idx]
		if !ok || string(want[:]) != string(h.Hash) {
			return fmt.Errorf("%w: stored hash %d is not the tree's", ErrTampered, h.Idx)
		}
		n++
		return nil
	})
	if err == nil && n != len(v.tree) {
		err = fmt.Errorf("%w: %d stored hashes of %d", ErrTampered, n, len(v.tree))
	}
	return err
}

// checkLast refuses to build on a stored tree that is not the one signed last.
func (s *Sequencer) checkLast(h headRow, stored tlog.HashReader) error {
	if h.Size == 0 {
		return nil
	}
	t, err := s.openStored(h)
	if err != nil {
		return err
	}
	root, err := tlog.TreeHash(h.Size, stored)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTampered, err)
	}
	if root != t.Hash {
		return fmt.Errorf("%w: the stored tree is not the one of head %d", ErrTampered, h.Size)
	}
	return nil
}

// openStored opens a stored head and checks that its row says what it signs.
func (s *Sequencer) openStored(h headRow) (tlog.Tree, error) {
	t, text, err := s.openHead(h.Note)
	if err == nil && (t.N != h.Size || text != headText(t, h.At)) {
		err = fmt.Errorf("%w: the row of head %d says something else than its note", ErrTampered, h.Size)
	}
	return t, err
}

func (s *Sequencer) openHead(head string) (t tlog.Tree, text string, err error) {
	n, err := note.Open([]byte(head), anyName{s.key})
	if err != nil {
		return t, "", fmt.Errorf("%w: a head is not signed by this platform", ErrTampered)
	}
	if t, err = tlog.ParseTree([]byte(n.Text)); err != nil {
		return t, "", fmt.Errorf("%w: a head cannot be read", ErrTampered)
	}
	return t, n.Text, nil
}
