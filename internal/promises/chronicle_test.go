package promises_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"rollcall/internal/tallyfysim"
)

// A chronicle knows every state that the simulated organisation has had, from
// a place that moves on.
type chronicle struct {
	sim *tallyfysim.Sim

	mu     sync.Mutex
	groups spoken[string, tallyfysim.Group]
	users  spoken[int64, tallyfysim.User]
	first  int // number of the oldest state that is kept
	states []picture
	least  map[string]int // number of a state that a group may not be shown older than
}

func newChronicle(sim *tallyfysim.Sim) *chronicle {
	c := &chronicle{sim: sim, least: map[string]int{}, groups: spoken[string, tallyfysim.Group]{}, users: spoken[int64, tallyfysim.User]{}}
	c.record()
	return c
}

// change makes one change of the organisation and records what came of it.
func (c *chronicle) change(edit func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.record() // an edit may end the request that it is part of
	edit()
}

func (c *chronicle) record() {
	p := picture{map[string]string{}, map[int64]string{}}
	for _, g := range c.sim.Groups() {
		p.groups[g.ID] = c.groups.words(g.ID, g, sameGroup, func() string { return wordsOfGroup(g.Name, g.Description, g.Members, g.Guests) })
	}
	for _, u := range c.sim.Users() {
		p.members[u.ID] = c.users.words(u.ID, u, sameUser, func() string { return wordsOfMember(u.Email, u.FirstName, u.LastName, u.Role, u.Status) })
	}
	if n := len(c.states); n > 0 {
		p.groups = sharing(c.states[n-1].groups, p.groups)
		p.members = sharing(c.states[n-1].members, p.members)
	}
	c.states = append(c.states, p)
}

// now is the present state.
func (c *chronicle) now() picture {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.states[len(c.states)-1]
}

// acknowledge notes that a write was answered: from now on its group may not
// be shown as it was before. mark is words that the write alone has put into
// the group, empty for a deletion.
func (c *chronicle) acknowledge(id, mark string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	existed := false
	for i, state := range c.states {
		words, exists := state.groups[id]
		existed = existed || exists
		if mark != "" && strings.Contains(words, mark) || mark == "" && existed && !exists {
			c.least[id] = max(c.least[id], c.first+i)
			return nil
		}
	}
	return fmt.Errorf("a write of %s %q was answered with success, but upstream never had it", id, mark)
}

// A place is how far into the chronicle a file has come.
type place struct{ members, groups int }

// follow holds a file's rows against the chronicle. The members are all of
// one state of upstream, the groups of one that is not older, but for groups
// written through the program: each of those is as it was in some state, and
// not older than a write that was answered. Nothing is older than what the
// file showed before. What only an older file could show is then forgotten.
func (c *chronicle) follow(t reporter, shown picture, from place) place {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	at := place{c.first, c.first}
	at.members = c.find(max(from.members, c.first), func(s picture) bool { return maps.Equal(s.members, shown.members) })
	if at.members < 0 {
		t.Fatalf("the members are of no state that upstream had since %d, of %d:\n%s", from.members, c.last(), differences(c.states[len(c.states)-1].members, shown.members))
	}
	swept := withoutThrough(shown.groups)
	at.groups = c.find(max(from.groups, at.members), func(s picture) bool { return maps.Equal(withoutThrough(s.groups), swept) })
	if at.groups < 0 {
		t.Fatalf("the groups are of no state that upstream had since %d, of %d:\n%s", from.groups, c.last(), differences(withoutThrough(c.states[len(c.states)-1].groups), swept))
	}
	oldest := c.followThrough(t, shown.groups)
	c.forget(min(at.members, at.groups, oldest))
	return at
}

// followThrough looks at each group that is written through the program. It
// may be ahead of the sweep, and behind it, too: a sweep leaves alone what was
// written after it began. It returns the oldest state that any of them shows.
func (c *chronicle) followThrough(t reporter, shown map[string]string) (oldest int) {
	t.Helper()
	known := map[string]bool{}
	for _, state := range c.states {
		for id, words := range state.groups {
			if isThrough(words) {
				known[id] = true
			}
		}
	}
	oldest = c.last()
	for id := range known {
		at := c.find(c.least[id], func(s picture) bool { return s.groups[id] == shown[id] })
		if at < 0 {
			t.Fatalf("group %s is shown as it never was since state %d, of %d\n shown %s\nbefore %s\n   now %s", id, c.least[id], c.last(),
				shown[id], c.states[max(0, c.least[id]-c.first)].groups[id], c.states[len(c.states)-1].groups[id])
		}
		c.least[id] = at
		oldest = min(oldest, at)
	}
	return oldest
}

// find returns the number of the first state from a place on that fits, or -1.
func (c *chronicle) find(from int, fits func(picture) bool) int {
	for i := max(0, from-c.first); i < len(c.states); i++ {
		if fits(c.states[i]) {
			return c.first + i
		}
	}
	return -1
}

func (c *chronicle) last() int { return c.first + len(c.states) - 1 }

func (c *chronicle) forget(before int) {
	c.states = slices.Delete(c.states, 0, before-c.first)
	c.first = before
}

// forgetAnswers is for a new file, which owes nothing to writes before it.
func (c *chronicle) forgetAnswers() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.least)
}
