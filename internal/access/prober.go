package access

import (
	"context"
	"fmt"

	"rollcall/internal/directory"
)

// A Prober asks Tallyfy on behalf of a token. Its errors are
// *directory.UpstreamError and hold no token. Each call is one request, paid
// from the upstream budget.
type Prober interface {
	// Me returns the id of the token's owner, from GET /me.
	Me(ctx context.Context, token string) (int64, error)
	// GroupTotal and UserTotal return the `total` of a list of one row; an
	// answer without one is an error.
	GroupTotal(ctx context.Context, token string) (int, error)
	UserTotal(ctx context.Context, token string) (int, error)
	// Role reads the single user and returns its role in lower case, empty
	// when the answer names none.
	Role(ctx context.Context, token string, user int64) (string, error)

	// SweepGroupTotal and SweepUserTotal ask the same with the sweep token.
	SweepGroupTotal(ctx context.Context) (int, error)
	SweepUserTotal(ctx context.Context) (int, error)
}

const roleAdmin = "admin"

// findings are what a probe learnt. With an error it was not finished: a right
// may be neither granted nor denied.
type findings struct {
	grant   Grant
	denied  Rights
	refused bool // Tallyfy does not know the token
	err     error
}

// ask probes a token, as cheaply as it can: what is refused early makes later
// requests needless.
func ask(ctx context.Context, p Prober, token string) (f findings) {
	f.grant.UserID, f.err = p.Me(ctx, token)
	if f.err != nil {
		f.refused = isDefinite(f.err)
		return f
	}
	groups := func(ctx context.Context) (int, error) { return p.GroupTotal(ctx, token) }
	if f.err = f.compare(ctx, SeesGroups, groups, p.SweepGroupTotal); f.err != nil {
		return f
	}
	users := func(ctx context.Context) (int, error) { return p.UserTotal(ctx, token) }
	if f.err = f.compare(ctx, SeesUsers, users, p.SweepUserTotal); f.err != nil {
		return f
	}
	if f.grant.Rights.includes(SeesGroups | SeesUsers) {
		f.err = f.readSelf(ctx, p, token)
	}
	return f
}

// compare grants the right if both tokens see equally many rows of a kind. As
// a row may come or go between the two requests, the first is made again
// before the right is denied.
func (f *findings) compare(ctx context.Context, right Rights, own, sweep func(context.Context) (int, error)) error {
	mine, err := own(ctx)
	if isDefinite(err) {
		f.denied |= right
		return nil
	}
	if err != nil {
		return err
	}
	f.grant.Rights |= IsMember
	all, err := sweep(ctx)
	if err != nil {
		return fmt.Errorf("with the sweep token: %w", err)
	}
	if mine != all {
		if mine, err = own(ctx); err != nil && !isDefinite(err) {
			return err
		}
	}
	f.decide(right, err == nil && mine == all)
	return nil
}

func (f *findings) readSelf(ctx context.Context, p Prober, token string) error {
	role, err := p.Role(ctx, token, f.grant.UserID)
	if err != nil && !isDefinite(err) {
		return err
	}
	f.decide(SeesFull, err == nil)
	f.decide(IsAdmin, err == nil && role == roleAdmin)
	return nil
}

func (f *findings) decide(right Rights, granted bool) {
	if granted {
		f.grant.Rights |= right
	} else {
		f.denied |= right
	}
}

// isDefinite reports whether Tallyfy said no. Everything else, such as
// silence, a 429, a 5xx or a page that is not JSON, says nothing of the token.
func isDefinite(err error) bool {
	if err == nil {
		return false
	}
	switch directory.ReasonOf(err) {
	case directory.ReasonUnauthorized, directory.ReasonForbidden, directory.ReasonNotFound, directory.ReasonRefused:
		return true
	}
	return false
}
