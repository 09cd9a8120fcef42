package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"visavis/internal/audit/headlog"
	"visavis/internal/config"
	"visavis/internal/installation"
	"visavis/internal/store"
	"visavis/internal/store/roles"
	"visavis/internal/telemetry"
)

// tryRoles asks PostgreSQL what the role that serves may do to the audit log.
// One role that owns the tables and serves is reported, and is no failure
// unless two were set.
func tryRoles(ctx context.Context, cfg *config.Config) (err error) {
	if cfg.DatabaseURL == "" {
		return fmt.Errorf("%w: SQLite has no roles; whoever has the file and the key can change it", errUnset)
	}
	f, err := lay(ctx, cfg, telemetry.NewLog(os.Stderr, cfg.LogJSON), toRead)
	if errors.Is(err, installation.ErrNotBegun) {
		return fmt.Errorf("%w: the database is empty", errUnset)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	r, err := f.inspectRoles(ctx)
	switch {
	case err != nil:
		return err
	case r.Owns && cfg.OwnerURL != "":
		return fmt.Errorf("DATABASE_OWNER_URL is set, and the role %s of DATABASE_URL owns the tables all the same, or can become their owner: it can delete audit rows", r.Role)
	case r.Owns:
		return fmt.Errorf("%w: one role, %s, owns the tables and serves: whoever has DATABASE_URL can delete audit rows (runbook, Two roles)", errUnset, r.Role)
	case len(r.Findings) > 0:
		return errors.New(strings.Join(r.Findings, "; "))
	}
	return nil
}

func (f *foundation) inspectRoles(ctx context.Context) (roles.Report, error) {
	pool, err := f.db.SQL()
	if err != nil {
		return roles.Report{}, err
	}
	return roles.Inspect(ctx, pool)
}

// logRoles tells the log what tryRoles tells who asks.
func (f *foundation) logRoles(ctx context.Context) error {
	if f.db.Dialect() != store.Postgres {
		return nil
	}
	r, err := f.inspectRoles(ctx)
	if err != nil {
		return err
	}
	if r.Owns {
		f.log.Warn("database: one role owns the tables and serves: it can delete audit rows", "role", r.Role)
	}
	for _, finding := range r.Findings {
		f.log.Error("database: " + finding)
	}
	return nil
}

// trySecondPlace brings the second place of audit heads up to date: that tries
// all it needs, and nothing else is written there.
func trySecondPlace(_ context.Context, cfg *config.Config) error {
	if cfg.HeadsCopy == "" {
		return fmt.Errorf("%w: heads are kept in one folder, %s", errUnset, cfg.HeadsDir)
	}
	if _, err := os.Stat(cfg.HeadsCopy); err != nil {
		return err
	}
	f := &foundation{cfg: cfg, heads: newHeadKeeper()}
	return f.inTime(func() error { return headlog.Copy(cfg.HeadsDir, cfg.HeadsCopy) })
}
