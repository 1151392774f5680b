package access

import (
	"testing"

	"rollcall/internal/directory"
)

func TestAProbeGrantsWhatTallyfyShows(t *testing.T) {
	const both = IsMember | SeesGroups | SeesUsers
	for name, c := range map[string]struct {
		person person
		fails  map[string]error
		rights Rights
		calls  int
	}{
		"an admin":               {admin, nil, both | SeesFull | IsAdmin, 6},
		"a standard user":        {standard, nil, both, 6},
		"support, no admin":      {person{id: 9, groups: 3, users: 50, role: "standard"}, nil, both | SeesFull, 6},
		"no role in the answer":  {person{id: 9, groups: 3, users: 50}, nil, both | SeesFull, 6},
		"groups only":            {person{id: 9, groups: 3, users: 49}, nil, IsMember | SeesGroups, 6},
		"users only":             {person{id: 9, groups: 2, users: 50}, nil, IsMember | SeesUsers, 6},
		"more than the mirror":   {person{id: 9, groups: 4, users: 51}, nil, IsMember, 7},
		"no list of users":       {admin, map[string]error{"users": answered(403)}, IsMember | SeesGroups, 4},
		"no list of groups":      {admin, map[string]error{"groups": answered(404)}, IsMember | SeesUsers, 4},
		"another organisation's": {admin, map[string]error{"groups": answered(403), "users": answered(404)}, 0, 3},
	} {
		t.Run(name, func(t *testing.T) {
			tallyfy := newTallyfy()
			tallyfy.admit("t", c.person)
			for call, err := range c.fails {
				tallyfy.fail(call, err)
			}
			f := ask(t.Context(), tallyfy, "t")
			if f.err != nil || f.refused || f.grant != (Grant{c.person.id, c.rights}) {
				t.Errorf("found %+v, want rights %b", f, c.rights)
			}
			calls := 0
			for call := range tallyfy.calls {
				calls += tallyfy.count(call)
			}
			if calls != c.calls {
				t.Errorf("it took %d requests, want %d", calls, c.calls)
			}
		})
	}
}

func TestARowThatCameBetweenTheTwoTotalsDeniesNothing(t *testing.T) {
	tallyfy := newTallyfy()
	mine := admin
	mine.groups--
	tallyfy.admit("t", mine)
	tallyfy.before = func(call string) {
		if call == "all groups" {
			tallyfy.admit("t", admin)
		}
	}
	if f := ask(t.Context(), tallyfy, "t"); f.err != nil || !f.grant.Rights.includes(everything) {
		t.Errorf("found %+v", f)
	}
}

func TestOnlyADefiniteAnswerRefusesAToken(t *testing.T) {
	for _, c := range []struct {
		err     error
		refused bool
	}{
		{answered(401), true},
		{answered(403), true},
		{answered(404), true},
		{answered(422), true},
		{answered(429), false},
		{answered(500), false},
		{&directory.UpstreamError{Reason: directory.ReasonTransport}, false},
		{&directory.UpstreamError{Reason: directory.ReasonTimeout}, false},
		{&directory.UpstreamError{Reason: directory.ReasonNotJSON}, false},
		{&directory.UpstreamError{Reason: directory.ReasonShape}, false},
		{&directory.UpstreamError{Reason: directory.ReasonBudget}, false},
	} {
		tallyfy := newTallyfy()
		tallyfy.fail("me", c.err)
		f := ask(t.Context(), tallyfy, "t")
		if f.err == nil || f.refused != c.refused || f.grant.Rights != 0 || tallyfy.count("groups") != 0 {
			t.Errorf("%v: found %+v", c.err, f)
		}
	}
}
