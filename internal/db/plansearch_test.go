package db

import "maps"

func init() { maps.Copy(plans, searchPlans) }

// searchPlans are those of filters, searches and checks.
var searchPlans = map[string]readPlan{
	"members within a group":     {membersWithin, []any{`[1]`, 1}, []string{"SCAN j VIRTUAL TABLE", "SEARCH e BY PAIR"}},
	"pairs to check":             {pairsToCheck, []any{`{"a":1}`}, []string{"SCAN j VIRTUAL TABLE", "SEARCH g USING COVERING INDEX sqlite_autoindex_groups_1 (id=?)", "SEARCH m USING INTEGER PRIMARY KEY (rowid=?)", "SEARCH e BY PAIR"}},
	"pairs to check then":        {pairsToCheckAt, []any{`{"a":1}`, 1}, []string{"SCAN j VIRTUAL TABLE", "SEARCH k USING COVERING INDEX sqlite_autoindex_group_keys_1 (id=?)", "CORRELATED SCALAR SUBQUERY 1", "SEARCH g USING INTEGER PRIMARY KEY (rowid=?)", "CORRELATED SCALAR SUBQUERY 2", "SEARCH pg USING PRIMARY KEY (gid=? AND since<?)", "SEARCH m USING INTEGER PRIMARY KEY (rowid=?)", "SEARCH pm USING PRIMARY KEY (id=? AND since<?)", "SEARCH e USING COVERING INDEX memberships_by_member (member_id=? AND gid=? AND since<?)", "SEARCH pe USING COVERING INDEX past_memberships_by_member (member_id=? AND gid=? AND since<?)"}},
	"groups to check":            {groupsToCheck, []any{`["g"]`}, []string{"SCAN j VIRTUAL TABLE", "SEARCH g USING INDEX groups_by_name (name_key=?)"}},
	"groups to check then":       {groupsToCheckAt, []any{`["g"]`, 1}, []string{"COMPOUND QUERY", "SEARCH groups USING INDEX groups_by_name (name_key=?)", "SCAN json_each VIRTUAL TABLE", "SEARCH past_groups USING INDEX past_groups_by_name (name_key=?)", "REUSE LIST SUBQUERY 1"}},
	"members to check":           {membersToCheck, []any{`["g"]`}, []string{"SCAN j VIRTUAL TABLE", "SEARCH m USING INDEX members_by_email (email_key=?)"}},
	"members to check then":      {membersToCheckAt, []any{`["g"]`, 1}, []string{"COMPOUND QUERY", "SEARCH members USING INDEX members_by_email (email_key=?)", "SCAN json_each VIRTUAL TABLE", "SEARCH past_members USING INDEX past_members_by_email (email_key=?)", "REUSE LIST SUBQUERY 1"}},
	"guest edges to check":       {guestEdgesToCheckAt, []any{`["g"]`, 1}, []string{"COMPOUND QUERY", "SCAN j VIRTUAL TABLE", "SEARCH p USING COVERING INDEX sqlite_autoindex_guests_1 (email_key=?)", "SEARCH e USING COVERING INDEX guest_memberships_by_guest (guest_id=?)", "SCAN j VIRTUAL TABLE", "SEARCH p USING COVERING INDEX sqlite_autoindex_guests_1 (email_key=?)", "SEARCH e USING COVERING INDEX past_guest_memberships_by_guest (guest_id=?)"}},
	"least confirmed of some":    {leastConfirmedOf, []any{`[1]`, `[1]`}, []string{"COMPOUND QUERY", "SCAN j VIRTUAL TABLE", "SEARCH g USING INTEGER PRIMARY KEY (rowid=?)", "USE TEMP B-TREE FOR GROUP BY", "SCAN j VIRTUAL TABLE", "SEARCH m USING INTEGER PRIMARY KEY (rowid=?)", "USE TEMP B-TREE FOR GROUP BY"}},
	"members of ids":             {memberRowsOf, []any{`[1]`}, []string{"SCAN j VIRTUAL TABLE", "SEARCH members USING INTEGER PRIMARY KEY (rowid=?)"}},
	"members of ids then":        {memberRowsOfAt, []any{`[1]`, 1}, []string{"COMPOUND QUERY", "SEARCH members USING INTEGER PRIMARY KEY (rowid=?)", "SCAN json_each VIRTUAL TABLE", "SEARCH past_members USING PRIMARY KEY (id=? AND since<?)", "REUSE LIST SUBQUERY 1"}},
	"members in no group":        {membersInNoGroup, []any{1, 10}, []string{"SEARCH members USING COVERING INDEX members_in_no_group (id>?)"}},
	"members of a status":        {membersOfStatus, []any{"active", 1, 10}, []string{"SEARCH members USING COVERING INDEX members_by_status (status=? AND rowid>?)"}},
	"members of a role":          {membersOfRole, []any{"admin", 1, 10}, []string{"SEARCH members USING COVERING INDEX members_by_role (role=? AND rowid>?)"}},
	"members of a domain":        {membersOfDomain, []any{"x.test", 1, 10}, []string{"SEARCH members USING INDEX members_by_domain (domain=? AND rowid>?)"}},
	"count in no group":          {countInNoGroup, []any{10}, []string{"CO-ROUTINE some", "SCAN members USING COVERING INDEX members_in_no_group", "SCAN some"}},
	"count of a status":          {countOfStatus, []any{"active", 10}, []string{"CO-ROUTINE some", "SEARCH members USING COVERING INDEX members_by_status (status=?)", "SCAN some"}},
	"count of a role":            {countOfRole, []any{"admin", 10}, []string{"CO-ROUTINE some", "SEARCH members USING COVERING INDEX members_by_role (role=?)", "SCAN some"}},
	"count of a domain":          {countOfDomain, []any{"x.test", 10}, []string{"CO-ROUTINE some", "SEARCH members USING INDEX members_by_domain (domain=?)", "SCAN some"}},
	"texts of some members":      {memberTextsOf, []any{`[1]`}, []string{"SCAN j VIRTUAL TABLE", "SEARCH m USING INTEGER PRIMARY KEY (rowid=?)"}},
	"texts of some groups":       {groupTextsOf, []any{`[1]`}, []string{"SCAN j VIRTUAL TABLE", "SEARCH g USING INTEGER PRIMARY KEY (rowid=?)"}},
	"groups of gids":             {groupRowsOf, []any{`[1]`}, []string{"SCAN j VIRTUAL TABLE", "SEARCH groups USING INTEGER PRIMARY KEY (rowid=?)"}},
	"groups of a size":           {groupsOfSize, []any{3, 10}, []string{"SEARCH groups USING COVERING INDEX groups_by_size (member_count>?)"}},
	"empty groups":               {emptyGroups, []any{10}, []string{"SEARCH groups USING COVERING INDEX groups_by_size (member_count=? AND guest_count=?)"}},
	"guests of a domain":         {guestsOfDomain, []any{"x.test", 10}, []string{"SEARCH guests USING INDEX guests_by_domain (domain=?)"}},
	"edges of some members":      {edgesOfMembers, []any{`[1]`}, []string{"SCAN j VIRTUAL TABLE", "SEARCH e USING COVERING INDEX memberships_by_member (member_id=?)"}},
	"edges of some members then": {edgesOfMembersAt, []any{`[1]`, 1}, []string{"COMPOUND QUERY", "SCAN j VIRTUAL TABLE", "SEARCH e USING COVERING INDEX memberships_by_member (member_id=?)", "SCAN j VIRTUAL TABLE", "SEARCH e USING COVERING INDEX past_memberships_by_member (member_id=?)"}},
	"edges of some guests":       {edgesOfGuestsAt, []any{`[1]`, 1}, []string{"COMPOUND QUERY", "SCAN j VIRTUAL TABLE", "SEARCH p USING INTEGER PRIMARY KEY (rowid=?)", "SEARCH e USING COVERING INDEX guest_memberships_by_guest (guest_id=?)", "SCAN j VIRTUAL TABLE", "SEARCH p USING INTEGER PRIMARY KEY (rowid=?)", "SEARCH e USING COVERING INDEX past_guest_memberships_by_guest (guest_id=?)"}},
	"count edges of guests":      {countEdgesOfGuests, []any{"x.test"}, []string{"SEARCH p USING INDEX guests_by_domain (domain=?)", "SEARCH e USING COVERING INDEX guest_memberships_by_guest (guest_id=?)"}},
	"members changed since":      {membersChangedSince, []any{1, 10}, []string{"SEARCH p USING COVERING INDEX past_members_by_until (until>?)"}},
	"members who joined since":   {membersWhoJoinedSince, []any{1, 10}, []string{"SEARCH e USING COVERING INDEX memberships_by_since (since>?)"}},
	"groups changed since":       {groupsChangedSince, []any{1, 10}, []string{"SEARCH p USING COVERING INDEX past_groups_by_until (until>?)"}},
	"candidates":                 {candidatesIn(memberTrigrams), []any{`"abc"`, 1, 10}, []string{"SCAN member_texts VIRTUAL TABLE"}},
	"count candidates":           {countCandidatesIn(memberTrigrams), []any{`"abc"`, 10}, []string{"CO-ROUTINE (subquery-1)", "SCAN member_texts VIRTUAL TABLE", "SCAN (subquery-1)"}},
}
