package tallyfysim_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/tallyfysim"
)

func TestSeededOrganisationHasTheSizeAskedFor(t *testing.T) {
	for _, z := range []tallyfysim.Size{
		{Groups: 1, Members: 1},
		{Groups: 3, Members: 2, Edges: 1},
		{Groups: 40, Members: 500, Edges: 4000, Guests: 60},
		{Groups: 200, Members: 3000, Edges: 20_000, Guests: -1},
		{Groups: 5},
		{Members: 5},
		{Groups: 2, Members: 9, Edges: -1},
	} {
		s := tallyfysim.New(tallyfysim.Options{})
		tallyfysim.Populate(s, z)
		if g, u := len(s.Groups()), len(s.Users()); g != z.Groups || u != z.Members {
			t.Errorf("%+v: %d groups, %d users", z, g, u)
		}
		edges := 0
		for _, g := range s.Groups() {
			edges += len(g.Members)
		}
		if want := max(z.Edges, 0); z.Edges != 0 && edges != want {
			t.Errorf("%+v: %d edges", z, edges)
		}
		if z.Guests > 0 && len(s.Guests()) != z.Guests {
			t.Errorf("%+v: %d guests", z, len(s.Guests()))
		}
	}
	impossible := tallyfysim.New(tallyfysim.Options{Groups: 2, Members: 10, Edges: 1000})
	for _, g := range impossible.Groups() {
		if len(g.Members) != 9 {
			t.Errorf("%d members of the nine who may be", len(g.Members))
		}
	}
}

func TestSeedingIsDeterministic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // stirring reads the clock
		seeded := func(seed uint64) *tallyfysim.Sim {
			s := tallyfysim.New(tallyfysim.Options{Seed: seed, Groups: 50, Members: 400, Edges: 3000, Guests: 20})
			rng := rand.New(rand.NewPCG(1, 2))
			for range 100 {
				s.Stir(rng)
			}
			return s
		}
		one, two, other := seeded(7), seeded(7), seeded(8)
		if diff := cmp.Diff(one.Groups(), two.Groups()); diff != "" {
			t.Errorf("groups: %s", diff)
		}
		if diff := cmp.Diff(one.Users(), two.Users()); diff != "" {
			t.Errorf("users: %s", diff)
		}
		if diff := cmp.Diff(one.Guests(), two.Guests()); diff != "" {
			t.Errorf("guests: %s", diff)
		}
		if one.Groups()[0].ID == other.Groups()[0].ID {
			t.Error("another seed gave the same ids")
		}
	})
}

func TestSeededOrganisationIsLifelike(t *testing.T) {
	s := tallyfysim.New(tallyfysim.Options{Groups: 400, Members: 3000, Edges: 20_000})
	status := map[string]int{}
	seen := map[string]bool{}
	eligible, bots, roots := 0, 0, 0
	emails := map[string]bool{}
	for _, u := range s.Users() {
		status[u.Status]++
		if u.Bot {
			bots++
		} else if u.Status != tallyfysim.StatusDisabled {
			eligible++
		}
		if u.DefaultAdmin {
			roots++
		}
		if key := strings.ToLower(u.Email); emails[key] {
			t.Errorf("%s twice", u.Email)
		} else {
			emails[key] = true
		}
		noteScripts(seen, u.FirstName+u.LastName)
	}
	for _, st := range []string{tallyfysim.StatusActive, tallyfysim.StatusInvited, tallyfysim.StatusDisabled} {
		if status[st] == 0 {
			t.Errorf("nobody is %s", st)
		}
	}
	if bots != 1 || roots != 1 {
		t.Errorf("%d bots, %d default administrators", bots, roots)
	}
	for _, script := range scripts {
		if !seen[script] {
			t.Errorf("no name is written in %s", script)
		}
	}
	checkGroups(t, s.Groups(), eligible)
}

var scripts = []string{"Arabic", "Cyrillic", "Devanagari", "Greek", "Han", "Hangul", "Hebrew", "Hiragana", "Katakana", "Latin", "Thai"}

