package db

import (
	"cmp"
	"context"
	"slices"

	"rollcall/internal/directory"
)

// A company is who shares groups with a person, strangers among them. Where
// one group, the crowd, holds most of them, those whom the person shares no
// other group with are left in it.
type company struct {
	*state
	self   int64 // 0 for guests
	groups []GroupVersion
	near   map[int64]int64 // how many groups are shared, by id
	crowd  *GroupVersion   // holds everybody else; nil if there is nobody
}

func (s *state) companyOf(ctx context.Context, who person) (*company, error) {
	edges, err := s.edgesOf(ctx, who)
	if err != nil {
		return nil, err
	}
	c := &company{state: s, self: who.id}
	if c.groups, err = s.groupsAmong(ctx, convert(edges, func(e groupEdge) int64 { return e.gid })); err != nil {
		return nil, err
	}
	slices.SortFunc(c.groups, func(a, b GroupVersion) int { return cmp.Compare(a.MemberCount, b.MemberCount) })
	near, last := int64(0), len(c.groups)-1
	for _, group := range c.groups[:max(last, 0)] {
		near += group.MemberCount
	}
	if last < 0 || near > s.reach.company || near+c.groups[last].MemberCount <= s.reach.company {
		c.near, err = c.tally(ctx, c.groups)
		return c, err
	}
	c.crowd = &c.groups[last]
	if c.near, err = c.tally(ctx, c.groups[:last]); err != nil {
		return nil, err
	}
	inCrowd, err := s.within(ctx, *c.crowd, keysOf(c.near))
	for id := range inCrowd {
		c.near[id]++
	}
	return c, err
}

func keysOf[V any](m map[int64]V) []int64 {
	keys := make([]int64, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	return keys
}

// tally counts in how many of some groups each member is, but for the person.
func (c *company) tally(ctx context.Context, groups []GroupVersion) (map[int64]int64, error) {
	counts := map[int64]int64{}
	for _, group := range groups {
		ids, err := c.memberIDs(ctx, group.Gid)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			counts[id]++
		}
	}
	delete(counts, c.self)
	return counts, nil
}

// within tells which ids a group holds.
func (s *state) within(ctx context.Context, group GroupVersion, ids []int64) (map[int64]bool, error) {
	edges, err := s.q.MemberEdgesOfAt(ctx, MemberEdgesOfAtParams{Gid: group.Gid, Ids: idList(ids), Horizon: s.horizon()})
	held := make(map[int64]bool, len(edges))
	for _, edge := range edges {
		held[edge.MemberID] = true
	}
	return held, err
}

// rows fetches one row more than the page holds.
func (c *company) rows(ctx context.Context, q directory.ListQuery) ([]coMember, error) {
	if q.ByName {
		return c.byName(ctx, q)
	}
	after, err := companionAfter(q)
	if err != nil {
		return nil, err
	}
	want := q.Limit + 1
	var rows []coMember
	for len(rows) < want {
		some, err := c.next(ctx, after, want)
		if err != nil {
			return nil, err
		}
		listed, err := c.members(ctx, some)
		if err != nil {
			return nil, err
		}
		rows = append(rows, listed...)
		if len(some) < want {
			break
		}
		after = some[want-1]
	}
	return rows[:min(len(rows), want)], nil
}

// next returns the first n companions after a place.
func (c *company) next(ctx context.Context, after companion, n int) ([]companion, error) {
	var some []companion
	for id, shared := range c.near {
		if place := (companion{id, shared}); place.compare(after) > 0 {
			some = append(some, place)
		}
	}
	slices.SortFunc(some, companion.compare)
	if c.crowd == nil || len(some) >= n && some[n-1].shared > 1 {
		return some[:min(len(some), n)], nil
	}
	others, err := c.ofCrowd(ctx, after, n)
	some = append(some, others...)
	slices.SortFunc(some, companion.compare)
	return some[:min(len(some), n)], err
}

// ofCrowd returns the first n after a place who are in the crowd and nowhere
// near.
func (c *company) ofCrowd(ctx context.Context, after companion, n int) ([]companion, error) {
	place := memberPlace{id: beforeAllIDs}
	if after.shared == 1 {
		place.id = after.id
	}
	var some []companion
	for {
		edges, err := c.memberEdges(ctx, *c.crowd, directory.ListQuery{Limit: n}, personPlace{id: place.id})
		if err != nil {
			return nil, err
		}
		for _, edge := range edges {
			if _, near := c.near[edge.MemberID]; !near && edge.MemberID != c.self {
				some = append(some, companion{edge.MemberID, 1})
			}
		}
		if len(edges) <= n || len(some) >= n {
			return some, nil
		}
		place.id = edges[len(edges)-1].MemberID
	}
}

// members are the rows of companions, in their order, without strangers.
func (c *company) members(ctx context.Context, some []companion) ([]coMember, error) {
	found, err := c.membersAmong(ctx, convert(some, func(c companion) int64 { return c.id }))
	byID := make(map[int64]MemberVersion, len(found))
	for _, row := range found {
		byID[row.ID] = row
	}
	var rows []coMember
	for _, place := range some {
		if row, known := byID[place.id]; known {
			rows = append(rows, coMember{row, place.shared})
		}
	}
	return rows, err
}

// membersAmong returns members by their ids, in no order, with the counts of
// their groups.
func (s *state) membersAmong(ctx context.Context, ids []int64) ([]MemberVersion, error) {
	if !s.past {
		rows, err := s.q.MembersAmong(ctx, idList(ids))
		return convert(rows, presentMember), err
	}
	rows, err := s.q.MembersAmongAt(ctx, idList(ids), s.revision.Horizon)
	if err != nil {
		return nil, err
	}
	return rows, s.countGroups(ctx, rows)
}

// count counts the members of the company, without strangers.
func (c *company) count(ctx context.Context) (*int, error) {
	all, err := c.tally(ctx, c.groups)
	if err != nil {
		return nil, err
	}
	for _, group := range c.groups {
		strangers, err := c.strangersOf(ctx, group)
		if err != nil {
			return nil, err
		}
		for _, id := range strangers {
			delete(all, id)
		}
	}
	return new(len(all)), nil
}

// strangersOf returns the ids in a group that the member list lacks.
func (s *state) strangersOf(ctx context.Context, group GroupVersion) ([]int64, error) {
	if s.past {
		rows, err := s.q.StrangerEdgesAt(ctx, group.Gid, s.revision.Horizon)
		return convert(rows, func(row StrangerEdgesAtRow) int64 { return row.MemberID }), err
	}
	rows, err := s.q.StrangerEdges(ctx, group.Gid)
	return convert(rows, func(row StrangerEdgesRow) int64 { return row.MemberID }), err
}
