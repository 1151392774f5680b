package poller

import (
	"context"
	"testing"

	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// large is the organisation that a sweep must carry: 111 requests. With
// -short, where benchmarks are seen to run and not measured, it is a tenth.
func large() tallyfysim.Options {
	o := tallyfysim.Options{Organization: dbtest.Organization, Seed: 1, Groups: 10_000, Members: 100_000, Edges: 1_000_000}
	if testing.Short() {
		o.Groups, o.Members, o.Edges = o.Groups/10, o.Members/10, o.Edges/10
	}
	return o
}

// BenchmarkFirstSweep lists and publishes everything into an empty mirror.
// What a publication alone costs, in bytes of the log too and beside a raw
// insert, is measured in package db.
func BenchmarkFirstSweep(b *testing.B) {
	sim := tallyfysim.New(large())
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		p := benchPoller(b, sim)
		b.StartTimer()
		sweepWants(b, p, directory.SweepPublished)
	}
}

func BenchmarkUnchangedSweep(b *testing.B) {
	p := benchPoller(b, tallyfysim.New(large()))
	sweepWants(b, p, directory.SweepPublished)
	b.ReportAllocs()
	for b.Loop() {
		sweepWants(b, p, directory.SweepUnchanged)
	}
}

// BenchmarkSweepAThousandthChanged finds ten groups and a hundred members
// changed.
func BenchmarkSweepAThousandthChanged(b *testing.B) {
	sim := tallyfysim.New(large())
	p := benchPoller(b, sim)
	sweepWants(b, p, directory.SweepPublished)
	groups, users := sim.Groups(), sim.Users()
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		for i := range 10 {
			sim.UpdateGroup(groups[(n*10+i)%len(groups)].ID, func(g *tallyfysim.Group) {
				g.Description += "."
				g.Members = append(g.Members[:len(g.Members)/2], users[n%len(users)].ID)
			})
		}
		for i := range 100 {
			sim.UpdateUser(users[(n*100+i)%len(users)].ID, func(u *tallyfysim.User) { u.JobTitle += "." })
		}
		b.StartTimer()
		sweepWants(b, p, directory.SweepPublished)
		n++
	}
}

func benchPoller(b *testing.B, sim *tallyfysim.Sim) *Poller {
	b.Helper()
	client, err := tallyfy.New(tallyfy.Options{
		BaseURL: "https://go.tallyfy.com/api", Organization: dbtest.Organization,
		Token: tallyfy.StaticToken(sim.Token()), Transport: sim.Transport(),
	})
	if err != nil {
		b.Fatal(err)
	}
	p, err := New(context.Background(), Options{Upstream: client, Store: dbtest.Open(b, b.TempDir()+"/rollcall.db")})
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func sweepWants(b *testing.B, p *Poller, want directory.SweepResult) {
	b.Helper()
	note, err := p.Sweep(context.Background())
	if err != nil || note.Result != want {
		b.Fatalf("the sweep was %s: %v", note.Result, err)
	}
}
