package db_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

func TestBeforeTheFirstRevisionThereIsNoData(t *testing.T) {
	mirror := dbtest.New(t)
	ctx, q := t.Context(), directory.ListQuery{Limit: 1}
	_, groups := mirror.Groups(ctx, directory.GroupFilter{}, q)
	_, members := mirror.Members(ctx, directory.MemberFilter{}, q)
	_, group := mirror.Group(ctx, directory.GroupRef{ID: sales}, nil)
	_, payload := mirror.GroupPayload(ctx, sales)
	_, payloads := mirror.MemberPayloads(ctx, directory.PayloadQuery{Limit: 1})
	_, check := mirror.Check(ctx, directory.PersonRef{ID: 1}, directory.GroupRef{ID: sales}, false, nil)
	for what, err := range map[string]error{
		"groups": groups, "members": members, "group": group, "payload": payload, "payloads": payloads, "check": check,
	} {
		if !errors.Is(err, directory.ErrNoData) {
			t.Errorf("%s: %v, want ErrNoData", what, err)
		}
	}
	fresh, err := mirror.Freshness(ctx)
	if err != nil || fresh.Revision != 0 || fresh.Epoch == "" {
		t.Errorf("freshness %+v, %v; want revision 0 of an epoch", fresh, err)
	}
}

func TestRowsBeforeTheFirstSweepAreRefused(t *testing.T) {
	mirror := dbtest.New(t)
	failed := &directory.Sweep{Result: directory.SweepFailed}
	for _, sweep := range []*directory.Sweep{nil, failed} {
		_, err := mirror.Publish(t.Context(), directory.Publication{
			Cause: directory.CauseWrite, Sweep: sweep,
			Groups: []directory.GroupUpdate{updateGroup(groupRow(sales, "Sales", nil), 0, 0)},
		})
		if !errors.Is(err, directory.ErrNoData) {
			t.Errorf("a write before the first sweep: %v, want ErrNoData", err)
		}
	}
	if fresh := seed(t, mirror); fresh.Revision != 1 {
		t.Errorf("first sweep made revision %d, want 1", fresh.Revision)
	}
}

func TestAnEmptyOrganisationHasARevision(t *testing.T) {
	mirror := dbtest.New(t)
	fresh := publish(t, mirror, directory.Publication{Cause: directory.CauseInitial, Sweep: sweepAt(1)})
	if fresh.Revision != 1 || !fresh.ConfirmedAt.Equal(at(1)) {
		t.Errorf("got %+v, want revision 1 confirmed at %s", fresh, at(1))
	}
	page, err := mirror.Groups(t.Context(), directory.GroupFilter{}, directory.ListQuery{Limit: 10})
	if err != nil || len(page.Rows) != 0 || page.Next != nil {
		t.Errorf("groups %+v, %v; want none", page, err)
	}
}

func TestTheFirstPublicationLeavesTheSchemaAndEveryIndexWhole(t *testing.T) {
	mirror := dbtest.New(t)
	const schema = "SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2"
	before := rowsOf(t, db.Readers(mirror), schema)
	seed(t, mirror)
	if d := cmp.Diff(before, rowsOf(t, db.Readers(mirror), schema)); d != "" {
		t.Error(d)
	}
	if found := rowsOf(t, db.Readers(mirror), "PRAGMA integrity_check"); strings.TrimSpace(found[0]) != "ok" {
		t.Errorf("%q", found)
	}
	wantRowids(t, mirror, "member_texts", 1, 2, 3)
	wantRowids(t, mirror, "group_texts", 1)
}

