package db

import (
	"context"

	"rollcall/internal/directory"
)

// SharedGroups returns the groups that two persons are both in, be they
// members, strangers or guests. It is confirmed when the least lately
// confirmed of both and of all groups was.
func (db *DB) SharedGroups(ctx context.Context, ref, with directory.PersonRef, q directory.ListQuery) (page directory.Page[directory.Group], err error) {
	err = db.glance(ctx, q.Pin, q.AsOf, func(ctx context.Context, s *state) error {
		one, err := s.findPerson(ctx, ref)
		if err != nil {
			return err
		}
		other, err := s.findPerson(ctx, with)
		if err != nil {
			return err
		}
		page, err = s.sharedGroups(ctx, one, other, q)
		return err
	})
	return page, wrap("list the groups that two persons share", err)
}

func (s *state) sharedGroups(ctx context.Context, one, other person, q directory.ListQuery) (page directory.Page[directory.Group], err error) {
	groups, err := s.groupsOfBoth(ctx, one, other)
	if err != nil {
		return page, err
	}
	if q.Count {
		page.Total = new(len(groups))
	}
	groups, page.Next = cut(sortedGroups(groups, q), q.Limit, func(g GroupVersion) directory.Position { return groupPosition(g, q) })
	page.Rows = convert(groups, func(g GroupVersion) directory.Group { return toGroup(g, s.revision.Revision) })
	if page.Freshness, err = s.freshPerson(ctx, one); err != nil {
		return page, err
	}
	fresh, err := s.freshPerson(ctx, other)
	if fresh.ConfirmedAt.Before(page.ConfirmedAt) {
		page.Freshness = fresh
	}
	return page, err
}

// groupsOfBoth returns the groups of two persons, in no order. Two members of
// the present are what is asked about most, and one statement.
func (s *state) groupsOfBoth(ctx context.Context, one, other person) ([]GroupVersion, error) {
	if !s.past && one.member != nil && other.member != nil {
		if one.member.GroupCount > other.member.GroupCount {
			one, other = other, one
		}
		rows, err := s.q.SharedGroups(ctx, one.id, other.id)
		return convert(rows, presentGroup), err
	}
	first, err := s.edgesOf(ctx, one)
	if err != nil {
		return nil, err
	}
	second, err := s.edgesOf(ctx, other)
	if err != nil {
		return nil, err
	}
	within := make(map[int64]bool, len(first))
	for _, edge := range first {
		within[edge.gid] = true
	}
	var both []int64
	for _, edge := range second {
		if within[edge.gid] {
			both = append(both, edge.gid)
		}
	}
	return s.groupsAmong(ctx, both)
}
