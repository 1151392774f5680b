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
	err = db.read(ctx, q.Pin, q.AsOf, func(s *state) error {
		who, err := s.findPerson(ctx, ref)
		if err != nil {
			return err
		}
		page, err = s.groupsOf(ctx, who, q)
		return err
	})
	return page, wrap("list the groups of a person", err)
}

// GroupsOfGuest returns the groups in which an e-mail is a guest.
func (db *DB) GroupsOfGuest(ctx context.Context, email string, q directory.ListQuery) (page directory.Page[directory.GroupOfPerson], err error) {
	err = db.read(ctx, q.Pin, q.AsOf, func(s *state) error {
		who, err := s.findGuest(ctx, email)
		if err != nil {
			return err
		}
		page, err = s.groupsOf(ctx, who, q)
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

func (p person) edgeID(gid int64) edgeID { return edgeID{gid: gid, id: p.id, guest: p.email} }

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

type groupSince struct {
	group GroupVersion
	since directory.Bounds
}

// groupsOf sorts in memory: a person is in few groups, and no index has them
// in order.
func (s *state) groupsOf(ctx context.Context, who person, q directory.ListQuery) (page directory.Page[directory.GroupOfPerson], err error) {
	all, err := s.groupsSince(ctx, who)
	if err != nil {
		return page, err
	}
	all, page.Next = cut(groupsInOrder(all, q), q.Limit, func(g groupSince) directory.Position { return groupPosition(g.group, q) })
	uncertain, err := s.uncertainOf(ctx, who, all)
	if err != nil {
		return page, err
	}
	page.Rows = convert(all, func(g groupSince) directory.GroupOfPerson {
		return directory.GroupOfPerson{Group: toGroup(g.group, s.churn()), Since: g.since, Uncertain: uncertain[who.edgeID(g.group.Gid)]}
	})
	page.Freshness, err = s.freshPerson(ctx, who)
	return page, err
}

func (s *state) uncertainOf(ctx context.Context, who person, all []groupSince) (map[edgeID]bool, error) {
	came := make(map[edgeID]directory.Bounds, len(all))
	for _, g := range all {
		came[who.edgeID(g.group.Gid)] = g.since
	}
	return s.uncertain(ctx, came)
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
		return convert(rows, func(row GroupsOfGuestRow) groupSince {
			return groupSince{presentGroup(row.PresentGroup), toBounds(row.NotBeforeMs, row.NotAfterMs)}
		}), err
	}
	rows, err := s.q.GroupsOfMember(ctx, who.id)
	return convert(rows, func(row GroupsOfMemberRow) groupSince {
		return groupSince{presentGroup(row.PresentGroup), toBounds(row.NotBeforeMs, row.NotAfterMs)}
	}), err
}

func (s *state) pastGroupsSince(ctx context.Context, who person) ([]groupSince, error) {
	edges, err := s.edgesOf(ctx, who)
	if err != nil {
		return nil, err
	}
	since := make(map[int64]int64, len(edges))
	for _, edge := range edges {
		since[edge.gid] = edge.since
	}
	bounds, err := s.boundsOf(ctx, convert(edges, func(e groupEdge) int64 { return e.since }))
	if err != nil {
		return nil, err
	}
	groups, err := s.q.GroupsOfAt(ctx, idList(convert(edges, func(e groupEdge) int64 { return e.gid })), s.revision.Horizon)
	return convert(groups, func(row GroupVersion) groupSince { return groupSince{row, bounds[since[row.Gid]]} }), err
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

// Check tells whether a person is in a group. An e-mail is looked up among
// members, then guests; a member who is a guest of the group under the same
// e-mail is in it. A disabled member is in no group unless includeDisabled.
func (db *DB) Check(ctx context.Context, who directory.PersonRef, ref directory.GroupRef, includeDisabled bool, at *directory.AsOf) (found directory.Found[directory.Check], err error) {
	err = db.read(ctx, nil, at, func(s *state) error {
		found, err = s.check(ctx, who, ref, includeDisabled)
		return err
	})
	return found, wrap("check a membership", err)
}

func (s *state) check(ctx context.Context, ref directory.PersonRef, groupRef directory.GroupRef, includeDisabled bool) (found directory.Found[directory.Check], err error) {
	group, err := s.findGroup(ctx, groupRef)
	if err != nil {
		return found, err
	}
	who, err := s.findPerson(ctx, ref)
	if err != nil {
		return found, err
	}
	confirmed := effective(s.mirror.ConfirmedMs, group.ConfirmedMs, group.Doubted)
	found.Row = directory.Check{GroupID: group.ID, MemberID: who.id}
	if who.member != nil {
		found.Row.Status = new(directory.Status(who.member.Status))
		confirmed = min(confirmed, effective(s.mirror.ConfirmedMs, who.member.ConfirmedMs, who.member.Doubted))
	}
	if found.Freshness, err = s.freshRow(ctx, confirmed); err != nil {
		return found, err
	}
	if found.Row.Kind, err = s.kindOfEdge(ctx, group.Gid, who, ref.Email); err != nil {
		return found, err
	}
	found.Row = judge(found.Row, includeDisabled)
	return found, nil
}

// judge decides by kind and status.
func judge(c directory.Check, includeDisabled bool) directory.Check {
	c.Member = c.Kind != ""
	if c.Kind == directory.KindMember && c.Status != nil && *c.Status == directory.Disabled && !includeDisabled {
		c.Member, c.Reason = false, directory.WhyDisabled
	}
	return c
}

// kindOfEdge tells as what a person is in a group, empty for not at all.
func (s *state) kindOfEdge(ctx context.Context, gid int64, who person, email string) (directory.Kind, error) {
	if who.guest == 0 {
		edges, err := s.edgesAmong(ctx, []edge{{gid, who.id}})
		if err == nil && len(edges) > 0 {
			return directory.KindMember, nil
		}
		if err != nil || email == "" {
			return "", err
		}
	}
	guest, err := s.q.Guest(ctx, directory.FoldEmail(email))
	if err != nil {
		return "", orNone(err)
	}
	edges, err := s.guestEdgesAmong(ctx, []edge{{gid, guest.GuestID}})
	if err != nil || len(edges) == 0 {
		return "", err
	}
	return directory.KindGuest, nil
}
