package db_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

// confirmations are what each kind of read says of its age.
func confirmations(t *testing.T, read *db.DB, pin *directory.Pin) map[string]time.Time {
	t.Helper()
	ctx, q := t.Context(), directory.ListQuery{Limit: 1, Pin: pin}
	all := map[string]time.Time{}
	add := func(what string, fresh directory.Freshness, err error) {
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if other, ok := all[what]; ok && !other.Equal(fresh.ConfirmedAt) {
			t.Errorf("%s: one read says %v, another %v", what, other, fresh.ConfirmedAt)
		}
		all[what] = fresh.ConfirmedAt
	}
	groups, err := read.Groups(ctx, directory.GroupFilter{}, q)
	add("groups", groups.Freshness, err)
	members, err := read.Members(ctx, directory.MemberFilter{}, q)
	add("members with counts", members.Freshness, err)
	edges, err := read.GroupMembers(ctx, directory.GroupRef{ID: sales}, "", q)
	add("members of the group", edges.Freshness, err)
	person, err := read.GroupsOfPerson(ctx, directory.PersonRef{ID: 1}, q)
	add("groups of the member", person.Freshness, err)
	if pin != nil {
		return all
	}
	group, err := read.Group(ctx, directory.GroupRef{ID: sales}, nil)
	add("group", group.Freshness, err)
	member, err := read.Member(ctx, directory.PersonRef{ID: 1}, nil)
	add("member with a count", member.Freshness, err)
	groupPayload, err := read.GroupPayload(ctx, sales)
	add("group", groupPayload.Freshness, err)
	memberPayload, err := read.MemberPayload(ctx, 1)
	add("member", memberPayload.Freshness, err)
	groupPayloads, err := read.GroupPayloads(ctx, directory.PayloadQuery{Limit: 1})
	add("groups", groupPayloads.Freshness, err)
	memberPayloads, err := read.MemberPayloads(ctx, directory.PayloadQuery{Limit: 1})
	add("members", memberPayloads.Freshness, err)
	withGroups, err := read.MembersWithGroups(ctx, directory.PayloadQuery{Limit: 1}, 1000)
	add("all", withGroups.Freshness, err)
	withGroups, err = read.MemberWithGroups(ctx, 1, 1000)
	add("groups of the member", withGroups.Freshness, err)
	found, err := read.Check(ctx, directory.PersonRef{ID: 1}, directory.GroupRef{ID: sales}, false, nil)
	add("check", found.Freshness, err)
	many, err := read.Checks(ctx, []directory.Pair{{Member: directory.PersonRef{ID: 1}, Group: directory.GroupRef{ID: sales}}}, false, nil)
	add("check", many.Freshness, err)
	fresh, err := read.Freshness(ctx)
	add("all", fresh, err)
	return all
}

func TestConfirmationsAreOfTheRowsOfTheAnswer(t *testing.T) {
	all := func(when time.Time, except map[string]time.Time) map[string]time.Time {
		want := map[string]time.Time{
			"groups": when, "members": when, "group": when, "member": when, "check": when, "all": when,
			"members of the group": when, "groups of the member": when, "members with counts": when, "member with a count": when,
		}
		for what, when := range except {
			want[what] = when
		}
		return want
	}
	sweep := func(minute int) *directory.Sweep {
		return &directory.Sweep{BeganAt: at(minute), Result: directory.SweepUnchanged}
	}
	group := func(minute int) []directory.Confirmation[string] {
		return []directory.Confirmation[string]{{ID: sales, At: at(minute)}}
	}
	member := func(minute int) []directory.Confirmation[int64] {
		return []directory.Confirmation[int64]{{ID: 1, At: at(minute)}}
	}
	mirror := dbtest.New(t)
	seed(t, mirror)
	for _, step := range []struct {
		name string
		p    directory.Publication
		want map[string]time.Time
	}{
		{"a sweep confirms all", directory.Publication{Sweep: sweep(10)}, all(at(10), nil)},
		{
			"a single read confirms its row",
			directory.Publication{ConfirmedGroups: group(12)},
			all(at(10), map[string]time.Time{"group": at(12)}),
		},
		{
			"another confirms the other",
			directory.Publication{ConfirmedMembers: member(13)},
			all(at(10), map[string]time.Time{"group": at(12), "member": at(13), "check": at(12)}),
		},
		{
			"a doubted group keeps what it had",
			directory.Publication{DoubtedGroups: group(5), Sweep: sweep(20)},
			all(at(20), map[string]time.Time{
				"groups": at(5), "group": at(5), "check": at(5), "all": at(5), "members of the group": at(5), "groups of the member": at(5),
				"members with counts": at(5), "member with a count": at(5),
			}),
		},
		{
			"a doubted member, too",
			directory.Publication{DoubtedMembers: member(3)},
			all(at(3), map[string]time.Time{"groups": at(5), "group": at(5)}),
		},
		{"a failed sweep ends no doubt", directory.Publication{Sweep: &directory.Sweep{BeganAt: at(25), Result: directory.SweepFailed}}, all(at(3), map[string]time.Time{"groups": at(5), "group": at(5)})},
		{"a whole sweep ends all doubts", directory.Publication{Sweep: sweep(30)}, all(at(30), nil)},
		{"an older confirmation takes nothing back", directory.Publication{ConfirmedGroups: group(1)}, all(at(30), nil)},
	} {
		publish(t, mirror, step.p)
		if d := cmp.Diff(step.want, confirmations(t, mirror, nil)); d != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, d)
		}
	}
}

