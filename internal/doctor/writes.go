package doctor

// ofWrites are assumptions that reading cannot test.
var ofWrites = []assumption{
	{
		name: "create-description", assumed: "a group cannot be made without a description",
		otherwise: "a creation is passed on as it came, and Tallyfy's refusal with it", judge: unseen(needsWrite),
	},
	{
		name: "update-absent-fields", assumed: "an update may empty the lists and names that it leaves out",
		otherwise: "safe edits send all four fields; a raw update whose answer does not show everything is read again", judge: unseen(needsWrite),
	},
	{
		name: "update-name", assumed: "an update must carry the name",
		otherwise: "safe edits send it; a raw update is passed on as it came", judge: unseen(needsWrite),
	},
	{
		name: "update-status", assumed: "an update is answered with 201",
		otherwise: "any 2xx is a success", judge: unseen(needsWrite),
	},
	{
		name: "delete-status", assumed: "a deletion is answered with 204",
		otherwise: "200 with an object is a success, too", judge: unseen(needsWrite),
	},
	{
		name: "delete-unknown", assumed: "deleting an unknown group is 404",
		otherwise: "a 404 has the group read, it removes nothing by itself", judge: unseen(needsWrite),
	},
	{
		name: "validation-texts", assumed: "the texts of a 422 are for people",
		otherwise: "they are passed on as they came, and read by nothing", judge: unseen(needsWrite),
	},
	{
		name: "names-unique", assumed: "two groups may not have one name",
		otherwise: "names that are not unique are ambiguous and asked for by id", judge: unseen(needsWrite),
	},
	{
		name: "membership-moves-time", assumed: "a change of members alone may leave last_updated as it is",
		otherwise: "nothing: rows are compared by all they hold, never by their times", judge: unseen(needsWrite),
	},
	{
		name: "enable-restores", assumed: "enabling a user may bring memberships back",
		otherwise: "everything is swept again after such a write", judge: unseen(needsWrite),
	},
	{
		name: "new-guests", assumed: "a group's unknown guest e-mail may make a guest, under a cap of thirty an hour",
		otherwise: "Tallyfy's refusal is passed on", judge: unseen(needsWrite),
	},
	{
		name: "invite-fields", assumed: "an invitation needs role and message",
		otherwise: "it is passed on as it came", judge: unseen(needsWrite),
	},
	{
		name: "convert-at-once", assumed: "a member becomes a guest in one step",
		otherwise: "it is passed on as it came, and everything swept again", judge: unseen(needsWrite),
	},
	{
		name: "plan-limits", assumed: "a plan's limits are answered with 402 or 409",
		otherwise: "they are passed on as they came", judge: unseen(needsWrite),
	},
	{
		name: "who-writes-groups", assumed: "others than administrators may write groups if a setting lets them",
		otherwise: "Tallyfy decides, under the caller's own token; its 403 is passed on", judge: unseen(needsWrite),
	},
}

// ofRest are assumptions about what Rollcall does not use.
var ofRest = []assumption{
	{
		name: "no-webhooks", assumed: "no webhook tells of groups or members",
		otherwise: "nothing: Rollcall listens to none, and needs none signed, retried or logged", judge: unseen("the documents contradict each other, and none can be set up by reading"),
	},
	{
		name: "scim", assumed: "SCIM cannot be read",
		otherwise: "nothing: what an identity provider changes is found by polling", judge: unseen("its address and token are shown in Tallyfy's settings alone"),
	},
	{
		name: "invitation-paths", assumed: "resending and withdrawing an invitation have paths below users",
		otherwise: "a write below users whose reach is not known has everything swept again", judge: unseen("the paths are not documented"),
	},
	{
		name: "tasks-of-leavers", assumed: "tasks of a disabled member stay with them",
		otherwise: "nothing: Rollcall mirrors no tasks", judge: unseen("tasks are not looked at"),
	},
}
