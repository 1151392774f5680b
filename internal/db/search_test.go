package db_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

// Whatever names hold, and whatever part of one is looked for, in whatever
// case: both searches find what a plain look finds.
func TestASearchFindsWhatAPlainLookFinds(t *testing.T) {
	atMost(t, 25)
	rapid.Check(t, func(r *rapid.T) {
		mirror := openIn(r, t.TempDir(), nil)
		defer mirror.Close()
		p := directory.Publication{Cause: directory.CauseInitial, Sweep: sweepAt(0)}
		alphabet := rapid.SampledFrom([]rune("abAB\"'* \u00e9\u00c9\u03c3\u03c2\u03a3\u1e9e\u00df\u212a\U0001f600\n\x00\ufffe"))
		name := rapid.StringOfN(alphabet, 0, 12, -1)
		var all []directory.Member
		for id := range int64(6) {
			row := memberRow(id+1, name.Draw(r, "e-mail")+"@x", name.Draw(r, "full name"))
			row.FirstName, row.LastName = new(name.Draw(r, "first name")), new(name.Draw(r, "last name"))
			all = append(all, row.Member)
			p.Members = append(p.Members, updateMember(sealMember(row), 0, 0))
		}
		if _, err := mirror.Publish(r.Context(), p); err != nil {
			r.Fatal(err)
		}
		for range 8 {
			one := rapid.SampledFrom(all).Draw(r, "whose")
			text := []rune(rapid.SampledFrom([]string{one.Email, *one.FullName, *one.FirstName, name.Draw(r, "other")}).Draw(r, "text"))
			from := rapid.IntRange(0, len(text)).Draw(r, "from")
			part := string(text[from:rapid.IntRange(from, len(text)).Draw(r, "to")])
			if rapid.Bool().Draw(r, "upper") {
				part = strings.ToUpper(part)
			}
			wantSearch(r, mirror, all, part)
		}
	})
}

func wantSearch(r *rapid.T, mirror *db.DB, all []directory.Member, part string) {
	var want []int64
	payloads := 0
	for _, m := range all {
		if has(part, *m.FirstName, *m.LastName, m.Email) {
			payloads++
		}
		if has(part, *m.FirstName, *m.LastName, m.Email, *m.FullName) {
			want = append(want, m.ID)
		}
	}
	found, err := mirror.Members(r.Context(), directory.MemberFilter{Contains: part}, directory.ListQuery{Limit: 100})
	var got []int64
	for _, m := range found.Rows {
		got = append(got, m.ID)
	}
	if err != nil || !slices.Equal(got, want) {
		r.Fatalf("%q is in %v, want %v, %v", part, got, want, err)
	}
	page, err := mirror.MemberPayloads(r.Context(), directory.PayloadQuery{Contains: part, Limit: 100})
	if err != nil || page.Total != payloads {
		r.Fatalf("%q is in %d payloads, want %d, %v", part, page.Total, payloads, err)
	}
}

func TestAFileFromBeforeCanBeSearched(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	mirror := dbtest.Open(t, path)
	seed(t, mirror)
	if err := mirror.Close(); err != nil {
		t.Fatal(err)
	}
	takeBack(t, path)
	for range 2 { // it is filled once
		again, err := db.Open(t.Context(), db.Options{Path: path, Organization: dbtest.Organization})
		if err != nil {
			t.Fatal(err)
		}
		wantRowids(t, again, "member_texts", 1, 2, 3)
		wantRowids(t, again, "group_texts", 1)
		found, err := again.Members(t.Context(), directory.MemberFilter{Contains: "BOB@"}, directory.ListQuery{Limit: 9})
		if err != nil || len(found.Rows) != 1 || found.Rows[0].ID != 2 {
			t.Errorf("found %+v, %v", found.Rows, err)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func wantRowids(t *testing.T, mirror *db.DB, table string, want ...int64) {
	t.Helper()
	if got := rowids(t, mirror, table); !slices.Equal(got, want) {
		t.Errorf("%s holds %v, want %v", table, got, want)
	}
}

func rowids(t interface {
	Helper()
	Fatal(args ...any)
}, mirror *db.DB, table string,
) (ids []int64) {
	t.Helper()
	rows, err := db.Readers(mirror).Query("SELECT rowid FROM " + table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return ids
}

// One who is to be forgotten must not be spelled by what stays of the search.
func TestWhatLeftTheSearchCanBeErased(t *testing.T) {
	mirror := dbtest.New(t)
	p := directory.Publication{Cause: directory.CauseInitial, Sweep: sweepAt(0)}
	for id := range int64(40) {
		p.Members = append(p.Members, updateMember(memberRow(id+1, fmt.Sprintf("m%d@x.test", id+1), "Ann"), 0, 0))
	}
	p.Members = append(p.Members, updateMember(memberRow(77, "q@x.test", "Xyzzy"), 0, 0))
	publish(t, mirror, p)
	publish(t, mirror, directory.Publication{GoneMembers: []directory.Gone[int64]{{ID: 77, Origin: observed(1, 2)}}})
	if !holds(t, mirror, "zy\n") {
		t.Fatal("the test proves nothing: nothing was left of the trigrams")
	}
	if err := db.EraseLeft(t.Context(), mirror); err != nil {
		t.Fatal(err)
	}
	if holds(t, mirror, "zy\n") {
		t.Error("a trigram is still in the file")
	}
	found, err := mirror.Members(t.Context(), directory.MemberFilter{Contains: "m7@"}, directory.ListQuery{Limit: 9})
	if err != nil || len(found.Rows) != 1 {
		t.Errorf("found %+v, %v", found.Rows, err)
	}
}

// holds looks for the tail of a term, as only that is stored where two begin
// alike.
func holds(t *testing.T, mirror *db.DB, tail string) bool {
	t.Helper()
	found := false
	inside(t, mirror, func(pool *sql.DB) error {
		rows, err := pool.Query("SELECT block FROM member_texts_data")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var block []byte
			if err := rows.Scan(&block); err != nil {
				return err
			}
			found = found || bytes.Contains(block, []byte(tail))
		}
		return rows.Err()
	})
	return found
}
