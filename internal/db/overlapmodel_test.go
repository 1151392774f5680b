package db_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

func TestOverlapAndCompanyAreCountedRightlyAtEveryRevision(t *testing.T) {
	atMost(t, 15)
	rapid.Check(t, func(r *rapid.T) {
		s := newStory(r, t.TempDir())
		defer s.mirror.Close()
		db.CountFrom(s.mirror, rapid.Int64Range(0, 3).Draw(r, "few members"), rapid.Int64Range(0, 8).Draw(r, "many edges"), rapid.SampledFrom([]int{1, 5, 1000}).Draw(r, "work"))
		for range rapid.IntRange(1, 5).Draw(r, "publications") {
			s.publish()
		}
		for _, m := range s.past {
			s.compareInsight(m)
		}
	})
}

func (s *story) compareInsight(m moment) {
	q := rapid.SampledFrom([]directory.ListQuery{{}, {ByName: true}, {ByName: true, Descending: true}}).Draw(s.t, "order")
	q.Pin, q.Limit, q.Count = new(m.fresh.Pin()), rapid.IntRange(1, 5).Draw(s.t, "limit"), true
	isPast := m.fresh.Revision != s.past[len(s.past)-1].fresh.Revision
	ctx := s.t.Context()
	var counted *int
	all := overlaps(m.world, q, nil)
	check(s, q, "overlap", all, walkShort(s.t, q, func(q directory.ListQuery) (directory.Page[directory.Overlap], error) {
		page, err := s.mirror.Overlap(ctx, directory.OverlapQuery{ListQuery: q})
		counted = page.Total
		return page, err
	}))
	s.wantTotal("overlap", len(all), counted)
	for _, id := range slices.Sorted(maps.Keys(m.world.groups)) {
		own := overlaps(m.world, q, &id)
		check(s, q, "overlap of "+id, own, walkShort(s.t, q, func(q directory.ListQuery) (directory.Page[directory.Overlap], error) {
			page, err := s.mirror.Overlap(ctx, directory.OverlapQuery{ListQuery: q, Group: &directory.GroupRef{ID: id}})
			counted = page.Total
			return page, err
		}))
		s.wantTotal("overlap of "+id, len(own), counted)
	}
	people := s.peopleOf(m.world)
	for _, who := range people {
		want := s.coMembers(m.world, who, q)
		check(s, q, fmt.Sprint("co-members of ", who), want, walk(s.t, q, func(q directory.ListQuery) (directory.Page[directory.CoMember], error) {
			page, err := s.mirror.CoMembers(ctx, who, q)
			counted = page.Total
			return page, err
		}), settleLogin(isPast))
		s.wantTotal("co-members", len(want), counted)
		with := rapid.SampledFrom(people).Draw(s.t, "with")
		shared := s.sharedGroups(m.world, who, with, q)
		check(s, q, fmt.Sprint("groups of ", who, " and ", with), shared, walk(s.t, q, func(q directory.ListQuery) (directory.Page[directory.Group], error) {
			page, err := s.mirror.SharedGroups(ctx, who, with, q)
			counted = page.Total
			return page, err
		}), settleLogo(isPast))
		s.wantTotal("shared groups", len(shared), counted)
	}
}

func (s *story) wantTotal(what string, want int, got *int) {
	if got == nil || *got != want {
		s.t.Fatalf("total of %s: %s, want %d", what, total(got), want)
	}
}

func total(n *int) string {
	if n == nil {
		return "none"
	}
	return strconv.Itoa(*n)
}

// walkShort is walk for pages that may be short, or empty.
func walkShort[T any](t *rapid.T, q directory.ListQuery, page func(directory.ListQuery) (directory.Page[T], error)) (rows []T) {
	for range 1000 {
		p, err := page(q)
		if err != nil {
			t.Fatal(err)
		}
		if p.Pin() != *q.Pin || len(p.Rows) > q.Limit {
			t.Fatalf("a page of %+v shows %+v and has %d rows", q, p.Pin(), len(p.Rows))
		}
		rows = append(rows, p.Rows...)
		if p.Next == nil {
			return rows
		}
		q.After = p.Next
	}
	t.Fatal("the walk has no end")
	return nil
}

// overlaps are the pairs of all groups, or of one.
func overlaps(w world, q directory.ListQuery, of *string) (rows []directory.Overlap) {
	for idA, a := range w.groups {
		for idB, b := range w.groups {
			if idA >= idB || of != nil && *of != idA && *of != idB {
				continue
			}
			row := directory.Overlap{GroupA: idA, GroupB: idB}
			for id := range a.members {
				if _, both := b.members[id]; both {
					row.Shared++
				} else {
					row.OnlyA++
				}
			}
			row.OnlyB = len(b.members) - row.Shared
			if row.Shared > 0 {
				rows = append(rows, row)
			}
		}
	}
	place := func(id string) []string {
		if q.ByName {
			return []string{directory.Fold(w.groups[id].Name), id}
		}
		return []string{id}
	}
	key := func(o directory.Overlap) []string {
		if of != nil {
			return place(otherOf(o, *of))
		}
		return append(place(o.GroupA), place(o.GroupB)...)
	}
	slices.SortFunc(rows, func(x, y directory.Overlap) int {
		if q.Descending {
			x, y = y, x
		}
		return slices.Compare(key(x), key(y))
	})
	return rows
}

