package db_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"rollcall/internal/db"
	"rollcall/internal/directory"
)

// A replica is what somebody knows who has nothing but the feed.
type replica struct {
	groups  map[string]map[string]any
	members map[int64]map[string]any
	edges   map[string]bool
}

func newReplica() *replica {
	return &replica{groups: map[string]map[string]any{}, members: map[int64]map[string]any{}, edges: map[string]bool{}}
}

// apply fails where a change does not fit what came before it.
func (p *replica) apply(c directory.Change) error {
	switch c.Type {
	case directory.GroupCreated:
		if p.groups[c.GroupID] != nil {
			return fmt.Errorf("%s is created twice", c.GroupID)
		}
		p.groups[c.GroupID] = map[string]any{}
	case directory.GroupDeleted:
		if p.groups[c.GroupID] == nil || *c.GroupName != p.groups[c.GroupID]["name"] {
			return fmt.Errorf("%s is deleted as %s", c.GroupID, *c.GroupName)
		}
		delete(p.groups, c.GroupID)
	case directory.MemberCreated:
		if p.members[c.MemberID] != nil {
			return fmt.Errorf("%d is created twice", c.MemberID)
		}
		p.members[c.MemberID] = map[string]any{}
	case directory.MemberDeleted:
		if p.members[c.MemberID] == nil {
			return fmt.Errorf("%d is deleted", c.MemberID)
		}
		delete(p.members, c.MemberID)
	case directory.MembershipAdded, directory.GuestMembershipAdded, directory.MembershipRemoved, directory.GuestMembershipRemoved:
		return p.applyEdge(c)
	}
	row := p.groups[c.GroupID]
	if c.MemberID != 0 {
		row = p.members[c.MemberID]
	}
	for _, f := range c.Changed {
		if f.Field == "logo" {
			continue // the story adds logos quietly, which upstream does not
		}
		if row == nil || row[f.Field] != f.Old || f.Old == f.New {
			return fmt.Errorf("%s from %v to %v, where %v is known", f.Field, f.Old, f.New, row)
		}
		row[f.Field] = f.New
	}
	return nil
}

func (p *replica) applyEdge(c directory.Change) error {
	edge := fmt.Sprint(c.GroupID, " ", c.MemberID)
	isGuest := c.Type == directory.GuestMembershipAdded || c.Type == directory.GuestMembershipRemoved
	if isGuest {
		edge = c.GroupID + " " + *c.Email
	} else if member := p.members[c.MemberID]; (member == nil) != (c.Email == nil) || c.Email != nil && *c.Email != member["email"] {
		return fmt.Errorf("%d has e-mail %v, where %v is known", c.MemberID, c.Email, member)
	}
	group := p.groups[c.GroupID]
	if group == nil || *c.GroupName != group["name"] {
		return fmt.Errorf("an edge of %s, named %s, where %v is known", c.GroupID, *c.GroupName, group)
	}
	isAdded := c.Type == directory.MembershipAdded || c.Type == directory.GuestMembershipAdded
	if p.edges[edge] == isAdded {
		return fmt.Errorf("%s of %s, where that is %t", c.Type, edge, p.edges[edge])
	}
	delete(p.edges, edge)
	if isAdded {
		p.edges[edge] = true
	}
	return nil
}

// replicaOf is what the feed must have told of a world.
func (s *story) replicaOf(w world) *replica {
	p := newReplica()
	for id, g := range w.groups {
		row := map[string]any{"name": g.Name, "created_at": g.CreatedAt, "updated_at": g.UpdatedAt}
		set(row, "description", g.Description)
		p.groups[id] = row
		for member := range g.members {
			p.edges[fmt.Sprint(id, " ", member)] = true
		}
		for guest := range g.guests {
			p.edges[id+" "+s.spelling[guest]] = true
		}
	}
	for id, m := range w.members {
		row := map[string]any{"email": m.Email, "status": string(m.Status), "updated_at": m.UpdatedAt}
		set(row, "full_name", m.FullName)
		set(row, "first_name", m.FirstName)
		set(row, "last_name", m.LastName)
		set(row, "role", m.Role)
		p.members[id] = row
	}
	return p
}

func set(row map[string]any, name string, value *string) {
	if value != nil {
		row[name] = *value
	}
}

