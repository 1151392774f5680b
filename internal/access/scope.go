package access

import (
	"fmt"
	"slices"
	"strings"
)

// Scopes are what a key may be used for. None includes another.
type Scopes uint8

// The scopes.
const (
	ScopeRead  Scopes = 1 << iota // what the mirror answers
	ScopeWrite                    // writes on groups, and sweeps on demand
	ScopeAdmin                    // writes on users, accepting held removals, forgetting people
)

// scopeNames are in the order of the bits.
var scopeNames = []string{"read", "write", "admin"}

// ParseScopes reads names with commas between them: "read,write". Its error
// does not repeat what it was given.
func ParseScopes(s string) (Scopes, error) {
	var scopes Scopes
	for name := range strings.SplitSeq(s, ",") {
		i := slices.Index(scopeNames, name)
		if i < 0 {
			return 0, fmt.Errorf("a scope is none of %s", strings.Join(scopeNames, ", "))
		}
		scopes |= 1 << i
	}
	return scopes, nil
}

// String returns the form that ParseScopes reads.
func (s Scopes) String() string {
	var names []string
	for i, name := range scopeNames {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

func (s Scopes) includes(all Scopes) bool { return s&all == all }
