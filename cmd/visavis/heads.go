package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

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
	return errors.Join(f.printHead(ctx), f.close())
}

func (f *foundation) printHead(ctx context.Context) error {
	if _, err := f.seq.Sequence(ctx); err != nil {
		return err
	}
	name, head, err := f.seq.Export(ctx, f.cfg.HeadsDir, false)
	switch {
	case err != nil:
		return err
	case head == "":
		return errors.New("the audit log is empty: there is no head yet")
	case name != "":
		fmt.Fprintln(os.Stderr, "kept as", filepath.Join(f.cfg.HeadsDir, name))
	}
	_, err = fmt.Print(head)
	return err
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

// keepHead is the job that keeps one head a day. The log has it too: where the
// log is shipped, that is another place outside the database.
func (f *foundation) keepHead(ctx context.Context, _ json.RawMessage) error {
	name, head, err := f.seq.Export(ctx, f.cfg.HeadsDir, true)
	if errors.Is(err, audit.ErrTampered) {
		f.log.Error("audit: the log is not the one whose head was kept", "error", err)
	}
	if err != nil || name == "" {
		return err
	}
	lines := strings.Split(head, "\n") // name of the tree, size, root, our time
	if len(lines) > 2 {
		f.log.Info("audit: head kept", "file", name, "size", lines[1], "root", lines[2])
	}
	return nil
}
