package promises_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/internal/db"
	"rollcall/internal/directory"
	"rollcall/internal/poller"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// Parts are the program's, joined as it joins them but in this process, so
// that they can live in virtual time. They must be closed.
type parts struct {
	*poller.Poller
	t      reporter
	sim    *tallyfysim.Sim
	client *tallyfy.Client
	db     *db.DB
	path   string
	log    *strings.Builder
}

// join opens the mirror of sim at path and sweeps with pauses, once Run runs.
// Client takes what is left out of its options from sim.
func join(t reporter, sim *tallyfysim.Sim, path string, pause time.Duration, client tallyfy.Options) *parts {
	t.Helper()
	return joinBy(time.Now, t, sim, path, pause, client)
}

// joinBy is join with a wall clock for the mirror.
func joinBy(clock func() time.Time, t reporter, sim *tallyfysim.Sim, path string, pause time.Duration, client tallyfy.Options) *parts {
	t.Helper()
	p := &parts{t: t, sim: sim, path: path, log: &strings.Builder{}}
	logger := slog.New(slog.NewTextHandler(p.log, nil))
	ctx := context.Background()
	var err error
	if p.db, err = db.Open(ctx, db.Options{Path: path, Organization: sim.Organization(), Logger: logger, Now: clock}); err != nil {
		t.Fatalf("%v", err)
	}
	client.BaseURL, client.Organization, client.Token = "https://go.tallyfy.com/api", sim.Organization(), tallyfy.StaticToken(sim.Token())
	client.Transport, client.Spend, client.Logger = sim.Transport(), p.db, logger
	if p.client, err = tallyfy.New(client); err != nil {
		t.Fatalf("%v", err)
	}
	p.Poller, err = poller.New(ctx, poller.Options{Upstream: p.client, Store: p.db, Interval: pause, Logger: logger})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return p
}

func (p *parts) close() {
	p.t.Helper()
	p.client.Close()
	if err := p.db.Close(); err != nil {
		p.t.Errorf("%v", err)
	}
}

// sweep sweeps once and wants it to succeed.
func (p *parts) sweep() directory.Sweep {
	p.t.Helper()
	note, err := p.Sweep(context.Background())
	if err != nil {
		p.t.Fatalf("%v", err)
	}
	return note
}

// eventful returns the path of a closed mirror with a past: rows of every
// kind have come, changed, gone and come back.
func eventful(t *testing.T) string {
	t.Helper()
	sim := tallyfysim.New(tallyfysim.Options{Seed: 5, Groups: 15, Members: 60, Edges: 200, Guests: 10})
	path := filepath.Join(t.TempDir(), "rollcall.db")
	p := join(t, sim, path, time.Minute, tallyfy.Options{})
	defer p.close()
	rng := rand.New(rand.NewPCG(5, 5))
	for range 12 {
		p.sweep()
		for range 15 {
			sim.Stir(rng)
		}
	}
	gone := sim.Groups()[2]
	guest := sim.Groups()[3]
	sim.DeleteGroup(gone.ID)
	sim.RemoveUser(sim.Groups()[0].Members[7])
	sim.UpdateGroup(guest.ID, func(g *tallyfysim.Group) {
		g.Members, g.Guests = append(g.Members, 999_999), []string{"first@guests.test", "second@guests.test"}
	})
	p.sweep()
	sim.CreateGroup(gone)
	sim.UpdateGroup(guest.ID, func(g *tallyfysim.Group) { g.Guests = g.Guests[:1] })
	p.sweep()
	return path
}
