package main

import (
	"net/http"
	"testing"
)

// A first read of what was read before would measure a cache.
func TestFirstReadsAreAllDistinct(t *testing.T) {
	o := organisationOf(sizes[0].simulated(), "key")
	for _, row := range rows {
		if row.load != first {
			continue
		}
		seen := map[string]bool{}
		for n := range 1 + mostTries*mostRounds*row.load.requests() {
			path := row.ask(o, n).Path
			if seen[path] {
				t.Fatalf("%s: %s is asked twice, at last as number %d", row.name, path, n)
			}
			seen[path] = true
		}
	}
}

func TestTheUsualAreUsual(t *testing.T) {
	sim := sizes[0].simulated()
	o := organisationOf(sim, "key")
	in := 0
	for _, g := range sim.Groups() {
		if g.ID == o.which && len(g.Members) != usualMembers {
			t.Errorf("the usual group has %d members", len(g.Members))
		}
		for _, id := range g.Members {
			if id == o.who {
				in++
			}
		}
	}
	if in != usualGroups || len(o.members) != sizes[0].members || len(o.groups) != sizes[0].groups {
		t.Errorf("somebody in %d groups; %d members, %d groups", in, len(o.members), len(o.groups))
	}
}

// What is asked is what the floor's mux is told, so that no row measures a 404
// of the floor.
func TestTheFloorKnowsThePathOfEachRow(t *testing.T) {
	o := organisationOf(sizes[0].simulated(), "key")
	for _, row := range rows {
		mux := http.NewServeMux()
		mux.HandleFunc(row.pattern, func(http.ResponseWriter, *http.Request) {})
		sent, err := row.ask(o, 0).to(t.Context(), "http://localhost")
		if err != nil {
			t.Fatal(err)
		}
		if _, pattern := mux.Handler(sent); pattern != row.pattern {
			t.Errorf("%s: %s %s does not match %s", row.name, sent.Method, sent.URL, row.pattern)
		}
	}
}
