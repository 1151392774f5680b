package db

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"rollcall/internal/directory"
)

// memberTerms are a filter of members whose names are resolved and whose
// texts are folded.
type memberTerms struct {
	directory.MemberFilter
	in, inAny, notIn []GroupVersion
	person           *MemberVersion
}

func (s *state) memberTerms(ctx context.Context, f directory.MemberFilter) (t memberTerms, err error) {
	f.Role, f.Domain, f.Contains = strings.ToLower(f.Role), directory.Fold(f.Domain), directory.FoldCase(f.Contains)
	t.MemberFilter = f
	if t.in, err = s.findGroups(ctx, f.In); err != nil {
		return t, err
	}
	if t.inAny, err = s.findGroups(ctx, f.InAny); err != nil {
		return t, err
	}
	if t.notIn, err = s.findGroups(ctx, f.NotIn); err != nil || f.Person == nil {
		return t, err
	}
	row, err := s.findMember(ctx, *f.Person)
	t.person = &row
	return t, err
}

func (s *state) findGroups(ctx context.Context, refs []directory.GroupRef) ([]GroupVersion, error) {
	groups := make([]GroupVersion, 0, len(refs))
	for _, ref := range refs {
		group, err := s.findGroup(ctx, ref)
		if errors.Is(err, directory.ErrUnknownGroup) {
			err = &directory.UnknownGroupError{Name: cmp.Or(ref.ID, ref.Name)}
		}
		if err != nil {
			return nil, err
		}
		groups = append(groups, group)
	}
	return groups, nil
}

// isEmpty reports whether every member meets the terms.
func (t memberTerms) isEmpty() bool {
	return len(t.in)+len(t.inAny)+len(t.notIn) == 0 && t.NoGroup == nil && t.person == nil &&
		t.Status == "" && t.Role == "" && t.Domain == "" && t.Contains == ""
}

// match returns those of rows that meet the terms. The rows carry the counts
// of their groups.
func (s *state) match(ctx context.Context, t memberTerms, rows []MemberVersion) ([]MemberVersion, error) {
	kept := rows[:0:0]
	for _, row := range rows {
		if t.meets(row) {
			kept = append(kept, row)
		}
	}
	return s.matchGroups(ctx, t, kept)
}

// meets judges a row by what it holds itself.
func (t memberTerms) meets(row MemberVersion) bool {
	return (t.person == nil || t.person.ID == row.ID) &&
		(t.NoGroup == nil || *t.NoGroup == (row.GroupCount == 0)) &&
		(t.Status == "" || t.Status == directory.Status(row.Status)) &&
		(t.Role == "" || t.Role == row.Role.String) &&
		(t.Domain == "" || t.Domain == directory.DomainOf(row.EmailKey)) &&
		contain(t.Contains, row.FirstName.String, row.LastName.String, row.FullName.String, row.Email)
}

// matchGroups judges rows by the groups that they are in.
func (s *state) matchGroups(ctx context.Context, t memberTerms, rows []MemberVersion) ([]MemberVersion, error) {
	var err error
	for _, group := range t.in {
		if rows, err = s.keepWithin(ctx, rows, true, group); err != nil {
			return nil, err
		}
	}
	if len(t.inAny) > 0 {
		if rows, err = s.keepWithin(ctx, rows, true, t.inAny...); err != nil {
			return nil, err
		}
	}
	return s.keepWithin(ctx, rows, false, t.notIn...)
}

// keepWithin keeps the rows that are in any of the groups, or those that are
// in none.
func (s *state) keepWithin(ctx context.Context, rows []MemberVersion, within bool, groups ...GroupVersion) ([]MemberVersion, error) {
	if len(rows) == 0 {
		return rows, nil
	}
	ids := idList(convert(rows, func(row MemberVersion) int64 { return row.ID }))
	found := map[int64]bool{}
	for _, group := range groups {
		edges, err := s.q.MemberEdgesOfAt(ctx, MemberEdgesOfAtParams{Gid: group.Gid, Ids: ids, Horizon: s.horizon()})
		if err != nil {
			return nil, err
		}
		for _, edge := range edges {
			found[edge.MemberID] = true
		}
	}
	kept := rows[:0:0]
	for _, row := range rows {
		if found[row.ID] == within {
			kept = append(kept, row)
		}
	}
	return kept, nil
}

// matchingRows fetches, from a place on, one row more than the page holds.
func (s *state) matchingRows(ctx context.Context, t memberTerms, q directory.ListQuery, after memberPlace) (rows []MemberVersion, err error) {
	if t.isEmpty() {
		rows, err = s.memberRows(ctx, q, after)
		return rows, err
	}
	err = s.eachMatch(ctx, t, q, after, func(found []MemberVersion) bool {
		rows = append(rows, found...)
		return len(rows) <= q.Limit
	})
	return rows[:min(len(rows), q.Limit+1)], err
}

// countMembers counts all rows that meet the terms: where an index answers, by
// that alone.
func (s *state) countMembers(ctx context.Context, t memberTerms) (*int, error) {
	if t.isEmpty() {
		return s.countAllMembers(ctx)
	}
	if indexes := s.indexes(t); !s.past && len(indexes) == 1 && t.isAlone() {
		total, err := indexes[0].count(ctx, noLimit)
		return new(int(total)), err
	}
	total := 0
	err := s.eachMatch(ctx, t, directory.ListQuery{}, memberPlace{id: beforeAllIDs}, func(found []MemberVersion) bool {
		total += len(found)
		return true
	})
	return &total, err
}

func (s *state) countAllMembers(ctx context.Context) (*int, error) {
	if !s.past {
		return new(int(s.mirror.MemberCount)), nil
	}
	total, err := s.q.CountMembersAt(ctx, s.revision.Horizon)
	return new(int(total)), err
}

// isAlone reports whether the terms are one condition on status, role, domain
// or being in no group.
func (t memberTerms) isAlone() bool {
	return t.Contains == "" && t.person == nil && len(t.in)+len(t.inAny)+len(t.notIn) == 0 && (t.NoGroup == nil || *t.NoGroup)
}
