// Package access decides who may ask what of the mirror. Callers are told
// apart in one of three modes: by nothing, by keys of a file, or by the token
// that Tallyfy itself gave them. One table a mode says what each may do, and
// whose token goes upstream with it.
//
// No error, and nothing that prints a value of this package, holds a key or a
// token.
package access

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// A Mode is how callers are told apart.
type Mode string

// The modes, as --auth names them.
const (
	ModeNone    Mode = "none"    // whoever reaches the server: for loopback and sockets
	ModeKeys    Mode = "keys"    // by keys of a file
	ModeTallyfy Mode = "tallyfy" // by their own Tallyfy token
)

// Options choose a mode and what it needs.
type Options struct {
	Mode      Mode
	Keys      *Keys   // for ModeKeys
	Grants    *Grants // for ModeTallyfy
	LendToken bool    // for ModeNone: writes on groups without a token may use the sweep token
}

// An Access identifies callers and decides what they may do. It is safe for
// concurrent use.
type Access struct{ o Options }

// New refuses a mode that is not known or lacks what it needs.
func New(o Options) (*Access, error) {
	switch {
	case o.LendToken && o.Mode != ModeNone:
		return nil, errors.New("--lend-token is for --auth=none: leave it out")
	case o.Mode == ModeNone, o.Mode == ModeKeys && o.Keys != nil, o.Mode == ModeTallyfy && o.Grants != nil:
		return &Access{o}, nil
	case o.Mode == ModeKeys:
		return nil, errors.New("--auth=keys needs --keys-file: make one with `rollcall keys new`")
	case o.Mode == ModeTallyfy:
		return nil, errors.New("--auth=tallyfy needs somebody to ask what a token may see")
	}
	return nil, fmt.Errorf("--auth %q is not known: use none, keys or tallyfy", o.Mode)
}

// Mode is how callers are told apart.
func (a *Access) Mode() Mode { return a.o.Mode }

// Identify says who sent a request with these headers. It fails with
// ErrUnauthenticated, with a *RetryLaterError when Tallyfy cannot be asked, or
// with the cause of ctx's end. A long stream asks again at times, with the
// headers it came with, and ends when that fails.
//
// What is open to everybody needs no call of it: such a call may cost a probe.
func (a *Access) Identify(ctx context.Context, header http.Header) (Caller, error) {
	secret, err := credentials(header)
	switch {
	case a.o.Mode == ModeNone:
		return anonymous(header, secret), nil
	case err != nil:
		return Caller{}, err
	case a.o.Mode == ModeKeys:
		return a.byKey(secret)
	}
	return a.byToken(ctx, secret)
}

// anonymous is anybody. A header that holds a token goes upstream as it came.
func anonymous(header http.Header, token string) Caller {
	if token == "" {
		return Caller{How: ByNothing}
	}
	return Caller{How: ByNothing, own: newCredential(header.Get("Authorization"), token)}
}

func (a *Access) byKey(secret string) (Caller, error) {
	k, found := a.o.Keys.find(secret)
	if !found {
		return Caller{}, fmt.Errorf("%w: the keys file does not hold this key", ErrUnauthenticated)
	}
	return Caller{How: ByKey, Actor: k.name, scopes: k.scopes}, nil
}

func (a *Access) byToken(ctx context.Context, token string) (Caller, error) {
	grant, err := a.o.Grants.Of(ctx, token)
	if err != nil {
		return Caller{}, err
	}
	return Caller{
		How:    ByToken,
		Actor:  strconv.FormatInt(grant.UserID, 10),
		rights: grant.Rights,
		own:    newCredential("Bearer "+token, token),
	}, nil
}

// UpstreamAnswered tells what status Tallyfy gave to a request that carried
// the caller's own token. A 401 or 403 ends what was known of the token.
func (a *Access) UpstreamAnswered(c Caller, status int) {
	refused := status == http.StatusUnauthorized || status == http.StatusForbidden
	if refused && a.o.Mode == ModeTallyfy && c.own != nil {
		_, token := c.own()
		a.o.Grants.End(token)
	}
}
