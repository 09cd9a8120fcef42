// Package telemetry writes the technical log. What is clinical or secret does
// not belong in it; as a second line of defence every text is searched for what
// looks like a token, an e-mail address, a telephone number or an INS.
package telemetry

import (
	"fmt"
	"io"
	"log/slog"
	"regexp"
)

var hidden = regexp.MustCompile(`[A-Za-z0-9_-]{40,}|[^\s<>"']+@[^\s<>"']+\.[a-z]{2,}|\+?\d[\d .]{8,}\d`)

// Redact replaces what looks like a secret or a person's data.
func Redact(text string) string { return hidden.ReplaceAllString(text, "…") }

// NewLog returns a logger on w, as JSON lines or as text.
func NewLog(w io.Writer, json bool) *slog.Logger {
	o := &slog.HandlerOptions{Level: slog.LevelInfo, ReplaceAttr: replace}
	if json {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

func replace(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey || a.Key == "id" || a.Key == "stack") {
		return a
	}
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(Redact(a.Value.String()))
	case slog.KindAny:
		a.Value = slog.StringValue(Redact(fmt.Sprint(a.Value.Any())))
	}
	return a
}
