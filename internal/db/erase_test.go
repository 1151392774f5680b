package db_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

// secrets are all that ever described Zora, who was a member under two ids,
// and a guest.
var secrets = []string{"zora", "quibble", "hedgewitch", "night circus", "zq@", "old.test", "atlantis", "erased for good"}

func zora(id int64, email, name string) directory.MemberRow {
	row := memberRow(id, email, name)
	row.FirstName, row.LastName = new("Zora"), new("Quibble")
	row.JobTitle, row.Team, row.Timezone = new("Hedgewitch"), new("Night Circus"), new("Atlantis/Deep")
	row.Payload = []byte(`{"id":4,"email":"` + email + `","about":"erased for good"}`)
	return row
}

// openStory makes a mirror in which Zora came, changed, was a guest and went.
func openStory(t *testing.T, now *time.Time) *db.DB {
	t.Helper()
	mirror := openAt(t, now)
	seed(t, mirror)
	tell := func(minute int, p directory.Publication) {
		*now = at(minute).Add(2 * time.Second)
		p.Sweep = sweepAt(minute)
		publish(t, mirror, p)
	}
	group := func(minute int, members []int64, guests ...string) []directory.GroupUpdate {
		return []directory.GroupUpdate{updateGroup(groupRow(sales, "Sales", members, guests...), minute-1, minute)}
	}
	member := func(minute int, row directory.MemberRow) []directory.MemberUpdate {
		return []directory.MemberUpdate{updateMember(row, minute-1, minute)}
	}
	gone := func(minute int, id int64) []directory.Gone[int64] {
		return []directory.Gone[int64]{{ID: id, Origin: observed(minute-1, minute)}}
	}
	tell(1, directory.Publication{Members: member(1, zora(4, "ZQ@old.test", "Zora Quibble")), Groups: group(1, []int64{1, 2, 4, 99}, "Guest@x.test")})
	tell(2, directory.Publication{Members: member(2, zora(4, "zora@new.test", "Zora the Quibble"))})
	tell(3, directory.Publication{Groups: group(3, []int64{1, 2, 99}, "Guest@x.test"), GoneMembers: gone(3, 4)})
	tell(4, directory.Publication{Groups: group(4, []int64{1, 2}, "Guest@x.test", "Zora@New.test")})
	tell(5, directory.Publication{Groups: group(5, []int64{1, 2}, "Guest@x.test"), Members: member(5, zora(5, "zora@new.test", "Z. Quibble"))})
	tell(6, directory.Publication{GoneMembers: gone(6, 5)})
	return mirror
}

