package directory

// An Overlap tells how much two groups have in common. Only edges of members
// count, guests do not: those of ids that the member list lacks are among
// them, as in a group's MemberCount.
type Overlap struct {
	GroupA, GroupB string // ids, GroupA the lesser
	Shared         int    // members of both, at least 1
	OnlyA, OnlyB   int    // members of one and not of the other
}

// Jaccard is the share of those in both among those in either.
func (o Overlap) Jaccard() float64 {
	return float64(o.Shared) / float64(o.Shared+o.OnlyA+o.OnlyB)
}

// Containment is the share of those in both among those in the smaller group:
// 1 where that lies in the other altogether.
func (o Overlap) Containment() float64 {
	return float64(o.Shared) / float64(o.Shared+min(o.OnlyA, o.OnlyB))
}

// An OverlapQuery asks for pairs of groups that share a member. By id they
// are ordered by GroupA, then GroupB; by name, by the name and id of group A,
// then of group B. Where one group is asked about, its pairs are ordered by
// the other group alone.
//
// The work of a page is bounded: it may hold fewer rows than wanted, even
// none, and still have a next one.
type OverlapQuery struct {
	ListQuery
	Group *GroupRef // pairs of this one alone; nil for all
}

// A CoMember is a member who shares groups with somebody.
type CoMember struct {
	Member
	Shared int // groups that both are in, at least 1
}
