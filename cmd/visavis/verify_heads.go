package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"visavis/internal/audit"
	"visavis/internal/audit/headlog"
	"visavis/internal/seal/timestamp"
)

// place is a folder of heads that verify compares the log with.
type place struct {
	dir string
	headlog.Kept
}

// places reads the folders of the settings and the one of --heads. One that
// was asked for and holds nothing proves nothing. The second place is read
// first: what it has at any time, the first has by then, also while the server
// adds to both.
func (v verifyCmd) places(f *foundation) (list []place, err error) {
	seen := map[string]bool{}
	for _, dir := range []string{f.cfg.HeadsCopy, f.cfg.HeadsDir, v.Heads} {
		if dir == "" || seen[dir] {
			continue
		}
		seen[dir] = true
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) && dir == f.cfg.HeadsDir && v.Heads != dir {
			continue // none was kept yet
		} else if err != nil {
			return nil, fmt.Errorf("heads: %w", err)
		}
		k, err := headlog.Read(dir)
		if err != nil {
			return nil, err
		}
		if len(k.Heads) == 0 && dir == v.Heads {
			return nil, fmt.Errorf("%s holds no head: nothing to compare with", dir)
		}
		list = append(list, place{dir, k})
	}
	return list, nil
}

// kept are the heads of all places, and the one of --head.
func (v verifyCmd) kept(places []place) ([]audit.Kept, error) {
	var list []audit.Kept
	for _, p := range places {
		for _, h := range p.Heads {
			list = append(list, audit.Kept{Name: filepath.Join(p.dir, h.Name), Note: h.Note})
		}
	}
	if v.Head != "" {
		raw, err := os.ReadFile(v.Head)
		if err != nil {
			return nil, err
		}
		list = append(list, audit.Kept{Name: v.Head, Note: string(raw)})
	}
	return list, nil
}

// comparePlaces finds heads that the second place has and the first lacks, and
// the reverse for all but the newest, which may be on their way.
func comparePlaces(f *foundation, places []place) error {
	var first, second *place
	for i := range places {
		switch places[i].dir {
		case f.cfg.HeadsDir:
			first = &places[i]
		case f.cfg.HeadsCopy:
			second = &places[i]
		}
	}
	if second == nil {
		return nil
	}
	if first == nil {
		first = &place{dir: f.cfg.HeadsDir}
	}
	newest := int64(0)
	for _, h := range second.Heads {
		newest = max(newest, h.Size)
	}
	return errors.Join(taken(second, first, func(headlog.Head) bool { return true }),
		taken(first, second, func(h headlog.Head) bool { return h.Size > 0 && h.Size < newest }))
}

// taken is the finding that heads of one place are not in the other.
func taken(from, in *place, counts func(headlog.Head) bool) error {
	there := map[string]bool{}
	for _, h := range in.Heads {
		there[h.Note] = true
	}
	n, example := 0, ""
	for _, h := range from.Heads {
		if counts(h) && !there[h.Note] {
			if n == 0 {
				example = h.Name
			}
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d heads of %s are not in %s, the first is %s: they were taken out there", audit.ErrTampered, n, from.dir, in.dir, example)
}

// verifyHeads says what was found beside the tree: unreadable lines, and the
// time stamp of each head that has one.
func verifyHeads(out io.Writer, f *foundation, places []place) error {
	roots, err := stampRoots(f.cfg.TSA.CA)
	if err != nil {
		return err
	}
	var errs []error
	for _, p := range places {
		sums := map[[32]byte]bool{}
		for _, h := range p.Heads {
			sums[h.Sum()] = true
		}
		if len(p.Broken) > 0 {
			fmt.Fprintf(out, "heads: %d lines of %s cannot be read (a power cut leaves one): %s\n", len(p.Broken), p.dir, strings.Join(p.Broken[:min(3, len(p.Broken))], "; "))
		}
		checked, last := 0, ""
		for _, s := range p.Stamps {
			if roots == nil {
				continue
			}
			info, err := timestamp.Verify(s.Token, s.Sum, roots)
			switch {
			case err != nil:
				errs = append(errs, fmt.Errorf("%w: the time stamp of the head %s does not hold: %w", audit.ErrTampered, filepath.Join(p.dir, s.Name), err))
			case !sums[s.Sum]:
				errs = append(errs, fmt.Errorf("%w: a head of %d entries was time-stamped at %s (%s) and is not in %s any more", audit.ErrTampered, s.Size,
					info.At.Format("2006-01-02 15:04:05 UTC"), s.Name, p.dir))
			default:
				checked, last = checked+1, fmt.Sprintf(", the newest at %s over %d entries, by %s", info.At.Format("2006-01-02 15:04:05 UTC"), s.Size, info.Authority)
			}
		}
		unchecked := ""
		if roots == nil && len(p.Stamps) > 0 {
			unchecked = fmt.Sprintf(", %d not checked (no VISAVIS_TSA_CA)", len(p.Stamps))
		}
		fmt.Fprintf(out, "heads in %s: %d; time stamps: %d checked%s%s\n", p.dir, len(p.Heads), checked, last, unchecked)
	}
	return errors.Join(errs...)
}
