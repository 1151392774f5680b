package db

import (
	"context"

	"rollcall/internal/directory"
)

// matchingEdges fetches, from a place on, one row more than the page holds.
func (s *state) matchingEdges(ctx context.Context, t membershipTerms, q directory.ListQuery) ([]listed, error) {
	var after *edgePlace
	if q.After != nil {
		place, err := parseEdgePlace(*q.After)
		if err != nil {
			return nil, err
		}
		after = &place
	}
	if few, ok, err := s.fewPeople(ctx, t); err != nil || ok {
		if err != nil {
			return nil, err
		}
		return s.edgesOfFew(ctx, t, few, q, after)
	}
	var matching []listed
	err := s.eachGroup(ctx, t, q, after, func(group GroupVersion) (bool, error) {
		inner := directory.ListQuery{Limit: q.Limit, ByName: q.ByName, Descending: q.Descending}
		from, err := personStart(inner)
		if err != nil {
			return false, err
		}
		if after != nil && group.ID == after.group {
			from = after.who
		}
		edges, err := s.edgesOfGroup(ctx, group, t, inner, from, q.Limit+1-len(matching))
		matching = append(matching, edges...)
		return len(matching) <= q.Limit, err
	})
	return matching, err
}

// eachGroup hands groups to see in order, from that of a place on, until it
// returns false.
func (s *state) eachGroup(ctx context.Context, t membershipTerms, q directory.ListQuery, after *edgePlace, see func(GroupVersion) (bool, error)) error {
	if t.group != nil {
		_, err := see(*t.group)
		return err
	}
	walk := directory.ListQuery{Limit: s.reach.first, ByName: q.ByName, Descending: q.Descending}
	if after != nil {
		group, err := s.groupByID(ctx, after.group)
		if err != nil {
			return directory.ErrCursorGone
		}
		if more, err := see(group); err != nil || !more {
			return err
		}
		walk.After = new(groupPosition(group, walk))
	}
	for {
		rows, err := s.groupRows(ctx, walk)
		if err != nil {
			return err
		}
		for _, row := range rows[:min(len(rows), walk.Limit)] {
			if more, err := see(row); err != nil || !more {
				return err
			}
		}
		if len(rows) <= walk.Limit {
			return nil
		}
		walk.After = new(groupPosition(rows[walk.Limit-1], walk))
		walk.Limit = min(2*walk.Limit, s.reach.longest)
	}
}

// edgesOfGroup returns the first edges of a group after a place that meet the
// terms, at most so many.
func (s *state) edgesOfGroup(ctx context.Context, group GroupVersion, t membershipTerms, q directory.ListQuery, after personPlace, most int) ([]listed, error) {
	if !t.mayHold(group) {
		return nil, nil
	}
	var matching []listed
	for {
		all, err := s.people(ctx, group, t.Kind, q, after)
		if err != nil {
			return nil, err
		}
		isAtEnd := len(all) <= q.Limit
		all = all[:min(len(all), q.Limit+1)]
		for _, l := range all {
			if t.meets(l) {
				l.groupKey = groupPosition(group, q).Key
				matching = append(matching, l)
			}
		}
		if isAtEnd || len(matching) >= most {
			return matching[:min(len(matching), most)], nil
		}
		after = all[len(all)-1].place
		q.Limit = max(q.Limit, min(2*q.Limit, s.reach.longest))
	}
}

// mayHold reports whether a group has any edge of the kind that is asked for.
func (t membershipTerms) mayHold(group GroupVersion) bool {
	return group.MemberCount > 0 && t.Kind != directory.KindGuest || group.GuestCount > 0 && t.mayBeGuests()
}

// mayBeGuests reports whether a guest could meet the terms.
func (t membershipTerms) mayBeGuests() bool {
	return t.Kind != directory.KindMember && t.Status == "" && t.Role == ""
}
