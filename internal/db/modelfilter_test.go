package db_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/internal/directory"
)

// partPool has parts of every length that the search tells apart.
var partPool = []string{"", "", "a", "NN", "zoë", "ë", "Bob", "x.test", "m1@", "zzz", "@Y.TES", "\u1e9e", "bob\nann", "οΔΟ", "about", "sale"}

// compareFilters asks for lists narrowed in any way, at one revision.
func (s *story) compareFilters(m moment, q directory.ListQuery) {
	ctx, w := s.t.Context(), m.world
	q.Count = rapid.Bool().Draw(s.t, "count")
	isPast := q.AsOf != nil || m.fresh.Revision != s.past[len(s.past)-1].fresh.Revision

	groups := s.drawGroupFilter(w)
	check(s, q, fmt.Sprintf("groups that %+v", groups), only(s.groups(w, q), groups.letsThrough), walk(s.t, q, func(q directory.ListQuery) (directory.Page[directory.Group], error) {
		return s.mirror.GroupsWithEdges(ctx, groups.GroupFilter, q)
	}), settleLogo(isPast))

	members := s.drawMemberFilter(w)
	check(s, q, fmt.Sprintf("members that %+v", members), only(s.members(w, q), members.letsThrough(w)), walk(s.t, q, func(q directory.ListQuery) (directory.Page[directory.Member], error) {
		return s.mirror.Members(ctx, members.MemberFilter, q)
	}), settleLogin(isPast))

	edges := s.drawEdgeFilter(w)
	var all []directory.Membership
	for _, g := range s.groups(w, q) {
		all = append(all, s.memberships(w, g.ID, "", q)...)
	}
	check(s, q, fmt.Sprintf("memberships that %+v", edges), only(all, edges.letsThrough(w)), walk(s.t, q, func(q directory.ListQuery) (directory.Page[directory.Membership], error) {
		return s.mirror.Memberships(ctx, edges.MembershipFilter, q)
	}))
}

func only[T any](rows []T, keep func(T) bool) []T {
	return slices.DeleteFunc(rows, func(row T) bool { return !keep(row) })
}

func has(part string, texts ...string) bool {
	return slices.ContainsFunc(texts, func(text string) bool {
		return strings.Contains(directory.FoldCase(text), directory.FoldCase(part))
	})
}

var anyBool = []*bool{nil, nil, new(true), new(false)}

func (s *story) drawGroup(w world, label string) *directory.GroupRef {
	ids := slices.Sorted(maps.Keys(w.groups))
	if len(ids) == 0 || rapid.IntRange(0, 2).Draw(s.t, label) > 0 {
		return nil
	}
	return &directory.GroupRef{ID: rapid.SampledFrom(ids).Draw(s.t, label)}
}

func (s *story) drawGroups(w world, label string) (refs []directory.GroupRef) {
	for range 2 {
		if ref := s.drawGroup(w, label); ref != nil {
			refs = append(refs, *ref)
		}
	}
	return refs
}

func (s *story) drawGroupFilter(w world) groupFilter {
	return groupFilter{directory.GroupFilter{
		Group:      s.drawGroup(w, "group"),
		Contains:   rapid.SampledFrom(partPool).Draw(s.t, "part"),
		MinMembers: rapid.SampledFrom([]int{0, 0, 1, 3}).Draw(s.t, "min"),
		Empty:      rapid.SampledFrom(anyBool).Draw(s.t, "empty"),
		HasGuests:  rapid.SampledFrom(anyBool).Draw(s.t, "guests"),
	}}
}

type groupFilter struct{ directory.GroupFilter }

func (f groupFilter) letsThrough(g directory.Group) bool {
	return (f.Group == nil || f.Group.ID == g.ID) && has(f.Contains, g.Name, text(g.Description)) && len(g.Members) >= f.MinMembers &&
		(f.Empty == nil || *f.Empty == (len(g.Members)+len(g.Guests) == 0)) && (f.HasGuests == nil || *f.HasGuests == (len(g.Guests) > 0))
}

