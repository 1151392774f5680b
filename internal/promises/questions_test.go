package promises_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// A census is an organisation as Tallyfy had it at one revision.
type census struct {
	revision int64
	groups   []tallyfysim.Group
	users    map[int64]tallyfysim.User
}

func takeCensus(sim *tallyfysim.Sim, revision int64) census {
	c := census{revision: revision, groups: sim.Groups(), users: map[int64]tallyfysim.User{}}
	for _, user := range sim.Users() {
		c.users[user.ID] = user
	}
	slices.SortFunc(c.groups, func(a, b tallyfysim.Group) int { return cmp.Compare(a.ID, b.ID) })
	return c
}

// An inquiry asks one question after another about a census.
type inquiry struct {
	t      *testing.T
	caller *caller
	census
}

// rows reads a list to its end, as of the census.
func (q *inquiry) rows(path string, query url.Values) (rows []map[string]any) {
	q.t.Helper()
	query = maps.Clone(query)
	query.Set("as_of", fmt.Sprint("rev:", q.revision))
	query.Set("limit", "7")
	for {
		got, err := q.caller.do(http.MethodGet, path+"?"+query.Encode(), nil)
		if err != nil || got.status != http.StatusOK {
			q.t.Fatalf("%s?%s: %d %v %s", path, query.Encode(), got.status, err, got.body)
		}
		var page struct {
			Data []map[string]any
			Next *string `json:"next_cursor"`
		}
		if err := json.Unmarshal(got.body, &page); err != nil {
			q.t.Fatal(err)
		}
		rows = append(rows, page.Data...)
		if page.Next == nil {
			return rows
		}
		query.Set("cursor", *page.Next)
	}
}

// wants compares an answer, of which some fields count, to what is so.
func (q *inquiry) wants(path string, query url.Values, fields []string, want [][]any) {
	q.t.Helper()
	if query == nil {
		query = url.Values{}
	}
	var got [][]any
	for _, row := range q.rows(path, query) {
		var values []any
		for _, field := range fields {
			values = append(values, row[field])
		}
		got = append(got, values)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		q.t.Errorf("%s?%s at revision %d:\n got %v\nwant %v", path, query.Encode(), q.revision, got, want)
	}
}

func TestWhatTallyfyCannotAnswerIsAnsweredAsItIs(t *testing.T) {
	sim := tallyfysim.New(tallyfysim.Options{Seed: 9, Groups: 12, Members: 40, Edges: 150, Guests: 6, DisabledKeepGroups: true})
	p := join(t, sim, filepath.Join(t.TempDir(), "rollcall.db"), time.Minute, tallyfy.Options{})
	defer p.close()
	rng := rand.New(rand.NewPCG(9, 9))
	var past []census
	for round := range 4 {
		for range 10 * round {
			sim.Stir(rng)
		}
		if users := sim.Users(); round > 1 {
			sim.Disable(users[5*round].ID)
		}
		past = append(past, takeCensus(sim, p.sweep().Revision))
	}
	c := p.caller(t)
	for _, then := range past {
		q := &inquiry{t, c, then}
		q.whoIsInTwoAndNotInAThird()
		q.whichGroups()
		q.whatPeopleShare()
		q.whatGroupsShare()
		q.whichGroupsHoldPeopleWhoLeft()
	}
}

func (q *inquiry) whoIsInTwoAndNotInAThird() {
	for i := range 3 {
		one, two, three := q.groups[i], q.groups[i+3], q.groups[i+6]
		var want [][]any
		for _, id := range distinct(one.Members) {
			if _, listed := q.users[id]; listed && slices.Contains(two.Members, id) && !slices.Contains(three.Members, id) {
				want = append(want, []any{float64(id)})
			}
		}
		query := url.Values{"in": {"id:" + one.ID, "id:" + two.ID}, "not_in": {"id:" + three.ID}}
		q.wants("/v1/members", query, []string{"id"}, want)
	}
}

func (q *inquiry) groupsOf(id int64) (ids []string) {
	for _, group := range q.groups {
		if slices.Contains(group.Members, id) {
			ids = append(ids, group.ID)
		}
	}
	return ids
}

// someone are a few who are in a group.
func (q *inquiry) someone() []int64 {
	members := distinct(q.groups[0].Members)
	return members[:min(len(members), 4)]
}

func (q *inquiry) whichGroups() {
	for _, id := range q.someone() {
		var want [][]any
		for _, group := range q.groupsOf(id) {
			want = append(want, []any{group})
		}
		q.wants("/v1/members/"+strconv.FormatInt(id, 10)+"/groups", nil, []string{"id"}, want)
	}
}

func (q *inquiry) whatPeopleShare() {
	people := q.someone()
	for i, id := range people {
		own, path := q.groupsOf(id), "/v1/members/"+strconv.FormatInt(id, 10)
		shared := func(other int64) (both [][]any) {
			for _, group := range q.groupsOf(other) {
				if slices.Contains(own, group) {
					both = append(both, []any{group})
				}
			}
			return both
		}
		with := people[(i+1)%len(people)]
		q.wants(path+"/shared-groups", url.Values{"with": {strconv.FormatInt(with, 10)}}, []string{"id"}, shared(with))
		var want [][]any
		for other := range q.users {
			if n := len(shared(other)); n > 0 && other != id {
				want = append(want, []any{float64(other), float64(n)})
			}
		}
		slices.SortFunc(want, func(a, b []any) int {
			return cmp.Or(cmp.Compare(b[1].(float64), a[1].(float64)), cmp.Compare(a[0].(float64), b[0].(float64)))
		})
		q.wants(path+"/co-members", nil, []string{"id", "shared"}, want)
	}
}

func (q *inquiry) whatGroupsShare() {
	var want [][]any
	for i, one := range q.groups {
		for _, other := range q.groups[i+1:] {
			a, b, shared := distinct(one.Members), distinct(other.Members), 0.
			for _, id := range a {
				if slices.Contains(b, id) {
					shared++
				}
			}
			if shared > 0 {
				want = append(want, []any{one.ID, other.ID, shared, float64(len(a)) - shared, float64(len(b)) - shared})
			}
		}
	}
	q.wants("/v1/overlap", nil, []string{"group_a", "group_b", "shared", "only_a", "only_b"}, want)
}

func (q *inquiry) whichGroupsHoldPeopleWhoLeft() {
	var disabled, unknown [][]any
	for _, group := range q.groups {
		for _, id := range distinct(group.Members) {
			switch user, listed := q.users[id]; {
			case !listed:
				unknown = append(unknown, []any{float64(id), group.ID})
			case user.Status == tallyfysim.StatusDisabled:
				disabled = append(disabled, []any{float64(id), group.ID})
			}
		}
	}
	for rule, want := range map[string][][]any{"disabled-in-group": disabled, "dangling-id": unknown} {
		slices.SortStableFunc(want, func(a, b []any) int { return cmp.Compare(a[0].(float64), b[0].(float64)) })
		q.wants("/v1/hygiene", url.Values{"rule": {rule}}, []string{"member_id", "group_id"}, want)
	}
}
