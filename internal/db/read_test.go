package db_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

func TestAGroupIsFoundByNameExactThenFolded(t *testing.T) {
	mirror := dbtest.New(t)
	var groups []directory.GroupUpdate
	for id, name := range map[string]string{"a": "Sales", "b": "SALES", "c": "Night shift", "d": "ΟΔΟΣ", "e": "Twin", "f": "Twin"} {
		groups = append(groups, updateGroup(groupRow(id, name, nil), 0, 0))
	}
	publish(t, mirror, directory.Publication{Groups: groups, Sweep: sweepAt(0)})
	for name, want := range map[string]string{
		"Sales": "a", "SALES": "b", " night SHIFT ": "c", "οδος": "d", "ΟΔΟΣ": "d",
	} {
		found, err := mirror.GroupSummary(t.Context(), directory.GroupRef{Name: name}, nil)
		if err != nil || found.Row.ID != want {
			t.Errorf("%q is %q, %v; want %s", name, found.Row.ID, err, want)
		}
	}
	for name, want := range map[string][]string{"sales": {"a", "b"}, "Twin": {"e", "f"}} {
		_, err := mirror.Group(t.Context(), directory.GroupRef{Name: name}, nil)
		ambiguous, ok := errors.AsType[*directory.AmbiguousNameError](err)
		if !ok || !cmp.Equal(ambiguous.IDs, want) {
			t.Errorf("%q: %v, want one of %v", name, err, want)
		}
	}
	for _, ref := range []directory.GroupRef{{Name: "nobody"}, {ID: "nobody"}, {}} {
		if _, err := mirror.Group(t.Context(), ref, nil); !errors.Is(err, directory.ErrUnknownGroup) {
			t.Errorf("%+v: %v, want ErrUnknownGroup", ref, err)
		}
	}
}

func TestAPersonIsFoundAmongMembersThenGuests(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	q := directory.ListQuery{Limit: 10}
	for ref, want := range map[directory.PersonRef]int{
		{ID: 1}: 1, {Email: "ANN@x.test"}: 1, {Email: "guest@X.test"}: 1, {ID: 99}: 1, {ID: 3}: 0,
	} {
		page, err := mirror.GroupsOfPerson(t.Context(), ref, q)
		if err != nil || len(page.Rows) != want {
			t.Errorf("%+v is in %d groups, %v; want %d", ref, len(page.Rows), err, want)
		}
	}
	for _, ref := range []directory.PersonRef{{ID: 98}, {Email: "nobody@x.test"}} {
		if _, err := mirror.GroupsOfPerson(t.Context(), ref, q); !errors.Is(err, directory.ErrUnknownPerson) {
			t.Errorf("%+v: %v, want ErrUnknownPerson", ref, err)
		}
		if _, err := mirror.Member(t.Context(), ref, nil); !errors.Is(err, directory.ErrUnknownPerson) {
			t.Errorf("member %+v: %v, want ErrUnknownPerson", ref, err)
		}
	}
	if _, err := mirror.Member(t.Context(), directory.PersonRef{Email: "guest@x.test"}, nil); !errors.Is(err, directory.ErrUnknownPerson) {
		t.Errorf("a guest as a member: %v", err)
	}
	if _, err := mirror.GroupsOfGuest(t.Context(), "ann@x.test", q); !errors.Is(err, directory.ErrUnknownPerson) {
		t.Errorf("a member as a guest: %v", err)
	}
}

func TestOfTwoMembersOfOneEmailTheLivingIsFound(t *testing.T) {
	mirror := dbtest.New(t)
	old := memberRow(1, "ann@x.test", "Ann")
	old.Status = directory.Disabled
	publish(t, mirror, directory.Publication{
		Members: []directory.MemberUpdate{updateMember(old, 0, 0), updateMember(memberRow(2, "Ann@x.test", "Ann"), 0, 0)}, Sweep: sweepAt(0),
	})
	found, err := mirror.Member(t.Context(), directory.PersonRef{Email: "ann@x.test"}, nil)
	if err != nil || found.Row.ID != 2 {
		t.Errorf("found %d, %v; want 2", found.Row.ID, err)
	}
}

