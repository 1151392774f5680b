package db

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"

	"rollcall/internal/directory"
)

// AllStays walks every edge there was up to a revision, by group, members by
// id, then guests by e-mail, each stay in its turn, in chunks.
func (db *DB) AllStays(ctx context.Context, pin directory.Pin, at *directory.AsOf) iter.Seq2[[]directory.Stay, error] {
	return func(yield func([]directory.Stay, error) bool) {
		w := newTableWalk()
		for !w.isAtEnd() {
			var chunk []directory.Stay
			err := db.read(ctx, &pin, at, func(s *state) (err error) {
				chunk, err = w.stays(ctx, s)
				return err
			})
			if err != nil {
				yield(nil, wrap("read the history of memberships", err))
				return
			}
			if !yield(chunk, nil) {
				return
			}
		}
	}
}

func (w *tableWalk) stays(ctx context.Context, s *state) ([]directory.Stay, error) {
	var stays []directory.Stay
	list := func(after string) ([]GroupVersion, error) {
		rows, err := s.q.GroupsEver(ctx, GroupsEverParams{Horizon: s.horizon(), After: after, PageSize: groupsAPiece})
		return convert(rows, func(row GroupsEverRow) GroupVersion { return GroupVersion{Gid: row.Gid, ID: row.ID, Name: row.Name} }), err
	}
	for len(stays) < tableChunk {
		if err := w.fetch(ctx, list); err != nil || len(w.groups) == 0 {
			return stays, err
		}
		size := tableChunk - len(stays)
		edges, err := w.memberStays(ctx, s, size)
		if err == nil {
			stays, err = w.addStays(ctx, s, stays, edges)
		}
		if err != nil {
			return nil, err
		}
		if len(edges) == size {
			w.member, w.since = edges[size-1].member, edges[size-1].since
			continue
		}
		if stays, err = w.addGuestStays(ctx, s, stays); err != nil {
			return nil, err
		}
		w.leave()
	}
	return stays, nil
}

// memberStays reads the next stays in the first group. One that the state
// does not see end has until 0.
func (w *tableWalk) memberStays(ctx context.Context, s *state, size int) ([]edgeRow, error) {
	packed, err := s.q.PackedStaysOfGroup(ctx, PackedStaysOfGroupParams{
		Gid: w.groups[0].Gid, Horizon: s.horizon(), AfterID: w.member, AfterSince: w.since, PageSize: int64(size),
	})
	edges := unpack(packed.Ids, packed.Sinces, packed.Untils)
	for i := range edges {
		edges[i].until = s.end(edges[i].until)
	}
	return edges, err
}

// end is the changeset that ended something, 0 if that was not yet.
func (s *state) end(until int64) int64 {
	if until > s.horizon() {
		return 0
	}
	return until
}

func (w *tableWalk) addStays(ctx context.Context, s *state, stays []directory.Stay, edges []edgeRow) ([]directory.Stay, error) {
	rows, err := w.addMembers(ctx, s, nil, edges, s.membersEver)
	for i, row := range rows {
		stays = append(stays, directory.Stay{Membership: row, Until: w.bounds[edges[i].until]})
	}
	return stays, err
}

// membersEver finds members as they are or, if they are gone, were last.
func (s *state) membersEver(ctx context.Context, ids []int64) (map[int64]MembersOfRow, error) {
	found, err := s.membersNow(ctx, ids)
	if err != nil {
		return nil, err
	}
	gone := slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { _, isThere := found[id]; return isThere })
	if len(gone) == 0 {
		return found, nil
	}
	versions, err := s.q.PastMembersOf(ctx, idList(gone), s.horizon())
	last := map[int64]int64{}
	for _, v := range versions {
		if v.Since >= last[v.ID] {
			last[v.ID] = v.Since
			found[v.ID] = MembersOfRow{ID: v.ID, Email: v.Email, FullName: v.FullName, Role: v.Role, Status: v.Status}
		}
	}
	return found, err
}

func (w *tableWalk) addGuestStays(ctx context.Context, s *state, stays []directory.Stay) ([]directory.Stay, error) {
	group := &w.groups[0]
	guests, err := s.q.GuestStaysOfGroup(ctx, group.Gid, s.horizon())
	if err != nil || len(guests) == 0 {
		return stays, err
	}
	slices.SortFunc(guests, func(a, b GuestStaysOfGroupRow) int {
		return cmp.Or(strings.Compare(a.EmailKey, b.EmailKey), cmp.Compare(a.Since, b.Since))
	})
	err = w.date(ctx, s, convert(guests, func(g GuestStaysOfGroupRow) edgeRow { return edgeRow{since: g.Since, until: s.end(g.Until)} }))
	for _, g := range guests {
		stays = append(stays, directory.Stay{
			Membership: directory.Membership{
				GroupID: group.ID, GroupName: group.Name, Kind: directory.KindGuest, Email: &g.Email, Since: w.bounds[g.Since],
			},
			Until: w.bounds[s.end(g.Until)],
		})
	}
	return stays, err
}
