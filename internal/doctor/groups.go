package doctor

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var hexID = regexp.MustCompile(`^[0-9a-f]{32}$`)

var ofGroups = []assumption{
	{
		name: "group-keys", essential: true, assumed: "each group has id, name and members",
		otherwise: "a sweep whose groups lack them is refused",
		judge: func(e *evidence) (Verdict, string) {
			return everyRow(e.groups100, "have all three", func(g fields) bool {
				return g.text("id") != "" && g.text("name") != "" && g.has("members")
			})
		},
	},
	{
		name: "group-ids", assumed: "a group's id is a text of 32 hexadecimal digits",
		otherwise: "any text is an id, and a number is taken for its digits",
		judge: func(e *evidence) (Verdict, string) {
			return everyRow(e.groups100, "are so", func(g fields) bool { return g.kind("id") == "text" && hexID.MatchString(g.text("id")) })
		},
	},
	{
		name: "group-updated", assumed: "groups say last_updated, not updated_at",
		otherwise: "either name is read, and what came is served",
		judge: func(e *evidence) (Verdict, string) {
			return everyRow(e.groups100, "say last_updated", func(g fields) bool { return g.has("last_updated") })
		},
	},
	{
		name: "group-deleted-at", assumed: "groups have no deleted_at",
		otherwise: "a group whose deleted_at is set is gone",
		judge: func(e *evidence) (Verdict, string) {
			return everyRow(e.groups100, "have none", func(g fields) bool { return !g.has("deleted_at") })
		},
	},
	{
		name: "group-logo", assumed: "a group's logo is a text or null",
		otherwise: "what came is kept and served",
		judge: func(e *evidence) (Verdict, string) {
			return everyRow(e.groups100, "are so", func(g fields) bool { return g.kind("logo") == "text" || g.kind("logo") == "null" })
		},
	},
	{
		name: "group-members-numbers", assumed: "listed groups name their members by numbers",
		otherwise: "numbers in quotes are read as numbers; anything else is kept, makes no membership and is reported as drift",
		judge: func(e *evidence) (Verdict, string) {
			return everyRow(e.groups100, "do", func(g fields) bool { return !slices.ContainsFunc(g.elements("members"), isQuoted) })
		},
	},
	{
		name: "group-read-singly", assumed: "a group read singly shows the members of the list",
		otherwise: "a single read is applied field by field; one that lacks many members is not believed until a sweep shows the same",
		judge:     (*evidence).sameMembers,
	},
	{
		name: "group-single-form", assumed: "a group read singly names its members by numbers in quotes",
		otherwise: "both spellings are the same row, and the list's is served",
		judge: func(e *evidence) (Verdict, string) {
			if !e.group.ok() || len(e.group.row.elements("members")) == 0 {
				return NotVisible, e.group.said()
			}
			return holds(isQuoted(e.group.row.elements("members")[0]), "of "+strconv.Itoa(len(e.group.row.elements("members"))))
		},
	},
	{
		name: "group-with-assets", assumed: "with=assets adds an object of that name",
		otherwise: "nothing: such a request goes to Tallyfy",
		judge: func(e *evidence) (Verdict, string) {
			if !e.groupAssets.ok() {
				return NotVisible, e.groupAssets.said()
			}
			return holds(e.groupAssets.row.kind("assets") == "object", e.groupAssets.row.kind("assets"))
		},
	},
	{
		name: "group-description", assumed: "no group lacks a description",
		otherwise: "null and empty are kept; a safe edit leaves an empty one out",
		judge: func(e *evidence) (Verdict, string) {
			return everyRow(e.groups100, "have one", func(g fields) bool { return g.kind("description") == "text" && g.text("description") != "" })
		},
	},
	{
		name: "unknown-group", assumed: "an unknown group is 404 RESOURCE_NOT_FOUND",
		otherwise: "only that answer proves a removal; without it a group goes when two sweeps running miss it",
		judge: func(e *evidence) (Verdict, string) {
			if e.unknownGroup == nil || e.unknownGroup.err != nil {
				return NotVisible, e.unknownGroup.said()
			}
			coded := strings.Contains(string(e.unknownGroup.body), `"RESOURCE_NOT_FOUND"`)
			return holds(e.unknownGroup.status == http.StatusNotFound && coded, fmt.Sprintf("%s, with the code: %t", e.unknownGroup.said(), coded))
		},
	},
	{
		name: "malformed-group", assumed: "an id that is none is 404, not 422",
		otherwise: "Rollcall's own answer is 404",
		judge: func(e *evidence) (Verdict, string) {
			if e.malformedGroup == nil || e.malformedGroup.err != nil {
				return NotVisible, e.malformedGroup.said()
			}
			return holds(e.malformedGroup.status == http.StatusNotFound, e.malformedGroup.said())
		},
	},
	{
		name: "members-are-users", assumed: "every member of a group is in the list of users",
		otherwise: "the membership is kept under its number, without a person",
		judge: func(e *evidence) (Verdict, string) {
			return e.memberships(func(status string) bool { return status != "" }, "are")
		},
	},
	{
		name: "disabled-leave-groups", assumed: "disabled users are in no group",
		otherwise: "what Tallyfy shows is kept; a check says that a disabled person is not in",
		judge: func(e *evidence) (Verdict, string) {
			if !e.usersHaveStatus() {
				return NotVisible, "users do not say their status"
			}
			return e.memberships(func(status string) bool { return status != "disabled" }, "are of others")
		},
	},
	{
		name: "invited-in-groups", assumed: "invited users may be in groups",
		otherwise: "nothing: they are served as Tallyfy shows them",
		judge: func(e *evidence) (Verdict, string) {
			if v, seen := e.memberships(func(status string) bool { return status != "invited" }, "are of others"); v == Contradicted {
				return Confirmed, seen
			}
			return NotVisible, "no invited user is in one of the groups seen"
		},
	},
}

