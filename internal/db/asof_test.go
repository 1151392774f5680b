package db_test

import (
	"path/filepath"
	"testing"
	"time"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

// openAt opens a mirror whose clock shows what it is set to.
func openAt(t *testing.T, now *time.Time) *db.DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rollcall.db")
	if err := dbtest.Place(path); err != nil {
		t.Fatal(err)
	}
	mirror, err := db.Open(t.Context(), db.Options{Path: path, Organization: dbtest.Organization, Now: func() time.Time { return *now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := mirror.Close(); err != nil {
			t.Error(err)
		}
	})
	return mirror
}

// A clock that stands still, or was set back, gives two revisions one instant.
func TestAWalkAsOfAnInstantKeepsItsRevisionThoughAnotherGetsTheInstant(t *testing.T) {
	now := at(1)
	mirror := openAt(t, &now)
	first := seed(t, mirror)
	q := directory.ListQuery{Limit: 2, AsOf: &directory.AsOf{Instant: now}}
	page, err := mirror.Members(t.Context(), directory.MemberFilter{}, q)
	if err != nil || page.Next == nil {
		t.Fatal(page, err)
	}
	publish(t, mirror, directory.Publication{GoneMembers: []directory.Gone[int64]{{ID: 3, Origin: observed(0, 1)}}})
	q.Pin, q.After = new(page.Pin()), page.Next
	rest, err := mirror.Members(t.Context(), directory.MemberFilter{}, q)
	if err != nil || len(rest.Rows) != 1 || rest.Pin() != first.Pin() || *rest.Then != *page.Then {
		t.Errorf("the walk went on with %+v, %v; began with %+v", rest, err, page)
	}
	q.Pin, q.After = nil, nil
	if again, err := mirror.Members(t.Context(), directory.MemberFilter{}, q); err != nil || again.Revision != 2 || len(again.Rows) != 2 {
		t.Errorf("begun anew: %+v, %v", again, err)
	}
}
