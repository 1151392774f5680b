package api

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rollcall/internal/access"
	"rollcall/internal/directory"
)

// decided says of every route what it is. Who adds a route adds a line here.
var decided = map[string]string{
	"GET /livez":        "open",
	"GET /readyz":       "open",
	"GET /metrics":      "status",
	"GET /openapi.json": "open",
	"GET /openapi.yaml": "open",
	"GET /docs":         "open",
	"GET /docs/":        "open",
	"/":                 "nothing",

	"GET {base}/organizations/{org}/groups":                    "Tallyfy's groups",
	"GET {base}/organizations/{org}/groups/{id}":               "Tallyfy's groups",
	"GET {base}/organizations/{org}/users":                     "Tallyfy's users",
	"GET {base}/organizations/{org}/users/{id}":                "Tallyfy's users",
	"POST {base}/organizations/{org}/groups":                   "group write",
	"PUT {base}/organizations/{org}/groups/{id}":               "group write",
	"DELETE {base}/organizations/{org}/groups/{id}":            "group write",
	"POST {base}/organizations/{org}/users/invite":             "user write",
	"PUT {base}/organizations/{org}/users/{id}":                "user write",
	"PUT {base}/organizations/{org}/users/{id}/role":           "user write",
	"DELETE {base}/organizations/{org}/users/{id}/disable":     "user write",
	"PUT {base}/organizations/{org}/users/{id}/enable":         "user write",
	"DELETE {base}/organizations/{org}/users/{id}":             "user write",
	"DELETE {base}/organizations/{org}/users/{id}/delete":      "user write",
	"PUT {base}/organizations/{org}/users/{id}/to/guest":       "user write",
	"PUT {base}/organizations/{org}/me":                        "forward",
	"PUT {base}/organizations/{org}/guests/{email}/enable":     "forward",
	"DELETE {base}/organizations/{org}/guests/{email}/disable": "forward",
	"DELETE {base}/organizations/{org}/guests/{email}":         "forward",
	"POST {base}/organizations/{org}/guests/{email}/to/member": "forward",
	"GET {base}/organizations/{org}":                           "forward",
	"GET {base}/organizations/{org}/{rest...}":                 "forward",
	"GET {base}/me":                           "forward",
	"GET {base}/me/{rest...}":                 "forward",
	"GET {base}/applications/{org}":           "forward",
	"GET {base}/applications/{org}/{rest...}": "forward",
	"{base}/organizations/{org}":              "forward",
	"{base}/organizations/{org}/{rest...}":    "forward",
	"{base}/me":                               "forward",
	"{base}/me/{rest...}":                     "forward",
	"{base}/applications/{org}":               "forward",
	"{base}/applications/{org}/{rest...}":     "forward",

	"GET /v1/groups":                            "groups",
	"GET /v1/groups/{g}":                        "groups",
	"GET /v1/groups/{g}/members":                "memberships",
	"GET /v1/members":                           "full",
	"GET /v1/members/{m}":                       "full",
	"GET /v1/members/{m}/groups":                "memberships",
	"GET /v1/guests/{email}/groups":             "memberships",
	"GET /v1/memberships":                       "memberships",
	"GET /v1/check":                             "memberships",
	"POST /v1/check":                            "memberships",
	"GET /v1/status":                            "status",
	"POST /v1/sync":                             "sweep",
	"POST /v1/query":                            "full",
	"POST /v1/members/{m}/forget":               "erasure",
	"PUT /v1/groups/{g}/members/{m}":            "safe edit",
	"DELETE /v1/groups/{g}/members/{m}":         "safe edit",
	"PUT /v1/groups/{g}/guests/{email}":         "safe edit",
	"DELETE /v1/groups/{g}/guests/{email}":      "safe edit",
	"PATCH /v1/groups/{g}":                      "safe edit",
	"/v1":                                       "nothing",
	"/v1/{rest...}":                             "nothing",
	"GET /v1/export/changes.csv":                "full",
	"GET /v1/export/changes.ndjson":             "full",
	"GET /v1/export/changes.parquet":            "full",
	"GET /v1/export/groups.csv":                 "full",
	"GET /v1/export/groups.ndjson":              "full",
	"GET /v1/export/groups.parquet":             "full",
	"GET /v1/export/members.csv":                "full",
	"GET /v1/export/members.ndjson":             "full",
	"GET /v1/export/members.parquet":            "full",
	"GET /v1/export/memberships.csv":            "full",
	"GET /v1/export/memberships.ndjson":         "full",
	"GET /v1/export/memberships.parquet":        "full",
	"GET /v1/export/membership_history.csv":     "full",
	"GET /v1/export/membership_history.ndjson":  "full",
	"GET /v1/export/membership_history.parquet": "full",
	"GET /v1/snapshot.sqlite":                   "full",
	"GET /v1/members/{m}/co-members":            "full",
	"GET /v1/members/{m}/shared-groups":         "memberships",
	"GET /v1/overlap":                           "memberships",
	"GET /v1/hygiene":                           "full",
	"GET /v1/changes":                           "full",
	"GET /v1/changes/stream":                    "full",
	"GET /v1/groups/{g}/timeline":               "full",
	"GET /v1/members/{m}/timeline":              "full",
	"GET /v1/diff":                              "full",
}

