package db

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"rollcall/internal/directory"
)

// GroupsOfPerson returns the groups of a member, or, where no member has the
// e-mail, of a guest. An id that groups name and the member list lacks is a
// person, too.
func (db *DB) GroupsOfPerson(ctx context.Context, ref directory.PersonRef, q directory.ListQuery) (page directory.Page[directory.GroupOfPerson], err error) {
	err = db.glance(ctx, q.Pin, q.AsOf, func(ctx context.Context, s *state) error {
		who, all, err := s.personAndGroups(ctx, ref)
		if err != nil {
			return err
		}
		page, err = s.groupsPage(ctx, who, all, q)
		return err
	})
	return page, wrap("list the groups of a person", err)
}

// personAndGroups finds somebody and their groups, in no order. An id that is
// in a group is a person, of whom no more need be known where their own row
// cannot be the least lately confirmed.
func (s *state) personAndGroups(ctx context.Context, ref directory.PersonRef) (who person, all []groupSince, err error) {
	if ref.ID != 0 && (s.known != nil || s.isThen()) {
		who = person{id: ref.ID}
		if all, err = s.groupsSince(ctx, who); err != nil || len(all) > 0 {
			return who, all, err
		}
	}
	if who, err = s.findPerson(ctx, ref); err != nil {
		return who, nil, err
	}
	all, err = s.groupsSince(ctx, who)
	return who, all, err
}

// GroupsOfGuest returns the groups in which an e-mail is a guest.
func (db *DB) GroupsOfGuest(ctx context.Context, email string, q directory.ListQuery) (page directory.Page[directory.GroupOfPerson], err error) {
	err = db.glance(ctx, q.Pin, q.AsOf, func(ctx context.Context, s *state) error {
		who, err := s.findGuest(ctx, email)
		if err != nil {
			return err
		}
		all, err := s.groupsSince(ctx, who)
		if err != nil {
			return err
		}
		page, err = s.groupsPage(ctx, who, all, q)
		return err
	})
	return page, wrap("list the groups of a guest", err)
}

// A person is a member, a stranger (an id and nothing else) or a guest.
type person struct {
	id     int64          // of a member or stranger
	member *MemberVersion // nil for strangers and guests
	guest  int64
	email  string // of a guest, folded
}

func (s *state) findPerson(ctx context.Context, ref directory.PersonRef) (person, error) {
	member, err := s.findMember(ctx, ref)
	switch {
	case err == nil:
		return person{id: member.ID, member: &member}, nil
	case !errors.Is(err, directory.ErrUnknownPerson):
		return person{}, err
	case ref.ID == 0:
		return s.findGuest(ctx, ref.Email)
	}
	edges, err := s.edgesOf(ctx, person{id: ref.ID})
	if err == nil && len(edges) == 0 {
		err = directory.ErrUnknownPerson
	}
	return person{id: ref.ID}, err
}

// findGuest finds an e-mail that is a guest of some group now. One that was
// a guest once is nobody.
func (s *state) findGuest(ctx context.Context, email string) (person, error) {
	guest, err := s.q.Guest(ctx, directory.FoldEmail(email))
	if err != nil {
		return person{}, notFound(err, directory.ErrUnknownPerson)
	}
	who := person{guest: guest.GuestID, email: guest.EmailKey}
	edges, err := s.edgesOf(ctx, who)
	if err == nil && len(edges) == 0 {
		err = directory.ErrUnknownPerson
	}
	return who, err
}

// A groupEdge is a group and since which changeset somebody is in it.
type groupEdge struct{ gid, since int64 }

func (s *state) edgesOf(ctx context.Context, who person) ([]groupEdge, error) {
	if who.guest != 0 {
		rows, err := s.q.GroupEdgesOfGuestAt(ctx, who.guest, s.horizon())
		return convert(rows, func(row GroupEdgesOfGuestAtRow) groupEdge { return groupEdge{row.Gid, row.Since} }), err
	}
	rows, err := s.q.GroupEdgesOfMemberAt(ctx, who.id, s.horizon())
	return convert(rows, func(row GroupEdgesOfMemberAtRow) groupEdge { return groupEdge{row.Gid, row.Since} }), err
}

// A groupSince is a group, since when somebody is in it, and in the past until
// when, if they left.
type groupSince struct {
	group        GroupVersion
	since, until directory.Bounds
}

// isUncertain reports whether somebody may not have been in the group at the
// instant that is asked about: they came or went within bounds that enclose it.
func (g groupSince) isUncertain(s *state) bool {
	return s.then != nil && (encloses(g.since, s.instant) || encloses(g.until, s.instant))
}