func isQuoted(raw json.RawMessage) bool { return len(raw) > 0 && raw[0] == '"' }

// everyRow confirms what holds for all rows of a list that has some.
func everyRow(a *answer, what string, fact func(fields) bool) (Verdict, string) {
	if !a.list() || len(a.rows) == 0 {
		return NotVisible, a.said() + ", no rows"
	}
	n := 0
	for _, row := range a.rows {
		if fact(row) {
			n++
		}
	}
	return holds(n == len(a.rows), fmt.Sprintf("%d of %d %s", n, len(a.rows), what))
}

func (e *evidence) sameMembers() (Verdict, string) {
	if !e.group.ok() {
		return NotVisible, e.group.said()
	}
	listed, read := numbers(e.example()), numbers(e.group.row)
	if len(listed) == 0 {
		return NotVisible, "no group seen has members"
	}
	return holds(slices.Equal(listed, read), fmt.Sprintf("%d listed, %d read", len(listed), len(read)))
}

// numbers are a group's members, sorted, without those that are no numbers.
func numbers(g fields) []int {
	var all []int
	for _, raw := range g.elements("members") {
		if n, err := strconv.Atoi(strings.Trim(string(raw), `"`)); err == nil {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// memberships confirms what holds for the status of every member of the
// groups seen; the status is empty for who is not listed.
func (e *evidence) memberships(fact func(status string) bool, what string) (Verdict, string) {
	if !e.groups100.list() || !e.sawAllUsers() {
		return NotVisible, "not all groups and users were seen: " + e.groups100.said() + ", " + e.users.said()
	}
	statuses := map[int]string{}
	for _, u := range e.users.rows {
		if id, ok := u.number("id"); ok {
			statuses[id] = cmp.Or(strings.ToLower(u.text("status")), "unknown")
		}
	}
	n, all := 0, 0
	for _, g := range e.groups100.rows {
		for _, id := range numbers(g) {
			all++
			if fact(statuses[id]) {
				n++
			}
		}
	}
	if all == 0 {
		return NotVisible, "no group seen has members"
	}
	return holds(n == all, fmt.Sprintf("%d of %d %s", n, all, what))
}

func (e *evidence) usersHaveStatus() bool {
	return e.users.list() && !slices.ContainsFunc(e.users.rows, func(u fields) bool { return u.kind("status") != "text" })
}
