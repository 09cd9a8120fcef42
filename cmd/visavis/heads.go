package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"visavis/internal/audit"
	"visavis/internal/config"
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
	if errors.Is(err, audit.ErrTampered) {
		f.log.Error("integrity: the audit log is not numbered any more", "error", err)
	}
	return errors.Join(err, f.seq.CheckJournal(ctx, f.kept), f.alarm(ctx))
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
