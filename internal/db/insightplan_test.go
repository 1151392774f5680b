package db

import (
	"slices"
	"strings"
	"testing"
)

// fillInsight makes some of what is out of order.
var fillInsight = []string{
	`UPDATE members SET status = 'disabled' WHERE id % 40 = 0`,
	`UPDATE members SET last_login_ms = 1 WHERE id % 50 <> 0`,
	`UPDATE members SET group_count = 0 WHERE id % 100 = 0`,
	`UPDATE groups SET member_count = 0, guest_count = 0 WHERE gid % 50 = 0`,
	`UPDATE groups SET member_count = 2 WHERE gid % 50 <> 0 AND gid % 60 <> 0`,
	`INSERT INTO strangers SELECT 6000 + i, 0 FROM (WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 300) SELECT i FROM c)`,
}

// insightPlans say how the reads of overlaps, company and hygiene must go.
var insightPlans = map[string]readPlan{
	"neighbours": {neighbours, []any{7}, []string{
		"SEARCH e USING PRIMARY KEY (gid=?)",
		"SEARCH o USING COVERING INDEX memberships_by_member (member_id=?)",
		"USE TEMP B-TREE FOR GROUP BY",
	}},
	"shared groups": {sharedGroups, []any{7, 8}, []string{
		"SEARCH a USING INTEGER PRIMARY KEY (rowid=?)",
		"SEARCH b USING INTEGER PRIMARY KEY (rowid=?)",
		"SEARCH one USING COVERING INDEX memberships_by_member (member_id=?)",
		"SEARCH other BY PAIR",
		"SEARCH g USING INTEGER PRIMARY KEY (rowid=?)",
	}},
	"all edges then": {edgesAt, []any{1}, []string{
		"COMPOUND QUERY",
		"SCAN e USING COVERING INDEX memberships_by_member",
		"SEARCH p USING COVERING INDEX past_memberships_by_until (until>?)",
	}},
	"neighbours then": {neighboursAt, []any{"[1,2]", 1}, []string{
		"COMPOUND QUERY",
		"SCAN j VIRTUAL TABLE",
		"SEARCH o USING COVERING INDEX memberships_by_member (member_id=?)",
		"USE TEMP B-TREE FOR GROUP BY",
		"SCAN j VIRTUAL TABLE",
		"SEARCH o USING COVERING INDEX past_memberships_by_member (member_id=?)",
		"USE TEMP B-TREE FOR GROUP BY",
	}},
	"shared with": {sharedWith, []any{"[7,8]", 1}, []string{
		"SCAN j VIRTUAL TABLE",
		"SEARCH o USING PRIMARY KEY (gid=?)",
		"SEARCH e BY PAIR",
		"USE TEMP B-TREE FOR GROUP BY",
	}},
	"shared with then": {sharedWithAt, []any{"[7,8]", 1, 1}, []string{
		"COMPOUND QUERY",
		"SCAN j VIRTUAL TABLE",
		"SEARCH o USING PRIMARY KEY (gid=?)",
		"CORRELATED SCALAR SUBQUERY 1",
		"SEARCH e BY PAIR",
		"CORRELATED SCALAR SUBQUERY 2",
		"SEARCH e USING COVERING INDEX past_memberships_by_member (member_id=? AND gid=? AND since<?)",
		"USE TEMP B-TREE FOR GROUP BY",
		"SCAN j VIRTUAL TABLE",
		"SEARCH o USING PRIMARY KEY (gid=?)",
		"CORRELATED SCALAR SUBQUERY 4",
		"SEARCH e BY PAIR",
		"CORRELATED SCALAR SUBQUERY 5",
		"SEARCH e USING COVERING INDEX past_memberships_by_member (member_id=? AND gid=? AND since<?)",
		"USE TEMP B-TREE FOR GROUP BY",
	}},
	"groups among": {groupsAmong, []any{"[7,8]"}, []string{
		"SCAN j VIRTUAL TABLE",
		"SEARCH groups USING INTEGER PRIMARY KEY (rowid=?)",
	}},
	"members among": {membersAmong, []any{"[7,8]"}, []string{
		"SCAN j VIRTUAL TABLE",
		"SEARCH members USING INTEGER PRIMARY KEY (rowid=?)",
	}},
	"members among then": {membersAmongAt, []any{"[7,8]", 1}, []string{
		"COMPOUND QUERY",
		"SEARCH members USING INTEGER PRIMARY KEY (rowid=?)",
		"SCAN json_each VIRTUAL TABLE",
		"SEARCH past_members USING PRIMARY KEY (id=? AND since<?)",
		"REUSE LIST SUBQUERY 1",
	}},
	"disabled": {disabledInGroups, []any{7, 10}, []string{
		"SEARCH members USING INDEX members_by_status (status=? AND rowid>?)",
	}},
	"disabled then": {disabledInGroupsAt, []any{1, 7, 10}, []string{
		"MERGE (UNION ALL)",
		"SEARCH members USING INDEX members_by_status (status=? AND rowid>?)",
		"CORRELATED SCALAR SUBQUERY 1",
		"SEARCH e USING COVERING INDEX memberships_by_member (member_id=?)",
		"CORRELATED SCALAR SUBQUERY 2",
		"SEARCH p USING COVERING INDEX past_memberships_by_member (member_id=?)",
		"SEARCH past_members USING PRIMARY KEY (id>?)",
		"CORRELATED SCALAR SUBQUERY 1",
		"SEARCH e USING COVERING INDEX memberships_by_member (member_id=?)",
		"CORRELATED SCALAR SUBQUERY 2",
		"SEARCH p USING COVERING INDEX past_memberships_by_member (member_id=?)",
	}},
	"strangers from": {strangersFrom, []any{7, 10}, []string{
		"SEARCH strangers USING INTEGER PRIMARY KEY (rowid>?)",
	}},
	"maybe strangers then": {maybeStrangersAt, []any{7, 1}, []string{
		"COMPOUND QUERY",
		"SEARCH s USING INTEGER PRIMARY KEY (rowid>?)",
		"SEARCH m USING COVERING INDEX members_by_since (since>?)",
		"SEARCH p USING COVERING INDEX past_memberships_by_until (until>?)",
	}},
	"empty groups": {groupsOfNobody, []any{"7", 10}, []string{
		"SEARCH groups USING INDEX groups_by_size (member_count=? AND guest_count=? AND id>?)",
	}},
	"empty groups then": {groupsOfNobodyAt, []any{1, "7", 10}, []string{
		"MERGE (UNION ALL)",
		"SEARCH groups USING INDEX groups_by_size (member_count=? AND guest_count=? AND id>?)",
		"SEARCH past_groups USING INDEX past_groups_by_id (id>?)",
	}},
	"groups of one": {groupsOfOne, []any{"7", 10}, []string{
		"SEARCH groups USING INDEX groups_of_one (id>?)",
	}},
	"groups of one then": {groupsOfOneAt, []any{1, "7", 10}, []string{
		"MERGE (UNION ALL)",
		"SEARCH groups USING INDEX groups_of_one (id>?)",
		"SEARCH past_groups USING INDEX past_groups_by_id (id>?)",
	}},
	"twins": {twins, []any{"g", "7", 10}, []string{
		"SEARCH groups USING INDEX groups_by_name ((name_key,id)>(?,?))",
		"SEARCH o EXISTS USING COVERING INDEX groups_by_name (name_key=?)",
	}},
	"twins then": {twinsAt, []any{1, "g", "7", 10}, []string{
		"MERGE (UNION ALL)",
		"SEARCH groups USING INDEX groups_by_name ((name_key,id)>(?,?))",
		"CORRELATED SCALAR SUBQUERY 1",
		"SEARCH o USING INDEX groups_by_name (name_key=?)",
		"CORRELATED SCALAR SUBQUERY 2",
		"SEARCH p USING INDEX past_groups_by_name (name_key=?)",
		"SEARCH past_groups USING INDEX past_groups_by_name ((name_key,id)>(?,?))",
		"CORRELATED SCALAR SUBQUERY 1",
		"SEARCH o USING INDEX groups_by_name (name_key=?)",
		"CORRELATED SCALAR SUBQUERY 2",
		"SEARCH p USING INDEX past_groups_by_name (name_key=?)",
	}},
	"idle": {idle, []any{7, 10}, []string{
		"SEARCH members USING INDEX members_in_no_group (id>?)",
	}},
	"idle then": {idleAt, []any{1, 7, 10}, []string{
		"MERGE (UNION ALL)",
		"SEARCH members USING INTEGER PRIMARY KEY (rowid>?)",
		"CORRELATED SCALAR SUBQUERY 1",
		"SEARCH e USING COVERING INDEX memberships_by_member (member_id=?)",
		"CORRELATED SCALAR SUBQUERY 2",
		"SEARCH p USING COVERING INDEX past_memberships_by_member (member_id=?)",
		"SEARCH past_members USING PRIMARY KEY (id>?)",
		"CORRELATED SCALAR SUBQUERY 1",
		"SEARCH e USING COVERING INDEX memberships_by_member (member_id=?)",
		"CORRELATED SCALAR SUBQUERY 2",
		"SEARCH p USING COVERING INDEX past_memberships_by_member (member_id=?)",
	}},
	"never logged in": {neverLoggedIn, []any{7, 10}, []string{
		"SEARCH members USING INDEX members_never_logged_in (id>?)",
	}},
	"never logged in then": {neverLoggedInAt, []any{1, 7, 10}, []string{
		"MERGE (UNION ALL)",
		"SEARCH members USING INTEGER PRIMARY KEY (rowid>?)",
		"SEARCH m EXISTS USING INTEGER PRIMARY KEY (rowid=?)",
		"SEARCH past_members USING PRIMARY KEY (id>?)",
		"SEARCH m EXISTS USING INTEGER PRIMARY KEY (rowid=?)",
	}},
	"guests outside": {guestsOutside, []any{"g", `["x"]`, 1, 10}, []string{
		"SEARCH p USING INDEX sqlite_autoindex_guests_1 (email_key>?)",
		"SCAN json_each VIRTUAL TABLE",
		"CORRELATED SCALAR SUBQUERY 2",
		"SEARCH e USING COVERING INDEX guest_memberships_by_guest (guest_id=?)",
		"CORRELATED SCALAR SUBQUERY 3",
		"SEARCH e USING COVERING INDEX past_guest_memberships_by_guest (guest_id=?)",
	}},
	"count findings": {countFindings, nil, []string{
		"SCAN CONSTANT ROW",
		"SCALAR SUBQUERY 1",
		"SEARCH m USING INDEX members_by_status (status=?)",
		"SCALAR SUBQUERY 2",
		"SCAN s",
		"SCALAR SUBQUERY 4",
		"SCAN g USING COVERING INDEX groups_by_name",
		"SEARCH o EXISTS USING COVERING INDEX groups_by_name (name_key=?)",
		"SCALAR SUBQUERY 5",
		"SEARCH g USING COVERING INDEX groups_by_size (member_count=? AND guest_count=?)",
		"SCALAR SUBQUERY 6",
		"SCAN g USING COVERING INDEX groups_of_one",
		"SCALAR SUBQUERY 7",
		"SCAN m USING INDEX members_in_no_group",
		"SCALAR SUBQUERY 8",
		"SCAN m USING COVERING INDEX members_never_logged_in",
	}},
	"count guests outside": {countGuestsOutside, []any{`["x"]`}, []string{
		"SCAN p USING COVERING INDEX sqlite_autoindex_guests_1",
		"SCAN json_each VIRTUAL TABLE",
		"SEARCH e USING COVERING INDEX guest_memberships_by_guest (guest_id=?)",
	}},
}

func TestNoStatisticsMakeAnInsightAScan(t *testing.T) {
	mirror := openInside(t)
	execAll(t, mirror, slices.Concat(fill, fillInsight))
	for _, statistics := range [][]string{nil, {"ANALYZE"}, {"DELETE FROM sqlite_stat4"}} {
		execAll(t, mirror, statistics)
		pool := newlyOpened(t, mirror)
		for name, plan := range insightPlans {
			if steps := explain(t, pool, plan.query, plan.args); !slices.Equal(steps, plan.steps) {
				t.Errorf("after %q, %s goes\n\t%s\nnot\n\t%s", statistics, name, strings.Join(steps, "\n\t"), strings.Join(plan.steps, "\n\t"))
			}
		}
	}
}
