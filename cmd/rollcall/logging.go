package main

import (
	"io"
	"log/slog"
	"os"

	"github.com/mattn/go-isatty"
)

// logTo makes the logger that writes to stderr. On a terminal it goes through
// a progress line, which is nil elsewhere.
func (s *logSettings) logTo(stderr io.Writer) (*slog.Logger, *progressLine) {
	if !isTerminal(stderr) {
		return s.logger(stderr, false), nil
	}
	screen := &progressLine{terminal: stderr}
	return s.logger(screen, true), screen
}

// logger writes to w in the format and from the level that are set.
func (s *logSettings) logger(w io.Writer, terminal bool) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: plainDuration}
	if s.LogFormat == "text" || s.LogFormat == "auto" && terminal {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

// plainDuration writes durations as people do, where JSON would have them in
// nanoseconds.
func plainDuration(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

// isTerminal reports whether a person reads what is written to w.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && isatty.IsTerminal(file.Fd())
}
