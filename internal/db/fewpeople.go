package db

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"rollcall/internal/directory"
)

// people are those whose edges alone can meet some terms.
type people struct {
	members []int64 // strangers, too
	guests  []int64
}

// fewPeople finds them where they are so few that their edges are rather
// sorted in memory than met on a walk along all groups.
func (s *state) fewPeople(ctx context.Context, t membershipTerms) (few people, ok bool, err error) {
	if t.who != nil {
		return s.oneAndTheSame(ctx, t)
	}
	terms := memberTerms{MemberFilter: directory.MemberFilter{Status: t.Status, Role: t.Role, Domain: t.Domain}}
	if terms.isEmpty() || s.past {
		return few, false, nil
	}
	most := s.reach.few / 4 // each is in some groups
	if t.Kind != directory.KindGuest {
		from, err := s.smallest(ctx, terms, true)
		if err != nil || from.size > most {
			return few, false, err
		}
		if few.members, err = from.list(ctx, beforeAllIDs, noLimit); err != nil {
			return few, false, err
		}
	}
	if t.mayBeGuests() {
		if few.guests, err = s.q.GuestsOfDomain(ctx, toText(&t.Domain), most+1); err != nil || int64(len(few.guests)) > most {
			return few, false, err
		}
	}
	return few, true, nil
}

// oneAndTheSame is a person as a member, as a guest of the same e-mail, or
// both.
func (s *state) oneAndTheSame(ctx context.Context, t membershipTerms) (few people, ok bool, err error) {
	if t.who.guest == 0 {
		few.members = []int64{t.who.id}
	}
	if t.Person.ID != 0 || !t.mayBeGuests() {
		return few, true, nil
	}
	guest, err := s.q.Guest(ctx, directory.FoldEmail(t.Person.Email))
	if err == nil {
		few.guests = []int64{guest.GuestID}
	}
	return few, true, orNone(err)
}

// edgesOfFew returns, from a place on, one edge more than the page holds.
func (s *state) edgesOfFew(ctx context.Context, t membershipTerms, few people, q directory.ListQuery, after *edgePlace) ([]listed, error) {
	all, err := s.allEdgesOf(ctx, t, few, q.ByName)
	if err != nil {
		return nil, err
	}
	direction := 1
	if q.ByName && q.Descending {
		direction = -1
	}
	compare := func(a, b edgePlace) int { return direction * a.compare(b) }
	if after != nil {
		all = slices.DeleteFunc(all, func(l listed) bool { return compare(l.edgePlace(), *after) <= 0 })
	}
	slices.SortFunc(all, func(a, b listed) int { return compare(a.edgePlace(), b.edgePlace()) })
	return all[:min(len(all), q.Limit+1)], nil
}

func (l listed) edgePlace() edgePlace { return edgePlace{l.groupKey, l.row.GroupID, l.place} }

func (p edgePlace) compare(other edgePlace) int {
	return cmp.Or(strings.Compare(p.name, other.name), strings.Compare(p.group, other.group), p.who.compare(other.who))
}

// allEdgesOf returns the edges of some people that meet the terms.
func (s *state) allEdgesOf(ctx context.Context, t membershipTerms, few people, byName bool) ([]listed, error) {
	edges, err := s.edgesOfMembers(ctx, few.members)
	if err != nil {
		return nil, err
	}
	guests, err := s.q.EdgesOfGuestsAt(ctx, idList(few.guests), s.horizon())
	if err != nil {
		return nil, err
	}
	gids := append(convert(edges, func(e Membership) int64 { return e.Gid }), convert(guests, func(e EdgesOfGuestsAtRow) int64 { return e.Gid })...)
	groups, err := s.groupsByGid(ctx, distinct(gids))
	if err != nil {
		return nil, err
	}
	known, err := s.membersOf(ctx, convert(edges, func(e Membership) MemberEdgesRow { return MemberEdgesRow{e.MemberID, e.Since} }))
	if err != nil {
		return nil, err
	}
	all := make([]listed, 0, len(edges)+len(guests))
	add := func(l listed, group GroupVersion) {
		if byName {
			l.groupKey = group.NameKey
		} else {
			l.place.key = ""
		}
		if t.meets(l) && (t.group == nil || t.group.Gid == group.Gid) {
			all = append(all, l)
		}
	}
	for _, e := range edges {
		group := groups[e.Gid]
		member, isKnown := known[e.MemberID]
		add(listed{gid: group.Gid, place: personPlace{key: member.NameKey, id: e.MemberID}, since: e.Since, row: membershipOf(group, e.MemberID, member, isKnown)}, group)
	}
	for _, e := range guests {
		group := groups[e.Gid]
		add(listed{gid: group.Gid, place: personPlace{key: e.EmailKey, guest: true, email: e.EmailKey}, since: e.Since, row: guestMembershipOf(group, e.Email)}, group)
	}
	return all, nil
}

func (s *state) edgesOfMembers(ctx context.Context, ids []int64) ([]Membership, error) {
	if s.past {
		return s.q.EdgesOfMembersAt(ctx, idList(ids), s.revision.Horizon)
	}
	return s.q.EdgesOfMembers(ctx, idList(ids))
}

func (s *state) groupsByGid(ctx context.Context, gids []int64) (map[int64]GroupVersion, error) {
	rows, err := s.groupRowsOf(ctx, gids)
	groups := make(map[int64]GroupVersion, len(rows))
	for _, row := range rows {
		groups[row.Gid] = row
	}
	return groups, err
}

func (s *state) groupRowsOf(ctx context.Context, gids []int64) ([]GroupVersion, error) {
	if s.past {
		return s.q.GroupsOfAt(ctx, idList(gids), s.revision.Horizon)
	}
	rows, err := s.q.GroupRowsOf(ctx, idList(gids))
	return convert(rows, presentGroup), err
}
