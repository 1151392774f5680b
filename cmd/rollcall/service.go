package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"rollcall/internal/access"
	"rollcall/internal/api"
	"rollcall/internal/db"
	"rollcall/internal/export"
	"rollcall/internal/poller"
	"rollcall/internal/query"
	"rollcall/internal/tallyfy"
	"rollcall/internal/write"
)

// A mirror is what keeps the local copy: the file, the client of upstream and
// the poller between them.
type mirror struct {
	db     *db.DB
	client *tallyfy.Client
	poller *poller.Poller
}

// openMirror opens the file, creating it if need be, and makes the parts that
// fill it. Nothing is asked of upstream yet.
func openMirror(ctx context.Context, s *settings, from token, log *slog.Logger) (*mirror, error) {
	file, err := db.Open(ctx, db.Options{Path: s.DB, Organization: s.Org, Logger: log})
	if err != nil {
		return nil, err
	}
	m := &mirror{db: file}
	if err := m.connect(ctx, s, from, log); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return m, nil
}

func (m *mirror) connect(ctx context.Context, s *settings, from token, log *slog.Logger) (err error) {
	options := s.clientOptions()
	options.Spend, options.Logger = m.db, log
	from.use(&options)
	if m.client, err = tallyfy.New(options); err != nil {
		return err
	}
	share, isOn, err := s.share()
	if err != nil {
		return err
	}
	m.poller, err = poller.New(ctx, poller.Options{
		Upstream:      m.client,
		Store:         m.db,
		Interval:      s.PollInterval,
		SweepHourly:   s.sweepHourly(),
		ChurnInterval: s.ChurnInterval,
		HoldRemovals:  isOn,
		RemovalShare:  share,
		HoldRelease:   s.HoldRelease,
		Logger:        log,
	})
	return err
}

// poll keeps the mirror up to date until ctx ends or stop is called, which
// waits for the end. A first sweep is shown on screen, if there is one.
func (m *mirror) poll(ctx context.Context, log *slog.Logger, screen *progressLine) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var background sync.WaitGroup
	background.Go(func() {
		if err := m.poller.Run(ctx); err != nil {
			log.Error("polling ended", "error", err)
		}
	})
	if screen != nil && m.isEmpty(ctx) {
		background.Go(func() { screen.follow(ctx, m.poller.Status) })
	}
	return func() {
		cancel()
		background.Wait()
	}
}

// isEmpty reports whether no sweep has succeeded yet.
func (m *mirror) isEmpty(ctx context.Context) bool {
	present, err := m.db.Freshness(ctx)
	return err == nil && present.Revision == 0
}

// close ends the parts. Nothing may be under way any more.
func (m *mirror) close() error {
	m.client.Close()
	return m.db.Close()
}

// newAPI joins the mirror, the poller and the way upstream into one handler,
// with all metrics on one registry.
func newAPI(s *settings, m *mirror, who *access.Access, files *export.Keeper, log *slog.Logger) (*api.API, error) {
	registry := prometheus.NewRegistry()
	for _, c := range append(m.collectors(), processCollectors()...) {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	public, err := publicURL(s.PublicURL)
	if err != nil {
		return nil, err
	}
	origins, err := s.origins()
	if err != nil {
		return nil, err
	}
	maxStale, err := s.maxStale()
	if err != nil {
		return nil, err
	}
	domains, err := s.guestDomains()
	if err != nil {
		return nil, err
	}
	return api.New(api.Options{
		Organization: s.Org,
		Access:       who,
		Mirror:       m.db,
		Poller:       m.poller,
		Writer:       write.New(write.Options{Upstream: m.client, Mirror: m.poller, Groups: m.db, Logger: log, Actor: api.Actor, RequestID: api.RequestID}),
		Upstream:     m.client,
		Logger:       log,
		Registry:     registry,
		Version:      version(),
		PublicURL:    public,
		Origins:      origins,
		Exports:      files,
		Queries:      queriesOf(s, who, files),
		MaxStale:     maxStale,
		RefreshWait:  s.RefreshWait,
		GuestDomains: domains,
	})
}

// queriesOf runs SQL on the snapshots that are kept; it is nil where that is
// off.
func queriesOf(s *settings, who *access.Access, files *export.Keeper) api.Querier {
	if !s.allowsQuery(who.Mode()) {
		return nil
	}
	return query.New(files)
}

func publicURL(text string) (*url.URL, error) {
	if text == "" {
		return nil, nil
	}
	return url.Parse(text)
}

func (m *mirror) collectors() []prometheus.Collector {
	return append(m.client.Collectors(), m.poller.Collectors()...)
}

func processCollectors() []prometheus.Collector {
	return []prometheus.Collector{
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
	}
}