func (p *replica) diff(other *replica) string {
	known := func(row map[string]any) map[string]any {
		row = maps.Clone(row)
		maps.DeleteFunc(row, func(_ string, value any) bool { return value == nil })
		return row
	}
	for id, row := range other.groups {
		other.groups[id] = known(row)
	}
	for id, row := range other.members {
		other.members[id] = known(row)
	}
	return gocmp.Diff(p.groups, other.groups) + gocmp.Diff(p.members, other.members) + gocmp.Diff(p.edges, other.edges)
}

func TestTheFeedReplayedGivesEveryState(t *testing.T) {
	atMost(t, 4)
	for _, rows := range []int{4096, 3, 0} {
		t.Run(fmt.Sprint("large are revisions of more than ", rows), func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) { replayed(r, rows) })
		})
	}
}

func replayed(r *rapid.T, largest int) {
	dir, err := os.MkdirTemp("", "feed")
	if err != nil {
		r.Fatal(err)
	}
	s := newStory(r, dir)
	defer os.RemoveAll(dir)
	defer s.mirror.Close()
	db.WalkAlongKeys(s.mirror, largest)
	for range rapid.IntRange(1, 7).Draw(r, "publications") {
		s.publish()
	}
	all := s.feed(nil, rapid.IntRange(1, 60).Draw(r, "limit"))
	s.checkOrder(all)
	s.checkEveryPrefix(all)
	s.checkPlaces(all)
	s.checkTimelines(all)
	s.checkDiffs()
}

// checkDiffs holds that a diff makes of any state any later one.
func (s *story) checkDiffs() {
	from := rapid.IntRange(0, len(s.past)-1).Draw(s.t, "from")
	to := rapid.IntRange(from, len(s.past)-1).Draw(s.t, "to")
	q := directory.DiffQuery{Limit: rapid.IntRange(1, 40).Draw(s.t, "limit of diffs"), From: directory.AsOf{Revision: int64(from + 1)}, AsOf: &directory.AsOf{Revision: int64(to + 1)}}
	p := s.replicaOf(s.past[from].world)
	seen := map[string]bool{}
	for {
		page, err := s.mirror.Diff(s.t.Context(), q)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, row := range page.Rows {
			if err := p.apply(row.Change); err != nil {
				s.t.Fatalf("from %d to %d: %s: %v", from+1, to+1, row.Type, err)
			}
			if edge := row.Edge; edge != nil {
				what := fmt.Sprint(edge.GroupID, edge.MemberID, edge.Kind, row.Place.Key.ID)
				if seen[what] {
					s.t.Fatalf("from %d to %d: %s comes twice", from+1, to+1, what)
				}
				seen[what] = true
			}
		}
		if q.After = page.Next; page.Next == nil {
			break
		}
	}
	if d := s.replicaOf(s.past[to].world).diff(p); d != "" {
		s.t.Fatalf("from %d to %d (-want +got):\n%s", from+1, to+1, d)
	}
}

// checkTimelines holds that each is the feed but for what it is not about.
func (s *story) checkTimelines(all []directory.Change) {
	pin := s.past[len(s.past)-1].fresh.Pin()
	limit := rapid.IntRange(1, 40).Draw(s.t, "limit of timelines")
	read := func(about func(directory.Change) bool, page func(directory.ListQuery) (directory.Page[directory.Change], error)) {
		want := slices.DeleteFunc(slices.Clone(all), func(c directory.Change) bool { return !about(c) })
		var got []directory.Change
		for q := (directory.ListQuery{Pin: &pin, Limit: limit}); ; {
			p, err := page(q)
			if err != nil && len(want) > 0 {
				s.t.Fatal(err)
			}
			got = append(got, p.Rows...)
			if q.After = p.Next; p.Next == nil {
				break
			}
		}
		if d := gocmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
			s.t.Fatalf("timeline (-want +got):\n%s", d)
		}
	}
	for _, id := range groupPool {
		read(func(c directory.Change) bool { return c.GroupID == id }, func(q directory.ListQuery) (directory.Page[directory.Change], error) {
			return s.mirror.GroupTimeline(s.t.Context(), directory.GroupRef{ID: id}, true, q)
		})
	}
	for _, id := range idPool {
		read(func(c directory.Change) bool { return c.MemberID == id }, func(q directory.ListQuery) (directory.Page[directory.Change], error) {
			return s.mirror.PersonTimeline(s.t.Context(), directory.PersonRef{ID: id}, true, q)
		})
	}
	for guest, spelled := range s.spelling {
		if strings.HasPrefix(guest, "m3") {
			continue // a member's e-mail, too
		}
		read(func(c directory.Change) bool { return c.MemberID == 0 && c.Email != nil && *c.Email == spelled }, func(q directory.ListQuery) (directory.Page[directory.Change], error) {
			return s.mirror.PersonTimeline(s.t.Context(), directory.PersonRef{Email: guest}, true, q)
		})
	}
}

