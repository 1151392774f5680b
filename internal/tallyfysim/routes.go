package tallyfysim

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A route is a method and path below the base. A segment in braces takes any
// value.
type route struct {
	method  string
	pattern string
	handle  func(*Sim, *call) answer
}

var routes = []route{
	{http.MethodGet, "me", (*Sim).getMe},
	{http.MethodGet, "me/organizations", (*Sim).listOrganizations},
	{http.MethodGet, "organizations/{org}", (*Sim).getOrganization},
	{http.MethodGet, "organizations/{org}/me", (*Sim).getMe},
	{http.MethodPut, "organizations/{org}/me", (*Sim).updateMe},

	{http.MethodGet, "organizations/{org}/groups", (*Sim).listGroups},
	{http.MethodPost, "organizations/{org}/groups", (*Sim).createGroup},
	{http.MethodGet, "organizations/{org}/groups/{id}", (*Sim).getGroup},
	{http.MethodPut, "organizations/{org}/groups/{id}", (*Sim).updateGroup},
	{http.MethodDelete, "organizations/{org}/groups/{id}", (*Sim).deleteGroup},

	{http.MethodGet, "organizations/{org}/users", (*Sim).listUsers},
	{http.MethodPost, "organizations/{org}/users/invite", (*Sim).inviteUser},
	{http.MethodGet, "organizations/{org}/users/{id}", (*Sim).getUser},
	{http.MethodPut, "organizations/{org}/users/{id}", (*Sim).updateUser},
	{http.MethodPut, "organizations/{org}/users/{id}/role", (*Sim).changeRole},
	{http.MethodDelete, "organizations/{org}/users/{id}/disable", (*Sim).disableUser},
	{http.MethodPut, "organizations/{org}/users/{id}/enable", (*Sim).enableUser},
	{http.MethodDelete, "organizations/{org}/users/{id}", (*Sim).removeUser},
	{http.MethodDelete, "organizations/{org}/users/{id}/delete", (*Sim).deleteUser},
	{http.MethodPut, "organizations/{org}/users/{id}/to/guest", (*Sim).convertToGuest},

	{http.MethodGet, "organizations/{org}/guests", (*Sim).listGuests},
	{http.MethodPost, "organizations/{org}/guests", (*Sim).createGuest},
	{http.MethodGet, "organizations/{org}/guests/{email}", (*Sim).getGuest},
	{http.MethodPut, "organizations/{org}/guests/{email}", (*Sim).updateGuest},
	{http.MethodDelete, "organizations/{org}/guests/{email}", (*Sim).deleteGuest},
	{http.MethodDelete, "organizations/{org}/guests/{email}/disable", (*Sim).disableGuest},
	{http.MethodPut, "organizations/{org}/guests/{email}/enable", (*Sim).enableGuest},
	{http.MethodPost, "organizations/{org}/guests/{email}/to/member", (*Sim).convertToMember},

	{http.MethodPost, "applications/{org}/users", (*Sim).provisionUser},
	{http.MethodPost, "applications/{org}/users/{email}/token", (*Sim).mintToken},
}

// scoped says whether the route is one organisation's.
func (r route) scoped() bool { return strings.Contains(r.pattern, "/{org}") }

// personal says whether the route is about whoever asks.
func (r route) personal() bool { return slices.Contains(strings.Split(r.pattern, "/"), "me") }

// application says whether the route is for applications alone.
func (r route) application() bool { return strings.HasPrefix(r.pattern, "applications/") }

// isTokenEndpoint knows the paths at which the documentation has it, on
// whatever host. Upstream asks for no client header there.
func isTokenEndpoint(method, path string) bool {
	return method == http.MethodPost && (path == "/oauth/token" || path == "/api/oauth/token")
}

// match finds the route of a method and escaped path and the decoded values of
// its placeholders. The web application's host serves the same paths below
// /api.
func match(method, escaped string) (route, []string, bool) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	path := strings.TrimPrefix(strings.TrimPrefix(escaped, "/"), "api/")
	segments := strings.Split(path, "/")
	for _, r := range routes {
		if r.method != method {
			continue
		}
		if params, ok := fit(strings.Split(r.pattern, "/"), segments); ok {
			return r, params, true
		}
	}
	return route{}, nil, false
}

func fit(pattern, segments []string) ([]string, bool) {
	if len(pattern) != len(segments) {
		return nil, false
	}
	var params []string
	for i, want := range pattern {
		got, err := url.PathUnescape(segments[i])
		switch {
		case err != nil || got == "":
			return nil, false
		case strings.HasPrefix(want, "{"):
			params = append(params, got)
		case got != want:
			return nil, false
		}
	}
	return params, true
}
