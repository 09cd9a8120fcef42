package main

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"visavis/internal/config"
	"visavis/internal/store"
	"visavis/internal/telemetry"
)

type serveCmd struct{}

// Run serves until the process is told to stop.
func (serveCmd) Run(ctx context.Context, cfg *config.Config) error {
	log := telemetry.NewLog(os.Stderr, cfg.LogJSON)
	switch cfg.Role {
	case config.RoleAuto:
		return supervise(ctx, cfg, log)
	case config.RoleMedia:
		return serveMedia(ctx, cfg, log)
	}
	return serve(ctx, cfg, log, func(context.Context, *platform) error { return nil })
}

// serve builds the platform, calls ready once it answers, and runs it until
// ctx ends. Then it stops taking requests, lets running work finish within
// cfg.Drain, and closes.
func serve(ctx context.Context, cfg *config.Config, log *slog.Logger, ready func(context.Context, *platform) error) error {
	log = log.With("role", cfg.Role)
	p, err := build(ctx, cfg, log)
	if err != nil {
		return err
	}
	// Before anybody is let in, so that who has a connection keeps it.
	err = p.start(ctx)
	web := &sites{log: log}
	if err == nil {
		err = web.open(cfg, p.door, p.server.Handler())
	}
	if err == nil {
		err = errors.Join(ready(ctx, p), isReady())
	}
	if err == nil {
		p.watchMedicines(ctx)
		select {
		case <-ctx.Done():
		case err = <-web.failed:
		case <-p.db.Fenced():
			err = store.ErrFenced
			log.Error("another process serves this database: this one ends", "error", err)
		}
	}
	stopping, cancel := context.WithTimeout(context.Background(), cfg.Drain)
	defer cancel()
	// Sockets first: their requests would hold the server open.
	return errors.Join(err, p.stop(stopping), web.close(stopping), p.close(stopping))
}
