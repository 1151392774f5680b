package db

import (
	"context"

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
	want := q.Limit + 1
	q.Limit = rowsAtOnce
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
	}
}

// countGroupsThat counts all groups that meet the terms.
func (s *state) countGroupsThat(ctx context.Context, t groupTerms) (*int, error) {
	if t.isEmpty() && !s.past {
		return new(int(s.mirror.GroupCount)), nil
	}
	rows, err := s.matchingGroups(ctx, t, directory.ListQuery{Limit: noLimit - 1})
	return new(len(rows)), err
}
