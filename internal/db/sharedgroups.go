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
		one, other, both, err := s.personsAndShared(ctx, ref, with)
		if err != nil {
			return err
		}
		page, err = s.sharedPage(ctx, one, other, both, q)
		return err
	})
	return page, wrap("list the groups that two persons share", err)
}

// personsAndShared finds two persons and the groups of both, in no order. Of
// members who share a group no more need be known, as for personAndGroups.
func (s *state) personsAndShared(ctx context.Context, ref, with directory.PersonRef) (one, other person, both []GroupVersion, err error) {
	if !s.past && ref.ID != 0 && with.ID != 0 && (s.known != nil || s.isThen()) {
		one, other = person{id: ref.ID}, person{id: with.ID}
		if both, err = s.sharedByMembers(ctx, one, other); err != nil || len(both) > 0 {
			return one, other, both, err
		}
	}
	if one, err = s.findPerson(ctx, ref); err != nil {
		return one, other, nil, err
	}
	if other, err = s.findPerson(ctx, with); err != nil {
		return one, other, nil, err
	}
	both, err = s.groupsOfBoth(ctx, one, other)
	return one, other, both, err
}

func (s *state) sharedPage(ctx context.Context, one, other person, groups []GroupVersion, q directory.ListQuery) (page directory.Page[directory.Group], err error) {
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
		return s.sharedByMembers(ctx, one, other)
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

func (s *state) sharedByMembers(ctx context.Context, one, other person) ([]GroupVersion, error) {
	rows, err := s.q.SharedGroups(ctx, one.id, other.id)
	return convert(rows, func(row SharedGroupsRow) GroupVersion {
		return GroupVersion{
			Gid: row.Gid, ID: row.ID, Name: row.Name, NameKey: row.NameKey, Description: row.Description, Logo: row.Logo, Version: row.Version,
			MemberCount: row.MemberCount, GuestCount: row.GuestCount, CreatedMs: row.CreatedMs, UpdatedMs: row.UpdatedMs, Churned: row.Churned,
		}
	}), err
}