// heldBy lists what the files of a folder hold of words, whatever their case.
func heldBy(t *testing.T, folder string, words []string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, word := range words {
			if bytes.Contains(bytes.ToLower(content), []byte(word)) {
				found = append(found, filepath.Base(path)+": "+word)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func folderOf(t *testing.T, mirror *db.DB) string {
	t.Helper()
	var seq int
	var name, path string
	if err := db.Readers(mirror).QueryRowContext(t.Context(), "PRAGMA database_list").Scan(&seq, &name, &path); err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(path)
}

func byHand(actor string) directory.Origin {
	return directory.Origin{Bounds: directory.Bounds{NotBefore: at(7), NotAfter: at(7)}, Cause: directory.CauseWrite, Actor: actor}
}

// states are all lists at all revisions.
func states(t *testing.T, mirror *db.DB, revisions int64) (all [][]any) {
	t.Helper()
	for revision := int64(1); revision <= revisions; revision++ {
		q := directory.ListQuery{Limit: 100, AsOf: &directory.AsOf{Revision: revision}}
		groups, err := mirror.GroupsWithEdges(t.Context(), directory.GroupFilter{}, q)
		members, err2 := mirror.Members(t.Context(), directory.MemberFilter{}, q)
		edges, err3 := mirror.GroupMembers(t.Context(), directory.GroupRef{ID: sales}, "", q)
		if err := errors.Join(err, err2, err3); err != nil {
			t.Fatal(err)
		}
		slices.SortStableFunc(edges.Rows, func(a, b directory.Membership) int { // as stand-ins move guests
			return cmp.Or(strings.Compare(string(b.Kind), string(a.Kind)), a.Since.NotAfter.Compare(b.Since.NotAfter))
		})
		all = append(all, []any{groups.Rows, members.Rows, edges.Rows})
	}
	return all
}

func TestNothingIsLeftOfWhoeverIsForgotten(t *testing.T) {
	for _, ref := range []directory.PersonRef{{ID: 4}, {ID: 5}, {Email: "zq@OLD.test"}, {Email: "zora@new.test"}} {
		var now time.Time
		mirror := openStory(t, &now)
		folder := folderOf(t, mirror)
		if err := mirror.Backup(t.Context(), filepath.Join(folder, "rollcall.db.before-v7")); err != nil {
			t.Fatal(err)
		}
		kept := filepath.Join(folder, "kept.csv")
		write(t, kept, []byte("4,Zora Quibble"))
		mirror.OnErase(func() error { return os.RemoveAll(kept) })
		before := states(t, mirror, 7)
		if held := heldBy(t, folder, secrets); len(held) < 2*len(secrets) {
			t.Fatalf("the files hold but %v", held)
		}

		done, err := mirror.Erase(t.Context(), ref, byHand("admin"))
		want := directory.Erasure{Members: []int64{4, 5}, Guests: 1, Versions: 3, Copies: 1, Clean: true, Freshness: done.Freshness}
		if d := gocmp.Diff(want, done); err != nil || d != "" || done.Revision != 8 {
			t.Fatalf("%+v: %v, revision %d\n%s", ref, err, done.Revision, d)
		}
		if held := heldBy(t, folder, secrets); len(held) != 0 {
			t.Errorf("%+v: left in the files: %v", ref, held)
		}
		blank := gocmp.Options{
			gocmp.FilterPath(func(p gocmp.Path) bool { return len(p) > 0 && isOfPerson(p) }, gocmp.Ignore()),
		}
		if d := gocmp.Diff(before, states(t, mirror, 7), blank); d != "" {
			t.Errorf("more than the person changed:\n%s", d)
		}
		again, err := mirror.Erase(t.Context(), directory.PersonRef{ID: 4}, byHand("admin"))
		if err != nil || again.Versions+again.Guests+again.Copies != 0 || !again.Clean || again.Revision != 8 {
			t.Errorf("once more: %+v, %v", again, err)
		}
		if _, err := mirror.Erase(t.Context(), directory.PersonRef{Email: "zq@old.test"}, byHand("admin")); !errors.Is(err, directory.ErrUnknownPerson) {
			t.Errorf("an e-mail that is forgotten: %v", err)
		}
		if n := count(t, mirror, "erasures"); n != 2 {
			t.Errorf("%d changes tell of it, want one of each id", n)
		}
	}
}

// isOfPerson tells fields that describe somebody, and the order of guests.
func isOfPerson(p gocmp.Path) bool {
	switch p.Last().String() {
	case ".Email", ".FirstName", ".LastName", ".FullName", ".JobTitle", ".Team", ".Timezone", ".Guests":
		return true
	}
	return false
}

func TestErasedRowsShowNulls(t *testing.T) {
	var now time.Time
	mirror := openStory(t, &now)
	if _, err := mirror.Erase(t.Context(), directory.PersonRef{ID: 4}, byHand("")); err != nil {
		t.Fatal(err)
	}
	then := &directory.AsOf{Revision: 2}
	found, err := mirror.Member(t.Context(), directory.PersonRef{ID: 4}, then)
	m := found.Row
	if err != nil || m.Email != "" || m.FirstName != nil || m.LastName != nil || m.FullName != nil || m.JobTitle != nil || m.Team != nil || m.Timezone != nil || m.Status != directory.Active {
		t.Errorf("the member: %+v, %v", m, err)
	}
	page, err := mirror.GroupMembers(t.Context(), directory.GroupRef{ID: sales}, "", directory.ListQuery{Limit: 10, AsOf: then})
	if err != nil || len(page.Rows) != 5 || page.Rows[2].MemberID != 4 || page.Rows[2].Email != nil || page.Rows[2].FullName != nil {
		t.Errorf("the membership: %+v, %v", page.Rows, err)
	}
	if page.Erased != 8 {
		t.Errorf("the state does not say that it looks otherwise since revision %d", page.Erased)
	}
	page, err = mirror.GroupMembers(t.Context(), directory.GroupRef{ID: sales}, directory.KindGuest, directory.ListQuery{Limit: 10, AsOf: &directory.AsOf{Revision: 5}})
	if err != nil || len(page.Rows) != 2 || !strings.HasPrefix(*page.Rows[0].Email, "erased-guest-") {
		t.Errorf("the guests: %+v, %v", page.Rows, err)
	}
}

func TestWhoeverIsStillThereIsNotForgotten(t *testing.T) {
	var now time.Time
	mirror := openStory(t, &now)
	now = at(8)
	sales := func(members []int64, guests ...string) []directory.GroupUpdate {
		return []directory.GroupUpdate{updateGroup(groupRow(sales, "Sales", members, guests...), 7, 8)}
	}
	for _, c := range []struct {
		what string
		p    directory.Publication
	}{
		{"a member", directory.Publication{}},
		{"a guest of the e-mail", directory.Publication{Groups: sales([]int64{1}, "ZORA@new.test")}},
		{"named by a group", directory.Publication{Groups: sales([]int64{1, 4})}},
		{"a member of the e-mail", directory.Publication{
			Groups: sales([]int64{1}), Members: []directory.MemberUpdate{updateMember(memberRow(6, "zora@new.test", "New"), 7, 8)},
		}},
	} {
		what, p := c.what, c.p
		refs := []directory.PersonRef{{ID: 4}, {ID: 5}, {Email: "zq@old.test"}, {Email: "zora@new.test"}}
		if what == "a member" {
			refs = []directory.PersonRef{{ID: 1}, {Email: "ann@x.test"}, {Email: "guest@x.test"}}
		} else {
			publish(t, mirror, p)
		}
		content := contentRows(t, mirror)
		for _, ref := range refs {
			if _, err := mirror.Erase(t.Context(), ref, byHand("")); !errors.Is(err, directory.ErrStillExists) {
				t.Errorf("%s, %+v: %v", what, ref, err)
			}
		}
		if d := gocmp.Diff(content, contentRows(t, mirror)); d != "" {
			t.Errorf("%s: what was refused changed something:\n%s", what, d)
		}
	}
	for _, ref := range []directory.PersonRef{{ID: 77}, {Email: "nobody@x.test"}} {
		if _, err := mirror.Erase(t.Context(), ref, byHand("")); !errors.Is(err, directory.ErrUnknownPerson) {
			t.Errorf("%+v: %v", ref, err)
		}
	}
}

func contentRows(t *testing.T, mirror *db.DB) map[string][]string {
	t.Helper()
	return everyRow(t, db.Readers(mirror))
}

// A process that is killed between the erasure and the end of the cleaning
// leaves files that are cleaned as they are opened.
func TestAKillWhileForgettingLeavesAllOrNothing(t *testing.T) {
	var now time.Time
	mirror := openStory(t, &now)
	killed := t.TempDir()
	mirror.OnErase(func() error { return os.CopyFS(filepath.Join(killed, "after"), os.DirFS(folderOf(t, mirror))) })
	if err := os.CopyFS(filepath.Join(killed, "before"), os.DirFS(folderOf(t, mirror))); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := mirror.Erase(ended, directory.PersonRef{ID: 4}, byHand("")); err == nil {
		t.Error("erased after the end")
	}
	if _, err := mirror.Erase(t.Context(), directory.PersonRef{ID: 4}, byHand("")); err != nil {
		t.Fatal(err)
	}
	for name, wantErased := range map[string]bool{"before": false, "after": true} {
		folder := filepath.Join(killed, name)
		if held := heldBy(t, folder, secrets); len(held) == 0 {
			t.Fatalf("%s: the image holds nothing", name)
		}
		reopened := dbtest.Open(t, filepath.Join(folder, "rollcall.db"))
		_, err := reopened.Erase(t.Context(), directory.PersonRef{Email: "zora@new.test"}, byHand(""))
		if isErased := errors.Is(err, directory.ErrUnknownPerson); isErased != wantErased || !isErased && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if held := heldBy(t, folder, secrets); len(held) != 0 {
			t.Errorf("%s: left in the files: %v", name, held)
		}
	}
}

// While somebody reads an old state the log cannot be emptied; this is told,
// and made good by the next pruning.
func TestAnErasureWaitsForReadersAndTellsWhereItCannot(t *testing.T) {
	var now time.Time
	mirror := openStory(t, &now)
	db.CleanOnce(mirror)
	tx, err := db.Readers(mirror).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.QueryRowContext(t.Context(), "SELECT count(*) FROM members").Scan(&n); err != nil {
		t.Fatal(err)
	}
	done, err := mirror.Erase(t.Context(), directory.PersonRef{ID: 4}, byHand(""))
	if err != nil || done.Clean || done.Versions != 3 {
		t.Errorf("while somebody reads: %+v, %v", done, err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	keep(t, mirror, 0)
	if held := heldBy(t, folderOf(t, mirror), secrets); len(held) != 0 {
		t.Errorf("left in the files: %v", held)
	}
}

// What was erased stays so, whatever becomes of the files.
func TestAnErasureTellsWhereAKeptFileCannotBeRemoved(t *testing.T) {
	var now time.Time
	mirror := openStory(t, &now)
	fault := errors.New("read-only file system")
	mirror.OnErase(func() error { return fault })
	done, err := mirror.Erase(t.Context(), directory.PersonRef{ID: 4}, byHand(""))
	if err != nil || done.Clean || done.Versions != 3 {
		t.Errorf("%+v, %v", done, err)
	}
	if err := mirror.Keep(t.Context(), 0); !errors.Is(err, fault) {
		t.Errorf("the next cleaning: %v", err)
	}
	fault = nil
	if done, err = mirror.Erase(t.Context(), directory.PersonRef{ID: 4}, byHand("")); err != nil || !done.Clean || done.Versions != 0 {
		t.Errorf("once more: %+v, %v", done, err)
	}
	if held := heldBy(t, folderOf(t, mirror), secrets); len(held) != 0 {
		t.Errorf("left in the files: %v", held)
	}
}

func TestThoseDeletedForGoodAreForgottenByThemselves(t *testing.T) {
	now := at(0)
	mirror := openAt(t, &now)
	seed(t, mirror)
	tell := func(minute int, p directory.Publication) {
		now = at(minute).Add(2 * time.Second)
		publish(t, mirror, p)
	}
	gone := func(minute int, ids ...int64) (all []directory.Gone[int64]) {
		for _, id := range ids {
			all = append(all, directory.Gone[int64]{ID: id, Origin: observed(minute-1, minute)})
		}
		return all
	}
	tell(1, directory.Publication{
		Groups: []directory.GroupUpdate{updateGroup(groupRow(sales, "Sales", []int64{1}), 0, 1)},
		Members: []directory.MemberUpdate{
			updateMember(memberRow(2, "bob@x.test.deleted.2", "Bob (Deleted)"), 0, 1),
			updateMember(memberRow(3, "cy@x.test.deleted.33", "Cy"), 0, 1),
			updateMember(memberRow(8, "hal@x.test.deleted.8", "Hal (Deleted)"), 0, 1),
		},
	})
	all, last, err := mirror.EraseDeleted(t.Context(), 0)
	if err != nil || len(all) != 0 {
		t.Errorf("who is still listed: %+v, %v", all, err)
	}
	tell(2, directory.Publication{GoneMembers: gone(2, 2, 3)})
	all, last, err = mirror.EraseDeleted(t.Context(), last)
	if err != nil || len(all) != 1 || !gocmp.Equal(all[0].Members, []int64{2}) || !all[0].Clean {
		t.Errorf("deleted for good: %+v, %v", all, err)
	}
	if held := heldBy(t, folderOf(t, mirror), []string{"bob"}); len(held) != 0 {
		t.Errorf("left in the files: %v", held)
	}
	if all, _, err := mirror.EraseDeleted(t.Context(), last); err != nil || len(all) != 0 {
		t.Errorf("once more: %+v, %v", all, err)
	}
	if _, err := mirror.Member(t.Context(), directory.PersonRef{Email: "cy@x.test"}, &directory.AsOf{Revision: 1}); err != nil {
		t.Errorf("one who merely went: %v", err)
	}
}

// Whoever replays the feed learns that somebody was erased, and nothing else
// of them.
func TestTheFeedTellsOfAnErasureWithoutThePerson(t *testing.T) {
	var now time.Time
	mirror := openStory(t, &now)
	if _, err := mirror.Erase(t.Context(), directory.PersonRef{ID: 4}, byHand("admin")); err != nil {
		t.Fatal(err)
	}
	page, err := mirror.Changes(t.Context(), directory.FeedQuery{Limit: 1000})
	if err != nil || page.More {
		t.Fatal(err, page.More)
	}
	var erased []int64
	for _, change := range page.Changes {
		if change.Type == directory.MemberErased {
			erased = append(erased, change.MemberID)
			if change.Revision != 8 || change.Actor != "admin" || change.Email != nil {
				t.Errorf("the erasure: %+v", change)
			}
		}
		if change.MemberID == 4 || change.MemberID == 5 {
			if change.Email != nil {
				t.Errorf("an e-mail is left: %+v", change)
			}
			for _, field := range change.Changed {
				for _, secret := range secrets {
					if strings.Contains(strings.ToLower(fmt.Sprint(field.Old, field.New)), secret) {
						t.Errorf("%s is left in %+v", secret, change)
					}
				}
			}
		}
	}
	if !slices.Equal(erased, []int64{4, 5}) {
		t.Errorf("the feed tells of the erasure of %v", erased)
	}
}
