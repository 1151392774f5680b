package access

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The answers of a cell, as the tables below spell them.
const (
	yes   = "yes"   // and nothing goes upstream
	own   = "own"   // under the caller's own token
	sweep = "sweep" // under the sweep token
	no    = "no"    // forbidden
	who   = "who"   // unauthenticated
)

func newAccess(t *testing.T, mode Mode, lend bool) *Access {
	t.Helper()
	o := Options{Mode: mode, LendToken: lend}
	switch mode {
	case ModeKeys:
		path := filepath.Join(t.TempDir(), "keys")
		writeFile(t, path, "")
		o.Keys = openKeys(t, path)
	case ModeTallyfy:
		grants, err := NewGrants(GrantsOptions{Prober: &fakeTallyfy{}})
		if err != nil {
			t.Fatal(err)
		}
		o.Grants = grants
	}
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func cell(a *Access, c Caller, action Action) string {
	with, err := a.Decide(c, action)
	_, isForbidden := errors.AsType[*ForbiddenError](err)
	switch {
	case isForbidden:
		return no
	case errors.Is(err, ErrUnauthenticated):
		return who
	case err != nil:
		return err.Error()
	}
	return map[Upstream]string{NoToken: yes, OwnToken: own, SweepToken: sweep}[with]
}

// checkCells compares a whole table: one row an action, one cell a caller.
func checkCells(t *testing.T, accesses []*Access, callers []Caller, rows map[Action]string) {
	t.Helper()
	for action := Action(0); action <= pastActions; action++ {
		cells, known := rows[action]
		if !known {
			if action != 0 && action != pastActions {
				t.Errorf("the table has no row for %q", action)
				continue
			}
			cells = strings.Repeat(no+" ", len(callers))
		}
		wants := strings.Fields(cells)
		if len(wants) != len(callers) {
			t.Fatalf("%s has %d cells for %d callers", action, len(wants), len(callers))
		}
		for i, want := range wants {
			if got := cell(accesses[i], callers[i], action); got != want {
				t.Errorf("%s by %s, column %d: %s, want %s", action, callers[i], i, got, want)
			}
		}
	}
}

func TestWithoutModesTokensAreAskedOnlyForWhatGoesUpstream(t *testing.T) {
	plain, lending := newAccess(t, ModeNone, false), newAccess(t, ModeNone, true)
	bare := Caller{How: ByNothing}
	withToken := Caller{How: ByNothing, own: newCredential("Bearer t", "t")}
	checkCells(
		t,
		[]*Access{plain, plain, lending, lending},
		[]Caller{bare, withToken, bare, withToken},
		map[Action]string{
			//               bare  token lent  both
			Open:            "yes  yes   yes   yes",
			ReadGroups:      "yes  yes   yes   yes",
			ReadMembers:     "yes  yes   yes   yes",
			ReadMemberships: "yes  yes   yes   yes",
			ReadFull:        "yes  yes   yes   yes",
			ReadStatus:      "yes  yes   yes   yes",
			Metrics:         "yes  yes   yes   yes",
			Sync:            "yes  yes   yes   yes",
			WriteGroup:      "who  own   sweep own",
			EditGroup:       "who  own   sweep own",
			WriteUser:       "who  own   who   own",
			AcceptRemovals:  "yes  yes   yes   yes",
			Forget:          "yes  yes   yes   yes",
			ForwardRead:     "who  own   who   own",
			ForwardWrite:    "who  own   who   own",
		},
	)
}

func TestKeysReachWhatTheirScopesName(t *testing.T) {
	a := newAccess(t, ModeKeys, false)
	key := func(s Scopes) Caller { return Caller{How: ByKey, Actor: "app", scopes: s} }
	checkCells(
		t,
		slices.Repeat([]*Access{a}, 5),
		[]Caller{{}, key(ScopeRead), key(ScopeWrite), key(ScopeAdmin), key(ScopeRead | ScopeWrite | ScopeAdmin)},
		map[Action]string{
			//               none read write admin all
			Open:            "yes yes  yes   yes   yes",
			ReadGroups:      "who yes  no    no    yes",
			ReadMembers:     "who yes  no    no    yes",
			ReadMemberships: "who yes  no    no    yes",
			ReadFull:        "who yes  no    no    yes",
			ReadStatus:      "who yes  no    no    yes",
			Metrics:         "who yes  no    no    yes",
			Sync:            "who no   yes   no    yes",
			WriteGroup:      "who no   sweep no    sweep",
			EditGroup:       "who no   sweep no    sweep",
			WriteUser:       "who no   no    sweep sweep",
			AcceptRemovals:  "who no   no    yes   yes",
			Forget:          "who no   no    yes   yes",
			ForwardRead:     "who no   no    no    no",
			ForwardWrite:    "who no   no    no    no",
			0:               "who no   no    no    no",
			pastActions:     "who no   no    no    no",
		},
	)
}

func TestTokensReachWhatTallyfyShowsThem(t *testing.T) {
	a := newAccess(t, ModeTallyfy, false)
	token := func(r Rights) Caller {
		return Caller{How: ByToken, Actor: "11", rights: r, own: newCredential("Bearer t", "t")}
	}
	const both = SeesGroups | SeesUsers
	checkCells(
		t,
		slices.Repeat([]*Access{a}, 8),
		[]Caller{
			{},
			token(0),
			token(IsMember),
			token(IsMember | SeesGroups),
			token(IsMember | SeesUsers),
			token(IsMember | both),
			token(IsMember | both | SeesFull),
			token(IsMember | both | SeesFull | IsAdmin),
		},
		map[Action]string{
			//               none stranger member groups users both full admin
			Open:            "yes yes      yes    yes    yes   yes  yes  yes",
			ReadGroups:      "who no       no     yes    no    yes  yes  yes",
			ReadMembers:     "who no       no     no     yes   yes  yes  yes",
			ReadMemberships: "who no       no     no     no    yes  yes  yes",
			ReadFull:        "who no       no     no     no    no   yes  yes",
			ReadStatus:      "who no       no     no     no    yes  yes  yes",
			Metrics:         "who no       no     no     no    yes  yes  yes",
			Sync:            "who no       yes    yes    yes   yes  yes  yes",
			WriteGroup:      "who no       own    own    own   own  own  own",
			EditGroup:       "who no       no     no     no    own  own  own",
			WriteUser:       "who no       own    own    own   own  own  own",
			AcceptRemovals:  "who no       no     no     no    no   no   yes",
			Forget:          "who no       no     no     no    no   no   yes",
			ForwardRead:     "who no       own    own    own   own  own  own",
			ForwardWrite:    "who no       own    own    own   own  own  own",
			0:               "who no       no     no     no    no   no   no",
			pastActions:     "who no       no     no     no    no   no   no",
		},
	)
}

func TestACallerOfAnotherModeIsNobody(t *testing.T) {
	callers := map[Mode]Caller{
		ModeNone:    {How: ByNothing, own: newCredential("Bearer t", "t")},
		ModeKeys:    {How: ByKey, scopes: ScopeRead | ScopeWrite | ScopeAdmin},
		ModeTallyfy: {How: ByToken, rights: everything | IsMember | IsAdmin},
	}
	for _, mode := range []Mode{ModeNone, ModeKeys, ModeTallyfy} {
		a := newAccess(t, mode, false)
		for of, c := range callers {
			if of != mode && cell(a, c, ReadGroups) != who {
				t.Errorf("in mode %s, a caller of mode %s may read", mode, of)
			}
		}
	}
}

func TestEachTableHasARowForEachActionAndNoOther(t *testing.T) {
	var all []Action
	for action := Open + 1; action < pastActions; action++ {
		all = append(all, action)
	}
	for name, actions := range map[string][]Action{
		"none":    slices.Sorted(maps.Keys(anybodyTable)),
		"keys":    slices.Sorted(maps.Keys(keyTable)),
		"tallyfy": slices.Sorted(maps.Keys(tokenTable)),
	} {
		if !slices.Equal(actions, all) {
			t.Errorf("the table of %s has rows for %v, want %v", name, actions, all)
		}
	}
}

func TestARefusalSaysWhatIsMissing(t *testing.T) {
	for _, c := range []struct {
		mode   Mode
		caller Caller
		action Action
		want   string
	}{
		{ModeKeys, Caller{How: ByKey, Actor: "app", scopes: ScopeRead}, WriteGroup, "writing a group is forbidden: key app has the scopes read, and it needs write"},
		{ModeKeys, Caller{How: ByKey, Actor: "app", scopes: ScopeRead}, ForwardRead, "reading from Tallyfy itself is forbidden: no key reaches what the mirror cannot answer itself"},
		{ModeTallyfy, Caller{How: ByToken, rights: IsMember | SeesGroups}, ReadMemberships, "reading memberships is forbidden: Tallyfy does not show this token every member"},
		{ModeTallyfy, Caller{How: ByToken}, Sync, "asking for a sweep is forbidden: Tallyfy shows this token nothing of the organisation"},
	} {
		_, err := newAccess(t, c.mode, false).Decide(c.caller, c.action)
		if fmt.Sprint(err) != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

func TestNewRefusesModesThatLackSomething(t *testing.T) {
	keys := openKeys(t, writeFile(t, filepath.Join(t.TempDir(), "keys"), ""))
	for _, o := range []Options{
		{},
		{Mode: "open"},
		{Mode: ModeKeys},
		{Mode: ModeTallyfy, Keys: keys},
		{Mode: ModeKeys, Keys: keys, LendToken: true},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("New(%+v) made one", o)
		}
	}
}

func openKeys(t *testing.T, path string) *Keys {
	t.Helper()
	keys, err := OpenKeys(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}
