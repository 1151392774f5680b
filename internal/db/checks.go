package db

import (
	"context"
	"errors"
	"math"
	"slices"

	"rollcall/internal/directory"
)

// Checks tells for each pair whether the person is in the group, as Check
// does, all at one revision. A pair of which that cannot be told is no error:
// its Reason says why.
func (db *DB) Checks(ctx context.Context, pairs []directory.Pair, includeDisabled bool, at *directory.AsOf) (found directory.Found[[]directory.Check], err error) {
	err = db.read(ctx, nil, at, func(s *state) error {
		r, err := s.callRoll(ctx, pairs)
		if err != nil {
			return err
		}
		found.Row = convert(pairs, func(pair directory.Pair) directory.Check { return r.verdict(pair, includeDisabled) })
		found.Freshness, err = r.fresh(ctx, found.Row)
		return err
	})
	return found, wrap("check memberships", err)
}

func (r *roll) group(ref directory.GroupRef) (GroupVersion, error) {
	if ref.ID == "" {
		return oneNamed(r.groupsNamed[directory.Fold(ref.Name)], ref.Name)
	}
	group, isKnown := r.groups[ref.ID]
	if !isKnown {
		return group, directory.ErrUnknownGroup
	}
	return group, nil
}

func (r *roll) person(ref directory.PersonRef) (person, error) {
	if ref.ID == 0 {
		if rows := r.membersNamed[directory.FoldEmail(ref.Email)]; len(rows) > 0 {
			member := mostAlive(rows)
			return person{id: member.ID, member: &member}, nil
		}
		if guest, isGuest := r.guest(ref); isGuest {
			return person{guest: guest}, nil
		}
		return person{}, directory.ErrUnknownPerson
	}
	member, isListed := r.members[ref.ID]
	switch {
	case isListed:
		return person{id: ref.ID, member: &member}, nil
	case r.strangers[ref.ID]:
		return person{id: ref.ID}, nil
	}
	return person{}, directory.ErrUnknownPerson
}

func (r *roll) guest(ref directory.PersonRef) (int64, bool) {
	if ref.ID != 0 {
		return 0, false
	}
	guest, isGuest := r.guests[directory.FoldEmail(ref.Email)]
	return guest, isGuest
}

func (r *roll) verdict(pair directory.Pair, includeDisabled bool) (c directory.Check) {
	group, groupErr := r.group(pair.Group)
	who, err := r.person(pair.Member)
	c.GroupID, c.MemberID = group.ID, who.id
	if who.member != nil {
		c.Status = new(directory.Status(who.member.Status))
	}
	_, isAmbiguous := errors.AsType[*directory.AmbiguousNameError](groupErr)
	guest, isGuest := r.guest(pair.Member)
	switch {
	case isAmbiguous:
		c.Reason = directory.WhyAmbiguous
	case groupErr != nil:
		c.Reason = directory.WhyUnknownGroup
	case err != nil:
		c.Reason = directory.WhyUnknownMember
	case who.guest == 0 && r.edges[edge{group.Gid, who.id}]:
		c.Kind = directory.KindMember
	case isGuest && r.guestEdges[edge{group.Gid, guest}]:
		c.Kind = directory.KindGuest
	}
	return judge(c, includeDisabled)
}

// fresh is confirmed when the least lately confirmed row was, or, where
// something is not there, the least lately confirmed of all rows.
func (r *roll) fresh(ctx context.Context, verdicts []directory.Check) (directory.Freshness, error) {
	all, err := r.freshList(ctx, ofGroups, ofMembers)
	if err != nil || r.past || slices.ContainsFunc(verdicts, isUnsure) {
		return all, err
	}
	confirmed := int64(math.MaxInt64)
	for _, row := range r.groups {
		confirmed = min(confirmed, effective(r.mirror.ConfirmedMs, row.ConfirmedMs, row.Doubted))
	}
	for _, row := range r.members {
		confirmed = min(confirmed, effective(r.mirror.ConfirmedMs, row.ConfirmedMs, row.Doubted))
	}
	return r.state.fresh(confirmed), nil
}

func isUnsure(c directory.Check) bool { return c.Reason != "" && c.Reason != directory.WhyDisabled }
