package db_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

// everyEdge walks the list of memberships at a revision.
func everyEdge(t *testing.T, mirror *db.DB, pin directory.Pin) []directory.Membership {
	t.Helper()
	var all []directory.Membership
	q := directory.ListQuery{Limit: 1000, Pin: &pin}
	for {
		page, err := mirror.Memberships(t.Context(), directory.MembershipFilter{}, q)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, page.Rows...); page.Next == nil {
			return all
		}
		q.After = page.Next
	}
}

func wholeTable[T any](t *testing.T, walk func(context.Context, directory.Pin, *directory.AsOf) iter.Seq2[[]T, error], pin directory.Pin) []T {
	t.Helper()
	var all []T
	for rows, err := range walk(t.Context(), pin, nil) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rows...)
	}
	return all
}

// living are the stays that go on, as the list shows them: without the names
// of those who are gone.
func living(stays []directory.Stay, listed []directory.Membership) []directory.Membership {
	var rows []directory.Membership
	for _, s := range stays {
		if !s.Until.NotAfter.IsZero() {
			continue
		}
		row := s.Membership
		if n := len(rows); n < len(listed) && listed[n].Email == nil {
			row.Email, row.FullName, row.Role, row.Status = nil, nil, nil, nil
		}
		rows = append(rows, row)
	}
	return rows
}

func TestEveryMembershipIsReadAsTheListHasItAtEveryRevision(t *testing.T) {
	mirror := dbtest.New(t)
	rng := rand.New(rand.NewPCG(5, 6))
	var pins []directory.Pin
	for round := range 12 {
		pins = append(pins, publish(t, mirror, stirred(rng, round)).Pin())
		for _, pin := range pins {
			want := everyEdge(t, mirror, pin)
			if diff := cmp.Diff(want, wholeTable(t, mirror.AllMemberships, pin)); diff != "" {
				t.Fatalf("revision %d at %d: %s", pin.Revision, round+1, diff)
			}
			if diff := cmp.Diff(want, living(wholeTable(t, mirror.AllStays, pin), want)); diff != "" {
				t.Fatalf("stays of revision %d at %d: %s", pin.Revision, round+1, diff)
			}
			if !reflect.DeepEqual(feedUpTo(t, mirror, pin), wholeFeed(t, mirror, pin)) {
				t.Fatalf("the feed up to revision %d at %d differs", pin.Revision, round+1)
			}
		}
	}
}

// wholeFeed is the feed as a table up to a revision.
func wholeFeed(t *testing.T, mirror *db.DB, pin directory.Pin) (all []directory.Change) {
	t.Helper()
	for changes, err := range mirror.AllChanges(t.Context(), pin) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, changes...)
	}
	return all
}

// feedUpTo is the feed in pages up to a revision, each by itself.
func feedUpTo(t *testing.T, mirror *db.DB, pin directory.Pin) (all []directory.Change) {
	t.Helper()
	q := directory.FeedQuery{Limit: 700, UpTo: &pin}
	for {
		page, err := mirror.Changes(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, page.Changes...); !page.More {
			return all
		}
		q.After = &page.Next
	}
}

func TestTheWholeFeedNamesPeopleAsTheyWereWhateverIsPublishedMeanwhile(t *testing.T) {
	mirror := dbtest.New(t)
	p := directory.Publication{Sweep: sweepAt(0)}
	ids := make([]int64, 1500)
	for i := range ids {
		ids[i] = int64(i + 1)
		p.Members = append(p.Members, updateMember(memberRow(ids[i], fmt.Sprintf("old%d@x.test", i), "Old"), 0, 0))
	}
	for i := range 9 {
		p.Groups = append(p.Groups, updateGroup(groupRow(fmt.Sprintf("%032x", i), "G", ids), 0, 0))
	}
	publish(t, mirror, p)
	p = directory.Publication{Sweep: sweepAt(1)} // everybody has another name, and leaves the groups but one for a new one
	for i, id := range ids {
		p.Members = append(p.Members, updateMember(memberRow(id, fmt.Sprintf("new%d@x.test", i), "New"), 0, 1))
	}
	for i := range 8 {
		p.Groups = append(p.Groups, updateGroup(groupRow(fmt.Sprintf("%032x", i), "H", nil), 0, 1))
	}
	p.Groups = append(p.Groups, updateGroup(groupRow(fmt.Sprintf("%032x", 9), "I", ids), 0, 1))
	pin := publish(t, mirror, p).Pin()
	want := feedUpTo(t, mirror, pin)
	var got []directory.Change
	chunks := 0
	for changes, err := range mirror.AllChanges(t.Context(), pin) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, changes...)
		chunks++
		publish(t, mirror, directory.Publication{
			Members:    []directory.MemberUpdate{updateMember(memberRow(int64(chunks), "later@x.test", "Later"), chunks, chunks+1)},
			GoneGroups: []directory.Gone[string]{{ID: fmt.Sprintf("%032x", 9-chunks), Origin: observed(chunks, chunks+1)}},
			Sweep:      sweepAt(chunks + 1),
		})
	}
	if chunks < 3 || len(want) < 27_000 {
		t.Fatalf("%d changes in %d chunks", len(want), chunks)
	}
	if !reflect.DeepEqual(want, got) {
		t.Errorf("the feed in pages and as a table differ: %d and %d changes", len(want), len(got))
	}
}

