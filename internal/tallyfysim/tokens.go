package tallyfysim

import (
	"cmp"
	"maps"
	"strings"
	"time"
)

// A caller is whom a token acts as.
type caller struct {
	user        *User // the owner, who may be no row of the user list, when the organisation has no administrator
	application bool  // the token is an application's own; user is then the owner
}

func (c caller) admin() bool { return c.user.Role == RoleAdmin }

// A pass is what the simulator knows of a valid token.
type pass struct {
	kind  passKind
	user  int64     // whom it acts as; 0 for the owner
	until time.Time // zero for a token that does not expire
}

type passKind int

const (
	personal    passKind = iota // ends when its user logs out
	application                 // of the application itself
	minted                      // by an application, for a user
)

func (p pass) over(now time.Time) bool { return !p.until.IsZero() && !now.Before(p.until) }

// SetToken makes token the only valid one. It acts as an administrator.
func (s *Sim) SetToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
	s.tokens[token] = pass{}
	s.token = token
}

// AddToken makes one more personal token valid, acting as user while that is
// neither disabled nor gone.
func (s *Sim) AddToken(token string, user int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[token] = pass{user: user}
}

// PersonalToken returns a new personal token of user, 0 for the owner, that
// is valid for life and tells so as far as Options let it.
func (s *Sim) PersonalToken(user int64, life time.Duration) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issue(pass{personal, user, time.Now().Add(life)})
}

// RevokeToken ends a token of any kind.
func (s *Sim) RevokeToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, token)
}

// LogOut ends the personal tokens of user, 0 for the owner, as logging out of
// the web application does. Tokens that an application minted live on.
func (s *Sim) LogOut(user int64) {
	s.endTokens(func(p pass) bool { return p.kind == personal && p.user == user })
}

// RevokeIssued ends every token that an application was given or minted.
func (s *Sim) RevokeIssued() {
	s.endTokens(func(p pass) bool { return p.kind != personal })
}

func (s *Sim) endTokens(ends func(pass) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.tokens, func(_ string, p pass) bool { return ends(p) })
}

// authenticate wants exactly one space between scheme and token.
func (s *Sim) authenticate(header string) (caller, bool) {
	token, ok := strings.CutPrefix(header, "Bearer ")
	if !ok || token == "" {
		return caller{}, false
	}
	p, ok := s.tokens[token]
	switch {
	case !ok || p.over(time.Now()):
		return caller{}, false
	case p.kind == application:
		return caller{s.owner(), true}, true
	case p.user == 0:
		return caller{user: s.owner()}, true
	}
	user := s.users.byID[p.user]
	return caller{user: user}, user != nil && user.Status != StatusDisabled
}

// owner is whom the organisation's own token acts as: the default
// administrator, else the first active one, else somebody outside.
func (s *Sim) owner() *User {
	var first *User
	for _, u := range s.users.order {
		if u.Role != RoleAdmin || u.Status != StatusActive || u.Bot {
			continue
		}
		if u.DefaultAdmin {
			return u
		}
		first = cmp.Or(first, u)
	}
	return cmp.Or(first, &User{ID: 1, Email: "owner@works.test", FirstName: "Owner", Role: RoleAdmin, Status: StatusActive, Timezone: "UTC", UTCOffset: "+00:00"})
}
