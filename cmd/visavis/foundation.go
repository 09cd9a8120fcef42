package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/clock"
	"visavis/internal/config"
	"visavis/internal/events"
	"visavis/internal/installation"
	"visavis/internal/limit"
	"visavis/internal/seal"
	"visavis/internal/store"

	"github.com/redis/go-redis/v9"
)

// foundation is what every module stands on.
type foundation struct {
	cfg    *config.Config
	log    *slog.Logger
	clock  clock.Clock
	opened *installation.Installation
	master seal.Master
	db     *store.DB
	bus    *events.Bus
	keeper *seal.Keeper
	index  seal.Index
	signer *seal.Signer
	audit  *audit.Log
	seq    *audit.Sequencer
	kept   *audit.Journal // of the audit log, in the data folder
	heads  *headKeeper

	numbering numbering // of the audit log
	table     *authz.Table
	limits    limit.Limiter
	redis     redis.UniversalClient // nil without REDIS_URL
}

// purpose is what a command opens the installation for.
type purpose int

const (
	toRead  purpose = iota // nothing is begun
	toBegin                // the key and an empty database are made where there is neither
	toServe                // and this process alone serves
)

// lay opens the key, the database and Redis (internal/installation), and brings
// the schema up to date.
func lay(ctx context.Context, cfg *config.Config, log *slog.Logger, why purpose) (*foundation, error) {
	f := &foundation{cfg: cfg, log: log, clock: clock.System{}, heads: newHeadKeeper()}
	opened, err := installation.Open(ctx, installation.Options{
		KeyFile: cfg.KeyFile, DataDir: cfg.DataDir, DatabaseURL: cfg.DatabaseURL.Value(), OwnerURL: cfg.OwnerURL.Value(), Clock: f.clock, Prepare: events.MigrateQueue,
		Begin: why >= toBegin, NewDatabase: cfg.NewDatabase, Serve: why == toServe,
	})
	if err != nil {
		return nil, err
	}
	f.opened, f.master, f.db = opened, opened.Master, opened.DB
	if f.keeper, err = seal.NewKeeper(f.master, f.clock, filepath.Join(cfg.DataDir, "files")); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	f.index, f.signer = seal.NewIndex(f.master), seal.NewSigner(f.master)
	f.audit = audit.New(f.keeper, f.clock)
	f.db.SetChangeLog(f.audit)
	f.kept = audit.NewJournal(filepath.Join(cfg.DataDir, "audit"), f.clock, log)
	f.audit.SetJournal(f.kept)
	if err = f.kept.Restore(ctx, f.db); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	host := "visavis"
	if u, err := url.Parse(cfg.PublicURL); err == nil {
		host = u.Hostname()
	}
	if f.seq, err = audit.NewSequencer(f.db, f.clock, host, f.signer.Private()); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	if why == toServe {
		if err = errors.Join(f.checkHeads(ctx), f.logRoles(ctx)); err != nil {
			return nil, errors.Join(err, opened.Close())
		}
	}
	if f.table, err = authz.Load(); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	f.bus = events.New(f.db, f.clock, log)
	return f, f.share()
}

// share connects to Redis when there is one. It is not waited for: without it
// limits are counted per node.
func (f *foundation) share() error {
	local := limit.NewLocal(f.clock)
	f.limits = local
	if f.cfg.RedisURL == "" {
		return nil
	}
	rdb, err := limit.Connect(f.cfg.RedisURL.Value())
	if err != nil {
		return errors.Join(err, f.opened.Close())
	}
	f.redis, f.limits = rdb, limit.NewShared(rdb, local)
	return nil
}

func (f *foundation) close() error {
	var errs []error
	if f.redis != nil {
		errs = append(errs, f.redis.Close())
	}
	errs = append(errs, f.kept.Close(), f.opened.Close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing: %w", err)
	}
	return nil
}