func TestOnePublicationIsOneRevision(t *testing.T) {
	mirror := dbtest.New(t)
	first := seed(t, mirror)
	second := publish(t, mirror, directory.Publication{
		Groups: []directory.GroupUpdate{
			updateGroup(groupRow(sales, "Sales", []int64{1}, "Guest@x.test"), 0, 5),
			updateGroup(groupRow(support, "Support", []int64{2, 3}), 0, 5),
		},
		Members:     []directory.MemberUpdate{updateMember(memberRow(3, "cy@x.test", "Cyrus"), 0, 5)},
		GoneMembers: []directory.Gone[int64]{{ID: 1, Origin: observed(0, 5)}},
		Sweep:       sweepAt(5),
	})
	if first.Revision != 1 || second.Revision != 2 {
		t.Errorf("revisions %d and %d, want 1 and 2", first.Revision, second.Revision)
	}
	if first.Epoch != second.Epoch {
		t.Error("the epoch moved")
	}
	counts, err := mirror.Counts(t.Context())
	want := directory.Counts{Groups: 2, Members: 2, Memberships: 3, GuestMemberships: 1}
	if err != nil || counts != want {
		t.Errorf("counts %+v, %v; want %+v", counts, err, want)
	}
}

func TestAFailedPublicationLeavesNothing(t *testing.T) {
	mirror := dbtest.New(t)
	before := seed(t, mirror)
	twice := updateGroup(groupRow(support, "Support", []int64{2, 2}), 0, 5) // breaks the promise of distinct ids
	_, err := mirror.Publish(t.Context(), directory.Publication{
		Cause:   directory.CauseSweep,
		Groups:  []directory.GroupUpdate{updateGroup(groupRow(sales, "Renamed", nil), 0, 5), twice},
		Members: []directory.MemberUpdate{updateMember(memberRow(3, "new@x.test", "Cy"), 0, 5)},
		Sweep:   sweepAt(5),
	})
	if err == nil {
		t.Fatal("an id twice in a group was published")
	}
	after, err := mirror.Freshness(t.Context())
	if err != nil || after != before {
		t.Errorf("freshness %+v, %v; want %+v", after, err, before)
	}
	if name := mustGroup(t, mirror, sales).Row.Name; name != "Sales" {
		t.Errorf("the group is named %q", name)
	}
	if _, success, _ := mirror.LastSweeps(t.Context()); !success.BeganAt.Equal(at(0)) {
		t.Errorf("the sweep of a failed publication is noted: %+v", success)
	}
}

