package access

import "fmt"

// Decide says whether the caller may do something, and whose token goes
// upstream with it. It fails with ErrUnauthenticated when nobody is known, or
// a token is missing, and with a *ForbiddenError otherwise. The caller must
// be one that Identify returned for this request.
func (a *Access) Decide(c Caller, action Action) (Upstream, error) {
	if action == Open {
		return NoToken, nil
	}
	switch {
	case a.o.Mode == ModeNone && c.How == ByNothing:
		return a.decideAnybody(c, action)
	case a.o.Mode == ModeKeys && c.How == ByKey:
		return decideKey(c, action)
	case a.o.Mode == ModeTallyfy && c.How == ByToken:
		return decideToken(c, action)
	}
	return NoToken, unauthenticated("nobody is known by this request")
}

func (a *Access) decideAnybody(c Caller, action Action) (Upstream, error) {
	rule, known := anybodyTable[action]
	switch {
	case !known:
		return NoToken, &ForbiddenError{action, "no caller may do it"}
	case rule == nothing:
		return NoToken, nil
	case c.own != nil:
		return OwnToken, nil
	case rule == aTokenOr && a.o.LendToken:
		return SweepToken, nil
	}
	return NoToken, unauthenticated("this goes to Tallyfy: send your own Tallyfy token as Authorization: Bearer")
}

func decideKey(c Caller, action Action) (Upstream, error) {
	rule := keyTable[action]
	if rule.scope == 0 {
		return NoToken, &ForbiddenError{action, "no key reaches what the mirror cannot answer itself"}
	}
	if !c.scopes.includes(rule.scope) {
		return NoToken, &ForbiddenError{action, fmt.Sprintf("key %s has the scopes %s, and it needs %s", c.Actor, c.scopes, rule.scope)}
	}
	return rule.with, nil
}

func decideToken(c Caller, action Action) (Upstream, error) {
	rule := tokenTable[action]
	if rule.rights == 0 {
		return NoToken, &ForbiddenError{action, "no caller may do it"}
	}
	if why := c.rights.missing(rule.rights); why != "" {
		return NoToken, &ForbiddenError{action, why}
	}
	return rule.with, nil
}
