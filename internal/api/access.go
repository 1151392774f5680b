package api

import (
	"context"
	"errors"
	"net/http"

	"rollcall/internal/access"
)

// guarded lets h answer those requests that may have an answer. It is the one
// place where that is decided, for every route, before anything else is done.
func (s *server) guarded(a access.Action, h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := h
		err := s.admit(r, a)
		if s.mayForwardInstead(r, err) {
			h, err = s.forward, nil
		}
		if err == nil {
			err = h(w, r)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	})
}

// admit lets r through if whoever sent it may do what it asks, of the
// organisation that is served.
func (s *server) admit(r *http.Request, a access.Action) error {
	if a == access.Open {
		return nil
	}
	if err := s.identify(r); err != nil {
		return err
	}
	if org := r.PathValue("org"); org != "" && org != s.Organization {
		return notFoundUpstream()
	}
	return s.permit(r, asked(r, a))
}

// identify notes who sent r, once it is clear that r is not the trick of a
// page in a browser.
func (s *server) identify(r *http.Request) error {
	if err := s.borders.check(r); err != nil {
		return err
	}
	about := infoOf(r.Context())
	about.authorization = r.Header["Authorization"]
	caller, err := s.Access.Identify(r.Context(), r.Header)
	about.caller = caller
	return err
}

// asked is what a request to a route asks to do: of the sweeps, one that is to
// accept removals is more than a sweep, and a past state is history, whatever
// is read of it.
func asked(r *http.Request, a access.Action) access.Action {
	switch a {
	case access.Sync:
		if r.URL.Query().Has("accept_removals") {
			return access.AcceptRemovals
		}
	case access.ReadGroups, access.ReadMembers, access.ReadMemberships:
		if isV1(r.URL.Path) && isDated(r) {
			return access.ReadFull
		}
	}
	return a
}

// permit lets the caller of r do something, or says why not. It leaves on r
// no token but the one under which r may go upstream, so that nobody further
// down need know who called, and a key cannot leave.
func (s *server) permit(r *http.Request, a access.Action) error {
	about := infoOf(r.Context())
	with, err := s.Access.Decide(about.caller, a)
	if err != nil {
		return err
	}
	about.with = with
	r.Header.Del("Authorization")
	switch with {
	case access.OwnToken:
		r.Header.Set("Authorization", about.caller.Authorization())
	case access.SweepToken:
		return s.Upstream.Authorize(r.Context(), r.Header)
	}
	return nil
}

// may reports whether the caller of the request that ctx belongs to may do
// something beside what was asked.
func (s *server) may(ctx context.Context, a access.Action) bool {
	_, err := s.Access.Decide(infoOf(ctx).caller, a)
	return err == nil
}

// mayForwardInstead reports whether a read of Tallyfy's surface that the
// mirror must not answer may go upstream: what a caller sees of it there, by
// its own token, is Tallyfy's to say.
func (s *server) mayForwardInstead(r *http.Request, err error) bool {
	_, forbidden := errors.AsType[*access.ForbiddenError](err)
	if !forbidden || !isRead(r) || !isTallyfys(r.URL.Path) || s.permit(r, access.ForwardRead) != nil {
		return false
	}
	infoOf(r.Context()).beyond = true
	return true
}

// toTheKnown lets h answer whoever is known, whatever they may do. It is for
// what shows nothing.
func (s *server) toTheKnown(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := s.identify(r); err != nil {
			return err
		}
		return h(w, r)
	}
}

// heed takes notice of the status that Tallyfy gave to r. A refusal of the
// sweep token is not the caller's and becomes an error; one of the caller's
// own token ends what was known of it, unless it was known to see too little.
func (s *server) heed(r *http.Request, status int) error {
	about := infoOf(r.Context())
	switch about.with {
	case access.SweepToken:
		return refusedInstead(status)
	case access.OwnToken:
		if !about.beyond || status != http.StatusForbidden {
			s.Access.UpstreamAnswered(about.caller, status)
		}
	}
	return nil
}

// Actor is who sent the request that ctx belongs to: a key's name or the id of
// a Tallyfy user, empty when nobody is known.
func Actor(ctx context.Context) string {
	if about := infoOf(ctx); about != nil {
		return about.caller.Actor
	}
	return ""
}

func isRead(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

func isWrite(r *http.Request) bool { return !isRead(r) && r.Method != http.MethodOptions }