// alsoDecided are requests that are more than their route, or have none of
// their own.
var alsoDecided = map[string]string{
	"GET {base}/organizations/{org}/groups?with=assets":       "forward",
	"GET {base}/organizations/{org}/users/{id}?with=stats":    "forward",
	"POST {base}/organizations/{org}/users/{id}/add-watcher":  "forward",
	"PATCH {base}/organizations/{org}/groups/{id}":            "forward",
	"PUT {base}/organizations/{org}/users/{id}/custom-fields": "forward",
	"GET /v1/groups/{g}?with=members":                         "groups",
	"GET /v1/check?member=11&group=Sales":                     "memberships",
	"GET /v1/groups?as_of=rev:1":                              "full",
	"GET /v1/groups/{g}?as_of=rev:1":                          "full",
	"GET /v1/groups/{g}/members?%61s_of=rev:1":                "full",
	"GET /v1/members/{m}/groups?as_of=":                       "full",
	"GET /v1/check?member=11&group=Sales&as%5Fof=rev:1":       "full",
	"GET {base}/organizations/{org}/groups?as_of=rev:1":       "forward",
	"POST /v1/sync?accept_removals=x":                         "acceptance",
	"POST /v1/sync?wait=1s&accept_removals=":                  "acceptance",
}

// cells say for each kind of route what each kind of caller gets: an answer
// (yes), one from upstream under the caller's own token (own) or under that of
// the sweeps (sweep), or a refusal with its status.
var cells = map[string]string{
	//                   none        lent        keys                      tallyfy
	//                   bare token  bare token  none wrong read write adm none gone other groups users both admin
	"open":             "yes  yes    yes  yes    yes  yes   yes  yes   yes yes  yes  yes   yes    yes   yes  yes",
	"nothing":          "yes  yes    yes  yes    401  401   yes  yes   yes 401  401  yes   yes    yes   yes  yes",
	"groups":           "yes  yes    yes  yes    401  401   yes  403   403 401  401  403   yes    403   yes  yes",
	"memberships":      "yes  yes    yes  yes    401  401   yes  403   403 401  401  403   403    403   yes  yes",
	"full":             "yes  yes    yes  yes    401  401   yes  403   403 401  401  403   403    403   403  yes",
	"status":           "yes  yes    yes  yes    401  401   yes  403   403 401  401  403   403    403   yes  yes",
	"sweep":            "yes  yes    yes  yes    401  401   403  yes   403 401  401  403   yes    yes   yes  yes",
	"erasure":          "yes  yes    yes  yes    401  401   403  403   yes 401  401  403   403    403   403  yes",
	"acceptance":       "yes  yes    yes  yes    401  401   403  403   yes 401  401  403   403    403   403  yes",
	"Tallyfy's groups": "yes  yes    yes  yes    401  401   yes  403   403 401  401  403   yes    own   yes  yes",
	"Tallyfy's users":  "yes  yes    yes  yes    401  401   yes  403   403 401  401  403   own    own   own  yes",
	"group write":      "401  own    sweep own   401  401   403  sweep 403 401  401  403   own    own   own  own",
	"safe edit":        "401  own    sweep own   401  401   403  sweep 403 401  401  403   403    403   own  own",
	"user write":       "401  own    401  own    401  401   403  403   sweep 401 401 403   own    own   own  own",
	"forward":          "401  own    401  own    401  401   403  403   403 401  401  403   own    own   own  own",
}

// A visitor is a kind of caller, at the door of a world in some mode.
type visitor struct {
	name   string
	world  *world
	secret string
}

