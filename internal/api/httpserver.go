package api

import (
	"log/slog"
	"net/http"
	"time"
)

// NewServer wraps a handler in a server that slow and endless clients cannot
// hold up. Answers that stream longer than the limits lift them for
// themselves, by http.ResponseController.
func NewServer(h http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       2 * time.Minute,
		WriteTimeout:      5 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}