func noteScripts(to map[string]bool, text string) {
	for _, r := range text {
		for _, name := range scripts {
			if unicode.Is(unicode.Scripts[name], r) {
				to[name] = true
			}
		}
	}
}

func checkGroups(t *testing.T, groups []tallyfysim.Group, eligible int) {
	t.Helper()
	names, folded := map[string]bool{}, map[string]int{}
	empty, withGuests, largest := 0, 0, 0
	for i, g := range groups {
		if names[g.Name] {
			t.Errorf("%q twice", g.Name)
		}
		names[g.Name] = true
		folded[strings.ToLower(g.Name)]++
		if len(g.Members) == 0 {
			empty++
		}
		if len(g.Guests) > 0 {
			withGuests++
		}
		if i > 0 {
			largest = max(largest, len(g.Members))
		}
		if ids := slices.Sorted(slices.Values(g.Members)); len(slices.Compact(ids)) != len(g.Members) {
			t.Errorf("%q holds somebody twice", g.Name)
		}
	}
	if len(groups[0].Members) != eligible {
		t.Errorf("everybody is %d of %d", len(groups[0].Members), eligible)
	}
	median := len(groups[len(groups)/2].Members)
	if empty == 0 || withGuests == 0 || largest < 20*max(1, median) {
		t.Errorf("%d empty, %d with guests, largest %d, median %d", empty, withGuests, largest, median)
	}
	if !slices.Contains(slices.Collect(maps.Values(folded)), 2) {
		t.Error("no names differ in case alone")
	}
	if !strings.ContainsFunc(strings.Join(slices.Collect(maps.Keys(names)), ""), func(r rune) bool { return r > 0xffff }) {
		t.Error("no emoji in any name")
	}
}

func TestSeedingTakesFewAllocations(t *testing.T) {
	size := tallyfysim.Size{Groups: 1000, Members: 10_000, Edges: 100_000}
	allocs := testing.AllocsPerRun(1, func() {
		tallyfysim.Populate(tallyfysim.New(tallyfysim.Options{}), size)
	})
	if rows := float64(size.Groups + size.Members); allocs > 2*rows {
		t.Errorf("%.0f allocations for %.0f rows", allocs, rows)
	}
}

func TestEverybodyIsTheFirstGroup(t *testing.T) {
	for seed := range uint64(50) {
		s := tallyfysim.New(tallyfysim.Options{Seed: seed, Groups: 9, Members: 4})
		if first := s.Groups()[0].Name; first != "Everybody" {
			t.Errorf("seed %d: %q", seed, first)
		}
	}
}

func TestStirringKeepsEverythingInOrder(t *testing.T) {
	s := tallyfysim.New(tallyfysim.Options{Groups: 20, Members: 60, Edges: 300})
	rng := rand.New(rand.NewPCG(3, 4))
	seen := map[string]bool{}
	for range 2000 {
		what := s.Stir(rng)
		words := strings.Fields(what)
		if len(words) < 2 {
			t.Fatalf("said %q", what)
		}
		for _, verb := range []string{"joined", "left", "logged", "invited", "created", "deleted", "disabled", "enabled", "described", "guest"} {
			if strings.Contains(what, verb) {
				seen[verb] = true
			}
		}
	}
	if len(seen) != 10 {
		t.Errorf("only %v happened", seen)
	}
	status := map[int64]string{}
	for _, u := range s.Users() {
		status[u.ID] = u.Status
	}
	for i, g := range s.Groups() {
		if i == 0 && g.Name != "Everybody" {
			t.Errorf("the first group is %q", g.Name)
		}
		for _, id := range g.Members {
			if st, there := status[id]; !there || st == tallyfysim.StatusDisabled {
				t.Errorf("%q holds %d, who is %q", g.Name, id, st)
			}
		}
	}
}

func TestAnEmptyOrganisationCanBeStirred(t *testing.T) {
	s := tallyfysim.New(tallyfysim.Options{})
	rng := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		s.Stir(rng)
	}
	if len(s.Users()) == 0 || len(s.Groups()) == 0 {
		t.Error("nothing came of it")
	}
}
