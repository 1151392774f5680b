package directory

import "strings"

// A filter narrows a list to the rows that meet each of its conditions; its
// zero value has none. Texts are compared folded. A group or person that a
// filter names must exist: else the list is ErrUnknownGroup, ErrUnknownPerson
// or an *AmbiguousNameError.

// A GroupFilter narrows a list of groups.
type GroupFilter struct {
	Group      *GroupRef // this one alone
	Contains   string    // a part of name or description
	MinMembers int       // as many members at least; guests do not count
	Empty      *bool     // nobody is in it, neither members nor guests; or somebody is
	HasGuests  *bool
}

// A MemberFilter narrows a list of members. Every edge that upstream shows
// counts, whatever the member's status.
type MemberFilter struct {
	In       []GroupRef // in all of these
	InAny    []GroupRef // in one of these at least; empty is no condition
	NotIn    []GroupRef // in none of these
	NoGroup  *bool      // in no group at all; or in some
	Person   *PersonRef // this one alone; a guest is no member
	Status   Status
	Role     string
	Domain   string // of the e-mail: what follows its last @
	Contains string // a part of first, last or full name or e-mail
}

// A MembershipFilter narrows a list of memberships. As guests have neither
// status nor role, and strangers have nothing but an id, a condition on what
// they lack leaves them out.
type MembershipFilter struct {
	Group  *GroupRef
	Person *PersonRef // a member, a stranger or a guest
	Kind   Kind       // empty for both
	Status Status
	Role   string
	Domain string // of the e-mail, a guest's, too
}

// DomainOf returns the folded domain of an e-mail: what follows its last @,
// empty if it has none.
func DomainOf(email string) string {
	email = FoldEmail(email)
	if i := strings.LastIndexByte(email, '@'); i >= 0 {
		return email[i+1:]
	}
	return ""
}
