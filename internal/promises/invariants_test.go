package promises_test

import (
	"context"
	"fmt"
)

// checkFile holds a mirror's file against everything that is true of it at
// any time, also after a kill at any instruction and beside a process that
// writes it, and returns what it holds. The file must hold a mirror.
func checkFile(t reporter, path string) snapshot {
	t.Helper()
	s, err := look(t.Context(), path)
	if err != nil {
		t.Fatalf("%s cannot be read: %v", path, err)
	}
	for _, violation := range s.broken {
		t.Errorf("%s: %s", path, violation)
	}
	return s
}

// broken names the rules that a file breaks, with an example each.
func (f *file) broken(ctx context.Context) (broken []string, err error) {
	for _, rule := range rules {
		violations, err := f.lines(ctx, rule.violations)
		if err != nil {
			return nil, err
		}
		if len(violations) > 0 {
			broken = append(broken, fmt.Sprintf("%s: %d times not, such as %s", rule.promise, len(violations), violations[0]))
		}
	}
	intact, err := f.lines(ctx, "PRAGMA integrity_check")
	if err != nil {
		return nil, err
	}
	if intact[0] != "ok\n" {
		broken = append(broken, fmt.Sprintf("the file is intact: %q", intact))
	}
	return broken, nil
}

// A rule is a promise and the query that finds what breaks it.
type rule struct{ promise, violations string }

var rules = []rule{
	{
		"a file is the mirror of one organisation",
		`SELECT count(*) FROM mirror HAVING count(*) <> 1`,
	},
	{
		"revisions follow each other without gap or repeat",
		`SELECT revision, before FROM (SELECT revision, lag(revision, 1, 0) OVER (ORDER BY revision) AS before FROM revisions)
		WHERE revision <> before + 1`,
	},
	{
		"the present revision is the last",
		`SELECT m.revision, m.published_ms, r.* FROM mirror m
		LEFT JOIN (SELECT revision, published_ms FROM revisions ORDER BY revision DESC LIMIT 1) r
		WHERE (m.revision, m.published_ms) <> (COALESCE(r.revision, 0), COALESCE(r.published_ms, 0))`,
	},
	{
		"publishing times do not run backwards",
		`SELECT revision, published_ms, before FROM
			(SELECT revision, published_ms, lag(published_ms, 1, 0) OVER (ORDER BY revision) AS before FROM revisions)
		WHERE published_ms < before`,
	},
	{
		"a changeset belongs to a revision",
		`SELECT id, revision FROM changesets WHERE revision NOT IN (SELECT revision FROM revisions)`,
	},
	{
		"changesets come in the order of revisions",
		`SELECT id, revision, before FROM (SELECT id, revision, lag(revision, 1, 0) OVER (ORDER BY id) AS before FROM changesets)
		WHERE revision < before`,
	},
	{
		"a revision's horizon is its last changeset",
		`SELECT revision, horizon FROM revisions r
		WHERE horizon <> (SELECT COALESCE(max(id), 0) FROM changesets c WHERE c.revision <= r.revision)`,
	},
	{
		"bounds enclose something",
		`SELECT id, not_before_ms, not_after_ms FROM changesets WHERE not_before_ms > not_after_ms`,
	},
	{
		"a group keeps its key",
		`SELECT gid, id FROM (SELECT gid, id FROM groups UNION SELECT gid, id FROM past_groups)
		WHERE (gid, id) NOT IN (SELECT gid, id FROM group_keys)`,
	},
	{
		"a member's groups are counted",
		`SELECT id, group_count FROM members m
		WHERE group_count <> (SELECT count(*) FROM memberships e WHERE e.member_id = m.id)`,
	},
	{
		"strangers are whom groups name and nobody lists",
		`SELECT member_id, count(*) FROM memberships WHERE member_id NOT IN (SELECT id FROM members) GROUP BY 1
		EXCEPT SELECT member_id, group_count FROM strangers`,
	},
	{
		"strangers are nobody else",
		`SELECT member_id, group_count FROM strangers
		EXCEPT SELECT member_id, count(*) FROM memberships WHERE member_id NOT IN (SELECT id FROM members) GROUP BY 1`,
	},
	{
		"the mirror counts its rows",
		`SELECT group_count, member_count, membership_count, guest_membership_count FROM mirror
		EXCEPT SELECT (SELECT count(*) FROM groups), (SELECT count(*) FROM members),
			(SELECT count(*) FROM memberships), (SELECT count(*) FROM guest_memberships)`,
	},
	{
		"a sweep published a revision or found it",
		`SELECT number, result, revision FROM sweeps
		WHERE result IN ('published', 'unchanged') AND revision NOT IN (SELECT revision FROM revisions)`,
	},
	{
		"the mirror is confirmed by its last successful sweep",
		`SELECT confirmed_ms FROM mirror WHERE confirmed_ms <> COALESCE(
			(SELECT began_ms FROM sweeps WHERE result IN ('published', 'unchanged') ORDER BY number DESC LIMIT 1), 0)`,
	},
	{
		"what is noted as spent is a number of requests",
		`SELECT * FROM spend WHERE requests < 1`,
	},
}
