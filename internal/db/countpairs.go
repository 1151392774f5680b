package db

import (
	"cmp"
	"context"
	"slices"
)

// countPairs counts the pairs of groups that share a member, in memory: all
// edges are read once.
func (s *state) countPairs(ctx context.Context) (*int, error) {
	edges, err := s.q.EdgesAt(ctx, s.horizon())
	if err != nil {
		return nil, err
	}
	i := newIncidence(edges)
	pairs, seenBy := 0, make([]int32, len(i.members)+1)
	for group, members := range i.members {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		mark := int32(group) + 1
		for _, member := range members {
			for _, other := range i.groups[i.first[member]:i.first[member+1]] {
				if other >= mark && seenBy[other] != mark {
					seenBy[other] = mark
					pairs++
				}
			}
		}
	}
	return &pairs, nil
}

// An incidence is who is in which group, both numbered from 0 on.
type incidence struct {
	groups  []int32   // of all members, one member after another
	first   []int32   // where a member's groups begin; one more tells the end
	members [][]int32 // of each group
}

// newIncidence sorts the edges.
func newIncidence(edges []EdgesAtRow) *incidence {
	slices.SortFunc(edges, func(a, b EdgesAtRow) int { return cmp.Compare(a.MemberID, b.MemberID) })
	i := &incidence{groups: make([]int32, len(edges))}
	numbers := map[int64]int32{}
	for at, edge := range edges {
		if at == 0 || edges[at-1].MemberID != edge.MemberID {
			i.first = append(i.first, int32(at))
		}
		group, known := numbers[edge.Gid]
		if !known {
			group = int32(len(i.members))
			numbers[edge.Gid] = group
			i.members = append(i.members, nil)
		}
		i.groups[at] = group
		i.members[group] = append(i.members[group], int32(len(i.first)-1))
	}
	i.first = append(i.first, int32(len(edges)))
	return i
}
