package promises_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// breaks has for each promise about a file a statement that breaks it.
var breaks = map[string]string{
	"a file is the mirror of one organisation":          `DELETE FROM mirror`,
	"revisions follow each other without gap or repeat": `DELETE FROM revisions WHERE revision = 5`,
	"the present revision is the last":                  `UPDATE mirror SET revision = revision - 1`,
	"publishing times do not run backwards":             `UPDATE revisions SET published_ms = published_ms + 100000000 WHERE revision = 3`,
	"a changeset belongs to a revision":                 `UPDATE changesets SET revision = 999 WHERE id = (SELECT max(id) FROM changesets)`,
	"changesets come in the order of revisions":         `UPDATE changesets SET revision = 1 WHERE id = (SELECT max(id) FROM changesets)`,
	"a revision's horizon is its last changeset":        `UPDATE revisions SET horizon = horizon - 1 WHERE revision = 4`,
	"bounds enclose something":                          `UPDATE changesets SET not_before_ms = not_after_ms + 1 WHERE id = 2`,
	"an interval begins and ends in changesets":         `UPDATE past_memberships SET until = 9999`,
	"an interval holds a revision at least":             `UPDATE past_memberships SET until = since`,
	"intervals of one thing do not overlap": `INSERT INTO past_memberships
		SELECT gid, member_id, 1, (SELECT max(id) FROM changesets) FROM memberships WHERE since > 1 LIMIT 1`,
	"a row that was changed goes on and one that was deleted does not": `UPDATE past_groups SET deleted = 1 - deleted`,
	"a row begins when it was born":                                    `UPDATE groups SET born = born + 1 WHERE since > born + 1`,
	"an edge lives while its group does":                               `UPDATE memberships SET gid = 777 WHERE gid = (SELECT max(gid) FROM groups)`,
	"a group's version ends when its edges change":                     `UPDATE groups SET since = born WHERE since > born + 2`,
	"a group keeps its key":                                            `UPDATE past_groups SET id = 'another'`,
	"a member's groups are counted":                                    `UPDATE members SET group_count = group_count + 1 WHERE id = (SELECT max(id) FROM members)`,
	"strangers are whom groups name and nobody lists":                  `DELETE FROM strangers`,
	"strangers are nobody else":                                        `INSERT INTO strangers VALUES (1002, 1)`,
	"a guest's edge names a guest":                                     `DELETE FROM guests`,
	"the mirror counts its rows":                                       `UPDATE mirror SET membership_count = membership_count + 1`,
	"a sweep published a revision or found it":                         `UPDATE sweeps SET revision = 999 WHERE number = 1`,
	"the mirror is confirmed by its last successful sweep":             `UPDATE mirror SET confirmed_ms = confirmed_ms + 1`,
	"what is noted as spent is a number of requests":                   `INSERT INTO spend (at_ms, requests) VALUES (1, 0)`,
	"group":  `DELETE FROM memberships WHERE (gid, member_id) = (SELECT gid, member_id FROM memberships LIMIT 1)`,
	"member": `UPDATE members SET status = 'invited' WHERE status = 'active'`,
	"a version of a group counts and hashes its edges": `UPDATE past_groups SET version = 'another'`,
	"the file is intact": `PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = 'CREATE INDEX memberships_by_since ON memberships (member_id, since, gid)' WHERE name = 'memberships_by_since'`,
}

// A rule that cannot be broken holds nothing.
func TestWhatBreaksAFileIsSeen(t *testing.T) {
	whole := eventful(t)
	checkFile(t, whole)
	content, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range rules {
		if _, ok := breaks[rule.promise]; !ok {
			t.Errorf("nothing breaks %q", rule.promise)
		}
	}
	for promise, statement := range breaks {
		t.Run(promise, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "rollcall.db")
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			execute(t, path, statement)
			seen, err := look(t.Context(), path)
			if promise == "a file is the mirror of one organisation" && err != nil {
				return // such a file does not open
			}
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(seen.broken, func(b string) bool { return strings.HasPrefix(b, promise) }) {
				t.Errorf("not seen among %q", seen.broken)
			}
		})
	}
}

// execute changes a file behind the program's back.
func execute(t *testing.T, path, statement string) {
	t.Helper()
	pool, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?mode=rw")
	if err != nil {
		t.Fatal(err)
	}
	_, err = pool.ExecContext(t.Context(), statement)
	if err := errors.Join(err, pool.Close()); err != nil {
		t.Fatal(err)
	}
}
