package main

import (
	"slices"
	"strings"
	"testing"
)

const benchmarksSaid = `goos: linux
pkg: rollcall/internal/db
BenchmarkRead/MemberPayload-2         	   24530	      5000 ns/op	     4000 cpu-ns/op	     936 B/op	      25 allocs/op
BenchmarkRead/GroupsOfPerson-2        	    6000	     20000 ns/op	    16000 cpu-ns/op	    5000 B/op	     100 allocs/op
BenchmarkRead/MemberPayload-2         	   24530	      6000 ns/op	     5000 cpu-ns/op	     936 B/op	      25 allocs/op
BenchmarkRead/GroupsOfPerson-2        	    6000	     18000 ns/op	    15000 cpu-ns/op	    5000 B/op	     100 allocs/op
BenchmarkRawBulkInsert    	       1	4730683005 ns/op	1345436000 cpu-ns/op	  24236032 file-bytes
PASS
ok  	rollcall/internal/db	92.352s
`

func TestBenchmarksAreCompared(t *testing.T) {
	found := measurements{}
	if err := found.parse("internal/db", benchmarksSaid); err != nil {
		t.Fatal(err)
	}
	got := comparison{one: read("GroupsOfPerson"), of: pointQuery, metric: cpuTimeOp}.figure(found)
	if !slices.Equal(got.Values, []float64{4, 3}) || got.Missing != "" {
		t.Errorf("%v %s, want 4 and 3", got.Values, got.Missing)
	}
	alone := comparison{one: rawInsert, metric: cpuTimeOp}.figure(found)
	if !slices.Equal(alone.Values, []float64{1345436000}) {
		t.Errorf("alone: %v", alone.Values)
	}
}

func TestABenchmarkThatIsNotThereIsNamed(t *testing.T) {
	got := comparison{one: read("SharedGroups"), of: pointQuery, metric: cpuTimeOp}.figure(measurements{})
	if len(got.Values) > 0 || !strings.Contains(got.Missing, "Read/SharedGroups") || !strings.Contains(got.Missing, "Read/MemberPayload") {
		t.Errorf("%+v", got)
	}
}

func TestBenchmarksThatShareWhatTheyLoadRunTogether(t *testing.T) {
	got := benchmarkRuns([]comparison{
		{one: read("A"), of: read("B")}, {one: firstSweep, of: rawInsert}, {one: read("B"), of: read("A")}, {one: firstSweep},
	})
	want := []benchmarkRun{
		{"internal/db", "^BenchmarkRead$/^(A|B)$", "100ms"},
		{"internal/poller", "^BenchmarkFirstSweepOfDecoded$", "1x"},
		{"internal/db", "^BenchmarkRawBulkInsert$", "1x"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
