package api

import (
	"context"

	"rollcall/internal/directory"
)

// Comparisons tell groups and people by what they share.
type Comparisons interface {
	// Overlap returns pages that may be short, or empty, before the last.
	Overlap(context.Context, directory.OverlapQuery) (directory.Page[directory.Overlap], error)
	CoMembers(context.Context, directory.PersonRef, directory.ListQuery) (directory.Page[directory.CoMember], error)
	SharedGroups(ctx context.Context, who, with directory.PersonRef, q directory.ListQuery) (directory.Page[directory.Group], error)
}

// An Overlap is a pair of groups that share somebody.
type Overlap struct {
	GroupA      string  `json:"group_a" doc:"Id of the one, the lesser of the two as text."`
	GroupB      string  `json:"group_b" doc:"Id of the other."`
	Shared      int     `json:"shared" doc:"Members of both. Guests are not counted; ids that the member list lacks are, as in member_count. At least 1."`
	OnlyA       int     `json:"only_a" doc:"Members of group_a who are not in group_b."`
	OnlyB       int     `json:"only_b" doc:"Members of group_b who are not in group_a."`
	Jaccard     float64 `json:"jaccard" example:"0.25" doc:"shared of those in either: 1 where both hold the same members."`
	Containment float64 `json:"containment" example:"0.5" doc:"shared of those in the smaller one: 1 where it lies in the other altogether."`
}

func newOverlap(o directory.Overlap) Overlap {
	return Overlap{o.GroupA, o.GroupB, o.Shared, o.OnlyA, o.OnlyB, o.Jaccard(), o.Containment()}
}

// An OverlapInput asks for pairs of groups.
type OverlapInput struct {
	ListInput
	Group string `query:"group" doc:"The pairs of one group alone: 32 hex digits are an id, anything else is a name; id: or name: in front forces it. Unknown is 404, several of the name are 409 with their ids."`
}

var listOverlapDoc = doc{
	"list-overlap", "Which groups overlap",
	"Pairs of groups that share a member, each once, with how many. They come by group_a, then group_b: by ids, or by names; with group, by the other group. " +
		"Every member whom Tallyfy shows in a group counts, whatever their status. The work of a page is bounded: it may hold fewer rows than limit, even none, " +
		"while next_cursor is not null; read on until it is. count=true reads every membership once.", "overlap",
}

func (s *server) listOverlap(ctx context.Context, in *OverlapInput) (*ListOutput[Overlap], error) {
	list, err := in.query(requestOf(ctx))
	if err != nil {
		return nil, err
	}
	q := directory.OverlapQuery{ListQuery: list}
	if in.Group != "" {
		q.Group = new(directory.ParseGroupRef(in.Group))
	}
	return listed(ctx, s, newOverlap, func() (directory.Page[directory.Overlap], error) { return s.Mirror.Overlap(ctx, q) })
}
