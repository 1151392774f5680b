package db

import (
	"context"
	"slices"

	"rollcall/internal/directory"
)

// MembersWithGroups returns members and the groups that they are in. If all
// that is estimated at more than most bytes, nothing of it is read and the
// error is directory.ErrTooLarge.
func (db *DB) MembersWithGroups(ctx context.Context, q directory.PayloadQuery, most int) (found directory.MemberGroups, err error) {
	err = db.read(ctx, nil, nil, func(s *state) error {
		ids, total, err := s.memberKeys(ctx, q)
		if err != nil {
			return err
		}
		if found, err = s.withGroups(ctx, ids, most); err != nil {
			return err
		}
		found.Total = total
		found.Freshness, err = s.freshList(ctx, ofGroups, ofMembers)
		return err
	})
	return found, wrap("list members with their groups", err)
}

// MemberWithGroups returns one member, as MembersWithGroups does. In which
// groups somebody is depends on every group, so that the oldest confirmation
// of any counts.
func (db *DB) MemberWithGroups(ctx context.Context, id int64, most int) (found directory.MemberGroups, err error) {
	err = db.read(ctx, nil, nil, func(s *state) error {
		row, err := s.q.MemberByID(ctx, id)
		if err != nil {
			return notFound(err, directory.ErrUnknownPerson)
		}
		if found, err = s.withGroups(ctx, []int64{id}, most); err != nil {
			return err
		}
		found.Total = 1
		groups, err := s.freshList(ctx, ofGroups)
		confirmed := min(toMS(groups.ConfirmedAt), effective(s.mirror.ConfirmedMs, row.ConfirmedMs, row.Doubted))
		found.Freshness = s.fresh(confirmed)
		return err
	})
	return found, wrap("read a member with their groups", err)
}

func (s *state) withGroups(ctx context.Context, ids []int64, most int) (found directory.MemberGroups, err error) {
	members := idList(ids)
	sizes, err := s.q.GroupSizesOf(ctx, members)
	if err != nil {
		return found, err
	}
	bytes, err := s.q.BytesOfMembers(ctx, members)
	if err != nil {
		return found, err
	}
	for _, group := range sizes {
		bytes += group.People * group.Bytes
	}
	if bytes > int64(most) {
		return found, directory.ErrTooLarge
	}
	found.Bytes = int(bytes)
	gids := convert(sizes, func(group GroupSizesOfRow) int64 { return group.Gid })
	if found.Rows, err = s.payloadsOfMembers(ctx, ids); err != nil {
		return found, err
	}
	if found.Groups, err = s.payloadsOfGroups(ctx, gids); err != nil {
		return found, err
	}
	found.In, err = s.placesOf(ctx, ids, gids)
	return found, err
}

// placesOf tells for each member which of gids they are in, in that order.
func (s *state) placesOf(ctx context.Context, ids, gids []int64) ([][]int, error) {
	edges, err := s.q.GroupKeysOf(ctx, idList(ids))
	if err != nil {
		return nil, err
	}
	place := make(map[int64]int, len(gids))
	for i, gid := range gids {
		place[gid] = i
	}
	places := make(map[int64][]int, len(ids))
	for _, edge := range edges {
		places[edge.MemberID] = append(places[edge.MemberID], place[edge.Gid])
	}
	return convert(ids, func(id int64) []int {
		slices.Sort(places[id])
		return places[id]
	}), nil
}
