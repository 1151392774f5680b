package access

import "log/slog"

// How says by what a caller was identified.
type How string

// The ways.
const (
	ByNothing How = "nothing"
	ByKey     How = "key"
	ByToken   How = "token"
)

// A Caller is who sent a request. The zero Caller is nobody, and may do what
// is open to everybody.
type Caller struct {
	Actor string // a key's name or a Tallyfy user's id; empty when nobody is known
	How   How

	scopes Scopes
	rights Rights
	own    credential // nil without a Tallyfy token of the caller's own
}

// A credential returns a token and the header that carries it. It is a
// function because fmt, which prints unexported fields and follows pointers to
// structs, can show no more of one than its address.
type credential func() (header, token string)

func newCredential(header, token string) credential {
	return func() (string, string) { return header, token }
}

// Authorization returns the header under which the caller's requests go
// upstream, empty when there is none. It is the caller's token: never log it.
// A key is never returned.
func (c Caller) Authorization() string {
	if c.own == nil {
		return ""
	}
	header, _ := c.own()
	return header
}

// String tells who it is.
func (c Caller) String() string {
	switch c.How {
	case ByKey:
		return "key " + c.Actor
	case ByToken:
		return "Tallyfy user " + c.Actor
	case ByNothing:
		return "anybody"
	}
	return "nobody"
}

// LogValue gives a log the actor and how it was identified.
func (c Caller) LogValue() slog.Value {
	return slog.GroupValue(slog.String("actor", c.Actor), slog.String("by", string(c.How)))
}
