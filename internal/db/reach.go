package db

// A reach bounds what a read fetches at once, holds in memory and does for one
// page.
type reach struct {
	few       int64 // ids that are rather sorted in memory than met on a walk along all names
	first     int   // rows of the first stretch of such a walk
	longest   int   // rows to which stretches grow, as most may meet the terms or none
	touched   int   // rows of a table that a revision of the feed touches and are sorted in memory; one of more is walked along the keys
	neighbour int64 // members of a group up to which the groups that share any with it are found from them; else all groups are tried
	company   int64 // edges that are counted in memory without a thought
	overlaps  int   // edges that a page of overlaps looks at before it ends short
}

var usualReach = reach{few: 2000, first: 200, longest: 2000, touched: 4096, neighbour: 1000, company: 20_000, overlaps: 100_000}
