package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"visavis/internal/audit"
	"visavis/internal/audit/headlog"
	"visavis/internal/health"
	"visavis/internal/seal/timestamp"
)

const (
	// headsEvery is how often the job looks for a new head.
	headsEvery = 5 * time.Second
	// headsApart is the least time between two heads that are kept: with
	// headsEvery, an entry is covered by a kept head well within a minute.
	headsApart = 30 * time.Second
	// secondFor bounds what is waited for the second place, which may be a share
	// that hangs. What hangs longer is left alone and reported.
	secondFor = 10 * time.Second
	// stampAgain is how long after a failed time stamp the next is tried.
	stampAgain = 5 * time.Minute
)

// headKeeper is what the jobs that keep heads remember.
type headKeeper struct {
	busy    sync.Mutex   // one job at a time
	began   atomic.Int64 // when the job under way did, in Unix seconds; 0 while none is
	keptAt  time.Time
	logged  time.Time
	copying atomic.Bool // the second place has not answered yet
	copyFor time.Duration

	stamped   headlog.Stamp // the last one; unknown before the first look
	looked    bool
	stampNext time.Time

	first, second failing
}

func newHeadKeeper() *headKeeper { return &headKeeper{copyFor: secondFor} }

// failing is what is wrong with one place; empty while it works.
type failing struct{ text atomic.Pointer[string] }

// set remembers a result and tells whether it is news.
func (f *failing) set(err error) bool {
	if err == nil {
		f.text.Store(nil)
		return false
	}
	text := err.Error()
	before := f.text.Swap(&text)
	return before == nil || *before != text
}

// keepHead is the job that takes new heads out of the database. The log has one
// of each hour too: where the log is shipped, that is another place.
func (f *foundation) keepHead(ctx context.Context, _ json.RawMessage) error {
	k := f.heads
	if !k.busy.TryLock() {
		return nil // the one before is still at it
	}
	defer k.busy.Unlock()
	now := f.clock.Now()
	k.began.Store(now.Unix())
	defer k.began.Store(0)
	if now.Sub(k.keptAt) >= headsApart || now.Before(k.keptAt) {
		name, head, err := f.exportHead(ctx)
		if k.first.set(err) {
			what := "audit: heads are not kept"
			if errors.Is(err, audit.ErrTampered) {
				what = "audit: the log is not the one whose head was kept"
			}
			f.log.Error(what, "error", err)
		}
		if name != "" && err == nil {
			k.keptAt = now
			f.logHead(name, head, now)
		}
	}
	f.copyHeads()
	return nil // reported once and by health; the job comes again by itself
}

// keepLast keeps what was written until the jobs stopped: the next start may be
// hours away.
func (f *foundation) keepLast(ctx context.Context) {
	if !f.heads.busy.TryLock() {
		return // the first place hangs
	}
	defer f.heads.busy.Unlock()
	_, err := f.seq.Sequence(ctx)
	if err == nil {
		_, _, err = f.exportHead(ctx)
	}
	if err != nil {
		f.log.Error("audit: the last head is not kept", "error", err)
		return
	}
	f.copyHeads()
}

// exportHead refuses to begin again in a folder whose heads are gone while this
// process runs, as when a network share is unmounted.
func (f *foundation) exportHead(ctx context.Context) (name, head string, err error) {
	if !f.heads.keptAt.IsZero() {
		_, known, err := headlog.Newest(f.cfg.HeadsDir)
		if err == nil && !known {
			err = errors.New("the heads that were kept there are gone")
		}
		if err != nil {
			return "", "", err
		}
	}
	return f.seq.Export(ctx, f.cfg.HeadsDir)
}

func (f *foundation) logHead(name, head string, now time.Time) {
	lines := strings.Split(head, "\n") // name of the tree, size, root, our time
	if len(lines) > 2 && now.Sub(f.heads.logged) >= time.Hour {
		f.heads.logged = now
		f.log.Info("audit: head kept", "as", name, "size", lines[1], "root", lines[2])
	}
}

// copyHeads brings the second place up to date. Its failure is reported and
// holds up nothing.
func (f *foundation) copyHeads() {
	if f.cfg.HeadsCopy == "" {
		return
	}
	err := f.inTime(func() error { return headlog.Copy(f.cfg.HeadsDir, f.cfg.HeadsCopy) })
	if f.heads.second.set(err) {
		f.log.Error("audit: heads do not reach the second place", "folder", f.cfg.HeadsCopy, "error", err)
	}
}

// inTime runs fn, which asks the second place, and waits for it for a while. As
// long as it does not return, the next one is refused at once.
func (f *foundation) inTime(fn func() error) error {
	if !f.heads.copying.CompareAndSwap(false, true) {
		return errors.New("the second place of audit heads does not answer")
	}
	done := make(chan error, 1)
	go func() {
		err := fn()
		f.heads.copying.Store(false)
		done <- err
	}()
	wait := time.NewTimer(f.heads.copyFor)
	defer wait.Stop()
	select {
	case err := <-done:
		return err
	case <-wait.C:
		return errors.New("the second place of audit heads does not answer")
	}
}

