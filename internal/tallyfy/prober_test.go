package tallyfy_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// prober is one of an organisation with 7 groups and 20 users, and the id of
// a standard user whose token is "theirs".
func prober(t *testing.T, options tallyfysim.Options) (*tallyfy.Prober, *tallyfysim.Sim, int64) {
	t.Helper()
	options.Groups, options.Members, options.Edges = 7, 20, 30
	sim := tallyfysim.New(options)
	for _, u := range sim.Users() {
		if u.Role == tallyfysim.RoleStandard && u.Status == tallyfysim.StatusActive {
			sim.AddToken("theirs", u.ID)
			return clientOf(t, sim, 90, 900).Prober(), sim, u.ID
		}
	}
	t.Fatal("nobody is standard")
	return nil, nil, 0
}

func TestProbesTellWhatTallyfyShowsToAToken(t *testing.T) {
	for name, options := range variants() {
		if options.NoMeta {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			p, sim, standard := prober(t, options)
			admin, err := p.Me(t.Context(), sim.Token())
			if err != nil {
				t.Fatal(name, err)
			}
			if role, err := p.Role(t.Context(), sim.Token(), admin); err != nil || role != "admin" {
				t.Error(name, role, err)
			}
			if id, err := p.Me(t.Context(), "theirs"); err != nil || id != standard {
				t.Error(name, id, err)
			}
			groups, err := p.GroupTotal(t.Context(), "theirs")
			all, errAll := p.SweepGroupTotal(t.Context())
			if err != nil || errAll != nil || groups != len(sim.Groups()) || all != groups {
				t.Error(name, groups, err, all, errAll)
			}
			users, err := p.UserTotal(t.Context(), "theirs")
			all, errAll = p.SweepUserTotal(t.Context())
			if err != nil || errAll != nil || users != len(sim.Users()) || all != users {
				t.Error(name, users, err, all, errAll)
			}
			if _, err := p.Role(t.Context(), "theirs", standard); directory.ReasonOf(err) != directory.ReasonForbidden {
				t.Error(name, err)
			}
		})
	}
}

func TestAPartOfTheUsersIsToldByTheirTotal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, _ := prober(t, tallyfysim.Options{UsersPartial: true})
		theirs, err := p.UserTotal(t.Context(), "theirs")
		all, errAll := p.SweepUserTotal(t.Context())
		if err != nil || errAll != nil || theirs >= all {
			t.Error(theirs, err, all, errAll)
		}
	})
}

func TestAListWithoutATotalTellsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, _ := prober(t, tallyfysim.Options{NoMeta: true})
		if _, err := p.GroupTotal(t.Context(), "theirs"); directory.ReasonOf(err) != directory.ReasonShape {
			t.Error(err)
		}
	})
}

// What a stranger can cause is one request a call, and it comes out of the
// budget.
func TestProbesAreSentOnceAndPaidFromTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := tallyfysim.New(tallyfysim.Options{Groups: 1, Members: 1, Edges: 1})
		c := clientOf(t, sim, 90, 900)
		sim.Fault(tallyfysim.Fault{Status: http.StatusBadGateway})
		_, err := c.Prober().Me(t.Context(), "made-up")
		if directory.ReasonOf(err) != directory.ReasonServer || len(sim.Requests()) != 1 {
			t.Errorf("%d requests, %v", len(sim.Requests()), err)
		}
		sim.Clear()
		_, err = c.Prober().Me(t.Context(), "made-up")
		if directory.ReasonOf(err) != directory.ReasonUnauthorized || strings.Contains(err.Error(), "made-up") {
			t.Error(err)
		}
		if left := c.Budget().HourRemaining; left != 898 {
			t.Errorf("%d requests are left of 900 after two", left)
		}
	})
}

func TestAProbeEndsWithItsContextWhileTheBudgetIsSpent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := tallyfysim.New(tallyfysim.Options{Groups: 1, Members: 1, Edges: 1})
		p := clientOf(t, sim, 0, 2).Prober()
		for range 2 {
			if _, err := p.Me(t.Context(), sim.Token()); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, err := p.Me(ctx, sim.Token()); directory.ReasonOf(err) != directory.ReasonTimeout || len(sim.Requests()) != 2 {
			t.Errorf("%d requests, %v", len(sim.Requests()), err)
		}
	})
}
