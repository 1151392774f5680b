package db

import (
	"context"
	"slices"

	"rollcall/internal/directory"
)

// A neighbourhood is the groups that share members with one, in an order.
type neighbourhood struct {
	*pairWalk
	group GroupVersion
	q     directory.ListQuery // of the others
	later bool                // those of greater ids alone
}

// wants reports whether a group may be paired with the one.
func (n *neighbourhood) wants(other GroupVersion) bool {
	return other.Gid != n.group.Gid && other.MemberCount > 0 && (!n.later || other.ID > n.group.ID)
}

// add collects one pair and reports whether more are wanted.
func (n *neighbourhood) add(other GroupVersion, shared int64) bool {
	n.pairs = append(n.pairs, groupPair{pairPlace{n.group.ID, other.ID}, overlapOf(n.group, other, shared)})
	return len(n.pairs) <= n.pairWalk.q.Limit
}

// collectFew finds the others from the members. It comes to the end.
func (n *neighbourhood) collectFew(ctx context.Context) (end string, err error) {
	shared, err := n.neighboursOf(ctx, n.group)
	if err != nil {
		return "", err
	}
	gids := make([]int64, 0, len(shared))
	for gid, count := range shared {
		gids = append(gids, gid)
		n.work -= int(count)
	}
	n.work -= int(n.group.MemberCount)
	others, err := n.groupsAmong(ctx, gids)
	if err != nil {
		return "", err
	}
	others = slices.DeleteFunc(others, func(g GroupVersion) bool { return !n.wants(g) })
	for _, other := range sortedGroups(others, n.q) {
		if !n.add(other, shared[other.Gid]) {
			break
		}
	}
	return "", nil
}

// sortedGroups are those after the query's place, in its order.
func sortedGroups(groups []GroupVersion, q directory.ListQuery) []GroupVersion {
	compare := comparePositions(q)
	if q.After != nil {
		groups = slices.DeleteFunc(groups, func(g GroupVersion) bool { return compare(groupPosition(g, q), *q.After) <= 0 })
	}
	slices.SortFunc(groups, func(a, b GroupVersion) int { return compare(groupPosition(a, q), groupPosition(b, q)) })
	return groups
}

// collectMany tries the others in order, until it has enough or its work is
// done. It returns the last that it tried, empty at the end.
func (n *neighbourhood) collectMany(ctx context.Context) (end string, err error) {
	q := n.q
	q.Limit = triedAtOnce
	if n.later && !q.ByName && (q.After == nil || q.After.ID < n.group.ID) {
		q.After = &directory.Position{ID: n.group.ID}
	}
	for {
		others, err := n.groupRows(ctx, q)
		if err != nil {
			return "", err
		}
		chunk := n.affordable(others[:min(len(others), q.Limit)])
		shared, err := n.sharedWith(ctx, chunk)
		if err != nil {
			return "", err
		}
		for _, other := range chunk {
			if shared[other.Gid] > 0 && !n.add(other, shared[other.Gid]) {
				return "", nil
			}
		}
		if len(chunk) == len(others) {
			return "", nil
		}
		last := chunk[len(chunk)-1]
		if n.work <= 0 {
			return last.ID, nil
		}
		q.After = new(groupPosition(last, q))
	}
}

// triedAtOnce is how many groups are compared with one by one statement.
const triedAtOnce = 100

// affordable returns the first groups that the work left allows to compare,
// one at least, and takes it off.
func (n *neighbourhood) affordable(others []GroupVersion) []GroupVersion {
	for i, other := range others {
		if n.work <= 0 && i > 0 {
			return others[:i]
		}
		if n.wants(other) {
			n.work -= int(min(other.MemberCount, n.group.MemberCount))
		}
	}
	return others
}

// sharedWith counts the members that the one shares with each of others, by
// gid, from the smaller of the two.
func (n *neighbourhood) sharedWith(ctx context.Context, others []GroupVersion) (map[int64]int64, error) {
	shared := map[int64]int64{}
	var smaller []int64
	for _, other := range others {
		switch {
		case !n.wants(other):
		case other.MemberCount <= n.group.MemberCount:
			smaller = append(smaller, other.Gid)
		default:
			rows, err := n.state.sharedWith(ctx, other.Gid, n.group.Gid)
			if err != nil {
				return nil, err
			}
			shared[other.Gid] = rows[n.group.Gid]
		}
	}
	rows, err := n.state.sharedWith(ctx, n.group.Gid, smaller...)
	for gid, count := range rows {
		shared[gid] = count
	}
	return shared, err
}

// sharedWith counts the members of each of some groups who are in another.
func (s *state) sharedWith(ctx context.Context, gid int64, some ...int64) (map[int64]int64, error) {
	shared := make(map[int64]int64, len(some))
	if len(some) == 0 {
		return shared, nil
	}
	if !s.past {
		rows, err := s.q.SharedWith(ctx, idList(some), gid)
		for _, row := range rows {
			shared[row.Gid] = row.Shared
		}
		return shared, err
	}
	rows, err := s.q.SharedWithAt(ctx, SharedWithAtParams{Gids: idList(some), Gid: gid, Horizon: s.revision.Horizon})
	for _, row := range rows {
		shared[row.Gid] += row.Shared
	}
	return shared, err
}

// neighboursOf counts the members that a group shares with every other, by
// gid.
func (s *state) neighboursOf(ctx context.Context, group GroupVersion) (map[int64]int64, error) {
	shared := map[int64]int64{}
	if !s.past {
		rows, err := s.q.Neighbours(ctx, group.Gid)
		for _, row := range rows {
			shared[row.Gid] = row.Shared
		}
		delete(shared, group.Gid)
		return shared, err
	}
	ids, err := s.memberIDs(ctx, group.Gid)
	if err != nil {
		return nil, err
	}
	rows, err := s.q.NeighboursAt(ctx, idList(ids), s.revision.Horizon)
	for _, row := range rows {
		shared[row.Gid] += row.Shared
	}
	delete(shared, group.Gid)
	return shared, err
}

// groupsAmong returns groups by their keys, in no order.
func (s *state) groupsAmong(ctx context.Context, gids []int64) ([]GroupVersion, error) {
	if s.past {
		return s.q.GroupsOfAt(ctx, idList(gids), s.revision.Horizon)
	}
	rows, err := s.q.GroupsAmong(ctx, idList(gids))
	return convert(rows, presentGroup), err
}

// memberIDs returns who is in a group, ascending.
func (s *state) memberIDs(ctx context.Context, gid int64) ([]int64, error) {
	if s.past {
		return s.q.MemberIDsAt(ctx, gid, s.revision.Horizon)
	}
	return s.q.MemberIDs(ctx, gid)
}