// checkHeads compares the database with the newest head of each place, at the
// start. A second place that cannot be read is reported, and does not keep the
// program from serving.
func (f *foundation) checkHeads(ctx context.Context) error {
	if err := f.seq.CheckNewest(ctx, f.cfg.HeadsDir); err != nil {
		return err
	}
	if f.cfg.HeadsCopy == "" {
		return nil
	}
	err := f.inTime(func() error { return f.seq.CheckNewest(ctx, f.cfg.HeadsCopy) })
	if errors.Is(err, audit.ErrTampered) {
		return err
	}
	if f.heads.second.set(err) {
		f.log.Error("audit: the second place of heads cannot be read", "folder", f.cfg.HeadsCopy, "error", err)
	}
	return nil
}

// probeHeads says whether heads reach their places. A folder of its own, a share
// perhaps, is looked at; the one in the data folder is on a disk that probeDisk
// tries.
func (p *platform) probeHeads(context.Context) error {
	if began := p.heads.began.Load(); began > 0 && p.clock.Now().Sub(time.Unix(began, 0)) > time.Minute {
		return &health.Error{Code: "heads-not-kept", Degraded: true, Detail: "folder of audit heads " + p.cfg.HeadsDir + ": does not answer"}
	}
	if filepath.Dir(p.cfg.HeadsDir) != p.cfg.DataDir {
		if _, err := os.Stat(p.cfg.HeadsDir); err != nil {
			return &health.Error{Code: "heads-not-kept", Degraded: true, Detail: "folder of audit heads: " + err.Error()}
		}
	}
	for _, place := range []struct {
		what, dir string
		state     *failing
	}{{"folder of audit heads", p.cfg.HeadsDir, &p.heads.first}, {"second place of audit heads", p.cfg.HeadsCopy, &p.heads.second}} {
		if text := place.state.text.Load(); text != nil {
			return &health.Error{Code: "heads-not-kept", Degraded: true, Detail: place.what + " " + place.dir + ": " + *text}
		}
	}
	return nil
}

// stampHead is the job that has the newest kept head time-stamped: at most once
// in HeadsStamp, and once after each midnight UTC, so that a day ends with one. A
// head covers all before it, so one stamp dates every entry so far.
func (f *foundation) stampHead(ctx context.Context, _ json.RawMessage) error {
	authority, err := stamping(f.cfg, f.clock)
	if err != nil || authority == nil || f.cfg.HeadsStamp == 0 {
		return err
	}
	k, now := f.heads, f.clock.Now()
	if now.Before(k.stampNext) {
		return nil
	}
	if !k.looked {
		if k.stamped, _, err = headlog.NewestStamp(f.cfg.HeadsDir); err != nil {
			return err
		}
		k.looked = true
	}
	h, known, err := headlog.Newest(f.cfg.HeadsDir)
	sameDay := k.stamped.At.UTC().Format(time.DateOnly) == now.UTC().Format(time.DateOnly)
	if err != nil || !known || h.Size == 0 || h.Sum() == k.stamped.Sum || sameDay && now.Sub(k.stamped.At) < f.cfg.HeadsStamp {
		return err
	}
	token, _, err := authority.Stamp(ctx, h.Sum())
	if err == nil {
		err = headlog.AppendStamp(f.cfg.HeadsDir, now, h, token)
	}
	if err != nil {
		k.stampNext = now.Add(stampAgain)
		f.log.Warn("audit: the newest head is not time-stamped yet", "reason", timestamp.ReasonOf(err), "error", err)
		return nil
	}
	k.stamped = headlog.Stamp{At: now, Sum: h.Sum(), Size: h.Size}
	return nil
}

// printHead numbers what is new, keeps the newest head at once and prints it.
func (f *foundation) printHead(ctx context.Context, say func(string)) (string, error) {
	if _, err := f.seq.Sequence(ctx); err != nil {
		return "", err
	}
	name, head, err := f.seq.Export(ctx, f.cfg.HeadsDir)
	switch {
	case err != nil:
		return "", err
	case head == "":
		return "", errors.New("the audit log is empty: there is no head yet")
	case name != "":
		say("kept as " + filepath.Join(f.cfg.HeadsDir, name))
	}
	if f.cfg.HeadsCopy == "" {
		return head, nil
	}
	if err := f.inTime(func() error { return headlog.Copy(f.cfg.HeadsDir, f.cfg.HeadsCopy) }); err != nil {
		return head, fmt.Errorf("second place %s: %w", f.cfg.HeadsCopy, err)
	}
	return head, nil
}
