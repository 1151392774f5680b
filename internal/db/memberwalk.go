package db

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"rollcall/internal/directory"
)

// A source lists the ids of all members who meet one condition, and of some
// who do not: the first after an id, ascending, at most so many. It is about
// as large as size says, or larger where that is its bound.
type source struct {
	list  func(ctx context.Context, after, size int64) ([]int64, error)
	size  int64
	gid   int64 // of the group whose members they are, 0 for another condition
	isAny bool  // they are the members of any of several groups
}

// smallest is the source of the condition that the fewest members meet, as
// far as that can be told; without such a condition there is none. An only one
// may be without its size, unless that is asked for.
func (s *state) smallest(ctx context.Context, t memberTerms, sized bool) (*source, error) {
	var best *source
	for _, next := range s.knownSources(t) {
		if best == nil || next.size < best.size {
			best = &next
		}
	}
	indexes, err := s.indexes(ctx, t)
	if err != nil {
		return nil, err
	}
	if len(indexes) == 1 && best == nil && !sized {
		return &source{list: indexes[0].list}, nil
	}
	for _, c := range indexes {
		most := s.reach.few + 1
		if best != nil {
			most = min(most, best.size)
		}
		size, err := c.count(ctx, most)
		if err != nil {
			return nil, err
		}
		if best == nil || size < best.size {
			best = &source{list: c.list, size: size}
		}
	}
	return best, nil
}

// knownSources are those whose sizes are kept.
func (s *state) knownSources(t memberTerms) (sources []source) {
	if t.person != nil {
		sources = append(sources, source{size: 1, list: func(_ context.Context, after, _ int64) ([]int64, error) {
			return slices.DeleteFunc([]int64{t.person.ID}, func(id int64) bool { return id <= after }), nil
		}})
	}
	for _, group := range t.in {
		sources = append(sources, source{size: group.MemberCount, gid: group.Gid, list: func(ctx context.Context, after, size int64) ([]int64, error) {
			return s.idsWithin(ctx, after, size, group)
		}})
	}
	if len(t.inAny) > 0 {
		either := source{isAny: true, list: func(ctx context.Context, after, size int64) ([]int64, error) {
			return s.idsWithin(ctx, after, size, t.inAny...)
		}}
		for _, group := range t.inAny {
			either.size += group.MemberCount
		}
		sources = append(sources, either)
	}
	return sources
}

// idsWithin merges the first edges of groups.
func (s *state) idsWithin(ctx context.Context, after, size int64, groups ...GroupVersion) ([]int64, error) {
	var ids []int64
	for _, group := range groups {
		edges, err := s.memberEdgesByID(ctx, group.Gid, after, size)
		if err != nil {
			return nil, err
		}
		ids = append(ids, convert(edges, func(e MemberEdgesRow) int64 { return e.MemberID })...)
	}
	ids = distinct(ids)
	return ids[:min(int64(len(ids)), size)], nil
}

// A walkStep fetches those who meet the terms in a stretch of a walk, in its
// order, and tells where it ended and whether there is more.
type walkStep func(ctx context.Context, after memberPlace, size int) (rows []MemberVersion, end memberPlace, more bool, err error)

// alongIDs walks a source.
func (s *state) alongIDs(t memberTerms, from *source) walkStep {
	return func(ctx context.Context, after memberPlace, size int) ([]MemberVersion, memberPlace, bool, error) {
		ids, err := from.list(ctx, after.id, int64(size))
		if err != nil || len(ids) == 0 {
			return nil, after, false, err
		}
		end, more := memberPlace{id: ids[len(ids)-1]}, len(ids) == size
		rows, err := s.meeting(ctx, t, ids, from)
		slices.SortFunc(rows, func(a, b MemberVersion) int { return cmp.Compare(a.ID, b.ID) })
		return rows, end, more, err
	}
}

// alongAll walks all members by name or id.
func (s *state) alongAll(t memberTerms, q directory.ListQuery) walkStep {
	return func(ctx context.Context, after memberPlace, size int) ([]MemberVersion, memberPlace, bool, error) {
		q.Limit = size
		rows, err := s.memberRows(ctx, q, after)
		if err != nil {
			return nil, after, false, err
		}
		more := len(rows) > size
		if more {
			rows = rows[:size]
			after = memberPlace{rows[size-1].NameKey, rows[size-1].ID}
		}
		if rows, err = s.only(ctx, t, rows); err != nil {
			return nil, after, false, err
		}
		ids, err := s.onlyWithin(ctx, t, convert(rows, func(row MemberVersion) int64 { return row.ID }), nil)
		kept := map[int64]bool{}
		for _, id := range ids {
			kept[id] = true
		}
		return slices.DeleteFunc(rows, func(row MemberVersion) bool { return !kept[row.ID] }), after, more, err
	}
}

// allOf fetches the members of a small source, by name.
func (s *state) allOf(t memberTerms, from *source, q directory.ListQuery) walkStep {
	return func(ctx context.Context, after memberPlace, _ int) ([]MemberVersion, memberPlace, bool, error) {
		ids, err := from.list(ctx, beforeAllIDs, noLimit)
		if err != nil {
			return nil, after, false, err
		}
		rows, err := s.meeting(ctx, t, ids, from)
		direction := 1
		if q.Descending {
			direction = -1
		}
		compare := func(a, b memberPlace) int {
			return direction * cmp.Or(strings.Compare(a.key, b.key), cmp.Compare(a.id, b.id))
		}
		rows = slices.DeleteFunc(rows, func(row MemberVersion) bool { return compare(memberPlace{row.NameKey, row.ID}, after) <= 0 })
		slices.SortFunc(rows, func(a, b MemberVersion) int {
			return compare(memberPlace{a.NameKey, a.ID}, memberPlace{b.NameKey, b.ID})
		})
		return rows, after, false, err
	}
}

// meeting fetches those of ids who meet the terms.
func (s *state) meeting(ctx context.Context, t memberTerms, ids []int64, from *source) ([]MemberVersion, error) {
	ids, err := s.onlyWithin(ctx, t, ids, from)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	rows, err := s.memberRowsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	return s.only(ctx, t, rows)
}

func (s *state) memberRowsOf(ctx context.Context, ids []int64) ([]MemberVersion, error) {
	if s.past {
		return s.q.MemberRowsOfAt(ctx, idList(ids), s.revision.Horizon)
	}
	rows, err := s.q.MemberRowsOf(ctx, idList(ids))
	return convert(rows, presentMember), err
}

// eachMatch hands the members who meet the terms to see, from a place on in
// the order of the query, until it returns false.
func (s *state) eachMatch(ctx context.Context, t memberTerms, q directory.ListQuery, after memberPlace, see func([]MemberVersion) bool) error {
	step, err := s.walkFor(ctx, t, q)
	if err != nil {
		return err
	}
	for size := s.reach.first; ; size = min(2*size, s.reach.longest) {
		rows, end, more, err := step(ctx, after, size)
		if err != nil {
			return err
		}
		if !see(rows) || !more {
			return nil
		}
		after = end
	}
}

func (s *state) walkFor(ctx context.Context, t memberTerms, q directory.ListQuery) (walkStep, error) {
	from, err := s.smallest(ctx, t, q.ByName)
	switch {
	case err != nil:
		return nil, err
	case from == nil:
		return s.alongAll(t, q), nil
	case !q.ByName:
		return s.alongIDs(t, from), nil
	case from.size <= s.reach.few:
		return s.allOf(t, from, q), nil
	}
	return s.alongAll(t, q), nil
}
