package directory

// A DiffQuery asks what differs between two states. The later one is that of
// AsOf, or the present.
type DiffQuery struct {
	Limit   int
	From    AsOf
	AsOf    *AsOf
	Pin     *Pin      // the later state, once the walk has begun
	After   *Position // nil for the beginning
	Initial bool      // From may lie before the first revision, and is nothing then
}

// A Differing is an edge that only one of two states has, or a row that they
// do not share. Of an edge, Edge is set: as it was in the state that has it,
// with Until if that is the earlier one.
type Differing struct {
	Change
	Edge  *Membership
	Until Bounds
}
