package db

import (
	"context"

	"rollcall/internal/directory"
)

// countEdges counts all edges that meet the terms, by kept counts where those
// tell.
func (s *state) countEdges(ctx context.Context, t membershipTerms) (*int, error) {
	hasConditions := t.who != nil || t.Status != "" || t.Role != "" || t.Domain != ""
	switch {
	case t.group != nil && !hasConditions:
		return countOf(t.Kind, t.group.MemberCount, t.group.GuestCount), nil
	case t.group == nil && !hasConditions:
		return s.countAllEdges(ctx, t.Kind)
	case t.group == nil && t.who == nil && !s.past:
		return s.countEdgesByPeople(ctx, t)
	}
	few, ok, err := s.fewPeople(ctx, t)
	if err != nil {
		return nil, err
	}
	if ok {
		all, err := s.allEdgesOf(ctx, t, few, false)
		return new(len(all)), err
	}
	total := 0
	q := directory.ListQuery{Limit: s.reach.longest}
	err = s.eachGroup(ctx, t, q, nil, func(group GroupVersion) (bool, error) {
		edges, err := s.edgesOfGroup(ctx, group, t, q, personPlace{id: beforeAllIDs}, noLimit)
		total += len(edges)
		return true, err
	})
	return &total, err
}

func (s *state) countAllEdges(ctx context.Context, kind directory.Kind) (*int, error) {
	if !s.past {
		return countOf(kind, s.mirror.MembershipCount, s.mirror.GuestMembershipCount), nil
	}
	sums, err := s.q.CountGroupsAt(ctx, s.revision.Horizon)
	return countOf(kind, sums.MemberCount, sums.GuestCount), err
}

func countOf(kind directory.Kind, members, guests int64) *int {
	switch kind {
	case directory.KindMember:
		guests = 0
	case directory.KindGuest:
		members = 0
	}
	return new(int(members + guests))
}

// countEdgesByPeople adds up the groups of those who meet a condition.
func (s *state) countEdgesByPeople(ctx context.Context, t membershipTerms) (*int, error) {
	var members, guests int64
	var err error
	if t.Kind != directory.KindGuest {
		if members, err = s.q.CountEdgesOfMembers(ctx, CountEdgesOfMembersParams{Status: string(t.Status), Role: t.Role, Domain: t.Domain}); err != nil {
			return nil, err
		}
	}
	if t.mayBeGuests() {
		guests, err = s.q.CountEdgesOfGuests(ctx, toText(&t.Domain))
	}
	return new(int(members + guests)), err
}
