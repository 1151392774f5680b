package main

import "net/http"

// A row is one kind of request. Its requests differ in round and number where
// each is to be the first of its kind.
type row struct {
	name    string
	pattern string // of the floor's mux
	ask     func(o organisation, n int) request
	load    load
	goal    goal
	peers   bool // a cache before Tallyfy can answer it, too
	known   bool // the client has the answer already
	whole   bool // reads all rows: its cost may grow as they do
}

// A load says how a row is asked for.
type load int

const (
	repeated load = iota // the same request over and over
	counted              // the same request, so often as it takes to see its cost
	first                // each request for the first time
	few                  // the same request, once a round
)

// requests of a load in one round, unless a clock ends it.
func (l load) requests() int {
	switch {
	case l == few:
		return 1
	case l == first:
		return 400 // each by another person, in all rounds and tries
	case l == repeated:
		return 2000
	}
	return 500
}

const (
	memberPattern = "GET /v1/members/{m}"
	groupsPattern = "GET /v1/members/{m}/groups"
	checkPattern  = "GET /v1/check"
	groupPattern  = "GET /organizations/{org}/groups/{id}"
	pagePattern   = "GET /v1/members"
)

func same(ask func(organisation) request) func(organisation, int) request {
	return func(o organisation, _ int) request { return ask(o) }
}

// rows are what is asked of the real program. A goal is about the floor that
// gives the same answer.
var rows = []row{
	{name: "one member", pattern: memberPattern, goal: atLeast(0.85), ask: same(func(o organisation) request { return o.member(o.who) })},
	{name: "groups of a member", pattern: groupsPattern, goal: atLeast(0.85), ask: same(func(o organisation) request { return o.groupsOf(o.who) })},
	{name: "a check", pattern: checkPattern, goal: atLeast(0.85), ask: same(func(o organisation) request { return o.check(o.who, o.which) })},
	{name: "a group as Tallyfy's", pattern: groupPattern, goal: atLeast(0.85), peers: true, ask: same(func(o organisation) request { return o.tallyfyGroup(o.which) })},
	{name: "304", pattern: memberPattern, goal: atLeast(0.92), known: true, ask: same(func(o organisation) request { return o.member(o.who) })},
	{name: "page of 100, compressed", pattern: pagePattern, goal: atLeast(0.85), ask: same(func(o organisation) request { return o.page("gzip") })},
	{name: "page of 100, plain", pattern: pagePattern, goal: atLeast(0.85), ask: same(func(o organisation) request { return o.page("") })},
	{name: "one member, first read", pattern: memberPattern, load: first, goal: atLeast(0.6).butReached(0.4), ask: func(o organisation, n int) request {
		return o.member(o.members[n%len(o.members)])
	}},
	{name: "a check, first read", pattern: checkPattern, load: first, goal: atLeast(0.6).butReached(0.4), ask: func(o organisation, n int) request {
		return o.check(o.members[n%len(o.members)], o.groups[(n*13+5)%len(o.groups)])
	}},
	{name: "groups of a member, first read", pattern: groupsPattern, load: first, ask: func(o organisation, n int) request {
		return o.groupsOf(o.members[n%len(o.members)])
	}},
	{name: "check of 100 pairs", pattern: "POST /v1/check", load: counted, goal: atMost(6).butReached(18), ask: same(organisation.pairs)},
	{name: "memberships as NDJSON", pattern: "GET /v1/export/memberships.ndjson", load: few, goal: atLeast(0.1), whole: true, ask: same(organisation.export)},
}

// isMissing tells the answer of a program that does not have what a row asks
// for.
func isMissing(status int) bool {
	return status == http.StatusNotFound || status == http.StatusMethodNotAllowed
}