// visitors are in the order of the cells' columns.
func visitors(t *testing.T) []visitor {
	t.Helper()
	none := newPeople(t)
	lent := newPeople(t, func(o *Options) { o.Access = newAccess(t, access.Options{Mode: access.ModeNone, LendToken: true}) })
	keyed, ring := newKeyed(t)
	grants, err := access.NewGrants(access.GrantsOptions{Prober: played{
		"other": {}, "groups": {groups: true}, "users": {users: true}, "both": {groups: true, users: true},
		"admin": {groups: true, users: true, self: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(grants.Close)
	tokened := newPeople(t, func(o *Options) { o.Access = newAccess(t, access.Options{Mode: access.ModeTallyfy, Grants: grants}) })
	return []visitor{
		{"none bare", none, ""},
		{"none token", none, "own"},
		{"lent bare", lent, ""},
		{"lent token", lent, "own"},
		{"no key", keyed, ""},
		{"wrong key", keyed, ring["read"] + "x"},
		{"read key", keyed, ring["read"]},
		{"write key", keyed, ring["write"]},
		{"admin key", keyed, ring["admin"]},
		{"no token", tokened, ""},
		{"token that is gone", tokened, "gone"},
		{"token of another organisation", tokened, "other"},
		{"token that sees groups", tokened, "groups"},
		{"token that sees users", tokened, "users"},
		{"token that sees both", tokened, "both"},
		{"admin's token", tokened, "admin"},
	}
}

// ask sends a request and says what the visitor got, in the words of the
// cells. What goes upstream must go under the right token and no other.
func (v visitor) ask(t *testing.T, method, target string) string {
	t.Helper()
	w := v.world
	w.upstream.request, w.writer.request = nil, nil
	w.upstream.says(200, `{}`)
	w.writer.outcome = outcome(200)
	w.poller.sweep.Result = directory.SweepRunning
	var header []string
	if v.secret != "" {
		header = []string{"Authorization", "Bearer " + v.secret}
	}
	body := ""
	if method == http.MethodPatch {
		body = `{"name":"Purchasing"}`
	}
	got := w.do(method, target, body, header...)
	sent := w.upstream.request
	if sent == nil {
		sent = w.writer.request
	}
	switch {
	case sent == nil && (got.status == 401 || got.status == 403):
		return fmt.Sprint(got.status)
	case sent == nil:
		return "yes"
	case sent.Header.Get("Authorization") == "Bearer "+v.secret:
		return "own"
	case sent.Header.Get("Authorization") == "Bearer of the sweeps":
		return "sweep"
	}
	return "upstream with " + sent.Header.Get("Authorization")
}

func outcome(status int) *directory.Outcome {
	return &directory.Outcome{Status: status, Header: http.Header{}, Body: []byte(`{}`)}
}

var placeholders = regexp.MustCompile(`\{[^}]*\}`)

// requestOn makes a request that a pattern matches.
func requestOn(pattern, base string) (method, target string) {
	method, path, hasMethod := strings.Cut(pattern, " ")
	if !hasMethod {
		method, path = http.MethodPost, pattern
	}
	if strings.HasSuffix(path, "/stream") {
		method = http.MethodHead // which has an end
	}
	path = strings.Replace(path, "{base}", base, 1)
	path = strings.Replace(path, "{org}", org, 1)
	path = strings.Replace(path, "groups/{id}", "groups/"+salesID, 1)
	path = strings.Replace(path, "{g}", "Sales", 1)
	path = strings.Replace(path, "{email}", "guest@outside.test", 1)
	path = strings.Replace(path, "{rest...}", "x", 1)
	return method, placeholders.ReplaceAllString(path, "11")
}

func TestEveryRouteIsForThoseItIsFor(t *testing.T) {
	all, routes := visitors(t), maps.Clone(decided)
	maps.Copy(routes, alsoDecided)
	for _, pattern := range slices.Sorted(maps.Keys(routes)) {
		kind := routes[pattern]
		wants := strings.Fields(cells[kind])
		if len(wants) != len(all) {
			t.Fatalf("%q has %d cells for %d callers", kind, len(wants), len(all))
		}
		for _, base := range []string{"", "/api"} {
			if base != "" && !strings.Contains(pattern, "{base}") {
				continue
			}
			method, target := requestOn(pattern, base)
			for i, v := range all {
				if got := v.ask(t, method, target); got != wants[i] {
					t.Errorf("%s %s, %s: %s, want %s", method, target, v.name, got, wants[i])
				}
			}
		}
	}
}

func TestNoRouteIsUndecided(t *testing.T) {
	ofTallyfy := regexp.MustCompile(`^(\w+ )?(?:/api)?(/(?:organizations|me|applications)(?:/.*)?)$`)
	served := map[string]bool{}
	for pattern := range newPeople(t).api.server.actions {
		served[ofTallyfy.ReplaceAllString(pattern, "$1{base}$2")] = true
	}
	for pattern := range served {
		if decided[pattern] == "" {
			t.Errorf("nobody decided who may use %q", pattern)
		}
	}
	for pattern := range decided {
		if !served[pattern] {
			t.Errorf("%q is decided, and is not there", pattern)
		}
	}
}

// played is a Tallyfy that shows tokens this and that of 4 groups and 3 users.
type played map[string]struct{ groups, users, self bool }

func (p played) Me(_ context.Context, token string) (int64, error) {
	if _, known := p[token]; !known {
		return 0, refusal(directory.ReasonUnauthorized)
	}
	return 11, nil
}

func (p played) GroupTotal(_ context.Context, token string) (int, error) {
	return p.total(token, p[token].groups, 4)
}

func (p played) UserTotal(_ context.Context, token string) (int, error) {
	return p.total(token, p[token].users, 3)
}

// total shows a part to those who do not see all, and nothing to those of
// another organisation.
func (p played) total(token string, all bool, n int) (int, error) {
	switch seen := p[token]; {
	case all:
		return n, nil
	case seen.groups || seen.users:
		return n - 1, nil
	}
	return 0, refusal(directory.ReasonForbidden)
}

func (p played) Role(_ context.Context, token string, _ int64) (string, error) {
	if !p[token].self {
		return "", refusal(directory.ReasonForbidden)
	}
	return "admin", nil
}

func (played) SweepGroupTotal(context.Context) (int, error) { return 4, nil }
func (played) SweepUserTotal(context.Context) (int, error)  { return 3, nil }

func refusal(r directory.Reason) error { return &directory.UpstreamError{Op: "probe", Reason: r} }
