package doctor

import (
	"fmt"
	"net/url"
	"strings"
)

var ofLists = []assumption{
	{
		name: "groups-listed", essential: true, assumed: "GET …/groups answers a list",
		otherwise: "sweeps fail, and nothing that is stored changes",
		judge:     func(e *evidence) (Verdict, string) { return answered(e.groups100, e.groups100.list()) },
	},
	{
		name: "users-listed", essential: true, assumed: "GET …/users answers a list",
		otherwise: "sweeps fail, and nothing that is stored changes",
		judge:     func(e *evidence) (Verdict, string) { return answered(e.users, e.users.list()) },
	},
	{
		name: "lists-carry-meta", assumed: "lists say in meta.pagination how many rows there are",
		otherwise: "a listing goes on until a page brings nothing new, and removes only what two sweeps running miss",
		judge: func(e *evidence) (Verdict, string) {
			if !e.groups100.list() || !e.users.list() {
				return NotVisible, "groups " + e.groups100.said() + ", users " + e.users.said()
			}
			_, groups := e.groups100.meta.number("total")
			_, users := e.users.meta.number("total")
			return holds(groups && users, fmt.Sprintf("groups %t, users %t", groups, users))
		},
	},
	{
		name: "groups-default-page", assumed: "groups come ten at a time where no page size is asked for",
		otherwise: "nothing: Rollcall asks for a hundred; its own answers have ten by default",
		judge:     func(e *evidence) (Verdict, string) { return e.pageSize(e.groups, 10) },
	},
	{
		name: "groups-page-of-100", assumed: "a hundred groups come at once when asked for",
		otherwise: "a listing pages on by what arrives, whatever was asked for",
		judge:     func(e *evidence) (Verdict, string) { return e.pageSize(e.groups100, 100) },
	},
	{
		name: "groups-cap", assumed: "more than a hundred groups a page are cut to a hundred, not refused",
		otherwise: "nothing upstream: Rollcall never asks for more; its own answers are cut to a hundred",
		judge: func(e *evidence) (Verdict, string) {
			if e.groups101.list() {
				return e.pageSize(e.groups101, 100)
			}
			if e.groups101 == nil || e.groups101.status != 422 {
				return NotVisible, e.groups101.said()
			}
			return Contradicted, e.groups101.said()
		},
	},
	{
		name: "users-at-once", assumed: "all users come at once where no page size is asked for",
		otherwise: "a listing pages on by what arrives",
		judge: func(e *evidence) (Verdict, string) {
			total, known := e.usersTotal()
			if !known {
				return NotVisible, "no total: " + e.users.said()
			}
			return holds(total == len(e.users.rows), fmt.Sprintf("%d of %d", len(e.users.rows), total))
		},
	},
	{
		name: "users-page-size", assumed: "a page size that is asked for is kept to for users, beyond a hundred, too",
		otherwise: "nothing upstream: Rollcall asks for none; its own answers keep to it",
		judge:     func(e *evidence) (Verdict, string) { return e.pageSize(e.users101, 101) },
	},
	{
		name: "total-is-steady", assumed: "total is the same however a list is paged",
		otherwise: "a listing whose total moves is made again, three times at most, and then fails",
		judge: func(e *evidence) (Verdict, string) {
			if !e.users.list() || !e.user1.list() {
				return NotVisible, e.user1.said()
			}
			whole, known := e.users.meta.number("total")
			one, also := e.user1.meta.number("total")
			if !known || !also {
				return NotVisible, "no total"
			}
			return holds(whole == one, fmt.Sprintf("%d and %d", whole, one))
		},
	},
	{
		name: "total-pages", assumed: "total_pages is total divided by the page size in use",
		otherwise: "nothing: a listing ends when all rows have come, whatever total_pages says",
		judge: func(e *evidence) (Verdict, string) {
			if !e.user1.list() {
				return NotVisible, e.user1.said()
			}
			total, known := e.user1.meta.number("total")
			all, also := e.user1.meta.number("total_pages")
			if !known || !also {
				return NotVisible, "no total_pages"
			}
			return holds(all == max(1, total), fmt.Sprintf("%d pages of 1 for %d", all, total))
		},
	},
	{
		name: "past-the-end", assumed: "a page past the end is 200 and empty",
		otherwise: "a page that repeats known rows ends a listing, too",
		judge: func(e *evidence) (Verdict, string) {
			if e.groupsPast == nil {
				return NotVisible, e.groupsPast.said()
			}
			return holds(e.groupsPast.list() && len(e.groupsPast.rows) == 0, fmt.Sprintf("%s, %d rows", e.groupsPast.said(), len(e.groupsPast.rows)))
		},
	},
	{
		name: "links", assumed: "links are an object with previous and next, or an empty array",
		otherwise: "nothing: links are never read",
		judge: func(e *evidence) (Verdict, string) {
			if !e.user1.list() || e.user1.meta == nil {
				return NotVisible, "no meta"
			}
			kind := e.user1.meta.kind("links")
			return holds(kind == "object" || kind == "array" && len(e.user1.meta.elements("links")) == 0, kind)
		},
	},
	{
		name: "links-host", assumed: "links point at the host that was asked",
		otherwise: "nothing: links are never followed, as the token would go with them; Rollcall's own point at itself",
		judge:     (*evidence).linksHost,
	},
}

// usersTotal is how many users there are, if the list says so.
func (e *evidence) usersTotal() (int, bool) {
	if !e.users.list() {
		return 0, false
	}
	return e.users.meta.number("total")
}

// sawAllUsers reports whether the list of users came whole, as far as it says.
func (e *evidence) sawAllUsers() bool {
	total, known := e.usersTotal()
	return e.users.list() && (!known || total == len(e.users.rows))
}

// pageSize compares the page size in use with one that is expected.
func (e *evidence) pageSize(a *answer, want int) (Verdict, string) {
	if !a.list() {
		return NotVisible, a.said()
	}
	if size, known := a.meta.number("per_page"); known {
		return holds(size == want, fmt.Sprintf("per_page %d, %d rows", size, len(a.rows)))
	}
	if len(a.rows) > want {
		return Contradicted, fmt.Sprintf("%d rows", len(a.rows))
	}
	return NotVisible, fmt.Sprintf("%d rows, and no per_page", len(a.rows))
}

func (e *evidence) linksHost() (Verdict, string) {
	base, err := url.Parse(e.BaseURL)
	if err != nil || !e.user1.list() {
		return NotVisible, e.user1.said()
	}
	var links struct{ Next string }
	if e.user1.meta.object("links", &links); links.Next == "" {
		return NotVisible, "no link came"
	}
	next, err := url.Parse(links.Next)
	if err != nil {
		return NotVisible, "the link is no URL"
	}
	return holds(strings.EqualFold(next.Host, base.Host), next.Host)
}