func (s *story) drawMemberFilter(w world) memberFilter {
	f := memberFilter{directory.MemberFilter{
		In: s.drawGroups(w, "in"), InAny: s.drawGroups(w, "in any"), NotIn: s.drawGroups(w, "not in"),
		NoGroup:  rapid.SampledFrom(anyBool).Draw(s.t, "no group"),
		Status:   rapid.SampledFrom([]directory.Status{"", "", directory.Active, directory.Disabled}).Draw(s.t, "status"),
		Role:     rapid.SampledFrom([]string{"", "", "ADMIN", "light"}).Draw(s.t, "role"),
		Domain:   rapid.SampledFrom([]string{"", "", "X.test", "y.test"}).Draw(s.t, "domain"),
		Contains: rapid.SampledFrom(partPool).Draw(s.t, "part"),
	}}
	if ids := slices.Sorted(maps.Keys(w.members)); len(ids) > 0 && rapid.IntRange(0, 5).Draw(s.t, "one") == 0 {
		f.Person = &directory.PersonRef{ID: rapid.SampledFrom(ids).Draw(s.t, "member")}
	}
	return f
}

type memberFilter struct{ directory.MemberFilter }

func (f memberFilter) letsThrough(w world) func(directory.Member) bool {
	return func(m directory.Member) bool {
		in := func(ref directory.GroupRef) bool { _, in := w.groups[ref.ID].members[m.ID]; return in }
		notIn := func(ref directory.GroupRef) bool { return !in(ref) }
		return !slices.ContainsFunc(f.In, notIn) && !slices.ContainsFunc(f.NotIn, in) && (len(f.InAny) == 0 || slices.ContainsFunc(f.InAny, in)) &&
			(f.NoGroup == nil || *f.NoGroup == (m.GroupCount == 0)) && (f.Person == nil || f.Person.ID == m.ID) && (f.Status == "" || f.Status == m.Status) &&
			(f.Role == "" || strings.EqualFold(f.Role, text(m.Role))) && (f.Domain == "" || strings.HasSuffix(strings.ToLower(m.Email), "@"+strings.ToLower(f.Domain))) &&
			has(f.Contains, text(m.FirstName), text(m.LastName), text(m.FullName), m.Email)
	}
}

func (s *story) drawEdgeFilter(w world) edgeFilter {
	f := edgeFilter{directory.MembershipFilter{
		Group:  s.drawGroup(w, "group"),
		Kind:   rapid.SampledFrom([]directory.Kind{"", "", directory.KindMember, directory.KindGuest}).Draw(s.t, "kind"),
		Status: rapid.SampledFrom([]directory.Status{"", "", directory.Active, directory.Disabled}).Draw(s.t, "status"),
		Role:   rapid.SampledFrom([]string{"", "", "Admin"}).Draw(s.t, "role"),
		Domain: rapid.SampledFrom([]string{"", "", "X.test", "y.test"}).Draw(s.t, "domain"),
	}}
	switch rapid.IntRange(0, 4).Draw(s.t, "one") {
	case 0:
		f.Person = &directory.PersonRef{ID: rapid.SampledFrom(idPool).Draw(s.t, "id")}
	case 1:
		f.Person = &directory.PersonRef{Email: rapid.SampledFrom(append([]string{"M1@x.test", "m2@y.test"}, guestPool...)).Draw(s.t, "e-mail")}
	}
	return f
}

type edgeFilter struct{ directory.MembershipFilter }

func (f edgeFilter) letsThrough(w world) func(directory.Membership) bool {
	return func(m directory.Membership) bool {
		return (f.Group == nil || f.Group.ID == m.GroupID) && (f.Kind == "" || f.Kind == m.Kind) &&
			(f.Status == "" || m.Status != nil && f.Status == *m.Status) && (f.Role == "" || m.Role != nil && strings.EqualFold(f.Role, *m.Role)) &&
			(f.Domain == "" || m.Email != nil && strings.HasSuffix(strings.ToLower(*m.Email), "@"+strings.ToLower(f.Domain))) && f.isPerson(m)
	}
}

func (f edgeFilter) isPerson(m directory.Membership) bool {
	switch {
	case f.Person == nil:
		return true
	case f.Person.ID != 0:
		return m.MemberID == f.Person.ID
	}
	return m.Email != nil && directory.FoldEmail(*m.Email) == directory.FoldEmail(f.Person.Email)
}

