package access

import "strconv"

// An Action is what a request asks to do. The zero Action is refused to all.
type Action uint8

// The actions. Each route needs one; a route that shows two things needs the
// stricter, or both.
const (
	_               Action = iota
	Open                   // probes and documents: no person, nothing of upstream
	ReadGroups             // groups with their member ids and guests' e-mails
	ReadMembers            // the list of members: who there is, without the full fields
	ReadMemberships        // who is in which group, checks, set algebra: both kinds joined
	ReadFull               // single users, full member fields, history, feed, hygiene, exports, snapshot, SQL
	ReadStatus             // what the mirror says of itself, with its counts
	Metrics                // /metrics on the main address
	Sync                   // a sweep on demand
	WriteGroup             // Tallyfy's own writes on groups
	EditGroup              // safe edits, whose answers show the group
	WriteUser              // Tallyfy's own writes on users
	AcceptRemovals         // publishing what a sweep held
	Forget                 // erasing a person who is gone
	ForwardRead            // any other read that must go upstream
	ForwardWrite           // any other write that must go upstream
	pastActions
)

var actionNames = [pastActions]string{
	Open:            "open",
	ReadGroups:      "reading groups",
	ReadMembers:     "reading members",
	ReadMemberships: "reading memberships",
	ReadFull:        "reading full records",
	ReadStatus:      "reading the status",
	Metrics:         "reading metrics",
	Sync:            "asking for a sweep",
	WriteGroup:      "writing a group",
	EditGroup:       "editing a group",
	WriteUser:       "writing a user",
	AcceptRemovals:  "accepting removals",
	Forget:          "forgetting a person",
	ForwardRead:     "reading from Tallyfy itself",
	ForwardWrite:    "writing to Tallyfy itself",
}

// String names the action as it stands at the beginning of a refusal.
func (a Action) String() string {
	if a == 0 || a >= pastActions {
		return "action " + strconv.Itoa(int(a))
	}
	return actionNames[a]
}
