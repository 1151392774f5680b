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
	cpuTimeOp = "cpu-ns/op"
	logFrames = "wal-frames/op"

	points = "point queries"
)

var (
	pointQuery = read("MemberPayload")
	rawInsert  = benchmark{"internal/db", "RawBulkInsert"}
	upsertAll  = benchmark{"internal/db", "UpsertEverything"}
	firstSweep = benchmark{"internal/poller", "FirstSweepOfDecoded"}
	sameAgain  = benchmark{"internal/poller", "UnchangedSweepOfDecoded"}
)

var comparisons = []comparison{
	inPoints("groups of a member", "GroupsOfPerson", atMost(6)),
	inPoints("intersection of three groups", "MembersInThree", atMost(70)),
	inPoints("shared groups", "SharedGroups", atMost(6)),
	inPoints("in no group, ids alone", "MembersInNoGroupAlone", atMost(8)),
	inPoints("in no group, page of 100", "MembersInNoGroup", goal{}),
	inPoints("substring search", "MembersContaining", atMost(180)),

	deepPage("deep page of everybody", "GroupMembersDeep", "GroupMembers"),
	deepPage("deep page of everybody, by name", "GroupMembersDeepByName", "GroupMembers"),
	deepPage("deep page of everybody, as_of", "GroupMembersDeepThen", "GroupMembersThen"),

	asOf("one member", "Member", atMost(2)),
	asOf("a check", "Check", atMost(2)),
	asOf("groups of a member", "GroupsOfPerson", atMost(2)),
	asOf("members of a group", "GroupMembers", atMost(2)),
	asOf("deep page of everybody", "GroupMembersDeep", atMost(2)),
	asOf("intersection of three groups", "MembersInThree", goal{}),
	asOf("in no group", "MembersInNoGroup", goal{}),
	asOf("substring search of members", "MembersContaining", goal{}),
	asOf("substring search of groups", "GroupsContaining", goal{}),

	{"first sweep, from decoded rows", firstSweep, rawInsert, cpuTimeOp, "raw inserts", atMost(4)},
	{"unchanged sweep, from decoded rows", sameAgain, upsertAll, cpuTimeOp, "of upserting all", atMost(0.04)},
	{"unchanged sweep, its own bookkeeping", sameAgain, benchmark{}, logFrames, "WAL frames", goal{}},
}

func read(name string) benchmark { return benchmark{"internal/db", "Read/" + name} }

func inPoints(row, name string, most goal) comparison {
	return comparison{row + ", in the database", read(name), pointQuery, cpuTimeOp, points, most}
}

// deepPage compares pages of a file in which somebody ran ANALYZE.
func deepPage(row, name, first string) comparison {
	of := func(name string) benchmark { return benchmark{"internal/db", "ReadWithStatistics/" + name} }
	return comparison{row + ", with statistics", of(name), of(first), cpuTimeOp, "first pages", atMost(1.5)}
}

func asOf(row, name string, most goal) comparison {
	return comparison{row + ", as_of", read(name + "Then"), read(name), cpuTimeOp, "of now", most}
}
