package db_test

import (
	"fmt"
	"testing"

	"rollcall/internal/directory"
)

// BenchmarkFilter narrows lists of the large organisation; Member is the point
// query that the others are multiples of.
func BenchmarkFilter(b *testing.B) {
	mirror, _, p := loaded(b)
	ctx := b.Context()
	group := func(i int) directory.GroupRef { return directory.GroupRef{ID: p.Groups[i].Row.ID} }
	first, byName := directory.ListQuery{Limit: 100}, directory.ListQuery{Limit: 100, ByName: true}
	present, err := mirror.Freshness(ctx)
	if err != nil {
		b.Fatal(err)
	}
	change := oneInAThousand(p, 1)
	for i := range 20 { // some rare ones
		row := benchMember(int64(7 + i*4000))
		row.Status, row.Email, row.Role = directory.Disabled, fmt.Sprintf("rare%d@elsewhere.test", i), new("light")
		change.Members = append(change.Members, updateMember(row, 0, 1))
	}
	publish(b, mirror, change)
	past := directory.ListQuery{Limit: 100, Pin: new(present.Pin())}
	members := func(f directory.MemberFilter, q directory.ListQuery) func() error {
		return func() error { return second(mirror.Members(ctx, f, q)) }
	}
	edges := func(f directory.MembershipFilter, q directory.ListQuery) func() error {
		return func() error { return second(mirror.Memberships(ctx, f, q)) }
	}
	counted := directory.ListQuery{Limit: 100, Count: true}
	three := directory.MemberFilter{In: []directory.GroupRef{group(0), group(200), group(500)}}
	difference := directory.MemberFilter{In: []directory.GroupRef{group(1)}, NotIn: []directory.GroupRef{group(2), group(3)}}
	union := directory.MemberFilter{InAny: []directory.GroupRef{group(1), group(50), group(500)}}
	var pairs []directory.Pair
	for i := range 100 {
		pairs = append(pairs, directory.Pair{Member: directory.PersonRef{ID: int64(1 + i*900)}, Group: group(i % 10)})
	}
	for _, c := range []struct {
		name string
		read func() error
	}{
		{"Member", func() error { return second(mirror.Member(ctx, directory.PersonRef{ID: 500}, nil)) }},
		{"GroupsOfPerson", func() error { return second(mirror.GroupsOfPerson(ctx, directory.PersonRef{ID: 500}, first)) }},
		{"InThree", members(three, first)},
		{"InThreeByName", members(three, byName)},
		{"InThreePast", members(three, past)},
		{"InButNotIn", members(difference, first)},
		{"InButNotInByName", members(difference, byName)},
		{"InAny", members(union, first)},
		{"InAnyCounted", members(union, counted)},
		{"InEverybodyByName", members(directory.MemberFilter{In: []directory.GroupRef{group(0)}}, byName)},
		{"NoGroup", members(directory.MemberFilter{NoGroup: new(true)}, first)},
		{"RareStatus", members(directory.MemberFilter{Status: directory.Disabled}, first)},
		{"RareStatusByName", members(directory.MemberFilter{Status: directory.Disabled}, byName)},
		{"CommonStatus", members(directory.MemberFilter{Status: directory.Active}, first)},
		{"CommonStatusByNameCounted", members(directory.MemberFilter{Status: directory.Active}, directory.ListQuery{Limit: 100, ByName: true, Count: true})},
		{"RareDomain", members(directory.MemberFilter{Domain: "elsewhere.test"}, first)},
		{"SearchRare", members(directory.MemberFilter{Contains: "erson 9999"}, first)},
		{"SearchNothing", members(directory.MemberFilter{Contains: "zebra"}, first)},
		{"SearchCommon", members(directory.MemberFilter{Contains: "example"}, directory.ListQuery{Limit: 20})},
		{"SearchCommonByName", members(directory.MemberFilter{Contains: "example"}, directory.ListQuery{Limit: 20, ByName: true})},
		{"SearchTwoRunes", members(directory.MemberFilter{Contains: "zz"}, first)},
		{"SearchPast", members(directory.MemberFilter{Contains: "erson 9999"}, past)},
		{"Groups/Search", func() error { return second(mirror.Groups(ctx, directory.GroupFilter{Contains: "roup 99"}, first)) }},
		{"Groups/Empty", func() error { return second(mirror.Groups(ctx, directory.GroupFilter{Empty: new(true)}, first)) }},
		{"Groups/Large", func() error { return second(mirror.Groups(ctx, directory.GroupFilter{MinMembers: 5000}, byName)) }},
		{"Memberships", edges(directory.MembershipFilter{}, first)},
		{"MembershipsOfOne", edges(directory.MembershipFilter{Person: &directory.PersonRef{ID: 500}}, first)},
		{"MembershipsOfRareStatus", edges(directory.MembershipFilter{Status: directory.Disabled}, first)},
		{"MembershipsOfCommonStatusCounted", edges(directory.MembershipFilter{Status: directory.Active}, counted)},
		{"MembershipsOfEverybodyRareDomain", edges(directory.MembershipFilter{Group: new(group(0)), Domain: "elsewhere.test"}, first)},
		{"PayloadsSearchedRare", func() error {
			return second(mirror.MemberPayloads(ctx, directory.PayloadQuery{Contains: "son9999", Limit: 100}))
		}},
		{"Checks100", func() error { return second(mirror.Checks(ctx, pairs, false, nil)) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