// feed reads all that comes after a place.
func (s *story) feed(after *directory.FeedPlace, limit int) (all []directory.Change) {
	for {
		page, err := s.mirror.Changes(s.t.Context(), directory.FeedQuery{After: after, Limit: limit})
		if err != nil {
			s.t.Fatal(err)
		}
		if len(page.Changes) > limit {
			s.t.Fatalf("%d changes on a page of %d", len(page.Changes), limit)
		}
		all = append(all, page.Changes...)
		if !page.More {
			if page.Next != page.Freshness.FeedPlace() {
				s.t.Fatalf("the end is %+v, not %+v", page.Next, page.Freshness.FeedPlace())
			}
			return all
		}
		if after != nil && *after == page.Next {
			s.t.Fatalf("stuck at %+v", page.Next)
		}
		after = &page.Next
	}
}

func (s *story) checkOrder(all []directory.Change) {
	isAscending := slices.IsSortedFunc(all, func(a, b directory.Change) int {
		if a.Revision != b.Revision {
			return int(a.Revision - b.Revision)
		}
		if order := a.Place.Key.Compare(b.Place.Key); order != 0 {
			return order
		}
		s.t.Fatalf("two changes at one place: %+v and %+v", a, b)
		return 0
	})
	if !isAscending {
		s.t.Fatalf("out of order: %+v", all)
	}
	for _, c := range all {
		if c.Cause == "" || c.NotAfter.IsZero() {
			s.t.Fatalf("nothing is known of its making: %+v", c)
		}
	}
}

func (s *story) checkEveryPrefix(all []directory.Change) {
	p := newReplica()
	for _, m := range s.past {
		for len(all) > 0 && all[0].Revision <= m.fresh.Revision {
			if err := p.apply(all[0]); err != nil {
				s.t.Fatalf("%s of revision %d: %v", all[0].Type, all[0].Revision, err)
			}
			all = all[1:]
		}
		if d := s.replicaOf(m.world).diff(p); d != "" {
			s.t.Fatalf("at revision %d (-want +got):\n%s", m.fresh.Revision, d)
		}
	}
}

// checkPlaces goes on after some change, and after some revision.
func (s *story) checkPlaces(all []directory.Change) {
	if len(all) > 0 {
		i := rapid.IntRange(0, len(all)-1).Draw(s.t, "change")
		rest := s.feed(&all[i].Place, rapid.IntRange(1, 9).Draw(s.t, "limit of the rest"))
		if d := gocmp.Diff(all[i+1:], rest, cmpopts.EquateEmpty()); d != "" {
			s.t.Fatalf("after change %d (-want +got):\n%s", i, d)
		}
	}
	m := rapid.SampledFrom(s.past).Draw(s.t, "revision")
	rest := s.feed(new(m.fresh.FeedPlace()), 7)
	want := slices.DeleteFunc(slices.Clone(all), func(c directory.Change) bool { return c.Revision <= m.fresh.Revision })
	if d := gocmp.Diff(want, rest, cmpopts.EquateEmpty()); d != "" {
		s.t.Fatalf("after revision %d (-want +got):\n%s", m.fresh.Revision, d)
	}
	pinned, err := s.mirror.Changes(s.t.Context(), directory.FeedQuery{Limit: 100_000, UpTo: new(m.fresh.Pin())})
	for pinned.More && err == nil {
		var more directory.FeedPage
		more, err = s.mirror.Changes(s.t.Context(), directory.FeedQuery{After: &pinned.Next, Limit: 100_000, UpTo: new(m.fresh.Pin())})
		more.Changes = append(pinned.Changes, more.Changes...)
		pinned = more
	}
	if got := len(pinned.Changes); err != nil || got+len(rest) != len(all) {
		s.t.Fatalf("%d changes up to revision %d and %d after it, %d in all: %v", got, m.fresh.Revision, len(rest), len(all), err)
	}
}
