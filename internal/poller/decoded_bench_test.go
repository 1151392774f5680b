package poller

import (
	"context"
	"database/sql"
	"os"
	"slices"
	"testing"

	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
	"rollcall/internal/tallyfysim"
)

// A decoded upstream lists rows that were fetched and decoded before, so that
// a sweep costs what comparing and publishing cost.
type decoded struct {
	Upstream
	members []directory.ListingPage[directory.MemberRow]
	groups  []directory.ListingPage[directory.GroupRow]
}

func decode(b *testing.B, u Upstream) *decoded {
	b.Helper()
	return &decoded{u, pagesOf(b, u.MemberPage), pagesOf(b, u.GroupPage)}
}

func pagesOf[R any](b *testing.B, get func(context.Context, int) (directory.ListingPage[R], error)) (pages []directory.ListingPage[R]) {
	b.Helper()
	for rows, total := 0, 1; rows < total; {
		page, err := get(b.Context(), len(pages)+1)
		if err != nil || len(page.Rows) == 0 {
			b.Fatalf("page %d: %d rows, %v", len(pages)+1, len(page.Rows), err)
		}
		pages = append(pages, page)
		rows, total = rows+len(page.Rows), page.Meta.Total
	}
	return pages
}

func (d *decoded) MemberPage(_ context.Context, page int) (directory.ListingPage[directory.MemberRow], error) {
	return copied(d.members[page-1]), nil
}

func (d *decoded) GroupPage(_ context.Context, page int) (directory.ListingPage[directory.GroupRow], error) {
	return copied(d.groups[page-1]), nil
}

// copied is a page whose rows may be kept and changed.
func copied[R any](page directory.ListingPage[R]) directory.ListingPage[R] {
	page.Rows = slices.Clone(page.Rows)
	return page
}

// decodedPoller sweeps decoded rows into a file of its own.
func decodedPoller(b *testing.B, rows *decoded) (p *Poller, path string) {
	b.Helper()
	path = b.TempDir() + "/rollcall.db"
	p, err := New(b.Context(), Options{Upstream: rows, Store: dbtest.Open(b, path)})
	if err != nil {
		b.Fatal(err)
	}
	return p, path
}

// BenchmarkFirstSweepOfDecoded compares and publishes everything.
func BenchmarkFirstSweepOfDecoded(b *testing.B) {
	rows := decode(b, benchPoller(b, tallyfysim.New(large())).upstream)
	meter := dbtest.NewCPUMeter(b)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		p, _ := decodedPoller(b, rows)
		b.StartTimer()
		meter.Start()
		sweepWants(b, p, directory.SweepPublished)
		meter.Stop()
	}
}

// BenchmarkUnchangedSweepOfDecoded finds everything as stored.
func BenchmarkUnchangedSweepOfDecoded(b *testing.B) {
	p, path := decodedPoller(b, decode(b, benchPoller(b, tallyfysim.New(large())).upstream))
	sweepWants(b, p, directory.SweepPublished)
	pool, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	meter, frames := dbtest.NewCPUMeter(b), int64(0)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		if _, err := pool.ExecContext(b.Context(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		meter.Start()
		sweepWants(b, p, directory.SweepUnchanged)
		meter.Stop()
		b.StopTimer()
		frames += walFrames(b, path)
		b.StartTimer()
	}
	b.ReportMetric(float64(frames)/float64(b.N), "wal-frames/op")
}

// walFrames counts the pages in a log that was empty before.
func walFrames(b *testing.B, path string) int64 {
	b.Helper()
	const page, header = 4096, 24
	info, err := os.Stat(path + "-wal")
	if err != nil {
		b.Fatal(err)
	}
	return info.Size() / (page + header)
}