func TestCheckJudgesByStatus(t *testing.T) {
	mirror := dbtest.New(t)
	off := memberRow(2, "off@x.test", "Off")
	off.Status = directory.Disabled
	publish(t, mirror, directory.Publication{
		Groups: []directory.GroupUpdate{updateGroup(groupRow(sales, "Sales", []int64{1, 2, 99}, "guest@x.test", "cy@x.test"), 0, 0)},
		Members: []directory.MemberUpdate{
			updateMember(memberRow(1, "ann@x.test", "Ann"), 0, 0), updateMember(off, 0, 0), updateMember(memberRow(3, "cy@x.test", "Cy"), 0, 0),
		},
		Sweep: sweepAt(0),
	})
	active, disabled := directory.Active, directory.Disabled
	for _, c := range []struct {
		who  directory.PersonRef
		all  bool
		want directory.Check
	}{
		{directory.PersonRef{ID: 1}, false, directory.Check{Member: true, Kind: directory.KindMember, Status: &active, MemberID: 1}},
		{directory.PersonRef{Email: "Ann@x.test"}, false, directory.Check{Member: true, Kind: directory.KindMember, Status: &active, MemberID: 1}},
		{directory.PersonRef{ID: 2}, false, directory.Check{Kind: directory.KindMember, Status: &disabled, MemberID: 2, Reason: "disabled"}},
		{directory.PersonRef{ID: 2}, true, directory.Check{Member: true, Kind: directory.KindMember, Status: &disabled, MemberID: 2}},
		{directory.PersonRef{ID: 3}, false, directory.Check{Status: &active, MemberID: 3}},
		{directory.PersonRef{Email: "cy@x.test"}, false, directory.Check{Member: true, Kind: directory.KindGuest, Status: &active, MemberID: 3}},
		{directory.PersonRef{ID: 99}, false, directory.Check{Member: true, Kind: directory.KindMember, MemberID: 99}},
		{directory.PersonRef{Email: "GUEST@x.test"}, false, directory.Check{Member: true, Kind: directory.KindGuest}},
	} {
		found, err := mirror.Check(t.Context(), c.who, directory.GroupRef{Name: "sales"}, c.all, nil)
		c.want.GroupID = sales
		if d := cmp.Diff(c.want, found.Row); err != nil || d != "" {
			t.Errorf("%+v: %v\n%s", c.who, err, d)
		}
	}
	if _, err := mirror.Check(t.Context(), directory.PersonRef{ID: 98}, directory.GroupRef{ID: sales}, false, nil); !errors.Is(err, directory.ErrUnknownPerson) {
		t.Errorf("an unknown person: %v", err)
	}
	if _, err := mirror.Check(t.Context(), directory.PersonRef{ID: 1}, directory.GroupRef{ID: support}, false, nil); !errors.Is(err, directory.ErrUnknownGroup) {
		t.Errorf("an unknown group: %v", err)
	}
}