func TestAStayEndsWhenItEndedAndKeepsTheNamesOfThoseWhoAreGone(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	before := publish(t, mirror, directory.Publication{Groups: []directory.GroupUpdate{updateGroup(groupRow(sales, "Sales", []int64{2}), 1, 2)}, Sweep: sweepAt(2)})
	after := publish(t, mirror, directory.Publication{
		GoneGroups:  []directory.Gone[string]{{ID: sales, Origin: observed(3, 4)}},
		GoneMembers: []directory.Gone[int64]{{ID: 1, Origin: observed(3, 4)}},
		Sweep:       sweepAt(4),
	})
	first, second := directory.Bounds{NotBefore: at(1), NotAfter: at(2)}, directory.Bounds{NotBefore: at(3), NotAfter: at(4)}
	for _, c := range []struct {
		at   directory.Freshness
		ends []directory.Bounds // of Ann, Bob, the stranger and the guest
	}{
		{before, []directory.Bounds{first, {}, first, first}},
		{after, []directory.Bounds{first, second, first, first}},
	} {
		stays := wholeTable(t, mirror.AllStays, c.at.Pin())
		var ends []directory.Bounds
		for _, s := range stays {
			ends = append(ends, s.Until)
			if s.GroupName != "Sales" || s.GroupID != sales {
				t.Error(s)
			}
		}
		if diff := cmp.Diff(c.ends, ends); diff != "" {
			t.Fatal(c.at.Revision, diff)
		}
		if text(stays[0].FullName) != "Ann" || text(stays[0].Email) != "ann@x.test" || stays[2].Email != nil || text(stays[3].Email) != "Guest@x.test" {
			t.Error(stays)
		}
	}
}

func TestAWalkOverEdgesShowsOneRevisionWhateverIsPublishedMeanwhile(t *testing.T) {
	mirror := dbtest.New(t)
	p := directory.Publication{Sweep: sweepAt(0)}
	for i := range 12 {
		var ids []int64
		for id := range int64(1000) {
			ids = append(ids, id+1)
		}
		p.Groups = append(p.Groups, updateGroup(groupRow(fmt.Sprintf("%032x", i), "G", ids), 0, 0))
	}
	pin := publish(t, mirror, p).Pin()
	chunks, rows := 0, 0
	for chunk, err := range mirror.AllMemberships(t.Context(), pin, nil) {
		if err != nil {
			t.Fatal(err)
		}
		chunks, rows = chunks+1, rows+len(chunk)
		publish(t, mirror, directory.Publication{
			Groups: []directory.GroupUpdate{updateGroup(groupRow(fmt.Sprintf("%032x", 11-chunks), "emptied", nil), chunks, chunks+1)}, Sweep: sweepAt(chunks + 1),
		})
	}
	if chunks < 3 || rows != 12_000 {
		t.Errorf("%d rows in %d chunks", rows, chunks)
	}
}

// stirred sets some of eight groups and twenty members anew, or removes them,
// so that edges come, go and come again.
func stirred(rng *rand.Rand, round int) directory.Publication {
	p := directory.Publication{Sweep: sweepAt(round)}
	for i := range 20 {
		id := int64(i + 1)
		switch {
		case round%3 == 2 && i%5 == round%5:
			p.GoneMembers = append(p.GoneMembers, directory.Gone[int64]{ID: id, Origin: observed(round-1, round)})
		case round%3 == 0 || rng.IntN(4) == 0:
			p.Members = append(p.Members, updateMember(memberRow(id, fmt.Sprintf("m%d@x.test", id), fmt.Sprint("Name ", rng.IntN(9))), round-1, round))
		}
	}
	for i := range 8 {
		id := fmt.Sprintf("%032x", i)
		switch {
		case round%3 == 2 && i == round%8:
			p.GoneGroups = append(p.GoneGroups, directory.Gone[string]{ID: id, Origin: observed(round-1, round)})
		case round%3 == 0 || rng.IntN(3) == 0:
			p.Groups = append(p.Groups, updateGroup(stirredGroup(rng, id), round-1, round))
		}
	}
	return p
}

func stirredGroup(rng *rand.Rand, id string) directory.GroupRow {
	var ids []int64
	for range rng.IntN(25) {
		ids = append(ids, 1+rng.Int64N(22))
	}
	var guests []string
	for g := range rng.IntN(4) {
		guests = append(guests, fmt.Sprintf("g%d@y.test", g))
	}
	return groupRow(id, fmt.Sprint("Group ", rng.IntN(20)), distinct(ids), guests...)
}
