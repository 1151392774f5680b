package db_test

import (
	"slices"
	"testing"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

func TestEveryGroupOfASetCounts(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	publish(t, mirror, directory.Publication{Groups: []directory.GroupUpdate{updateGroup(groupRow(support, "Support", []int64{2, 3}), 0, 1)}})
	both, one := []directory.GroupRef{{ID: sales}, {ID: support}}, []directory.GroupRef{{Name: "sales"}}
	for _, few := range []int64{0, 2000} {
		db.SetReach(mirror, few, 1, 2)
		for _, c := range []struct {
			f    directory.MemberFilter
			want []int64
		}{
			{directory.MemberFilter{In: both}, []int64{2}},
			{directory.MemberFilter{In: one, InAny: both, Contains: "n@X"}, []int64{1}},
			{directory.MemberFilter{InAny: both}, []int64{1, 2, 3}},
			{directory.MemberFilter{In: one, NotIn: both[1:]}, []int64{1}},
			{directory.MemberFilter{NotIn: one}, []int64{3}},
		} {
			for _, q := range []directory.ListQuery{{Limit: 9}, {Limit: 9, ByName: true}} {
				if got := membersThat(t, mirror, c.f, q); !slices.Equal(got, c.want) {
					t.Errorf("%+v: %v, want %v", c.f, got, c.want)
				}
			}
		}
	}
}

func membersThat(t *testing.T, mirror *db.DB, f directory.MemberFilter, q directory.ListQuery) (ids []int64) {
	t.Helper()
	page, err := mirror.Members(t.Context(), f, q)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range page.Rows {
		ids = append(ids, m.ID)
	}
	return ids
}

func TestASearchFollowsARename(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	publish(t, mirror, directory.Publication{
		Groups:  []directory.GroupUpdate{updateGroup(groupRow(sales, "Vertrieb", []int64{1}), 0, 1)},
		Members: []directory.MemberUpdate{updateMember(memberRow(2, "bob@x.test", "Roberta"), 0, 1)},
	})
	for part, want := range map[string][]int64{"roberta": {2}, "bob@": {2}, "Bobby": nil} {
		if got := membersThat(t, mirror, directory.MemberFilter{Contains: part}, directory.ListQuery{Limit: 9}); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", part, got, want)
		}
	}
	for part, want := range map[string]int{"rieb": 1, "sales": 0} {
		page, err := mirror.Groups(t.Context(), directory.GroupFilter{Contains: part}, directory.ListQuery{Limit: 9})
		if err != nil || len(page.Rows) != want {
			t.Errorf("%q: %d groups, %v", part, len(page.Rows), err)
		}
	}
}
