package main

// A comparison is a row that benchmarks of the repository measure, at the
// large size: a metric of one in terms of that of another in the same run, or
// as it is where there is no other.
type comparison struct {
	row    string
	one    benchmark
	of     benchmark
	metric string
	unit   string
	goal   goal
}

// A benchmark is named by its package and its name, without the word
// Benchmark before it.
type benchmark struct{ pkg, name string }

const (
	wallTime  = "ns/op"
	cpuTimeOp = "cpu-ns/op"
	logFrames = "wal-frames/op"

	points = "point queries"
)

var (
	pointQuery  = read("MemberPayload")
	firstPage   = read("GroupMembers")
	deepPage    = read("GroupMembersDeep")
	rawInsert   = benchmark{"internal/db", "RawBulkInsert"}
	upsertAll   = benchmark{"internal/db", "UpsertEverything"}
	firstSweep  = benchmark{"internal/poller", "FirstSweepOfDecoded"}
	sameAgain   = benchmark{"internal/poller", "UnchangedSweepOfDecoded"}
	comparisons = []comparison{
		{"groups of a member, query alone", read("GroupsOfPerson"), pointQuery, wallTime, points, atMost(6)},
		{"intersection of three groups, query alone", read("MembersInThree"), pointQuery, wallTime, points, atMost(70)},
		{"shared groups, query alone", read("SharedGroups"), pointQuery, wallTime, points, atMost(6)},
		{"in no group, query alone", read("MembersInNoGroup"), pointQuery, wallTime, points, atMost(8)},
		{"substring search, query alone", read("MembersContaining"), pointQuery, wallTime, points, atMost(180)},
		{"deep page of everybody", deepPage, firstPage, wallTime, "first pages", atMost(1.5)},
		{"deep page of everybody, by name", read("GroupMembersDeepByName"), firstPage, wallTime, "first pages", atMost(1.5)},
		{"deep page of everybody, as_of", read("GroupMembersDeepPast"), deepPage, wallTime, "of now", atMost(2)},
		{"first sweep, from decoded rows", firstSweep, rawInsert, cpuTimeOp, "raw inserts", atMost(4)},
		{"unchanged sweep, from decoded rows", sameAgain, upsertAll, cpuTimeOp, "of upserting all", atMost(0.04)},
		{"unchanged sweep, its own bookkeeping", sameAgain, benchmark{}, logFrames, "WAL frames", goal{}},
	}
)

func read(name string) benchmark { return benchmark{"internal/db", "Read/" + name} }
