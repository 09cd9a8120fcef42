package main

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"visavis/internal/config"
	"visavis/internal/telemetry"
)

type serveCmd struct{}

// Run serves until the process is told to stop.
func (serveCmd) Run(ctx context.Context, cfg *config.Config) error {
	return serve(ctx, cfg, telemetry.NewLog(os.Stderr, cfg.LogJSON), func(context.Context, *platform) error { return nil })
}

// serve builds the platform, calls ready once it answers, and runs it until
// ctx ends. Then it stops taking requests, lets running work finish within
// cfg.Drain, and closes.
func serve(ctx context.Context, cfg *config.Config, log *slog.Logger, ready func(context.Context, *platform) error) error {
	p, err := build(ctx, cfg, log)
	if err != nil {
		return err
	}
	web := &sites{log: log}
	if err := web.open(cfg, p.door, p.server.Handler()); err != nil {
		return errors.Join(err, web.close(context.Background()), p.close(context.Background()))
	}
	if err = p.start(ctx); err == nil {
		err = ready(ctx, p)
	}
	if err == nil {
		select {
		case <-ctx.Done():
		case err = <-web.failed:
		}
	}
	stopping, cancel := context.WithTimeout(context.Background(), cfg.Drain)
	defer cancel()
	// Sockets first: their requests would hold the server open.
	return errors.Join(err, p.stop(stopping), web.close(stopping), p.close(stopping))
}
