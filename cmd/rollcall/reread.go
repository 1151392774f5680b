package main

import (
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// rereadOnHangup reads the keys and the certificate again at each SIGHUP,
// until stop is called. Changes are taken up without it, too; it says at once
// whether they can be used. Where there is nothing to read, the signal does
// what it does to any program.
func (e *entrance) rereadOnHangup(log *slog.Logger) (stop func()) {
	if e.keys == nil && e.pair == nil {
		return func() {}
	}
	hangups, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		defer close(done)
		for range hangups {
			e.reread(log)
		}
	}()
	return func() {
		signal.Stop(hangups)
		close(hangups)
		<-done
	}
}

func (e *entrance) reread(log *slog.Logger) {
	tell := func(what string, err error) {
		if err != nil {
			log.Error(what+" cannot be used: what was read before stays", "err", err)
			return
		}
		log.Info(what + " was read again")
	}
	if e.keys != nil {
		tell("keys file", e.keys.Reload())
	}
	if e.pair != nil {
		tell("TLS certificate and key", e.pair.Reload())
	}
}
