package db_test

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/internal/db"
	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

// A world is one revision as a plain program would keep it.
type world struct {
	groups  map[string]*modelGroup
	members map[int64]directory.Member
	payload map[any]string
}

type modelGroup struct {
	directory.Group
	members map[int64]*modelEdge
	guests  map[string]*modelEdge // by folded e-mail
}

// A modelEdge is shared by all worlds that have it, so that each knows of its
// end.
type modelEdge struct {
	since directory.Bounds
	until *directory.Bounds
}

func (w world) clone() world {
	c := world{groups: map[string]*modelGroup{}, members: maps.Clone(w.members), payload: maps.Clone(w.payload)}
	for id, g := range w.groups {
		c.groups[id] = &modelGroup{g.Group, maps.Clone(g.members), maps.Clone(g.guests)}
	}
	return c
}

// A story is a mirror, the model of its present, and of every revision.
type story struct {
	t        *rapid.T
	mirror   *db.DB
	now      world
	spelling map[string]string // of guests, as first seen
	minute   int
	past     []moment
}

type moment struct {
	fresh directory.Freshness
	world world
}

var (
	groupPool = []string{"g1", "g2", "g3", "g4", "g5"}
	namePool  = []string{"Sales", "sales ", "Support", "ΟΔΟΣ", "οδος", "a", ""}
	idPool    = []int64{1, 2, 3, 4, 5, 6, 7, 1 << 60}
	guestPool = []string{"a@x.test", "A@x.test", "m3@x.test", "zed@x.test", "Éa@x.test", "ann"}
)

func TestEveryPastRevisionReadsAsItWas(t *testing.T) {
	atMost(t, 15)
	rapid.Check(t, func(r *rapid.T) {
		s := newStory(r, t.TempDir())
		defer s.mirror.Close()
		stretch := rapid.IntRange(1, 3).Draw(r, "stretch")
		db.SetReach(s.mirror, rapid.SampledFrom([]int64{0, 2, 2000}).Draw(r, "few"), stretch, 2*stretch)
		for range rapid.IntRange(1, 7).Draw(r, "publications") {
			s.publish()
		}
		for _, m := range s.past {
			s.compare(m)
			s.compareChecks(m)
		}
		s.compareInstants()
		s.compareSingles()
		s.compareCounts()
	})
}

func newStory(r *rapid.T, dir string) *story {
	s := &story{
		t: r, spelling: map[string]string{},
		now: world{groups: map[string]*modelGroup{}, members: map[int64]directory.Member{}, payload: map[any]string{}},
	}
	s.mirror = openIn(r, dir, s.clock)
	return s
}

// askedChecks is whether -rapid.checks asks for a number of sequences.
var askedChecks = sync.OnceValue(func() bool {
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	return asked
})

// atMost bounds the sequences of a property, unless -rapid.checks asks for a
// number. Of -short, rapid makes a fifth.
func atMost(t *testing.T, checks int) {
	if askedChecks() {
		return
	}
	before := flag.Lookup("rapid.checks").Value.String()
	set := func(value string) {
		if err := flag.Set("rapid.checks", value); err != nil {
			t.Fatal(err)
		}
	}
	set(strconv.Itoa(max(checks, 5)))
	t.Cleanup(func() { set(before) })
}

func openIn(r *rapid.T, dir string, clock func() time.Time) *db.DB {
	if err := dbtest.Place(dir + "/rollcall.db"); err != nil {
		r.Fatal(err)
	}
	mirror, err := db.Open(r.Context(), db.Options{Path: dir + "/rollcall.db", Organization: dbtest.Organization, Now: clock})
	if err != nil {
		r.Fatal(err)
	}
	return mirror
}

// clock is two seconds after the minute, when a sweep that began at it has
// ended.
func (s *story) clock() time.Time { return at(s.minute).Add(2 * time.Second) }

func (s *story) origin() directory.Origin {
	from := rapid.IntRange(s.minute-1, s.minute).Draw(s.t, "from")
	return observed(from, s.minute)
}

