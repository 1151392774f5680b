package db_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

func TestAFullDiskPublishesNothingAndLaterAll(t *testing.T) {
	mirror := dbtest.New(t)
	before := seed(t, mirror)
	rows := everyRow(t, db.Readers(mirror))
	p := directory.Publication{Cause: directory.CauseSweep, Sweep: sweepAt(2)}
	p.GoneGroups = []directory.Gone[string]{{ID: sales, Origin: observed(1, 2)}}
	p.Members = []directory.MemberUpdate{updateMember(memberRow(1, "ann@x.test", "Anna"), 1, 2)}
	for i := range 40 {
		row := groupRow(fmt.Sprintf("%032x", i), "Group", []int64{1, 2, 3})
		row.Description = new(strings.Repeat("about ", 10_000))
		p.Groups = append(p.Groups, updateGroup(row, 1, 2))
	}

	limitPages(t, mirror, 10)
	for range 2 {
		fresh, err := mirror.Publish(t.Context(), p)
		wantSentence(t, err, "publish", "full")
		if fresh != (directory.Freshness{}) {
			t.Errorf("a publication that failed returned %+v", fresh)
		}
		if d := cmp.Diff(rows, everyRow(t, db.Readers(mirror))); d != "" {
			t.Fatalf("a part was published:\n%s", d)
		}
		if got := mustGroup(t, mirror, sales).Freshness; got != before {
			t.Errorf("reads show %+v, want %+v", got, before)
		}
	}

	limitPages(t, mirror, 1<<30)
	if after := publish(t, mirror, p); after.Revision != before.Revision+1 {
		t.Errorf("revision %d after %d", after.Revision, before.Revision)
	}
	if got := mustGroup(t, mirror, fmt.Sprintf("%032x", 39)).Row.MemberCount; got != 3 {
		t.Errorf("%d members", got)
	}
	if n := count(t, mirror, "groups"); n != 40 {
		t.Errorf("%d groups, want 40", n)
	}
}

func TestAFullDiskAtTheFirstPublicationLeavesNoTrace(t *testing.T) {
	mirror := dbtest.New(t)
	schema := rowsOf(t, db.Readers(mirror), "SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2")
	var members []directory.MemberUpdate
	for id := range int64(500) {
		row := memberRow(id+1, fmt.Sprintf("person%d@x.test", id), "Person")
		row.Payload = []byte(strings.Repeat("x", 1000))
		members = append(members, updateMember(row, 0, 0))
	}
	p := directory.Publication{Cause: directory.CauseInitial, Members: members, Sweep: sweepAt(0)}

	limitPages(t, mirror, 10)
	_, err := mirror.Publish(t.Context(), p)
	wantSentence(t, err, "publish", "full")
	if _, err := mirror.Members(t.Context(), directory.MemberFilter{}, directory.ListQuery{Limit: 1}); !errors.Is(err, directory.ErrNoData) {
		t.Errorf("%v, want %v", err, directory.ErrNoData)
	}

	limitPages(t, mirror, 1<<30)
	if fresh := publish(t, mirror, p); fresh.Revision != 1 {
		t.Errorf("revision %d", fresh.Revision)
	}
	if d := cmp.Diff(schema, rowsOf(t, db.Readers(mirror), "SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2")); d != "" {
		t.Error(d)
	}
}

// limitPages has the file grow by some pages and no more, as a disk does that
// is nearly full.
func limitPages(t *testing.T, mirror *db.DB, more int) {
	t.Helper()
	var pages int
	if err := db.Writer(mirror).QueryRowContext(t.Context(), "PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Writer(mirror).ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages+more)); err != nil {
		t.Fatal(err)
	}
}
