package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

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
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return errors.Join(fmt.Errorf("listen: %w", err), p.close(context.Background()))
	}
	server := &http.Server{
		Handler:           p.server.Handler(),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	if err = p.start(ctx); err == nil {
		err = ready(ctx, p)
	}
	if err == nil {
		select {
		case <-ctx.Done():
		case err = <-failed:
		}
	}
	stopping, cancel := context.WithTimeout(context.Background(), cfg.Drain)
	defer cancel()
	// Sockets first: their requests would hold the server open.
	return errors.Join(err, p.stop(stopping), server.Shutdown(stopping), p.close(stopping))
}