// publish draws a publication and applies it to both.
func (s *story) publish() {
	s.minute++
	p := directory.Publication{Cause: directory.CauseSweep}
	if len(s.past) == 0 || rapid.Bool().Draw(s.t, "sweep") {
		p.Sweep = sweepAt(s.minute)
	}
	for _, id := range groupPool {
		switch rapid.SampledFrom([]string{"set", "set", "quiet", "gone", "leave", "leave"}).Draw(s.t, id) {
		case "set":
			p.Groups = append(p.Groups, s.setGroup(id))
		case "quiet":
			if g, ok := s.now.groups[id]; ok {
				p.Groups = append(p.Groups, s.quietGroup(g))
			}
		case "gone":
			gone := directory.Gone[string]{ID: id, Origin: s.origin()}
			p.GoneGroups = append(p.GoneGroups, gone)
			if g := s.now.groups[id]; g != nil {
				follow(g.members, nil, gone.Origin.Bounds)
				follow(g.guests, nil, gone.Origin.Bounds)
			}
			delete(s.now.groups, id)
		}
	}
	for _, id := range idPool[:6] {
		switch rapid.SampledFrom([]string{"set", "quiet", "gone", "leave", "leave"}).Draw(s.t, strconv.FormatInt(id, 10)) {
		case "set":
			p.Members = append(p.Members, s.setMember(id))
		case "quiet":
			if m, ok := s.now.members[id]; ok {
				m.LastLoginAt = at(s.minute)
				s.now.members[id] = m
				p.Members = append(p.Members, directory.MemberUpdate{Row: new(sealMember(directory.MemberRow{Member: m})), Quiet: true, ConfirmedAt: at(s.minute)})
			}
		case "gone":
			p.GoneMembers = append(p.GoneMembers, directory.Gone[int64]{ID: id, Origin: s.origin()})
			delete(s.now.members, id)
		}
	}
	fresh, err := s.mirror.Publish(s.t.Context(), p)
	if err != nil {
		s.t.Fatal(err)
	}
	if n := len(s.past); n > 0 && s.past[n-1].fresh.Revision == fresh.Revision {
		s.past = s.past[:n-1] // nothing changed: the world must read as before
	}
	s.past = append(s.past, moment{fresh, s.now.clone()})
	if int(fresh.Revision) != len(s.past) {
		s.t.Fatalf("revision %d after %d that changed something", fresh.Revision, len(s.past))
	}
}

func (s *story) setGroup(id string) directory.GroupUpdate {
	row := directory.GroupRow{Group: directory.Group{
		ID:          id,
		Name:        rapid.SampledFrom(namePool).Draw(s.t, "name"),
		Description: rapid.SampledFrom([]*string{nil, new(""), new("about")}).Draw(s.t, "description"),
		Members:     s.someIDs(),
		Guests:      s.someGuests(),
		CreatedAt:   noon,
		UpdatedAt:   at(rapid.IntRange(0, 1).Draw(s.t, "updated")),
	}}
	row.MembersAbsent = rapid.IntRange(0, 9).Draw(s.t, "absent") == 0
	u := directory.GroupUpdate{Row: new(sealGroup(row)), ConfirmedAt: at(s.minute), Attributes: s.origin(), Members: s.origin(), Guests: s.origin()}

	g := s.now.groups[id]
	if g == nil {
		g = &modelGroup{members: map[int64]*modelEdge{}, guests: map[string]*modelEdge{}}
		s.now.groups[id] = g
	}
	g.Group = row.Group
	if !row.MembersAbsent {
		g.members = follow(g.members, row.Members, u.Members.Bounds)
	}
	g.guests = follow(g.guests, foldAll(row.Guests), u.Guests.Bounds)
	s.now.payload[id] = string(u.Row.Payload)
	return u
}

// quietGroup shows a group again with another query in its logo's URL.
func (s *story) quietGroup(g *modelGroup) directory.GroupUpdate {
	g.Logo = new(fmt.Sprintf("https://p.test/logo.png?sig=%d", s.minute))
	row := sealGroup(directory.GroupRow{Group: g.Group})
	s.now.payload[g.ID] = string(row.Payload)
	return directory.GroupUpdate{Row: &row, Quiet: true, ConfirmedAt: at(s.minute)}
}

func (s *story) setMember(id int64) directory.MemberUpdate {
	m := directory.Member{
		ID: id, Email: fmt.Sprintf("M%d@%s", id, rapid.SampledFrom([]string{"x.test", "x.test", "Y.test"}).Draw(s.t, "domain")),
		Role:        rapid.SampledFrom([]*string{nil, new("admin"), new("light")}).Draw(s.t, "role"),
		FullName:    rapid.SampledFrom([]*string{nil, new("Ann"), new("ann"), new("Zoë")}).Draw(s.t, "full name"),
		FirstName:   rapid.SampledFrom([]*string{nil, new("Bob")}).Draw(s.t, "first name"),
		Status:      rapid.SampledFrom([]directory.Status{directory.Active, directory.Disabled}).Draw(s.t, "status"),
		LastLoginAt: at(s.minute),
		UpdatedAt:   at(rapid.IntRange(0, 1).Draw(s.t, "updated")),
	}
	s.now.members[id] = m
	return directory.MemberUpdate{Row: new(sealMember(directory.MemberRow{Member: m})), ConfirmedAt: at(s.minute), Origin: s.origin()}
}