func TestAPinOfAnotherLifeIsGone(t *testing.T) {
	mirror := dbtest.New(t)
	pin := seed(t, mirror).Pin()
	for name, change := range map[string]func(*directory.Pin){
		"epoch":    func(p *directory.Pin) { p.Epoch = "other" },
		"revision": func(p *directory.Pin) { p.Revision = 2 },
		"time":     func(p *directory.Pin) { p.PublishedAt = p.PublishedAt.Add(time.Millisecond) },
		"zero":     func(p *directory.Pin) { *p = directory.Pin{} },
	} {
		other := pin
		change(&other)
		for list, err := range map[string]error{
			"groups":  second(mirror.Groups(t.Context(), directory.GroupFilter{}, directory.ListQuery{Limit: 1, Pin: &other})),
			"members": second(mirror.Members(t.Context(), directory.MemberFilter{}, directory.ListQuery{Limit: 1, Pin: &other})),
			"edges":   second(mirror.GroupMembers(t.Context(), directory.GroupRef{ID: sales}, "", directory.ListQuery{Limit: 1, Pin: &other})),
			"person":  second(mirror.GroupsOfPerson(t.Context(), directory.PersonRef{ID: 1}, directory.ListQuery{Limit: 1, Pin: &other})),
		} {
			if !errors.Is(err, directory.ErrCursorGone) {
				t.Errorf("another %s, %s: %v, want ErrCursorGone", name, list, err)
			}
		}
	}
	for _, id := range []string{"x", "member:x", ""} {
		q := directory.ListQuery{Limit: 1, After: &directory.Position{ID: id}}
		if err := second(mirror.Members(t.Context(), directory.MemberFilter{}, q)); !errors.Is(err, directory.ErrCursorGone) {
			t.Errorf("place %q among members: %v, want ErrCursorGone", id, err)
		}
		if err := second(mirror.GroupMembers(t.Context(), directory.GroupRef{ID: sales}, "", q)); !errors.Is(err, directory.ErrCursorGone) {
			t.Errorf("place %q in a group: %v, want ErrCursorGone", id, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestAPinnedGroupIsFoundByTheNameItHad(t *testing.T) {
	mirror := dbtest.New(t)
	pin := seed(t, mirror).Pin()
	publish(t, mirror, directory.Publication{Groups: []directory.GroupUpdate{updateGroup(groupRow(sales, "Sold", []int64{3}), 0, 5)}})
	page, err := mirror.GroupMembers(t.Context(), directory.GroupRef{Name: "sales"}, "", directory.ListQuery{Limit: 9, Pin: &pin})
	if err != nil || len(page.Rows) != 4 || page.Rows[0].GroupName != "Sales" {
		t.Errorf("%+v, %v; want the four of Sales", page.Rows, err)
	}
	publish(t, mirror, directory.Publication{Members: []directory.MemberUpdate{updateMember(memberRow(1, "new@x.test", "Ann"), 0, 6)}})
	if _, err := mirror.GroupsOfPerson(t.Context(), directory.PersonRef{Email: "ann@x.test"}, directory.ListQuery{Limit: 9, Pin: &pin}); err != nil {
		t.Errorf("by the e-mail of then: %v", err)
	}
}

// Groups that hold most of the members are read along the index of names,
// now as then.
func TestALargeGroupIsWalkedByName(t *testing.T) {
	mirror := dbtest.New(t)
	p := directory.Publication{Sweep: sweepAt(0)}
	ids := []int64{5001, 5002}
	for id := int64(1); id <= 1300; id++ {
		p.Members = append(p.Members, updateMember(memberRow(id, fmt.Sprintf("m%d@x.test", id), fmt.Sprintf("Name %d", id*7919%400)), 0, 0))
		if id%9 != 0 {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	p.Groups = []directory.GroupUpdate{updateGroup(groupRow(sales, "Sales", ids, "name 1", "name 200@x.test"), 0, 0)}
	pin := publish(t, mirror, p).Pin()
	walks := func() (all [][]directory.Membership) {
		for _, q := range []directory.ListQuery{{ByName: true}, {ByName: true, Descending: true}, {}} {
			q.Pin, q.Limit = &pin, 170
			var rows []directory.Membership
			for more := true; more; more = q.After != nil {
				page, err := mirror.GroupMembers(t.Context(), directory.GroupRef{ID: sales}, "", q)
				if err != nil {
					t.Fatal(err)
				}
				rows, q.After = append(rows, page.Rows...), page.Next
			}
			all = append(all, rows)
		}
		return all
	}
	present := walks()
	up, down, byID := present[0], slices.Clone(present[1]), slices.Clone(present[2])
	slices.Reverse(down)
	if d := cmp.Diff(up, down); d != "" || len(up) != len(ids)+2 {
		t.Errorf("%d rows of %d\n%s", len(up), len(ids)+2, d)
	}
	slices.SortStableFunc(byID, func(a, b directory.Membership) int {
		key := func(m directory.Membership) string {
			if m.Kind == directory.KindGuest {
				return directory.FoldEmail(*m.Email)
			}
			return directory.Fold(text(m.FullName))
		}
		return strings.Compare(key(a), key(b))
	})
	if d := cmp.Diff(byID, up); d != "" {
		t.Errorf("by id, then sorted, against by name\n%s", d)
	}
	publish(t, mirror, directory.Publication{
		GoneGroups:  []directory.Gone[string]{{ID: sales, Origin: observed(0, 5)}},
		GoneMembers: []directory.Gone[int64]{{ID: 1, Origin: observed(0, 5)}, {ID: 700, Origin: observed(0, 5)}},
		Members:     []directory.MemberUpdate{updateMember(memberRow(5001, "m5001@x.test", "Name 1"), 0, 5)},
	})
	if d := cmp.Diff(present, walks()); d != "" {
		t.Errorf("later (-then +now):\n%s", d)
	}
}

// A page may end at a guest whose e-mail is the name of members.
func TestAGuestAmongNamesakesCutsNoPageShort(t *testing.T) {
	mirror := dbtest.New(t)
	p := directory.Publication{
		Groups: []directory.GroupUpdate{updateGroup(groupRow(sales, "Sales", []int64{1, 2, 3}, "ann"), 0, 0)}, Sweep: sweepAt(0),
	}
	for id := int64(1); id <= 3; id++ {
		p.Members = append(p.Members, updateMember(memberRow(id, fmt.Sprintf("m%d@x.test", id), "Ann"), 0, 0))
	}
	pin := publish(t, mirror, p).Pin()
	for range 2 { // at the present, then in the past
		for down, want := range map[bool][]int64{false: {1, 2, 3, 0}, true: {0, 3, 2, 1}} {
			q := directory.ListQuery{Limit: 1, ByName: true, Descending: down, Pin: &pin}
			var got []int64
			for more := true; more; more = q.After != nil {
				page, err := mirror.GroupMembers(t.Context(), directory.GroupRef{ID: sales}, "", q)
				if err != nil {
					t.Fatal(err)
				}
				for _, row := range page.Rows {
					got = append(got, row.MemberID)
				}
				q.After = page.Next
			}
			if !slices.Equal(got, want) {
				t.Errorf("down %t: %v, want %v", down, got, want)
			}
		}
		publish(t, mirror, directory.Publication{GoneGroups: []directory.Gone[string]{{ID: sales, Origin: observed(0, 5)}}})
	}
}

func TestPayloadsComeInTheOrderOfCreation(t *testing.T) {
	mirror := dbtest.New(t)
	var groups []directory.GroupUpdate
	var members []directory.MemberUpdate
	for i, minute := range []int{5, 3, 3, 9} {
		group := groupRow(fmt.Sprint("g", i), "name", nil)
		group.CreatedAt = at(minute)
		groups = append(groups, updateGroup(sealGroup(group), 0, 0))
		member := memberRow(int64(i+1), fmt.Sprintf("m%d@x.test", i), "name")
		member.CreatedAt = at(minute)
		members = append(members, updateMember(sealMember(member), 0, 0))
	}
	publish(t, mirror, directory.Publication{Groups: groups, Members: members, Sweep: sweepAt(0)})
	byGroup, err := mirror.GroupPayloads(t.Context(), directory.PayloadQuery{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	byMember, err := mirror.MemberPayloads(t.Context(), directory.PayloadQuery{Offset: 1, Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{1, 2, 0, 3} {
		if string(byGroup.Rows[i]) != string(groups[want].Row.Payload) {
			t.Errorf("group %d is %s", i, byGroup.Rows[i])
		}
	}
	for i, want := range []int{2, 0} {
		if string(byMember.Rows[i]) != string(members[want].Row.Payload) {
			t.Errorf("member %d is %s", i, byMember.Rows[i])
		}
	}
	if byGroup.Total != 4 || byMember.Total != 4 || len(byMember.Rows) != 2 {
		t.Errorf("totals %d and %d, %d rows", byGroup.Total, byMember.Total, len(byMember.Rows))
	}
	past, err := mirror.GroupPayloads(t.Context(), directory.PayloadQuery{Offset: 100, Limit: 10})
	if err != nil || len(past.Rows) != 0 || past.Total != 4 {
		t.Errorf("past the end: %+v, %v", past, err)
	}
}

func TestPayloadsOfNobody(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	if _, err := mirror.GroupPayload(t.Context(), support); !errors.Is(err, directory.ErrUnknownGroup) {
		t.Errorf("group: %v", err)
	}
	if _, err := mirror.MemberPayload(t.Context(), 99); !errors.Is(err, directory.ErrUnknownPerson) {
		t.Errorf("member: %v", err)
	}
}

func TestIndexHoldsWhatComparisonNeeds(t *testing.T) {
	mirror := dbtest.New(t)
	if index, err := mirror.Index(t.Context()); err != nil || len(index.Groups)+len(index.Members) != 0 || index.Epoch == "" {
		t.Errorf("an empty mirror: %+v, %v", index, err)
	}
	fresh := seed(t, mirror)
	publish(t, mirror, directory.Publication{DoubtedMembers: []directory.Confirmation[int64]{{ID: 2, At: at(-7)}}})
	index, err := mirror.Index(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	row := groupRow(sales, "Sales", []int64{1, 2, 99}, "Guest@x.test")
	want := directory.StoredRow{Fingerprint: row.Fingerprint, Form: directory.ListForm, ConfirmedAt: at(0), Edges: 4}
	if d := cmp.Diff(want, index.Groups[sales]); d != "" {
		t.Error(d)
	}
	bob := directory.StoredRow{
		Fingerprint: memberRow(2, "bob@x.test", "Bob").Fingerprint, Form: directory.ListForm, ConfirmedAt: at(-7), Doubted: true,
	}
	if d := cmp.Diff(bob, index.Members[2]); d != "" || len(index.Members) != 3 {
		t.Errorf("%d members\n%s", len(index.Members), d)
	}
	if index.Revision != fresh.Revision || !index.ConfirmedAt.Equal(at(-7)) {
		t.Errorf("freshness %+v", index.Freshness)
	}
}
