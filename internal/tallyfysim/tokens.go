package tallyfysim

import (
	"cmp"
	"strings"
)

// A caller is whom a token acts as.
type caller struct {
	user *User // the owner, who may be no row of the user list, when the organisation has no administrator
}

func (c caller) admin() bool { return c.user.Role == RoleAdmin }

// SetToken makes token the only valid one. It acts as an administrator.
func (s *Sim) SetToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
	s.tokens[token] = 0
	s.token = token
}

// AddToken makes one more token valid, acting as user while that is neither
// disabled nor gone.
func (s *Sim) AddToken(token string, user int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[token] = user
}

// RevokeToken ends a token, as logging out of the web application does.
func (s *Sim) RevokeToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, token)
}

// authenticate wants exactly one space between scheme and token.
func (s *Sim) authenticate(header string) (caller, bool) {
	token, ok := strings.CutPrefix(header, "Bearer ")
	if !ok || token == "" {
		return caller{}, false
	}
	id, ok := s.tokens[token]
	if !ok {
		return caller{}, false
	}
	if id == 0 {
		return caller{s.owner()}, true
	}
	user := s.users.byID[id]
	return caller{user}, user != nil && user.Status != StatusDisabled
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