func (s *story) someIDs() []int64 {
	ids := rapid.SliceOfDistinct(rapid.SampledFrom(idPool), func(id int64) int64 { return id }).Draw(s.t, "ids")
	slices.Sort(ids)
	return ids
}

func (s *story) someGuests() []string {
	guests := rapid.SliceOfNDistinct(rapid.SampledFrom(guestPool), 0, 3, directory.FoldEmail).Draw(s.t, "guests")
	slices.SortFunc(guests, func(a, b string) int { return strings.Compare(directory.FoldEmail(a), directory.FoldEmail(b)) })
	for _, guest := range guests {
		if _, seen := s.spelling[directory.FoldEmail(guest)]; !seen {
			s.spelling[directory.FoldEmail(guest)] = guest
		}
	}
	return guests
}

func foldAll(emails []string) (keys []string) {
	for _, email := range emails {
		keys = append(keys, directory.FoldEmail(email))
	}
	return keys
}

// follow keeps what stays and ends what goes.
func follow[K comparable](before map[K]*modelEdge, after []K, bounds directory.Bounds) map[K]*modelEdge {
	next := map[K]*modelEdge{}
	for _, key := range after {
		next[key] = &modelEdge{since: bounds}
		if edge, stayed := before[key]; stayed {
			next[key] = edge
		}
	}
	for key, edge := range before {
		if next[key] != edge {
			edge.until = &bounds
		}
	}
	return next
}

// compare walks every list at one revision, in one order.
func (s *story) compare(m moment) {
	q := s.anyOrder()
	q.Pin = new(m.fresh.Pin())
	s.compareLists(m, q)
}

func (s *story) anyOrder() directory.ListQuery {
	q := rapid.SampledFrom([]directory.ListQuery{{}, {ByName: true}, {ByName: true, Descending: true}}).Draw(s.t, "order")
	q.Limit = rapid.IntRange(1, 5).Draw(s.t, "limit")
	return q
}

// compareLists walks every list that a query asks for of a moment.
func (s *story) compareLists(m moment, q directory.ListQuery) {
	isPast := q.AsOf != nil || m.fresh.Revision != s.past[len(s.past)-1].fresh.Revision
	ctx := s.t.Context()
	s.compareFilters(m, q)
	check(s, q, "groups", s.groups(m.world, q), walk(s.t, q, func(q directory.ListQuery) (directory.Page[directory.Group], error) {
		return s.mirror.GroupsWithEdges(ctx, directory.GroupFilter{}, q)
	}), settleLogo(isPast))
	check(s, q, "members", s.members(m.world, q), walk(s.t, q, func(q directory.ListQuery) (directory.Page[directory.Member], error) {
		return s.mirror.Members(ctx, directory.MemberFilter{}, q)
	}), settleLogin(isPast))
	for _, id := range slices.Sorted(maps.Keys(m.world.groups)) {
		kind := rapid.SampledFrom([]directory.Kind{"", "", directory.KindMember, directory.KindGuest}).Draw(s.t, "kind")
		check(s, q, "members of "+id, s.memberships(m.world, id, kind, q), walk(s.t, q, func(q directory.ListQuery) (directory.Page[directory.Membership], error) {
			return s.mirror.GroupMembers(ctx, directory.GroupRef{ID: id}, kind, q)
		}))
	}
	for _, id := range idPool {
		check(s, q, fmt.Sprint("groups of ", id), s.groupsOf(m.world, id, "", q), walk(s.t, q, func(q directory.ListQuery) (directory.Page[directory.GroupOfPerson], error) {
			return s.mirror.GroupsOfPerson(ctx, directory.PersonRef{ID: id}, q)
		}), settleLogo(isPast))
	}
	for key := range s.spelling {
		check(s, q, "groups of "+key, s.groupsOf(m.world, 0, key, q), walk(s.t, q, func(q directory.ListQuery) (directory.Page[directory.GroupOfPerson], error) {
			return s.mirror.GroupsOfGuest(ctx, strings.ToUpper(key), q)
		}), settleLogo(isPast))
	}
}

