package doctor

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
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

var ofOrder = []assumption{
	{
		name: "order", assumed: "groups come in the order of their creation, oldest first",
		otherwise: "nothing upstream: rows are known by id; Rollcall's own lists are oldest first",
		judge: func(e *evidence) (Verdict, string) {
			return e.ordered(e.groups100, "created_at", false)
		},
	},
	{
		name: "ties", assumed: "of groups made in one instant the smaller id comes first",
		otherwise: "as for order",
		judge:     (*evidence).ties,
	},
	{
		name: "steady-order", assumed: "a list asked for twice comes in the same order",
		otherwise: "a listing that shifts is noticed by repeated rows and by total, and is made again",
		judge: func(e *evidence) (Verdict, string) {
			if !e.groups100.list() || !e.groupsAgain.list() {
				return NotVisible, e.groupsAgain.said()
			}
			return holds(slices.Equal(ids(e.groups100), ids(e.groupsAgain)), fmt.Sprintf("%d rows, twice", len(e.groups100.rows)))
		},
	},
	{
		name: "sort-by", assumed: "sort_by=name lists groups by name, ascending",
		otherwise: "Rollcall's own sort_by differs from Tallyfy's there",
		judge:     func(e *evidence) (Verdict, string) { return e.ordered(e.byName, "name", false) },
	},
	{
		name: "sort-by-minus", assumed: "sort_by=-name lists groups by name, descending",
		otherwise: "Rollcall's own sort_by differs from Tallyfy's there",
		judge:     func(e *evidence) (Verdict, string) { return e.ordered(e.byNameDown, "name", true) },
	},
	{
		name: "users-sort", assumed: "sort=-created_at lists users newest first",
		otherwise: "Rollcall's own sort differs from Tallyfy's there",
		judge:     func(e *evidence) (Verdict, string) { return e.ordered(e.usersDown, "created_at", true) },
	},
	{
		name: "search", assumed: "q finds groups by a part of their name",
		otherwise: "Rollcall's own q differs from Tallyfy's there",
		judge:     func(e *evidence) (Verdict, string) { return e.finds(e.search) },
	},
	{
		name: "search-folds-case", assumed: "q does not tell capitals from small letters",
		otherwise: "Rollcall's own q differs from Tallyfy's there",
		judge:     func(e *evidence) (Verdict, string) { return e.finds(e.searchUpper) },
	},
	{
		name: "search-is-literal", assumed: "q takes % for a character, not for anything at all",
		otherwise: "Rollcall's own q differs from Tallyfy's there",
		judge: func(e *evidence) (Verdict, string) {
			if !e.searchPercent.list() {
				return NotVisible, e.searchPercent.said()
			}
			holding := 0
			for _, g := range e.searchPercent.rows {
				if strings.Contains(g.text("name")+g.text("description"), "%") {
					holding++
				}
			}
			return holds(holding == len(e.searchPercent.rows), fmt.Sprintf("%d of %d found hold one", holding, len(e.searchPercent.rows)))
		},
	},
}

func ids(a *answer) []string {
	all := make([]string, len(a.rows))
	for i, row := range a.rows {
		all[i] = row.text("id")
	}
	return all
}

// ordered compares neighbours, as instants or case folded.
func (e *evidence) ordered(a *answer, field string, descending bool) (Verdict, string) {
	if !a.list() || len(a.rows) < 2 {
		return NotVisible, a.said() + ", too few rows to tell"
	}
	inversions, steps := 0, 0
	for i := 1; i < len(a.rows); i++ {
		before, after := key(a.rows[i-1], field), key(a.rows[i], field)
		if before == after {
			continue
		}
		steps++
		if before > after != descending {
			inversions++
		}
	}
	if steps == 0 {
		return NotVisible, "all rows are alike in " + field
	}
	return holds(inversions == 0, fmt.Sprintf("%d of %d steps go the other way", inversions, steps))
}

func key(row fields, field string) string {
	text := row.text(field)
	if at, ok := instant(text); ok {
		return at.UTC().Format("2006-01-02T15:04:05.000000000")
	}
	return strings.ToLower(text)
}

// instant reads the spellings of time that Tallyfy has used.
func instant(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, time.DateTime, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

func (e *evidence) ties() (Verdict, string) {
	if !e.groups100.list() {
		return NotVisible, e.groups100.said()
	}
	alike, inverted := 0, 0
	for i := 1; i < len(e.groups100.rows); i++ {
		before, after := e.groups100.rows[i-1], e.groups100.rows[i]
		if key(before, "created_at") == key(after, "created_at") {
			alike++
			if before.text("id") > after.text("id") {
				inverted++
			}
		}
	}
	if alike == 0 {
		return NotVisible, "no two groups were made in one instant"
	}
	return holds(inverted == 0, fmt.Sprintf("%d of %d pairs have the larger first", inverted, alike))
}

// finds reports whether a search for a part of a name found that group.
func (e *evidence) finds(a *answer) (Verdict, string) {
	if !a.list() {
		return NotVisible, a.said()
	}
	return holds(len(a.rows) > 0, fmt.Sprintf("%d found", len(a.rows)))
}
