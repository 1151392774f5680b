package directory

import "time"

// A Fingerprint tells whether two copies of a row are the same. Row is taken
// over the normalised row without the fields that move by themselves, Churn
// over those fields. Both are stable over processes and versions.
type Fingerprint struct {
	Row   int64
	Churn int64
}

// Form tells how upstream sent a row: lists and single reads differ in id
// types, keys and timestamp digits.
type Form string

// The forms of a payload.
const (
	ListForm   Form = "list"
	SingleForm Form = "single"
)

// A GroupRow is a group as upstream showed it.
type GroupRow struct {
	Group
	MembersAbsent bool     // the key `members` was missing: its edges are unknown
	GuestsAbsent  bool     // likewise `guests`
	Deleted       bool     // `deleted_at` was set
	Oddities      []string // what was strange, as "field: what", at most a few
	Payload       []byte   // the row's JSON object as sent
	Shape         uint64   // of the payload: names of fields and kinds of values; within one process
	Form          Form
	Fingerprint
}

// A MemberRow is a member as upstream showed it.
type MemberRow struct {
	Member
	Deleted  bool
	Oddities []string
	Payload  []byte
	Shape    uint64
	Form     Form
	Fingerprint
}

// A ListingPage is one page of an upstream list. Meta is nil when the answer
// carried no `meta.pagination`.
type ListingPage[T any] struct {
	Rows []T
	Meta *Pagination
}

// Pagination is what a page said of the whole list. TotalPages is known to
// be computed with another page size at times and decides nothing.
type Pagination struct {
	Total       int
	CurrentPage int
	TotalPages  int
}

// Cause tells what made a change known.
type Cause string

// The causes of a change.
const (
	CauseInitial Cause = "initial" // the first sweep of a new database
	CauseSweep   Cause = "sweep"
	CauseWrite   Cause = "write"   // a write that passed through Rollcall
	CauseRefresh Cause = "refresh" // a single read, or what a write's answer showed beside the write
)

// An Origin is what is known of a change's making. Changes of one revision
// with equal origins form one changeset.
type Origin struct {
	Bounds
	Cause Cause
	Actor string // key name or Tallyfy user id; empty for sweeps
}

// A Publication is what one transaction makes of an observation: one new
// revision, rows, history and notes together; or, when no row is given, the
// notes alone and no revision.
type Publication struct {
	Cause   Cause
	Groups  []GroupUpdate
	Members []MemberUpdate

	GoneGroups  []Gone[string]
	GoneMembers []Gone[int64]

	// Confirmed lists rows that a single read found as stored; Doubted those
	// that a whole sweep missed or whose write has an unknown outcome, with
	// the confirmation they keep.
	ConfirmedGroups  []Confirmation[string]
	ConfirmedMembers []Confirmation[int64]
	DoubtedGroups    []Confirmation[string]
	DoubtedMembers   []Confirmation[int64]

	// Missed lists, with the Sweep that read everything, the rows that stay
	// although the lists lacked them, in place of those that were missed
	// before. Any other row that is set, confirmed or doubted is missed no
	// longer.
	MissedGroups  []string
	MissedMembers []int64

	// Sweep is the note of the sweep that made this, nil for single reads
	// and writes. A note whose Result is a success moves the confirmation of
	// every row to Sweep.BeganAt and ends every doubt that is not in Doubted.
	Sweep *Sweep
}

// A GroupUpdate sets a group's row. A quiet one replaces payload and
// fingerprint only: the row is the same but for churn or form. Attributes,
// Members and Guests are the origins of what changes in each.
type GroupUpdate struct {
	Row         *GroupRow
	Quiet       bool
	ConfirmedAt time.Time // when the request that showed it left
	Attributes  Origin
	Members     Origin
	Guests      Origin
}

// A MemberUpdate sets a member's row; see GroupUpdate.
type MemberUpdate struct {
	Row         *MemberRow
	Quiet       bool
	ConfirmedAt time.Time
	Origin      Origin
}

// Gone names a row that is proven to be deleted upstream.
type Gone[ID comparable] struct {
	ID     ID
	Origin Origin
}

// A Confirmation says when a row was last seen to agree with upstream.
type Confirmation[ID comparable] struct {
	ID ID
	At time.Time
}

// A StoredRow is what the mirror holds of one row, for comparison.
type StoredRow struct {
	Fingerprint
	Form        Form
	ConfirmedAt time.Time // the effective confirmation
	Doubted     bool
	Missed      bool // the last sweep that read everything lacked it
	Edges       int  // of a group: members and guests
}

// An Index is what the mirror holds, row by row.
type Index struct {
	Groups  map[string]StoredRow
	Members map[int64]StoredRow
	Freshness
}

// An Observation is a sweep, a single read or the answer to a write, from its
// beginning. It is not applied to a row that another observation was applied
// to after Number was given out.
type Observation struct {
	Number  uint64
	BeganAt time.Time // when its first request left
}

// Applied says how a row that is applied came to be known.
type Applied struct {
	Cause Cause  // CauseWrite or CauseRefresh
	Actor string // who wrote, empty when unknown
	Sent  Sent   // for CauseWrite: what the write asked for; the rest is a refresh

	// NotBefore is when the request left that made what was sent, where that
	// is known to be its only maker; zero for whatever is known of the row.
	NotBefore time.Time

	// Carried is what the write behind it asked for, whether or not that came
	// to pass as asked: to lose members by it is nobody's surprise.
	Carried Sent

	// Fields are those of a member, by the newest of their names, that a write
	// asked for and that came out so; the rest is a refresh.
	Fields []string
}

// Sent names the fields of a group that a write carried.
type Sent struct{ Name, Description, Members, Guests bool }
