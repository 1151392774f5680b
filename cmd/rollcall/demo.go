package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"rollcall/internal/access"
	"rollcall/internal/tallyfysim"
)

// demoCommand serves a simulated organisation.
type demoCommand struct {
	listenSettings
	PollInterval time.Duration `name:"poll-interval" env:"ROLLCALL_POLL_INTERVAL" default:"2s" help:"Pause between sweeps."`
	logSettings
	simSettings
}

// simSettings describe the simulated organisation.
type simSettings struct {
	Groups      int    `name:"demo-groups" env:"ROLLCALL_DEMO_GROUPS" default:"40" help:"Groups of the simulated organisation."`
	Members     int    `name:"demo-members" env:"ROLLCALL_DEMO_MEMBERS" default:"200" help:"Its members."`
	Memberships int    `name:"demo-memberships" env:"ROLLCALL_DEMO_MEMBERSHIPS" default:"1000" help:"Its memberships."`
	Generation  string `name:"demo-generation" env:"ROLLCALL_DEMO_GENERATION" enum:"2026,2025" default:"2026" placeholder:"2026" help:"Whose names of fields it sends: those documented in 2026 or in 2025."`
	NoMeta      bool   `name:"demo-no-meta" env:"ROLLCALL_DEMO_NO_META" help:"It sends lists without meta.pagination (default: false)."`
}

func (s *simSettings) options() tallyfysim.Options {
	generation := tallyfysim.Gen2026
	if s.Generation == "2025" {
		generation = tallyfysim.Gen2025
	}
	return tallyfysim.Options{
		Seed: 1, Groups: s.Groups, Members: s.Members, Edges: s.Memberships, Generation: generation, NoMeta: s.NoMeta,
	}
}

func (s *simSettings) check() error {
	if s.Groups < 1 || s.Members < 1 || s.Memberships < 1 {
		return usagef("--demo-groups, --demo-members and --demo-memberships: give positive numbers")
	}
	return nil
}

// checkLocal keeps the demonstration to this machine.
func (c *demoCommand) checkLocal() error {
	if !c.address().isLocal() {
		return usagef("--listen: %s can be reached from other machines, and the demonstration lets everybody in: "+
			"listen on 127.0.0.1, [::1] or a unix: socket", c.Listen)
	}
	return nil
}

// Run serves the demonstration until ctx ends and leaves nothing behind.
func (c *demoCommand) Run(ctx context.Context, con *console) (err error) {
	polling := pollSettings{PollInterval: c.PollInterval, ChurnInterval: time.Hour, MaxStale: "off"}
	if err := firstError(c.listenSettings.check, c.checkLocal, polling.check, c.simSettings.check); err != nil {
		return err
	}
	listeners, err := c.listen(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "rollcall-demo-")
	if err != nil {
		listeners.close()
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	upstream, err := startSimulator(ctx, c.options())
	if err != nil {
		listeners.close()
		return err
	}
	defer upstream.stop()
	narrating, stop := context.WithCancel(ctx)
	var background sync.WaitGroup
	defer background.Wait()
	defer stop()
	background.Go(func() { upstream.narrate(narrating, con.stdout, urlOf(listeners.main)) })
	return serve(ctx, con, &settings{
		upstreamSettings: upstreamSettings{BaseURL: upstream.url, Org: upstream.sim.Organization(), Timeout: time.Minute},
		fileSettings:     fileSettings{DB: filepath.Join(dir, "rollcall.db")},
		pollSettings:     polling,
		guardSettings:    guardSettings{RemovalGuard: "25%"},
		listenSettings:   c.listenSettings,
		accessSettings:   accessSettings{Auth: string(access.ModeNone)},
		logSettings:      c.logSettings,
	}, upstream.token(), listeners)
}