func otherOf(o directory.Overlap, id string) string {
	if o.GroupA == id {
		return o.GroupB
	}
	return o.GroupA
}

// peopleOf are all who are in a group or listed: ids and guests.
func (s *story) peopleOf(w world) (people []directory.PersonRef) {
	ids, guests := map[int64]bool{}, map[string]bool{}
	for id := range w.members {
		ids[id] = true
	}
	for _, g := range w.groups {
		for id := range g.members {
			ids[id] = true
		}
		for key := range g.guests {
			guests[key] = true
		}
	}
	for _, m := range w.members {
		delete(guests, directory.FoldEmail(m.Email)) // they are found as members
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		people = append(people, directory.PersonRef{ID: id})
	}
	for _, key := range slices.Sorted(maps.Keys(guests)) {
		people = append(people, directory.PersonRef{Email: key})
	}
	return people
}

func (g *modelGroup) holds(who directory.PersonRef) bool {
	_, asMember := g.members[who.ID]
	_, asGuest := g.guests[who.Email]
	return who.ID != 0 && asMember || who.ID == 0 && asGuest
}

func (s *story) coMembers(w world, who directory.PersonRef, q directory.ListQuery) (rows []directory.CoMember) {
	for _, m := range s.members(w, q) {
		row := directory.CoMember{Member: m}
		for _, g := range w.groups {
			if m.ID != who.ID && g.holds(who) && g.holds(directory.PersonRef{ID: m.ID}) {
				row.Shared++
			}
		}
		if row.Shared > 0 {
			rows = append(rows, row)
		}
	}
	if !q.ByName {
		slices.SortStableFunc(rows, func(a, b directory.CoMember) int { return cmp.Compare(b.Shared, a.Shared) })
	}
	return rows
}

func (s *story) sharedGroups(w world, who, with directory.PersonRef, q directory.ListQuery) (rows []directory.Group) {
	for _, full := range s.groups(w, q) {
		if g := w.groups[full.ID]; g.holds(who) && g.holds(with) {
			full.Members, full.Guests = nil, nil
			rows = append(rows, full)
		}
	}
	return rows
}

func TestOverlapCountsMembersAloneAndIdsThatAreNotListed(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	publish(t, mirror, directory.Publication{Groups: []directory.GroupUpdate{
		updateGroup(groupRow(support, "Support", []int64{1, 3, 99}, "Guest@x.test"), 0, 1),
		updateGroup(groupRow("0f0000000000000000000000000000cc", "Guests", nil, "Guest@x.test"), 0, 1),
	}})
	page, err := mirror.Overlap(t.Context(), directory.OverlapQuery{ListQuery: directory.ListQuery{Limit: 10}})
	want := []directory.Overlap{{GroupA: sales, GroupB: support, Shared: 2, OnlyA: 1, OnlyB: 1}}
	if d := gocmp.Diff(want, page.Rows); err != nil || d != "" {
		t.Fatal(err, d)
	}
	if o := page.Rows[0]; o.Jaccard() != 0.5 || o.Containment() != 2./3 {
		t.Error(o.Jaccard(), o.Containment())
	}
}

// The crowd holds 1 to 3, whom nobody else is near; 5 and 6 are near.
func TestThoseOfTheCrowdStandAmongThoseNear(t *testing.T) {
	mirror := dbtest.New(t)
	db.CountFrom(mirror, 1, 3, 1)
	p := directory.Publication{Cause: directory.CauseInitial, Sweep: sweepAt(0), Groups: []directory.GroupUpdate{
		updateGroup(groupRow(sales, "All", []int64{1, 2, 3, 8}), 0, 0),
		updateGroup(groupRow(support, "Few", []int64{5, 6, 8}), 0, 0),
	}}
	for id := int64(1); id <= 8; id++ {
		p.Members = append(p.Members, updateMember(memberRow(id, fmt.Sprint(id, "@x.test"), "X"), 0, 0))
	}
	publish(t, mirror, p)
	var ids []int64
	q := directory.ListQuery{Limit: 1}
	for range 10 {
		page, err := mirror.CoMembers(t.Context(), directory.PersonRef{ID: 8}, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range page.Rows {
			ids = append(ids, row.ID)
		}
		if q.After = page.Next; q.After == nil {
			break
		}
	}
	if !slices.Equal(ids, []int64{1, 2, 3, 5, 6}) {
		t.Error(ids)
	}
}
