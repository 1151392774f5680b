package directory

import "io"

// A Stay is an edge of any time: from when to when a person was in a group. A
// stay that goes on has a zero Until. Group and person bear the names that
// they have or, if they are gone, had last.
type Stay struct {
	Membership
	Until Bounds
}

// An Export names a file of rows.
type Export struct {
	Table        string // as the path names it: groups, members, memberships, membership_history or changes
	Format       string // csv, ndjson, parquet or sqlite, which holds every table
	Excel        bool   // of csv: made for spreadsheets
	Pseudonymize bool   // names, e-mails and member ids replaced, free text left out
}

// An ExportQuery asks for the rows of a file at one revision.
type ExportQuery struct {
	Export
	Pin  Pin
	AsOf *AsOf // the instant that led to the pin, or nil

	// Of these the one counts that is the table's; whole where it has none.
	Groups      GroupFilter
	Members     MemberFilter
	Memberships MembershipFilter
}

// A KeptFile is a whole file of one revision. ConfirmedAt is as of when it was
// made.
type KeptFile struct {
	Content io.ReadSeeker
	Freshness
	Close func() error
}
