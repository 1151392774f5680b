package export

import (
	"runtime"
	"testing"

	"rollcall/internal/directory"
)

// A gauge is a writer that measures, now and then, what is alive.
type gauge struct {
	written, next, peak uint64
}

func (g *gauge) Write(b []byte) (int, error) {
	if g.written += uint64(len(b)); g.written >= g.next {
		g.next = g.written + 2<<20
		g.measure()
	}
	return len(b), nil
}

func (g *gauge) measure() {
	runtime.GC()
	runtime.GC() // pools let go of what they hold at the second
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	g.peak = max(g.peak, stats.HeapAlloc)
}

// peakOf is how much more was alive while a table was written than before.
func peakOf(t *testing.T, w *world, x directory.Export) uint64 {
	t.Helper()
	var before, during gauge
	before.measure()
	if err := w.Stream(t.Context(), &during, directory.ExportQuery{Export: x, Pin: w.pin()}); err != nil {
		t.Fatal(err)
	}
	return during.peak - min(before.peak, during.peak)
}

func TestMemoryDoesNotGrowWithRows(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes many rows")
	}
	small, large := newWorld(t), newWorld(t)
	small.publish(crowd(100, 2000, 40_000))
	large.publish(crowd(300, 2000, 160_000))
	for _, x := range []directory.Export{
		csvOf("memberships"), ndjsonOf("memberships"),
		{Table: "memberships", Format: "parquet"},
		{Table: "memberships", Format: "ndjson", Pseudonymize: true},
		ndjsonOf("membership_history"), ndjsonOf("changes"),
	} {
		few, many := peakOf(t, small, x), peakOf(t, large, x)
		if many > few+few/2+2<<20 {
			t.Errorf("%s.%s: %d bytes for 40,000 rows, %d for 160,000", x.Table, x.Format, few, many)
		}
		t.Logf("%s.%s: %d KB, %d KB", x.Table, x.Format, few>>10, many>>10)
	}
}
