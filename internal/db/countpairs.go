package db

import "context"

// countPairs counts the pairs of groups that share a member, in memory: all
// edges are read once.
func (s *state) countPairs(ctx context.Context) (*int, error) {
	edges, err := s.q.EdgesAt(ctx, s.horizon())
	if err != nil {
		return nil, err
	}
	groupsOf, membersOf := map[int64][]int32{}, [][]int64{}
	index := map[int64]int32{}
	for _, edge := range edges {
		group, known := index[edge.Gid]
		if !known {
			group = int32(len(index))
			index[edge.Gid] = group
			membersOf = append(membersOf, nil)
		}
		membersOf[group] = append(membersOf[group], edge.MemberID)
		groupsOf[edge.MemberID] = append(groupsOf[edge.MemberID], group)
	}
	pairs, seenBy := 0, make([]int32, len(index))
	for group, members := range membersOf {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		mark := int32(group) + 1
		for _, member := range members {
			for _, other := range groupsOf[member] {
				if other > int32(group) && seenBy[other] != mark {
					seenBy[other] = mark
					pairs++
				}
			}
		}
	}
	return &pairs, nil
}
