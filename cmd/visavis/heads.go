package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"visavis/internal/audit"
	"visavis/internal/config"
	"visavis/internal/health"
	"visavis/internal/telemetry"
)

type auditCmd struct {
	Head auditHeadCmd `cmd:"" help:"Number what is new, print the newest signed head and keep it in the folder of heads."`
}

type auditHeadCmd struct{}

// Run keeps a head now. It may run beside the server.
func (auditHeadCmd) Run(ctx context.Context, cfg *config.Config) error {
	f, err := lay(ctx, cfg, telemetry.NewLog(os.Stderr, cfg.LogJSON), toRead)
	if err != nil {
		return err
	}
	head, err := f.printHead(ctx, func(text string) { fmt.Fprintln(os.Stderr, text) })
	if head != "" {
		_, printErr := fmt.Print(head)
		err = errors.Join(err, printErr)
	}
	return errors.Join(err, f.close())
}

// numberEntries is the job that numbers new entries of the audit log, and looks
// whether one that was committed is gone.
func (f *foundation) numberEntries(ctx context.Context) error {
	_, err := f.seq.Sequence(ctx)
	if f.numbering.note(err, f.clock.Now()) && errors.Is(err, audit.ErrTampered) {
		f.log.Error("integrity: the audit log is not numbered any more", "error", err)
	}
	return errors.Join(err, f.seq.CheckJournal(ctx, f.kept), f.alarm(ctx))
}

// numberedLate is how long after the last success of the job, which runs every
// second, health says that entries get no number.
const numberedLate = 2 * time.Minute

// numbering is what the job that numbers entries came to.
type numbering struct {
	failing
	tampered atomic.Bool
	last     atomic.Int64 // when it succeeded, in Unix seconds; 0 before the first time
}

// note remembers a result and tells whether it is a new failure.
func (n *numbering) note(err error, now time.Time) bool {
	if err == nil {
		n.last.Store(now.Unix())
	}
	n.tampered.Store(errors.Is(err, audit.ErrTampered))
	return n.set(err)
}

// begin counts from now, before the first run.
func (n *numbering) begin(now time.Time) { n.last.Store(now.Unix()) }

// probeNumbering says that new entries of the audit log get no number: the log in
// the database was changed, or the job fails or does not run. People are served all
// the same, and each entry is kept with its MAC and in the journal, but no signed
// head covers it.
func (p *platform) probeNumbering(context.Context) error {
	n := &p.numbering
	text := n.text.Load()
	last := time.Unix(n.last.Load(), 0)
	switch {
	case text != nil && n.tampered.Load():
		return &health.Error{Code: "audit-changed", Degraded: true, Detail: "the audit log in the database was cut or changed, its new entries get no number: stop, keep a copy of the database, and run visavis verify, which names what is wrong (runbook, Audit log). " + *text}
	case n.last.Load() > 0 && p.clock.Now().Sub(last) > numberedLate:
		detail := "new entries of the audit log got no number since " + last.UTC().Format("2006-01-02 15:04:05 UTC")
		if text != nil {
			detail += ": " + *text
		}
		return &health.Error{Code: "audit-not-numbered", Degraded: true, Detail: detail}
	}
	return nil
}

// alarm tells the operator which rows were refused because nobody with the key
// wrote them, or because they were put back; people were told that they do not
// exist.
func (f *foundation) alarm(ctx context.Context) error {
	found, err := f.audit.RecordFindings(ctx, f.db)
	for _, x := range found {
		f.log.Error("integrity: a row was refused", "row", x.Object, "reason", x.Reason)
	}
	return err
}