// check compares; what moves without history may be unknown in the past.
func check[T any](s *story, q directory.ListQuery, what string, want, got []T, options ...gocmp.Option) {
	if len(want)+len(got) == 0 {
		return
	}
	if d := gocmp.Diff(want, got, options...); d != "" {
		s.t.Fatalf("%s at %+v as of %+v, %d revisions, by name %t, down %t (-want +got):\n%s", what, q.Pin, q.AsOf, len(s.past), q.ByName, q.Descending, d)
	}
}

func settleLogo(isPast bool) gocmp.Option {
	return gocmp.FilterPath(func(p gocmp.Path) bool { return isPast && p.Last().String() == ".Logo" },
		gocmp.Comparer(func(a, b *string) bool {
			return strings.HasPrefix(text(a), text(b)) || strings.HasPrefix(text(b), text(a))
		}))
}

func settleLogin(isPast bool) gocmp.Option {
	return gocmp.FilterPath(func(p gocmp.Path) bool { return isPast && p.Last().String() == ".LastLoginAt" },
		gocmp.Comparer(func(a, b time.Time) bool { return a.IsZero() || b.IsZero() || a.Equal(b) }))
}

// walk reads all pages of a list. Nobody being found is an empty list.
func walk[T any](t *rapid.T, q directory.ListQuery, page func(directory.ListQuery) (directory.Page[T], error)) (rows []T) {
	for {
		p, err := page(q)
		if err == directory.ErrUnknownPerson {
			return nil
		}
		if err != nil {
			t.Fatal(err)
		}
		if q.Pin != nil && p.Pin() != *q.Pin {
			t.Fatalf("a page of %+v shows %+v", *q.Pin, p.Pin())
		}
		if len(p.Rows) > q.Limit || len(p.Rows) == 0 && p.Next != nil {
			t.Fatalf("a page of %d has %d rows", q.Limit, len(p.Rows))
		}
		rows = append(rows, p.Rows...)
		if q.Count != (p.Total != nil) {
			t.Fatalf("a page counts %v, asked %t", p.Total, q.Count)
		}
		if p.Next == nil {
			if q.Count && *p.Total != len(rows) {
				t.Fatalf("a list of %d rows counts %d", len(rows), *p.Total)
			}
			return rows
		}
		q.After, q.Pin = p.Next, new(p.Pin())
	}
}

func (s *story) full(g *modelGroup) directory.Group {
	full := g.Group
	full.Members = append([]int64{}, slices.Sorted(maps.Keys(g.members))...)
	full.Guests = []string{}
	for _, key := range slices.Sorted(maps.Keys(g.guests)) {
		full.Guests = append(full.Guests, s.spelling[key])
	}
	full.MemberCount, full.GuestCount = len(full.Members), len(full.Guests)
	full.Version = directory.VersionOf(full.Name, full.Description, full.Members, full.Guests)
	return full
}

func (s *story) groups(w world, q directory.ListQuery) (rows []directory.Group) {
	for _, g := range w.groups {
		rows = append(rows, s.full(g))
	}
	sorted(rows, q, func(g directory.Group) (string, string) { return directory.Fold(g.Name), g.ID })
	return rows
}

func (s *story) members(w world, q directory.ListQuery) (rows []directory.Member) {
	for id, m := range w.members {
		for _, g := range w.groups {
			if _, in := g.members[id]; in {
				m.GroupCount++
			}
		}
		rows = append(rows, m)
	}
	sorted(rows, q, func(m directory.Member) (string, int64) { return sortName(m), m.ID })
	return rows
}

func sortName(m directory.Member) string {
	switch {
	case m.FullName != nil:
		return directory.Fold(*m.FullName)
	case m.FirstName != nil:
		return directory.Fold(*m.FirstName)
	}
	return directory.FoldEmail(m.Email)
}

