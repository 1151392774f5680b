package directory

import "slices"

// Severity says how grave a finding is.
type Severity string

// The severities, in order.
const (
	SeverityInfo    Severity = "info"    // worth a look
	SeverityWarning Severity = "warning" // out of order
	SeverityError   Severity = "error"   // somebody may see what they should not
)

// severities are in ascending order.
var severities = []Severity{SeverityInfo, SeverityWarning, SeverityError}

// AtLeast reports whether s is as grave as another, which may be empty.
func (s Severity) AtLeast(least Severity) bool {
	return slices.Index(severities, s) >= slices.Index(severities, least)
}

// A Rule is what hygiene looks for.
type Rule struct {
	Name     string
	Severity Severity
}

// The names of the rules.
const (
	DisabledInGroup = "disabled-in-group" // a disabled member is in a group
	GuestDomain     = "guest-domain"      // a guest of a group is from a domain that is not allowed
	DanglingID      = "dangling-id"       // a group names an id that the member list lacks
	TwinNames       = "twin-names"        // groups whose names differ at most in case and outer blanks
	EmptyGroup      = "empty-group"       // neither members nor guests
	OnePersonGroup  = "one-person-group"  // one member or one guest and nobody else
	InNoGroup       = "in-no-group"       // an active member
	NeverLoggedIn   = "never-logged-in"   // an active or invited member
)

// Rules are all there are, in the order of their findings.
var Rules = []Rule{
	{DisabledInGroup, SeverityError},
	{GuestDomain, SeverityError},
	{DanglingID, SeverityWarning},
	{TwinNames, SeverityWarning},
	{EmptyGroup, SeverityWarning},
	{OnePersonGroup, SeverityInfo},
	{InNoGroup, SeverityInfo},
	{NeverLoggedIn, SeverityInfo},
}

// A Finding is something out of order, and the group or person concerned.
type Finding struct {
	Rule
	GroupID  string  // empty where none is concerned
	MemberID int64   // 0 where none is concerned, or a guest
	Email    *string // nil where it is not known
	Detail   string  // for a person; it names the group, never the person
}

// A HygieneQuery asks for findings: by rule, in each by what is concerned.
// Names have no say in their order.
type HygieneQuery struct {
	ListQuery
	Rules        []string // these alone; empty for all
	AtLeast      Severity // as grave as this at least; empty for all
	GuestDomains []string // the allowed ones; without any, nothing is found by GuestDomain
}

// Wants reports whether the query asks about a rule.
func (q HygieneQuery) Wants(r Rule) bool {
	return (len(q.Rules) == 0 || slices.Contains(q.Rules, r.Name)) && r.Severity.AtLeast(q.AtLeast) &&
		(r.Name != GuestDomain || len(q.GuestDomains) > 0)
}

// HygieneCounts are how many findings each rule has at a revision, by its
// name. Rules that do not apply are missing.
type HygieneCounts struct {
	Revision int64
	Findings map[string]int
}