func TestAnUpdateEndsItsRowsDoubt(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	publish(t, mirror, directory.Publication{DoubtedGroups: []directory.Confirmation[string]{{ID: sales, At: at(-5)}}})
	publish(t, mirror, directory.Publication{Groups: []directory.GroupUpdate{updateGroup(groupRow(sales, "Sold", nil), 0, 7)}})
	if got := mustGroup(t, mirror, sales).ConfirmedAt; !got.Equal(at(7)) {
		t.Errorf("confirmed at %s, want %s", got, at(7))
	}
}

func TestAPastRevisionWasConfirmedByItsLastSweep(t *testing.T) {
	mirror := dbtest.New(t)
	pin := seed(t, mirror).Pin()
	publish(t, mirror, directory.Publication{Sweep: &directory.Sweep{BeganAt: at(10), Result: directory.SweepUnchanged}})
	publish(t, mirror, directory.Publication{Sweep: &directory.Sweep{BeganAt: at(15), Result: directory.SweepFailed}})
	publish(t, mirror, directory.Publication{Members: []directory.MemberUpdate{updateMember(memberRow(3, "new@x.test", "Cy"), 0, 20)}, Sweep: sweepAt(20)})
	for what, got := range confirmations(t, mirror, &pin) {
		if !got.Equal(at(10)) {
			t.Errorf("%s at revision 1: confirmed at %s, want %s", what, got, at(10))
		}
	}
}

func TestNotesOfSweepsSurviveARestart(t *testing.T) {
	path := t.TempDir() + "/rollcall.db"
	mirror := dbtest.Open(t, path)
	if attempt, success, err := mirror.LastSweeps(t.Context()); err != nil || attempt != success || !attempt.BeganAt.IsZero() {
		t.Errorf("before any sweep: %+v, %+v, %v", attempt, success, err)
	}
	seed(t, mirror)
	failed := directory.Sweep{
		BeganAt: at(10), EndedAt: at(11), Result: directory.SweepFailed, Reason: directory.ReasonServer,
		Detail: "list groups, page 2: Tallyfy answered 502", Revision: 1, Requests: 7, Groups: 100, Members: 3,
	}
	if err := mirror.RecordSweep(t.Context(), failed); err != nil {
		t.Fatal(err)
	}
	if err := mirror.Close(); err != nil {
		t.Fatal(err)
	}
	attempt, success, err := dbtest.Open(t, path).LastSweeps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(failed, attempt); d != "" {
		t.Error(d)
	}
	want := *sweepAt(0)
	want.Revision = 1
	if d := cmp.Diff(want, success); d != "" {
		t.Error(d)
	}
}

func TestSpendIsRememberedForADay(t *testing.T) {
	mirror := dbtest.New(t)
	for _, spend := range []directory.Spend{{At: at(0), Requests: 111}, {At: at(60), Requests: 10, BySweep: true}, {At: at(30), Requests: 1}} {
		if err := mirror.RecordSpend(t.Context(), spend); err != nil {
			t.Fatal(err)
		}
	}
	got, err := mirror.Spent(t.Context(), at(30))
	if d := cmp.Diff([]directory.Spend{{At: at(30), Requests: 1}, {At: at(60), Requests: 10, BySweep: true}}, got); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
	if err := mirror.RecordSpend(t.Context(), directory.Spend{At: at(60).Add(24 * time.Hour), Requests: 5}); err != nil {
		t.Fatal(err)
	}
	if n := count(t, mirror, "spend"); n != 2 {
		t.Errorf("%d notes, want those of a day", n)
	}
}
