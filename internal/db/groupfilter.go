package db

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"rollcall/internal/directory"
)

// groupTerms are a filter of groups whose name is resolved and whose text is
// folded.
type groupTerms struct {
	directory.GroupFilter
	group *GroupVersion
}

func (s *state) groupTerms(ctx context.Context, f directory.GroupFilter) (groupTerms, error) {
	f.Contains = directory.FoldCase(f.Contains)
	t := groupTerms{GroupFilter: f}
	if f.Group == nil {
		return t, nil
	}
	row, err := s.findGroup(ctx, *f.Group)
	t.group = &row
	return t, err
}

// isEmpty reports whether every group meets the terms.
func (t groupTerms) isEmpty() bool { return t.GroupFilter == directory.GroupFilter{} }

func (t groupTerms) meets(row GroupVersion) bool {
	return (t.group == nil || t.group.Gid == row.Gid) &&
		row.MemberCount >= int64(t.MinMembers) &&
		(t.Empty == nil || *t.Empty == (row.MemberCount+row.GuestCount == 0)) &&
		(t.HasGuests == nil || *t.HasGuests == (row.GuestCount > 0)) &&
		contain(t.Contains, row.Name, row.Description.String)
}

// matchingGroups fetches, from a place on, one row more than the page holds.
func (s *state) matchingGroups(ctx context.Context, t groupTerms, q directory.ListQuery) ([]GroupVersion, error) {
	if t.isEmpty() {
		return s.groupRows(ctx, q)
	}
	gids, ok, err := s.fewGroups(ctx, t)
	if err != nil {
		return nil, err
	}
	if ok {
		return s.amongFew(ctx, t, gids, q)
	}
	want := q.Limit + 1
	q.Limit = s.reach.first
	var matching []GroupVersion
	for {
		rows, err := s.groupRows(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, row := range rows[:min(len(rows), q.Limit)] {
			if t.meets(row) {
				matching = append(matching, row)
			}
		}
		if len(rows) <= q.Limit || len(matching) >= want {
			return matching[:min(len(matching), want)], nil
		}
		q.After = new(groupPosition(rows[q.Limit-1], q))
		q.Limit = min(2*q.Limit, s.reach.longest)
	}
}

// fewGroups finds those that alone can meet the terms, where they are so few
// that they are rather sorted in memory than met on a walk along all groups.
func (s *state) fewGroups(ctx context.Context, t groupTerms) (gids []int64, ok bool, err error) {
	match, isSearchable := matchOf(t.Contains)
	most := s.reach.few + 1
	switch {
	case t.group != nil:
		return []int64{t.group.Gid}, true, nil
	case t.Empty != nil && *t.Empty:
		gids, err = s.q.EmptyGroups(ctx, most)
	case isSearchable:
		gids, err = s.candidates(ctx, groupTrigrams, match, beforeAllIDs, most)
	case t.MinMembers > 0:
		gids, err = s.q.GroupsOfSize(ctx, int64(t.MinMembers), most)
	default:
		return nil, false, nil
	}
	if err == nil && s.past {
		var changed []int64
		changed, err = s.q.GroupsChangedSince(ctx, s.revision.Horizon, most)
		gids = append(gids, changed...)
	}
	return distinct(gids), int64(len(gids)) < most, err
}

// amongFew returns, from a place on, one row more than the page holds.
func (s *state) amongFew(ctx context.Context, t groupTerms, gids []int64, q directory.ListQuery) ([]GroupVersion, error) {
	rows, err := s.groupRowsOf(ctx, gids)
	direction := 1
	if q.ByName && q.Descending {
		direction = -1
	}
	compare := func(a, b directory.Position) int {
		return direction * cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(a.ID, b.ID))
	}
	rows = slices.DeleteFunc(rows, func(row GroupVersion) bool {
		return !t.meets(row) || q.After != nil && compare(groupPosition(row, q), *q.After) <= 0
	})
	slices.SortFunc(rows, func(a, b GroupVersion) int { return compare(groupPosition(a, q), groupPosition(b, q)) })
	return rows[:min(len(rows), q.Limit+1)], err
}

// countGroupsThat counts all groups that meet the terms.
func (s *state) countGroupsThat(ctx context.Context, t groupTerms) (*int, error) {
	switch {
	case t.isEmpty() && !s.past:
		return new(int(s.mirror.GroupCount)), nil
	case t.isEmpty():
		sums, err := s.q.CountGroupsAt(ctx, s.revision.Horizon)
		return new(int(sums.N)), err
	}
	rows, err := s.matchingGroups(ctx, t, directory.ListQuery{Limit: noLimit - 1})
	return new(len(rows)), err
}
