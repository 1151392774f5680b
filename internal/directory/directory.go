// Package directory holds the nouns of Rollcall: groups, members, the edges
// between them, the revisions that publish them and the errors that explain
// why something could not be said. It imports the standard library alone;
// every other package speaks these words and none of them imports another.
//
// A field that upstream may leave empty is a pointer, nil meaning unknown or
// null. An instant that is unknown is the zero time. Slices returned by any
// package of Rollcall belong to the caller.
package directory

import "time"

// A Group is a set of members and guests of one organisation.
type Group struct {
	ID          string // 32 hex digits in practice, any string by contract
	Name        string
	Description *string
	Logo        *string
	Members     []int64  // ids, ascending and distinct; may name people who are not listed
	Guests      []string // e-mails, distinct under FoldEmail, ascending by it
	CreatedAt   time.Time
	UpdatedAt   time.Time

	// The mirror fills these, also where a read leaves Members and Guests out.
	MemberCount int
	GuestCount  int
	Version     string // hash of name, description, members and guests
}

// A Member is a user of the organisation, in whatever status.
type Member struct {
	ID          int64
	Email       string
	FirstName   *string
	LastName    *string
	FullName    *string
	Role        *string // lower case: admin, standard, light
	Status      Status
	JobTitle    *string
	Team        *string
	Timezone    *string
	LastLoginAt time.Time
	CreatedAt   time.Time
	UpdatedAt   time.Time

	// GroupCount is filled by the mirror.
	GroupCount int
}

// Status says whether a member may act.
type Status string

// The statuses of a member, as the API sends them.
const (
	Active   Status = "active"
	Invited  Status = "invited"
	Disabled Status = "disabled"
)

// Kind tells the two sorts of people a group holds apart.
type Kind string

// The kinds of an edge.
const (
	KindMember Kind = "member"
	KindGuest  Kind = "guest"
)

// A Membership is one edge: a person in a group, since when.
//
// Guests are known as e-mails alone, so their MemberID is 0 and their name,
// role and status are nil. A member that a group names but the member list
// lacks has an id and nothing else.
type Membership struct {
	GroupID   string
	GroupName string
	Kind      Kind
	MemberID  int64
	Email     *string
	FullName  *string
	Role      *string
	Status    *Status
	Since     Bounds
	Uncertain bool // as of an instant: the bounds of its coming or going enclose that
}

// A GroupOfPerson is a group and since when a person is in it.
type GroupOfPerson struct {
	Group
	Since     Bounds
	Uncertain bool // see Membership
}

// Bounds enclose the instant of a change: not before the last observation of
// the old state began (zero if there was none), and not after the observation
// that showed the new state ended.
type Bounds struct {
	NotBefore time.Time
	NotAfter  time.Time
}

// A Check answers whether a person is in a group. Only checks judge by
// status: a disabled person is no member unless the asker includes them.
type Check struct {
	Member   bool
	Kind     Kind    // empty when there is no edge
	Status   *Status // nil for guests and for ids that are not listed
	GroupID  string  // empty where it cannot be told
	MemberID int64   // 0 for guests, and where it cannot be told
	Reason   string  // why not, or empty
}

// The reasons of a check. All but the first say that it cannot be told.
const (
	WhyDisabled      = "disabled"
	WhyUnknownGroup  = "unknown group"
	WhyUnknownMember = "unknown member"
	WhyAmbiguous     = "ambiguous"
)

// A Pair is a person and a group, of whom a check asks.
type Pair struct {
	Member PersonRef
	Group  GroupRef
}
