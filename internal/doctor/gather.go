package doctor

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"rollcall/internal/directory"
)

// evidence is all that was asked. An answer that was not asked for is nil.
type evidence struct {
	Options
	asker
	token directory.TokenInfo

	me, otherClient, organizations, organization *answer

	groups, groups100, groups101, groupsAgain, groupsPast *answer
	byName, byNameDown                                    *answer
	search, searchUpper, searchPercent                    *answer
	group, groupAssets, unknownGroup, malformedGroup      *answer
	conditional                                           *answer

	users, user1, users101, usersDown, usersGroups, self, unknownUser *answer

	guests, guest *answer
	feed          *answer
}

// unknownID is a group's id that nothing has.
const unknownID = "00000000000000000000000000000000"

// unknownNumber is a user's id that nothing has.
const unknownNumber = "2147483646"

// gather asks everything in order. Once the token is refused nothing more is
// asked.
func (e *evidence) gather(ctx context.Context) error {
	for _, ask := range []func(context.Context) error{e.askToken, e.askGroups, e.askOneGroup, e.askUsers, e.askRest} {
		if err := ask(ctx); err != nil {
			return err
		}
		if e.me.err != nil || e.me.status == http.StatusUnauthorized {
			break
		}
	}
	return nil
}

// A read is one request and where its answer goes.
type read struct {
	into   **answer
	path   string
	query  string
	header http.Header
}

func (e *evidence) all(ctx context.Context, reads ...read) error {
	for _, r := range reads {
		query, err := url.ParseQuery(r.query)
		if err != nil {
			return err
		}
		if *r.into, err = e.get(ctx, r.path, query, r.header); err != nil {
			return err
		}
		if r.into == &e.me && (e.me.err != nil || e.me.status == http.StatusUnauthorized) {
			return nil
		}
	}
	return nil
}

func (e *evidence) path(below string) string { return "/organizations/" + e.Organization + below }

func (e *evidence) askToken(ctx context.Context) error {
	return e.all(
		ctx,
		read{into: &e.me, path: "/me"},
		read{into: &e.otherClient, path: "/me", header: http.Header{"X-Tallyfy-Client": {"n8n"}}},
		read{into: &e.organizations, path: "/me/organizations"},
		read{into: &e.organization, path: e.path("")},
	)
}

func (e *evidence) askGroups(ctx context.Context) error {
	list := e.path("/groups")
	if err := e.all(
		ctx,
		read{into: &e.groups, path: list},
		read{into: &e.groups100, path: list, query: "per_page=100"},
		read{into: &e.groupsAgain, path: list, query: "per_page=100"},
		read{into: &e.groups101, path: list, query: "per_page=101"},
		read{into: &e.byName, path: list, query: "per_page=100&sort_by=name"},
		read{into: &e.byNameDown, path: list, query: "per_page=100&sort_by=-name"},
		read{into: &e.groupsPast, path: list, query: "per_page=100&page=1000000"},
	); err != nil || !e.groups100.list() {
		return err
	}
	part := e.part()
	if part == "" {
		return nil
	}
	return e.all(
		ctx,
		read{into: &e.search, path: list, query: url.Values{"per_page": {"100"}, "q": {part}}.Encode()},
		read{into: &e.searchUpper, path: list, query: url.Values{"per_page": {"100"}, "q": {swapCase(part)}}.Encode()},
		read{into: &e.searchPercent, path: list, query: url.Values{"per_page": {"100"}, "q": {"%"}}.Encode()},
	)
}

// part is the inside of some group's name, to search for.
func (e *evidence) part() string {
	for _, g := range e.groups100.rows {
		if name := []rune(g.text("name")); len(name) > 4 {
			return string(name[1 : len(name)-1])
		}
	}
	return ""
}

func swapCase(s string) string {
	if upper := strings.ToUpper(s); upper != s {
		return upper
	}
	return strings.ToLower(s)
}

func (e *evidence) askOneGroup(ctx context.Context) error {
	list := e.path("/groups")
	if err := e.all(
		ctx,
		read{into: &e.unknownGroup, path: list + "/" + unknownID},
		read{into: &e.malformedGroup, path: list + "/no-id"},
	); err != nil || !e.groups100.list() || len(e.groups100.rows) == 0 {
		return err
	}
	one := list + "/" + url.PathEscape(e.example().text("id"))
	if err := e.all(ctx, read{into: &e.group, path: one}, read{into: &e.groupAssets, path: one, query: "with=assets"}); err != nil {
		return err
	}
	tag := e.group.header.Get("ETag")
	if tag == "" {
		return nil
	}
	return e.all(ctx, read{into: &e.conditional, path: one, header: http.Header{"If-None-Match": {tag}}})
}

// example is the listed group that shows most: the one with most members.
func (e *evidence) example() fields {
	best := e.groups100.rows[0]
	for _, g := range e.groups100.rows {
		if len(g.elements("members")) > len(best.elements("members")) {
			best = g
		}
	}
	return best
}

func (e *evidence) askUsers(ctx context.Context) error {
	list := e.path("/users")
	if err := e.all(
		ctx,
		read{into: &e.users, path: list},
		read{into: &e.user1, path: list, query: "per_page=1"},
		read{into: &e.users101, path: list, query: "per_page=101"},
		read{into: &e.usersDown, path: list, query: "per_page=20&sort=-created_at"},
		read{into: &e.usersGroups, path: list, query: "per_page=5&with=groups"},
		read{into: &e.unknownUser, path: list + "/" + unknownNumber},
	); err != nil || !e.me.ok() {
		return err
	}
	return e.all(ctx, read{into: &e.self, path: list + "/" + url.PathEscape(e.me.row.text("id"))})
}

func (e *evidence) askRest(ctx context.Context) error {
	list := e.path("/guests")
	if err := e.all(
		ctx,
		read{into: &e.feed, path: e.path("/activity-feeds"), query: "type=Group&per_page=1"},
		read{into: &e.guests, path: list, query: "per_page=20"},
	); err != nil || !e.guests.list() || len(e.guests.rows) == 0 {
		return err
	}
	return e.all(ctx, read{into: &e.guest, path: list + "/" + url.PathEscape(e.guests.rows[0].text("email"))})
}