// compareChecks asks for every pair at one revision, at once and one by one.
func (s *story) compareChecks(m moment) {
	at := &directory.AsOf{Revision: m.fresh.Revision}
	var pairs []directory.Pair
	for _, id := range append([]string{"nowhere"}, groupPool...) {
		for _, group := range []directory.GroupRef{{ID: id}, {Name: rapid.SampledFrom(namePool).Draw(s.t, "name")}} {
			for _, who := range idPool {
				pairs = append(pairs, directory.Pair{Member: directory.PersonRef{ID: who}, Group: group})
			}
			for _, email := range append([]string{"M1@x.test", "m2@y.test"}, guestPool...) {
				pairs = append(pairs, directory.Pair{Member: directory.PersonRef{Email: email}, Group: group})
			}
		}
	}
	includeDisabled := rapid.Bool().Draw(s.t, "disabled, too")
	found, err := s.mirror.Checks(s.t.Context(), pairs, includeDisabled, at)
	if err != nil || found.Revision != m.fresh.Revision || len(found.Row) != len(pairs) {
		s.t.Fatalf("check %d pairs as of revision %d: %d at %d, %v", len(pairs), m.fresh.Revision, len(found.Row), found.Revision, err)
	}
	for i, pair := range pairs {
		want := s.checked(m.world, pair, includeDisabled)
		if d := gocmp.Diff(want, found.Row[i]); d != "" {
			s.t.Fatalf("check %+v as of revision %d of %d (-want +got):\n%s", pair, m.fresh.Revision, len(s.past), d)
		}
		one, err := s.mirror.Check(s.t.Context(), pair.Member, pair.Group, includeDisabled, at)
		if whyNot(err) != "" {
			if want.Reason != whyNot(err) {
				s.t.Fatalf("check %+v as of revision %d: %v, want %+v", pair, m.fresh.Revision, err, want)
			}
		} else if d := gocmp.Diff(want, one.Row); err != nil || d != "" {
			s.t.Fatalf("check %+v as of revision %d alone: %v\n%s", pair, m.fresh.Revision, err, d)
		}
	}
}

func whyNot(err error) string {
	_, ambiguous := errors.AsType[*directory.AmbiguousNameError](err)
	switch {
	case ambiguous:
		return directory.WhyAmbiguous
	case errors.Is(err, directory.ErrUnknownGroup):
		return directory.WhyUnknownGroup
	case errors.Is(err, directory.ErrUnknownPerson):
		return directory.WhyUnknownMember
	}
	return ""
}

// checked is what a plain program would say.
func (s *story) checked(w world, pair directory.Pair, includeDisabled bool) (c directory.Check) {
	group, reason := w.find(pair.Group)
	id, key := pair.Member.ID, directory.FoldEmail(pair.Member.Email)
	for _, m := range w.members {
		if id == 0 && directory.FoldEmail(m.Email) == key {
			id = m.ID
		}
	}
	m, isListed := w.members[id]
	isKnown := isListed
	for _, g := range w.groups {
		_, isStranger := g.members[id]
		_, isGuest := g.guests[key]
		isKnown = isKnown || isStranger || isGuest
	}
	if group != nil {
		c.GroupID = group.ID
	}
	if isListed {
		c.Status = &m.Status
	}
	if isKnown {
		c.MemberID = id
	}
	switch {
	case reason != "":
		c.Reason = reason
		return c
	case !isKnown:
		c.Reason = directory.WhyUnknownMember
		return c
	}
	if _, in := group.guests[key]; in && pair.Member.ID == 0 {
		c.Kind, c.Member = directory.KindGuest, true
	}
	if _, in := group.members[id]; in {
		c.Kind, c.Member = directory.KindMember, true
		if isListed && m.Status == directory.Disabled && !includeDisabled {
			c.Member, c.Reason = false, directory.WhyDisabled
		}
	}
	return c
}

// find returns the one group of a name, else why there is none.
func (w world) find(ref directory.GroupRef) (*modelGroup, string) {
	var exact, alike []*modelGroup
	for id, g := range w.groups {
		switch {
		case ref.ID == id:
			return g, ""
		case ref.ID != "":
		case g.Name == ref.Name:
			exact = append(exact, g)
		case directory.Fold(g.Name) == directory.Fold(ref.Name):
			alike = append(alike, g)
		}
	}
	if len(exact) > 0 {
		alike = exact
	}
	switch len(alike) {
	case 0:
		return nil, directory.WhyUnknownGroup
	case 1:
		return alike[0], ""
	}
	return nil, directory.WhyAmbiguous
}