// groupsPage sorts in memory: a person is in few groups, and no index has them
// in order.
func (s *state) groupsPage(ctx context.Context, who person, all []groupSince, q directory.ListQuery) (page directory.Page[directory.GroupOfPerson], err error) {
	all, page.Next = cut(groupsInOrder(all, q), q.Limit, func(g groupSince) directory.Position { return groupPosition(g.group, q) })
	page.Rows = convert(all, func(g groupSince) directory.GroupOfPerson {
		return directory.GroupOfPerson{Group: toGroup(g.group, s.churn()), Since: g.since, Uncertain: g.isUncertain(s)}
	})
	page.Freshness, err = s.freshPerson(ctx, who)
	return page, err
}

func groupsInOrder(all []groupSince, q directory.ListQuery) []groupSince {
	compare := comparePositions(q)
	if q.After != nil {
		all = slices.DeleteFunc(all, func(g groupSince) bool { return compare(groupPosition(g.group, q), *q.After) <= 0 })
	}
	slices.SortFunc(all, func(a, b groupSince) int { return compare(groupPosition(a.group, q), groupPosition(b.group, q)) })
	return all
}

// comparePositions compares the places of groups in the order of a query.
func comparePositions(q directory.ListQuery) func(a, b directory.Position) int {
	direction := 1
	if q.ByName && q.Descending {
		direction = -1
	}
	return func(a, b directory.Position) int {
		return direction * cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(a.ID, b.ID))
	}
}

// groupsSince returns the groups of a person, in no order.
func (s *state) groupsSince(ctx context.Context, who person) ([]groupSince, error) {
	if s.past {
		return s.pastGroupsSince(ctx, who)
	}
	if who.guest != 0 {
		rows, err := s.q.GroupsOfGuest(ctx, who.guest)
		return convert(rows, func(row GroupsOfGuestRow) groupSince { return sinceOf(GroupsOfMemberRow(row)) }), err
	}
	rows, err := s.q.GroupsOfMember(ctx, who.id)
	return convert(rows, sinceOf), err
}

// sinceOf has of a group what is shown of it.
func sinceOf(row GroupsOfMemberRow) groupSince {
	return groupSince{
		group: GroupVersion{
			Gid: row.Gid, ID: row.ID, Name: row.Name, NameKey: row.NameKey, Description: row.Description, Logo: row.Logo, Version: row.Version,
			MemberCount: row.MemberCount, GuestCount: row.GuestCount, CreatedMs: row.CreatedMs, UpdatedMs: row.UpdatedMs, Churned: row.Churned,
		},
		since: toBounds(row.NotBeforeMs, row.NotAfterMs),
	}
}

func (s *state) pastGroupsSince(ctx context.Context, who person) ([]groupSince, error) {
	if who.guest != 0 {
		rows, err := s.q.GroupsOfGuestAt(ctx, who.guest, s.revision.Horizon)
		return convert(rows, func(row GroupsOfGuestAtRow) groupSince { return sinceAndUntil(GroupsOfMemberAtRow(row)) }), err
	}
	rows, err := s.q.GroupsOfMemberAt(ctx, who.id, s.revision.Horizon)
	return convert(rows, sinceAndUntil), err
}

func sinceAndUntil(row GroupsOfMemberAtRow) groupSince {
	g := sinceOf(GroupsOfMemberRow{
		Gid: row.Gid, ID: row.ID, Name: row.Name, NameKey: row.NameKey, Description: row.Description, Logo: row.Logo, Version: row.Version,
		MemberCount: row.MemberCount, GuestCount: row.GuestCount, CreatedMs: row.CreatedMs, UpdatedMs: row.UpdatedMs, Churned: row.Churned,
		NotBeforeMs: row.NotBeforeMs, NotAfterMs: row.NotAfterMs,
	})
	g.until = toBounds(row.EndNotBeforeMs, row.EndNotAfterMs)
	return g
}

// freshPerson is confirmed when the person or the least lately confirmed
// group was, as any group may have come to name them.
func (s *state) freshPerson(ctx context.Context, who person) (directory.Freshness, error) {
	fresh, err := s.freshList(ctx, ofGroups)
	if who.member != nil && !s.isThen() {
		own := fromMS(effective(s.mirror.ConfirmedMs, who.member.ConfirmedMs, who.member.Doubted))
		if own.Before(fresh.ConfirmedAt) {
			fresh.ConfirmedAt = own
		}
	}
	return fresh, err
}
