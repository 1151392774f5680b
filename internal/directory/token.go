package directory

import "time"

// A TokenKind says whose the token is that sweeps use, and how it came.
type TokenKind string

// The kinds.
const (
	TokenPersonal    TokenKind = "personal"    // given as it is; it ends when its owner logs out
	TokenApplication TokenKind = "application" // asked for with an application's credentials
	TokenActAs       TokenKind = "act_as"      // of a user, minted with an application's token
)

// A TokenInfo is what may be told of the token that sweeps use.
type TokenInfo struct {
	Kind      TokenKind
	ExpiresAt time.Time // zero when nothing tells, or there is none yet
}