func TestAnEndedContextStopsAPublicationBetweenRows(t *testing.T) {
	mirror := dbtest.New(t)
	before := seed(t, mirror)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := mirror.Publish(ctx, directory.Publication{
		Groups: []directory.GroupUpdate{updateGroup(groupRow(support, "Support", nil), 0, 5)},
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if after, err := mirror.Freshness(t.Context()); err != nil || after != before {
		t.Errorf("freshness %+v, %v; want %+v", after, err, before)
	}
}

func TestNotesAndRowsAsStoredMakeNoRevision(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	for name, p := range map[string]directory.Publication{
		"sweep":  {Sweep: &directory.Sweep{BeganAt: at(9), Result: directory.SweepUnchanged}},
		"doubt":  {DoubtedGroups: []directory.Confirmation[string]{{ID: sales, At: at(0)}}},
		"same":   {Groups: []directory.GroupUpdate{updateGroup(groupRow(sales, "Sales", []int64{1, 2, 99}, "Guest@x.test"), 0, 9)}},
		"quiet":  {Members: []directory.MemberUpdate{{Row: new(memberRow(1, "ann@x.test", "Ann")), Quiet: true, ConfirmedAt: at(9)}}},
		"gone":   {GoneGroups: []directory.Gone[string]{{ID: support, Origin: observed(0, 9)}}},
		"absent": {GoneMembers: []directory.Gone[int64]{{ID: 99, Origin: observed(0, 9)}}},
	} {
		if fresh := publish(t, mirror, p); fresh.Revision != 1 {
			t.Errorf("%s made revision %d", name, fresh.Revision)
		}
	}
}

func TestEdgesThatStayKeepTheirSince(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	publish(t, mirror, directory.Publication{
		Groups: []directory.GroupUpdate{updateGroup(groupRow(sales, "Sales", []int64{2, 3}, "guest@X.test", "new@x.test"), 3, 5)},
	})
	since := map[string]directory.Bounds{}
	for _, row := range membersOf(t, mirror, sales) {
		since[text(row.Email)] = row.Since
	}
	first := directory.Bounds{NotBefore: at(0), NotAfter: at(0)}
	later := directory.Bounds{NotBefore: at(3), NotAfter: at(5)}
	want := map[string]directory.Bounds{"bob@x.test": first, "cy@x.test": later, "Guest@x.test": first, "new@x.test": later}
	if d := cmp.Diff(want, since); d != "" {
		t.Error(d)
	}
}

func TestEachPartOfAGroupHasItsOwnOrigin(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	row := groupRow(sales, "Sold", []int64{3}, "b@x.test")
	publish(t, mirror, directory.Publication{
		Cause: directory.CauseWrite,
		Groups: []directory.GroupUpdate{{
			Row: &row, ConfirmedAt: at(5),
			Attributes: directory.Origin{Bounds: directory.Bounds{NotBefore: at(1), NotAfter: at(2)}, Cause: directory.CauseWrite, Actor: "key"},
			Members:    observed(2, 3),
			Guests:     observed(3, 4),
		}},
	})
	got := map[directory.Kind]directory.Bounds{}
	for _, m := range membersOf(t, mirror, sales) {
		got[m.Kind] = m.Since
	}
	want := map[directory.Kind]directory.Bounds{
		directory.KindMember: {NotBefore: at(2), NotAfter: at(3)},
		directory.KindGuest:  {NotBefore: at(3), NotAfter: at(4)},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestAnUnknownOldStateHasNoLowerBound(t *testing.T) {
	mirror := dbtest.New(t)
	u := updateGroup(groupRow(sales, "Sales", []int64{1}), 0, 0)
	u.Members.NotBefore = time.Time{}
	u.Members.NotAfter = at(0).Add(1500 * time.Microsecond)
	publish(t, mirror, directory.Publication{Groups: []directory.GroupUpdate{u}, Sweep: sweepAt(0)})
	since := membersOf(t, mirror, sales)[0].Since
	if !since.NotBefore.IsZero() {
		t.Errorf("not before %s, want the zero time", since.NotBefore)
	}
	if want := at(0).Add(2 * time.Millisecond); !since.NotAfter.Equal(want) {
		t.Errorf("not after %s, want %s: a bound is never rounded down", since.NotAfter, want)
	}
}

func TestAbsentListsKeepTheirEdges(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	before := mustGroup(t, mirror, sales).Row
	row := groupRow(sales, "Renamed", nil)
	row.MembersAbsent, row.GuestsAbsent = true, true
	publish(t, mirror, directory.Publication{Groups: []directory.GroupUpdate{updateGroup(row, 0, 5)}})
	after := mustGroup(t, mirror, sales).Row
	if after.Version == before.Version {
		t.Error("the version did not move with the name")
	}
	before.Name, before.Version = "Renamed", after.Version
	if d := cmp.Diff(before, after); d != "" {
		t.Error(d)
	}
	if want := directory.VersionOf("Renamed", nil, before.Members, before.Guests); after.Version != want {
		t.Errorf("version %s, want %s over the edges that stayed", after.Version, want)
	}
}

func TestAGoneGroupTakesItsEdgesAndComesBackAsItself(t *testing.T) {
	mirror := dbtest.New(t)
	first := seed(t, mirror)
	gone := publish(t, mirror, directory.Publication{GoneGroups: []directory.Gone[string]{{ID: sales, Origin: observed(1, 2)}}})
	if _, err := mirror.Group(t.Context(), directory.GroupRef{ID: sales}, nil); !errors.Is(err, directory.ErrUnknownGroup) {
		t.Fatalf("a gone group: %v", err)
	}
	if n := mustMember(t, mirror, 1).Row.GroupCount; n != 0 {
		t.Errorf("Ann is still in %d groups", n)
	}
	publish(t, mirror, directory.Publication{Groups: []directory.GroupUpdate{updateGroup(groupRow(sales, "Sales", []int64{1}), 2, 3)}})
	if since := membersOf(t, mirror, sales)[0].Since; !since.NotAfter.Equal(at(3)) {
		t.Errorf("the edge of a group that came back is since %s, want %s", since.NotAfter, at(3))
	}
	for pin, want := range map[directory.Pin]int{first.Pin(): 4, gone.Pin(): 0} {
		page, err := mirror.GroupMembers(t.Context(), directory.GroupRef{ID: sales}, "", directory.ListQuery{Limit: 9, Pin: &pin})
		if want == 0 && errors.Is(err, directory.ErrUnknownGroup) {
			continue
		}
		if err != nil || len(page.Rows) != want {
			t.Errorf("revision %d: %d rows, %v; want %d", pin.Revision, len(page.Rows), err, want)
		}
	}
}

func TestAGoneMemberIsAStrangerWhileGroupsNameThem(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	publish(t, mirror, directory.Publication{GoneMembers: []directory.Gone[int64]{{ID: 1, Origin: observed(0, 5)}}})
	if _, err := mirror.Member(t.Context(), directory.PersonRef{ID: 1}, nil); !errors.Is(err, directory.ErrUnknownPerson) {
		t.Errorf("a gone member: %v", err)
	}
	row := membersOf(t, mirror, sales)[0]
	if row.MemberID != 1 || row.Email != nil || row.Status != nil {
		t.Errorf("the edge of a gone member is %+v, want an id and nothing else", row)
	}
	found, err := mirror.Check(t.Context(), directory.PersonRef{ID: 1}, directory.GroupRef{ID: sales}, false, nil)
	if err != nil || !found.Row.Member || found.Row.Status != nil {
		t.Errorf("check %+v, %v; want a member of unknown status", found.Row, err)
	}
	publish(t, mirror, directory.Publication{Members: []directory.MemberUpdate{updateMember(memberRow(1, "ann@x.test", "Ann"), 5, 6)}})
	if n := mustMember(t, mirror, 1).Row.GroupCount; n != 1 {
		t.Errorf("a member who came back is in %d groups, want 1", n)
	}
}

func TestAMemberWhomGroupsNamedFirstHasTheirCount(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	publish(t, mirror, directory.Publication{
		Groups:  []directory.GroupUpdate{updateGroup(groupRow(support, "Support", []int64{99}), 0, 5)},
		Members: []directory.MemberUpdate{updateMember(memberRow(99, "zoe@x.test", "Zoe"), 0, 5)},
	})
	if n := mustMember(t, mirror, 99).Row.GroupCount; n != 2 {
		t.Errorf("in %d groups, want 2", n)
	}
}

func TestAQuietUpdateMakesARevisionAndNoHistory(t *testing.T) {
	mirror := dbtest.New(t)
	first := seed(t, mirror)
	row := memberRow(1, "ann@x.test", "Ann")
	row.LastLoginAt = at(4)
	row = sealMember(row)
	fresh := publish(t, mirror, directory.Publication{
		Members: []directory.MemberUpdate{{Row: &row, Quiet: true, ConfirmedAt: at(5)}},
	})
	if fresh.Revision != 2 {
		t.Fatalf("revision %d, want 2: what is served changed", fresh.Revision)
	}
	if got := mustMember(t, mirror, 1).Row.LastLoginAt; !got.Equal(at(4)) {
		t.Errorf("last login %s, want %s", got, at(4))
	}
	page, err := mirror.Members(t.Context(), directory.MemberFilter{}, directory.ListQuery{Limit: 9, Pin: new(first.Pin())})
	if err != nil || !page.Rows[0].LastLoginAt.IsZero() {
		t.Errorf("before, the last login reads %s, %v; want unknown", page.Rows[0].LastLoginAt, err)
	}
	for _, table := range []string{"past_members", "past_groups", "past_memberships"} {
		if n := count(t, mirror, table); n != 0 {
			t.Errorf("%d rows in %s", n, table)
		}
	}
	if n := count(t, mirror, "changesets"); n != 1 {
		t.Errorf("%d changesets, want the first sweep's", n)
	}
}

func TestALogoWhoseQueryMovesMakesNoHistory(t *testing.T) {
	mirror := dbtest.New(t)
	logo := func(url string) directory.GroupUpdate {
		row := groupRow(sales, "Sales", nil)
		row.Logo = &url
		return updateGroup(sealGroup(row), 0, 1)
	}
	first := publish(t, mirror, directory.Publication{Groups: []directory.GroupUpdate{logo("https://p.test/a.png?sig=1")}, Sweep: sweepAt(0)})
	publish(t, mirror, directory.Publication{Groups: []directory.GroupUpdate{logo("https://p.test/a.png?sig=2")}})
	if got := mustGroup(t, mirror, sales).Row.Logo; *got != "https://p.test/a.png?sig=2" {
		t.Errorf("logo %s", *got)
	}
	if n := count(t, mirror, "past_groups"); n != 0 {
		t.Errorf("%d past versions", n)
	}
	page, err := mirror.Groups(t.Context(), directory.GroupFilter{}, directory.ListQuery{Limit: 1, Pin: new(first.Pin())})
	if err != nil || *page.Rows[0].Logo != "https://p.test/a.png" {
		t.Errorf("before, the logo reads %s, %v; want it without its query", *page.Rows[0].Logo, err)
	}
}

func TestEveryAttributeHasAHistory(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	old := mustGroup(t, mirror, sales).Row
	for name, change := range map[string]func(*directory.GroupRow){
		"name":        func(g *directory.GroupRow) { g.Name = "Sold" },
		"description": func(g *directory.GroupRow) { g.Description = new("about") },
		"logo":        func(g *directory.GroupRow) { g.Logo = new("https://p.test/b.png") },
		"created":     func(g *directory.GroupRow) { g.CreatedAt = at(-1) },
		"updated":     func(g *directory.GroupRow) { g.UpdatedAt = at(1) },
		"guests":      func(g *directory.GroupRow) { g.Guests = nil },
	} {
		row := groupRow(sales, "Sales", []int64{1, 2, 99}, "Guest@x.test")
		publish(t, mirror, directory.Publication{Groups: []directory.GroupUpdate{updateGroup(row, 0, 4)}}) // undo the change before
		pin := currentPin(t, mirror)
		change(&row)
		publish(t, mirror, directory.Publication{Groups: []directory.GroupUpdate{updateGroup(sealGroup(row), 0, 5)}})
		now := mustGroup(t, mirror, sales).Row
		if cmp.Equal(old, now) {
			t.Errorf("%s did not change", name)
		}
		if now.GuestCount != len(now.Guests) || now.Version != directory.VersionOf(now.Name, now.Description, now.Members, now.Guests) {
			t.Errorf("after a change of %s, count and version are not of the edges: %+v", name, now)
		}
		page, err := mirror.GroupsWithEdges(t.Context(), directory.GroupFilter{}, directory.ListQuery{Limit: 1, Pin: &pin})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(old, page.Rows[0]); d != "" {
			t.Errorf("after a change of %s alone, the revision before reads\n%s", name, d)
		}
	}
}

func TestPublishingTimeNeverRunsBackwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mirror := dbtest.New(t) // made at the bubble's midnight
		first := seed(t, mirror)
		setPublished(t, mirror, first.PublishedAt.Add(time.Hour)) // as if the clock had been set back since
		second := publish(t, mirror, directory.Publication{Groups: []directory.GroupUpdate{updateGroup(groupRow(support, "Support", nil), 0, 5)}})
		if want := first.PublishedAt.Add(time.Hour); !second.PublishedAt.Equal(want) {
			t.Errorf("published at %s, want %s", second.PublishedAt, want)
		}
		time.Sleep(2 * time.Hour)
		third := publish(t, mirror, directory.Publication{GoneGroups: []directory.Gone[string]{{ID: support, Origin: observed(5, 6)}}})
		if !third.PublishedAt.Equal(time.Now()) {
			t.Errorf("published at %s, want now, %s", third.PublishedAt, time.Now())
		}
	})
}
