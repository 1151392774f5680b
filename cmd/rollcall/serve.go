package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"rollcall/internal/api"
	"rollcall/internal/tlsfiles"
)

// serveCommand is the service.
type serveCommand struct{ settings }

// Help is added to the command's help.
func (c *serveCommand) Help() string { return tokenHelp }

// Run serves until ctx ends.
func (c *serveCommand) Run(ctx context.Context, con *console) error {
	if err := c.check(); err != nil {
		return err
	}
	token, err := tokenFrom(ctx, con.env, c.clientOptions())
	if err != nil {
		return err
	}
	listeners, err := c.listen(ctx)
	if err != nil {
		return err
	}
	return serve(ctx, con, &c.settings, token, listeners)
}

// listeners are where a server answers; ops may be nil.
type listeners struct{ main, ops net.Listener }

// listen binds both addresses. Nothing is answered before serve.
func (s *listenSettings) listen(ctx context.Context) (l listeners, err error) {
	main, err := parseAddress("--listen", s.Listen)
	if err != nil {
		return listeners{}, err
	}
	if l.main, err = main.listen(ctx); err != nil || s.OpsListen == "" {
		return l, err
	}
	ops, err := parseAddress("--ops-listen", s.OpsListen)
	if err == nil {
		l.ops, err = ops.listen(ctx)
	}
	if err != nil {
		return listeners{}, errors.Join(err, l.main.Close())
	}
	return l, nil
}

func (l listeners) close() {
	for _, listener := range []net.Listener{l.main, l.ops} {
		if listener != nil {
			listener.Close()
		}
	}
}

// serve fills the mirror and answers from it until ctx ends, then stops in
// order: unready, requests drained, poller and probes waited for, database closed. It
// owns the listeners. It returns nil when it ended because ctx did.
func serve(ctx context.Context, con *console, s *settings, from token, l listeners) (err error) {
	defer l.close()
	log, screen := s.logTo(con.stderr)
	mirror, err := openMirror(ctx, s, from, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, mirror.close()) }()
	entrance, err := openEntrance(s, mirror.client, log)
	if err != nil {
		return err
	}
	defer entrance.close()
	files, err := openExports(s, mirror, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	mirror.db.OnErase(files.Forget)
	handler, err := newAPI(s, mirror, entrance.access, files, log)
	if err != nil {
		return err
	}
	entrance.warn(s, log)
	defer entrance.rereadOnHangup(log)()
	stop := mirror.poll(ctx, log, screen)
	defer stop()
	defer keepHistory(ctx, mirror.db.Keep, s.History, log)()
	if s.EraseDeleted {
		defer eraseDeleted(ctx, mirror.db.EraseDeleted, log)()
	}
	servers := newServers(log)
	servers.start("listening", l.main, handler, entrance.pair)
	if l.ops != nil {
		servers.start("listening for operations", l.ops, handler.Ops(), nil)
	}
	select {
	case err = <-servers.failed:
	case <-ctx.Done():
		log.Info("stopping", "cause", context.Cause(ctx).Error())
	}
	handler.Stopping()
	servers.stop(context.WithoutCancel(ctx))
	return err
}

// servers are HTTP servers that start and stop together.
type servers struct {
	log    *slog.Logger
	all    []*http.Server
	failed chan error // gets the error of each server that ends by itself
}

func newServers(log *slog.Logger) *servers { return &servers{log: log, failed: make(chan error, 2)} }

// drainTimeout is how long requests under way may take to end after a signal.
const drainTimeout = 3 * time.Second

// start serves on l, over TLS if there is a certificate.
func (s *servers) start(message string, l net.Listener, h http.Handler, pair *tlsfiles.Pair) {
	server, url, listen := api.NewServer(h, s.log), urlOf(l), func(server *http.Server) error { return server.Serve(l) }
	if pair != nil {
		server.TLSConfig = pair.Config()
		url = strings.Replace(url, "http:", "https:", 1)
		listen = func(server *http.Server) error { return server.ServeTLS(l, "", "") }
	}
	s.all = append(s.all, server)
	s.log.Info(message, "url", url)
	go func() {
		if err := listen(server); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("serving on %s: %w", url, err)
		}
	}()
}

// stop lets requests under way end, for a while, then cuts them off.
func (s *servers) stop(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	var wg sync.WaitGroup
	for _, server := range s.all {
		wg.Go(func() {
			if err := server.Shutdown(ctx); err != nil {
				s.log.Warn("requests were cut off", "after", drainTimeout.String())
				server.Close()
			}
		})
	}
	wg.Wait()
}
