package db

import (
	"cmp"
	"context"
	"errors"
	"math"

	"rollcall/internal/directory"
)

// Check tells whether a person is in a group. An e-mail is looked up among
// members, then guests; a member who is a guest of the group under the same
// e-mail is in it. A disabled member is in no group unless includeDisabled.
func (db *DB) Check(ctx context.Context, who directory.PersonRef, ref directory.GroupRef, includeDisabled bool, at *directory.AsOf) (found directory.Found[directory.Check], err error) {
	err = db.withRoll(ctx, []directory.Pair{{Member: who, Group: ref}}, at, func(ctx context.Context, r *roll) error {
		verdict, err := r.verdict(r.calls[0], includeDisabled)
		if err != nil {
			return err
		}
		found.Row = verdict
		found.Freshness, err = r.fresh(ctx)
		return err
	})
	return found, wrap("check a membership", err)
}

// Checks tells for each pair whether the person is in the group, as Check
// does, all at one revision. A pair of which that cannot be told is no error:
// its Reason says why.
func (db *DB) Checks(ctx context.Context, pairs []directory.Pair, includeDisabled bool, at *directory.AsOf) (found directory.Found[[]directory.Check], err error) {
	err = db.withRoll(ctx, pairs, at, func(ctx context.Context, r *roll) error {
		found.Row = make([]directory.Check, len(r.calls))
		for i, c := range r.calls {
			found.Row[i], err = r.verdict(c, includeDisabled)
			r.isUnsure = r.isUnsure || err != nil
		}
		found.Freshness, err = r.fresh(ctx)
		return err
	})
	return found, wrap("check memberships", err)
}

// withRoll runs fn over the roll of some pairs.
func (db *DB) withRoll(ctx context.Context, pairs []directory.Pair, at *directory.AsOf, fn func(context.Context, *roll) error) error {
	return db.glance(ctx, nil, at, func(ctx context.Context, s *state) error {
		r, err := s.callRoll(ctx, pairs)
		if err != nil {
			return err
		}
		return fn(ctx, r)
	})
}

// verdict judges a pair. Where that cannot be told, the error and the reason
// say why.
func (r *roll) verdict(c call, includeDisabled bool) (check directory.Check, err error) {
	err = c.err
	if c.Gid != 0 {
		check.GroupID = c.group
	} else {
		err = cmp.Or(err, directory.ErrUnknownGroup)
	}
	isKnown := c.Status != "" || c.Since != 0 || r.strangers[c.member]
	if isKnown {
		check.MemberID = c.member
	} else if !r.guests[c.email] {
		err = cmp.Or(err, directory.ErrUnknownPerson)
	}
	if c.Status != "" {
		check.Status = new(directory.Status(c.Status))
	}
	switch {
	case err != nil:
		check.Reason = whyNot(err)
	case c.Since != 0:
		check.Kind = directory.KindMember
	case r.guestEdges[guestEdge{c.Gid, c.email}]:
		check.Kind = directory.KindGuest
	}
	return judge(check, includeDisabled), err
}

func whyNot(err error) string {
	switch {
	case errors.Is(err, directory.ErrUnknownGroup):
		return directory.WhyUnknownGroup
	case errors.Is(err, directory.ErrUnknownPerson):
		return directory.WhyUnknownMember
	}
	return directory.WhyAmbiguous
}

// judge decides by kind and status.
func judge(c directory.Check, includeDisabled bool) directory.Check {
	c.Member = c.Kind != ""
	if c.Kind == directory.KindMember && c.Status != nil && *c.Status == directory.Disabled && !includeDisabled {
		c.Member, c.Reason = false, directory.WhyDisabled
	}
	return c
}

// fresh is confirmed when the least lately confirmed row was, or, where
// something is not there, the least lately confirmed of all rows.
func (r *roll) fresh(ctx context.Context) (directory.Freshness, error) {
	if r.isUnsure {
		return r.freshList(ctx, ofGroups, ofMembers)
	}
	if r.isThen() || r.known != nil && r.known.Uniform {
		return r.freshRow(ctx, r.mirror.ConfirmedMs)
	}
	confirmed, err := r.confirmed(ctx)
	return r.state.fresh(confirmed), err
}

func (r *roll) confirmed(ctx context.Context) (int64, error) {
	gids := convert(r.calls, func(c call) int64 { return c.Gid })
	ids := convert(r.calls, func(c call) int64 { return c.member })
	rows, err := r.q.LeastConfirmedOf(ctx, idList(distinct(gids)), idList(distinct(ids)))
	confirmed := int64(math.MaxInt64)
	for _, row := range rows {
		confirmed = min(confirmed, effective(r.mirror.ConfirmedMs, row.ConfirmedMs, row.Doubted))
	}
	return confirmed, err
}
