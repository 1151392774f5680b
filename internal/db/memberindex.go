package db

import (
	"context"
	"database/sql"
	"slices"
)

// An index lists the present members who meet a condition, and counts them up
// to a number.
type index struct {
	list  func(ctx context.Context, after, size int64) ([]int64, error)
	count func(ctx context.Context, most int64) (int64, error)
}

// indexes are those that help with the terms. Of a past state the present ones
// do where few have changed since: who may have met a condition meets it still
// or is one of those.
func (s *state) indexes(ctx context.Context, t memberTerms) ([]index, error) {
	all := s.presentIndexes(t)
	if !s.past || len(all) == 0 {
		return all, nil
	}
	most := s.reach.few + 1
	changed, err := s.q.MembersChangedSince(ctx, s.revision.Horizon, most)
	if err == nil && t.NoGroup != nil {
		var joined []int64
		joined, err = s.q.MembersWhoJoinedSince(ctx, s.revision.Horizon, most)
		changed = append(changed, joined...)
	}
	if err != nil || int64(len(changed)) >= most {
		return nil, err
	}
	changed = distinct(changed)
	for i := range all {
		all[i] = all[i].with(changed)
	}
	return all, nil
}

// with lists others, too, which ascend.
func (x index) with(others []int64) index {
	list := func(ctx context.Context, after, size int64) ([]int64, error) {
		ids, err := x.list(ctx, after, size)
		next, _ := slices.BinarySearch(others, after+1)
		ids = distinct(append(ids, others[next:]...))
		return ids[:min(int64(len(ids)), size)], err
	}
	return index{list, func(ctx context.Context, most int64) (int64, error) {
		n, err := x.count(ctx, most)
		return min(n+int64(len(others)), most), err
	}}
}

func (s *state) presentIndexes(t memberTerms) (all []index) {
	if t.NoGroup != nil && *t.NoGroup {
		all = append(all, index{s.q.MembersInNoGroup, s.q.CountInNoGroup})
	}
	if t.Status != "" {
		status := string(t.Status)
		all = append(all, index{
			func(ctx context.Context, after, size int64) ([]int64, error) {
				return s.q.MembersOfStatus(ctx, MembersOfStatusParams{status, after, size})
			},
			func(ctx context.Context, most int64) (int64, error) { return s.q.CountOfStatus(ctx, status, most) },
		})
	}
	if t.Role != "" {
		role := sql.NullString{String: t.Role, Valid: true}
		all = append(all, index{
			func(ctx context.Context, after, size int64) ([]int64, error) {
				return s.q.MembersOfRole(ctx, MembersOfRoleParams{role, after, size})
			},
			func(ctx context.Context, most int64) (int64, error) { return s.q.CountOfRole(ctx, role, most) },
		})
	}
	if t.Domain != "" {
		domain := sql.NullString{String: t.Domain, Valid: true}
		all = append(all, index{
			func(ctx context.Context, after, size int64) ([]int64, error) {
				return s.q.MembersOfDomain(ctx, MembersOfDomainParams{domain, after, size})
			},
			func(ctx context.Context, most int64) (int64, error) { return s.q.CountOfDomain(ctx, domain, most) },
		})
	}
	if match, ok := matchOf(t.Contains); ok {
		all = append(all, index{
			func(ctx context.Context, after, size int64) ([]int64, error) {
				return s.candidates(ctx, memberTrigrams, match, after, size)
			},
			func(ctx context.Context, most int64) (int64, error) {
				return s.countCandidates(ctx, memberTrigrams, match, most)
			},
		})
	}
	return all
}
