package doctor

import (
	"fmt"
	"net/http"
	"strings"
)

var ofMembers = []assumption{
	{
		name: "user-keys", essential: true, assumed: "each user has id and email",
		otherwise: "a sweep whose users lack them is refused",
		judge: func(e *evidence) (Verdict, string) {
			return everyRow(e.users, "have both", func(u fields) bool { return u.has("id") && u.text("email") != "" })
		},
	},
	{
		name: "user-ids", assumed: "a user's id is a number",
		otherwise: "a number in quotes is read as a number",
		judge: func(e *evidence) (Verdict, string) {
			return everyRow(e.users, "are numbers", func(u fields) bool { return u.kind("id") == "number" })
		},
	},
	{
		name: "user-updated", assumed: "users say updated_at, not last_updated",
		otherwise: "either name is read, and what came is served",
		judge: func(e *evidence) (Verdict, string) {
			return everyRow(e.users, "say updated_at", func(u fields) bool { return u.has("updated_at") })
		},
	},
	{
		name: "user-status", assumed: "users say their status: active, invited or disabled",
		otherwise: "disabled_at, is_suspended, active and is_active tell who is disabled; the rest is active",
		judge: func(e *evidence) (Verdict, string) {
			return everyRow(e.users, "do", func(u fields) bool {
				switch strings.ToLower(u.text("status")) {
				case "active", "invited", "disabled":
					return true
				}
				return false
			})
		},
	},
	{
		name: "user-role", assumed: "users say their role in role, not in user_role",
		otherwise: "either name is read, in any case of letters",
		judge: func(e *evidence) (Verdict, string) {
			return everyRow(e.users, "do", func(u fields) bool { return u.has("role") })
		},
	},
	{
		name: "user-role-case", assumed: "roles are in small letters",
		otherwise: "letters are folded on /v1; Tallyfy's own surface shows what came",
		judge: func(e *evidence) (Verdict, string) {
			return everyRow(e.users, "are", func(u fields) bool {
				role := u.text("role") + u.text("user_role")
				return role == strings.ToLower(role)
			})
		},
	},
	{
		name: "user-groups-wrapped", assumed: "with=groups wraps the groups of a user in data",
		otherwise: "Rollcall's own answer wraps them",
		judge: func(e *evidence) (Verdict, string) {
			return everyRow(e.usersGroups, "do", func(u fields) bool { return u.kind("groups") == "object" })
		},
	},
	{
		name: "users-are-all", assumed: "the list holds users of every status, so at least the active ones that the organisation counts",
		otherwise: "a token that sees a part would mirror that part: give Rollcall an administrator's",
		judge: func(e *evidence) (Verdict, string) {
			if !e.organization.ok() || !e.sawAllUsers() {
				return NotVisible, e.organization.said() + ", users " + e.users.said()
			}
			counted, known := e.organization.row.number("users_count")
			if !known {
				return NotVisible, "the organisation does not tell its users_count"
			}
			return holds(len(e.users.rows) >= counted, fmt.Sprintf("%d listed, %d counted", len(e.users.rows), counted))
		},
	},
	{
		name: "who-lists-users", assumed: "others than administrators may list all users, too",
		otherwise: "a caller with a Tallyfy token is shown users only if its own list is as long as the mirror's",
		judge:     unseen("this token is one person's; another's would be needed"),
	},
	{
		name: "unknown-user", assumed: "an unknown user is 404",
		otherwise: "only a 404 RESOURCE_NOT_FOUND proves a removal",
		judge: func(e *evidence) (Verdict, string) {
			if e.unknownUser == nil || e.unknownUser.err != nil || e.unknownUser.status == http.StatusForbidden {
				return NotVisible, e.unknownUser.said()
			}
			return holds(e.unknownUser.status == http.StatusNotFound, e.unknownUser.said())
		},
	},
}

var ofGuests = []assumption{
	{
		name: "guest-ids", assumed: "a guest's id is a number",
		otherwise: "nothing: guests are known by their e-mail",
		judge: func(e *evidence) (Verdict, string) {
			return everyRow(e.guests, "are numbers", func(g fields) bool { return g.kind("id") == "number" })
		},
	},
	{
		name: "guest-names", assumed: "guests have their names beside details, not in it",
		otherwise: "nothing: Rollcall knows guests as e-mails of groups alone",
		judge: func(e *evidence) (Verdict, string) {
			return everyRow(e.guests, "do", func(g fields) bool { return g.has("first_name") })
		},
	},
	{
		name: "guest-disabled", assumed: "a guest's disabled_at stands in details",
		otherwise: "nothing: requests for guests go to Tallyfy",
		judge: func(e *evidence) (Verdict, string) {
			return everyRow(e.guests, "have it there", func(g fields) bool {
				var details fields
				g.object("details", &details)
				return details.has("disabled_at")
			})
		},
	},
	{
		name: "guest-read", assumed: "a guest that is read is 200, not 201",
		otherwise: "nothing: any 2xx is a success",
		judge: func(e *evidence) (Verdict, string) {
			if e.guest == nil || e.guest.err != nil || e.guest.status/100 != 2 {
				return NotVisible, e.guest.said()
			}
			return holds(e.guest.status == http.StatusOK, e.guest.said())
		},
	},
}
