package db

import (
	"cmp"
	"context"
	"errors"
	"slices"
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
	slices.SortFunc(t.in, func(a, b GroupVersion) int { return cmp.Compare(a.MemberCount, b.MemberCount) })
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

// meets judges a row by what it holds itself.
func (t memberTerms) meets(row MemberVersion) bool {
	return (t.person == nil || t.person.ID == row.ID) &&
		(t.NoGroup == nil || *t.NoGroup == (row.GroupCount == 0)) &&
		(t.Status == "" || t.Status == directory.Status(row.Status)) &&
		(t.Role == "" || t.Role == row.Role.String) &&
		(t.Domain == "" || t.Domain == directory.DomainOf(row.EmailKey)) &&
		contain(t.Contains, row.FirstName.String, row.LastName.String, row.FullName.String, row.Email)
}

// only keeps the rows that meet the terms by what they hold themselves.
func (s *state) only(ctx context.Context, t memberTerms, rows []MemberVersion) ([]MemberVersion, error) {
	if t.NoGroup != nil {
		if err := s.countGroups(ctx, rows); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(rows, func(row MemberVersion) bool { return !t.meets(row) }), nil
}

// onlyWithin keeps the ids that meet the terms by the groups that they are in,
// all but those that from sees to.
func (s *state) onlyWithin(ctx context.Context, t memberTerms, ids []int64, from *source) ([]int64, error) {
	var err error
	for _, group := range t.in {
		if from != nil && from.gid == group.Gid {
			continue
		}
		if ids, err = s.keepWithin(ctx, ids, true, group); err != nil {
			return nil, err
		}
	}
	if len(t.inAny) > 0 && (from == nil || !from.isAny) {
		if ids, err = s.keepWithin(ctx, ids, true, t.inAny...); err != nil {
			return nil, err
		}
	}
	if len(t.notIn) == 0 {
		return ids, nil
	}
	return s.keepWithin(ctx, ids, false, t.notIn...)
}

// keepWithin keeps the ids that are in any of the groups, or those that are in
// none.
func (s *state) keepWithin(ctx context.Context, ids []int64, within bool, groups ...GroupVersion) ([]int64, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found := map[int64]bool{}
	for _, group := range groups {
		some, err := s.membersWithin(ctx, group.Gid, idList(ids))
		if err != nil {
			return nil, err
		}
		for _, id := range some {
			found[id] = true
		}
	}
	return slices.DeleteFunc(ids, func(id int64) bool { return found[id] != within }), nil
}

func (s *state) membersWithin(ctx context.Context, gid int64, ids string) ([]int64, error) {
	if !s.past {
		return s.q.MembersWithin(ctx, ids, gid)
	}
	rows, err := s.q.MemberEdgesOfAt(ctx, MemberEdgesOfAtParams{Gid: gid, Ids: ids, Horizon: s.revision.Horizon})
	return convert(rows, func(row MemberEdgesOfAtRow) int64 { return row.MemberID }), err
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
	if indexes := s.presentIndexes(t); !s.past && len(indexes) == 1 && t.isAlone() {
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
