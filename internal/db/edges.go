package db

import (
	"context"

	"rollcall/internal/directory"
)

// memberEdges fetches edges by the cheapest way that the order allows: by id
// from a place on; by name along the index of names where many members are in
// the group, else all of the group.
func (s *state) memberEdges(ctx context.Context, group GroupVersion, q directory.ListQuery, after personPlace) ([]MemberEdgesRow, error) {
	size := int64(q.Limit) + 1
	switch {
	case !q.ByName && after.guest:
		return nil, nil
	case !q.ByName:
		return s.memberEdgesByID(ctx, group.Gid, after.id, size)
	case group.MemberCount*group.MemberCount < size*s.mirror.MemberCount:
		return s.memberEdgesByID(ctx, group.Gid, beforeAllIDs, noLimit)
	}
	return s.memberEdgesByName(ctx, group.Gid, q, after)
}

func (s *state) memberEdgesByID(ctx context.Context, gid, after, size int64) ([]MemberEdgesRow, error) {
	if !s.past {
		return s.q.MemberEdges(ctx, MemberEdgesParams{Gid: gid, After: after, PageSize: size})
	}
	rows, err := s.q.MemberEdgesAt(ctx, MemberEdgesAtParams{Gid: gid, Horizon: s.revision.Horizon, After: after, PageSize: size})
	return convert(rows, func(row MemberEdgesAtRow) MemberEdgesRow { return MemberEdgesRow(row) }), err
}

// memberEdgesByName walks the index of names, and adds the strangers, whom it
// lacks, where the page touches the empty name: that is before all others. A
// guest stands behind all members of the same name.
func (s *state) memberEdgesByName(ctx context.Context, gid int64, q directory.ListQuery, after personPlace) ([]MemberEdgesRow, error) {
	if after.guest {
		after.id = afterAllIDs
	}
	walk := s.walkNames
	if s.past {
		walk = s.walkPastNames
	}
	edges, err := walk(ctx, gid, q, memberPlace{after.key, after.id})
	if err != nil {
		return nil, err
	}
	isAtEnd := len(edges) <= q.Limit
	if q.Descending && !isAtEnd || !q.Descending && after.key != "" {
		return edges, nil
	}
	strangers, err := s.strangerEdges(ctx, gid)
	return append(edges, strangers...), err
}

func (s *state) walkNames(ctx context.Context, gid int64, q directory.ListQuery, after memberPlace) ([]MemberEdgesRow, error) {
	arg := MemberEdgesByNameParams{Gid: gid, AfterKey: after.key, AfterID: after.id, PageSize: int64(q.Limit) + 1}
	if q.Descending {
		rows, err := s.q.MemberEdgesByNameDown(ctx, MemberEdgesByNameDownParams(arg))
		return convert(rows, func(row MemberEdgesByNameDownRow) MemberEdgesRow { return MemberEdgesRow(row) }), err
	}
	rows, err := s.q.MemberEdgesByName(ctx, arg)
	return convert(rows, func(row MemberEdgesByNameRow) MemberEdgesRow { return MemberEdgesRow(row) }), err
}

// walkPastNames reads the members of then in the order of names, some at a
// time, and keeps those who were in the group.
func (s *state) walkPastNames(ctx context.Context, gid int64, q directory.ListQuery, after memberPlace) (edges []MemberEdgesRow, err error) {
	want, isAtEnd := q.Limit+1, false
	q.Limit = max(q.Limit, 500)
	for len(edges) < want && !isAtEnd {
		members, err := s.pastMemberRows(ctx, q, after)
		if err != nil {
			return nil, err
		}
		ids := convert(members, func(row MemberVersion) int64 { return row.ID })
		within, err := s.q.MemberEdgesOfAt(ctx, MemberEdgesOfAtParams{Gid: gid, Ids: idList(ids), Horizon: s.revision.Horizon})
		if err != nil {
			return nil, err
		}
		since := make(map[int64]int64, len(within))
		for _, edge := range within {
			since[edge.MemberID] = edge.Since
		}
		for _, id := range ids {
			if changeset, in := since[id]; in {
				edges = append(edges, MemberEdgesRow{MemberID: id, Since: changeset})
			}
		}
		if isAtEnd = len(members) <= q.Limit; !isAtEnd {
			last := members[len(members)-1]
			after = memberPlace{last.NameKey, last.ID}
		}
	}
	return edges, nil
}

// strangerEdges returns the edges to ids that the member list lacks.
func (s *state) strangerEdges(ctx context.Context, gid int64) ([]MemberEdgesRow, error) {
	if s.past {
		rows, err := s.q.StrangerEdgesAt(ctx, gid, s.revision.Horizon)
		return convert(rows, func(row StrangerEdgesAtRow) MemberEdgesRow { return MemberEdgesRow(row) }), err
	}
	rows, err := s.q.StrangerEdges(ctx, gid)
	return convert(rows, func(row StrangerEdgesRow) MemberEdgesRow { return MemberEdgesRow(row) }), err
}
