package poller

import (
	"context"
	"os"
	"testing"

	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// large is the organisation that a sweep must carry: 111 requests.
var large = tallyfysim.Options{
	Organization: dbtest.Organization, Seed: 1, Groups: 10_000, Members: 100_000, Edges: 1_000_000,
}

// BenchmarkFirstSweep lists and publishes everything into an empty mirror.
func BenchmarkFirstSweep(b *testing.B) {
	sim := tallyfysim.New(large)
	for b.Loop() {
		b.StopTimer()
		p, path := benchPoller(b, sim)
		before := walSize(b, path)
		b.StartTimer()
		sweepWants(b, p, directory.SweepPublished)
		b.ReportMetric(float64(walSize(b, path)-before), "WAL-B/op")
	}
}

func BenchmarkUnchangedSweep(b *testing.B) {
	p, path := benchPoller(b, tallyfysim.New(large))
	sweepWants(b, p, directory.SweepPublished)
	before, n := walSize(b, path), 0
	b.ReportAllocs()
	for b.Loop() {
		sweepWants(b, p, directory.SweepUnchanged)
		n++
	}
	b.ReportMetric(float64(walSize(b, path)-before)/float64(n), "WAL-B/op")
}

// BenchmarkSweepAThousandthChanged finds ten groups and a hundred members
// changed.
func BenchmarkSweepAThousandthChanged(b *testing.B) {
	sim := tallyfysim.New(large)
	p, path := benchPoller(b, sim)
	sweepWants(b, p, directory.SweepPublished)
	groups, users := sim.Groups(), sim.Users()
	before, n := walSize(b, path), 0
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
	b.ReportMetric(float64(walSize(b, path)-before)/float64(n), "WAL-B/op")
}

func benchPoller(b *testing.B, sim *tallyfysim.Sim) (*Poller, string) {
	b.Helper()
	path := b.TempDir() + "/rollcall.db"
	client, err := tallyfy.New(tallyfy.Options{
		BaseURL: "https://go.tallyfy.com/api", Organization: dbtest.Organization,
		Token: tallyfy.StaticToken(sim.Token()), Transport: sim.Transport(),
	})
	if err != nil {
		b.Fatal(err)
	}
	p, err := New(context.Background(), Options{Upstream: client, Store: dbtest.Open(b, path)})
	if err != nil {
		b.Fatal(err)
	}
	return p, path
}

func sweepWants(b *testing.B, p *Poller, want directory.SweepResult) {
	b.Helper()
	note, err := p.Sweep(context.Background())
	if err != nil || note.Result != want {
		b.Fatalf("the sweep was %s: %v", note.Result, err)
	}
}

// walSize is the size of the write-ahead log, which grows by what is written
// until it is begun anew.
func walSize(b *testing.B, path string) int64 {
	b.Helper()
	info, err := os.Stat(path + "-wal")
	if err != nil {
		b.Fatal(err)
	}
	return info.Size()
}
