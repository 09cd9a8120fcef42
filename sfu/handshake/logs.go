package handshake

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// logFactory gives pion's lines to slog. Only warnings and errors pass, and at
// debug level: pion writes addresses of clients into them.
type logFactory struct{ log *slog.Logger }

// NewLogger returns a logger for one part of pion.
func (f logFactory) NewLogger(scope string) logging.LeveledLogger {
	return logLine{f.log.With("pion", scope)}
}

type logLine struct{ log *slog.Logger }

func (l logLine) write(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug(fmt.Sprintf(format, args...))
	}
}

func (l logLine) Trace(string)              {}
func (l logLine) Tracef(string, ...any)     {}
func (l logLine) Debug(string)              {}
func (l logLine) Debugf(string, ...any)     {}
func (l logLine) Info(string)               {}
func (l logLine) Infof(string, ...any)      {}
func (l logLine) Warn(s string)             { l.write("%s", s) }
func (l logLine) Warnf(f string, a ...any)  { l.write(f, a...) }
func (l logLine) Error(s string)            { l.write("%s", s) }
func (l logLine) Errorf(f string, a ...any) { l.write(f, a...) }