func (s *story) memberships(w world, id string, kind directory.Kind, q directory.ListQuery) []directory.Membership {
	type row struct {
		directory.Membership
		name, order string
	}
	var rows []row
	g := w.groups[id]
	for memberID, edge := range g.members {
		r := row{Membership: directory.Membership{GroupID: id, GroupName: g.Name, Kind: directory.KindMember, MemberID: memberID, Since: edge.since, Uncertain: s.isUncertain(edge, q)}}
		if m, ok := w.members[memberID]; ok {
			r.Email, r.FullName, r.Role, r.Status, r.name = &m.Email, m.FullName, m.Role, &m.Status, sortName(m)
		}
		r.order = fmt.Sprintf("0%020d", memberID)
		rows = append(rows, r)
	}
	for key, edge := range g.guests {
		r := row{Membership: directory.Membership{GroupID: id, GroupName: g.Name, Kind: directory.KindGuest, Email: new(s.spelling[key]), Since: edge.since, Uncertain: s.isUncertain(edge, q)}}
		r.name, r.order = key, "1"+key
		rows = append(rows, r)
	}
	rows = slices.DeleteFunc(rows, func(r row) bool { return kind != "" && r.Kind != kind })
	sorted(rows, q, func(r row) (string, string) { return r.name, r.order })
	var memberships []directory.Membership
	for _, r := range rows {
		memberships = append(memberships, r.Membership)
	}
	return memberships
}

func (s *story) groupsOf(w world, id int64, guest string, q directory.ListQuery) (rows []directory.GroupOfPerson) {
	for _, g := range w.groups {
		edge, in := g.members[id]
		if guest != "" {
			edge, in = g.guests[guest]
		}
		if in {
			full := s.full(g)
			full.Members, full.Guests = nil, nil
			rows = append(rows, directory.GroupOfPerson{Group: full, Since: edge.since, Uncertain: s.isUncertain(edge, q)})
		}
	}
	sorted(rows, q, func(g directory.GroupOfPerson) (string, string) { return directory.Fold(g.Name), g.ID })
	return rows
}

func sorted[T any, ID cmp.Ordered](rows []T, q directory.ListQuery, key func(T) (string, ID)) {
	slices.SortFunc(rows, func(a, b T) int {
		nameA, idA := key(a)
		nameB, idB := key(b)
		order := cmp.Compare(idA, idB)
		if q.ByName {
			order = cmp.Or(strings.Compare(nameA, nameB), order)
		}
		if q.Descending {
			return -order
		}
		return order
	})
}

// compareSingles asks for each row of the present by itself.
func (s *story) compareSingles() {
	ctx, w := s.t.Context(), s.now
	for id, g := range w.groups {
		found, err := s.mirror.Group(ctx, directory.GroupRef{ID: id}, nil)
		if d := gocmp.Diff(s.full(g), found.Row); err != nil || d != "" {
			s.t.Fatalf("group %s: %v\n%s", id, err, d)
		}
		payload, err := s.mirror.GroupPayload(ctx, id)
		if err != nil || string(payload.Row) != w.payload[id] {
			s.t.Fatalf("payload of %s: %v\n got %s\nwant %s", id, err, payload.Row, w.payload[id])
		}
		for _, who := range idPool {
			found, err := s.mirror.Check(ctx, directory.PersonRef{ID: who}, directory.GroupRef{ID: id}, true, nil)
			if _, in := g.members[who]; found.Row.Member != in {
				s.t.Fatalf("is %d in %s: %+v, %v", who, id, found.Row, err)
			}
		}
	}
}

// compareCounts holds the kept counts against the rows.
func (s *story) compareCounts() {
	got, err := s.mirror.Counts(s.t.Context())
	want := directory.Counts{Groups: len(s.now.groups), Members: len(s.now.members)}
	strangers := map[int64]int{}
	for _, g := range s.now.groups {
		want.Memberships += len(g.members)
		want.GuestMemberships += len(g.guests)
		for id := range g.members {
			if _, listed := s.now.members[id]; !listed {
				strangers[id]++
			}
		}
	}
	if err != nil || got != want {
		s.t.Fatalf("counts %+v, %v; want %+v", got, err, want)
	}
	rows, err := db.Readers(s.mirror).QueryContext(s.t.Context(), "SELECT member_id, group_count FROM strangers")
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	stored := map[int64]int{}
	for rows.Next() {
		var id int64
		var groups int
		if err := rows.Scan(&id, &groups); err != nil {
			s.t.Fatal(err)
		}
		stored[id] = groups
	}
	if d := gocmp.Diff(strangers, stored); d != "" || rows.Err() != nil {
		s.t.Fatalf("strangers: %v\n%s", rows.Err(), d)
	}
	if got, want := rowids(s.t, s.mirror, "member_texts"), slices.Sorted(maps.Keys(s.now.members)); !slices.Equal(got, want) {
		s.t.Fatalf("searched are %v, want %v", got, want)
	}
	if got := rowids(s.t, s.mirror, "group_texts"); len(got) != len(s.now.groups) {
		s.t.Fatalf("searched are %v of %d groups", got, len(s.now.groups))
	}
}
