package db_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

func idsOf(rows [][]byte) []string {
	ids := make([]string, len(rows))
	for i, row := range rows {
		id, _, _ := strings.Cut(string(row[len(`{"id":`):]), ",")
		ids[i] = strings.Trim(id, `"`)
	}
	return ids
}

func TestAListHoldsTheRowsThatContainWhatIsAsked(t *testing.T) {
	mirror := dbtest.New(t)
	var p directory.Publication
	for id, text := range map[string][2]string{
		"a": {"100% Night", ""}, "b": {"under_score", "İstanbul"}, "c": {"ΟΔΟΣ", "Straße"}, "d": {" Über🦉 ", `back\slash`}, "e": {"null", ""},
	} {
		row := groupRow(id, text[0], nil)
		if text[1] != "" {
			row.Description = &text[1]
		}
		p.Groups = append(p.Groups, updateGroup(sealGroup(row), 0, 0))
	}
	for id, text := range map[int64][3]string{
		1: {"Zoë", "Ångström", "z%a@x.test"}, 2: {"Bo", "Zoeller", "bo_b@x.test"}, 3: {"", "", "ZOË@x.test"},
	} {
		row := memberRow(id, text[2], "full name is not searched")
		if text[0] != "" {
			row.FirstName, row.LastName = &text[0], &text[1]
		}
		p.Members = append(p.Members, updateMember(sealMember(row), 0, 0))
	}
	p.Sweep = sweepAt(0)
	publish(t, mirror, p)
	for part, want := range map[string]string{
		"": "a b c d e", "%": "a", "_": "b", `\`: "d", "NIGHT": "a", "t": "a b c", "σ": "c", "ς": "c", "STRASSE": "", "STRAẞE": "c", "ſtra": "c",
		"ü": "d", "🦉": "d", "🦉 ": "d", " über": "d", "  ": "", "İ": "b", "istanbul": "", "i": "a", "nullÜ": "",
	} {
		page, err := mirror.GroupPayloads(t.Context(), directory.PayloadQuery{Contains: part, Limit: 10})
		if got := strings.Join(idsOf(page.Rows), " "); err != nil || got != want || page.Total != len(page.Rows) {
			t.Errorf("groups with %q: %q of %d, %v; want %q", part, got, page.Total, err, want)
		}
	}
	for part, want := range map[string]string{
		"": "1 2 3", "zoë": "1 3", "zoe": "2", "%": "1", "_": "2", "å": "1", "\u212B": "1", "full": "", "@X": "1 2 3", "Zoë Å": "",
	} {
		page, err := mirror.MemberPayloads(t.Context(), directory.PayloadQuery{Contains: part, Limit: 10})
		if got := strings.Join(idsOf(page.Rows), " "); err != nil || got != want || page.Total != len(page.Rows) {
			t.Errorf("members with %q: %q of %d, %v; want %q", part, got, page.Total, err, want)
		}
	}
}

// scattered are rows of few instants and names, so that every order has ties.
func scattered(rng *rand.Rand) (p directory.Publication) {
	word := func() string { return []string{"b", "A", "a", "Ü", "ü", "c", "B_", "b1"}[rng.IntN(8)] }
	for i := range 60 {
		group := groupRow(fmt.Sprintf("%02x", i*7%60), word(), nil)
		group.CreatedAt, group.UpdatedAt = at(rng.IntN(5)), at(rng.IntN(5))
		p.Groups = append(p.Groups, updateGroup(sealGroup(group), 0, 0))
		member := memberRow(int64(1+i*11%60), word()+"@x.test", "name")
		member.FirstName, member.LastName = new(word()), new(word())
		member.CreatedAt, member.UpdatedAt = at(rng.IntN(5)), at(rng.IntN(5))
		p.Members = append(p.Members, updateMember(sealMember(member), 0, 0))
	}
	p.Sweep = sweepAt(0)
	return p
}

func TestPagesOfEveryOrderMakeTheWholeList(t *testing.T) {
	mirror := dbtest.New(t)
	p := scattered(rand.New(rand.NewPCG(3, 4)))
	publish(t, mirror, p)
	groupOrders := map[directory.PayloadOrder]func(a, b *directory.GroupRow) int{
		directory.ByCreation: func(a, b *directory.GroupRow) int { return a.CreatedAt.Compare(b.CreatedAt) },
		directory.ByUpdate:   func(a, b *directory.GroupRow) int { return a.UpdatedAt.Compare(b.UpdatedAt) },
		directory.ByName:     func(a, b *directory.GroupRow) int { return compareFolded(a.Name, b.Name) },
	}
	for order, compare := range groupOrders {
		var want []*directory.GroupRow
		for _, u := range p.Groups {
			want = append(want, u.Row)
		}
		slices.SortFunc(want, func(a, b *directory.GroupRow) int { return cmp.Or(compare(a, b), cmp.Compare(a.ID, b.ID)) })
		wantWalks(t, mirror.GroupPayloads, order, want, func(g *directory.GroupRow) string { return g.ID }, func(g *directory.GroupRow) string { return g.Name })
	}
	memberOrders := map[directory.PayloadOrder]func(a, b *directory.MemberRow) int{
		directory.ByCreation:  func(a, b *directory.MemberRow) int { return a.CreatedAt.Compare(b.CreatedAt) },
		directory.ByUpdate:    func(a, b *directory.MemberRow) int { return a.UpdatedAt.Compare(b.UpdatedAt) },
		directory.ByID:        func(*directory.MemberRow, *directory.MemberRow) int { return 0 },
		directory.ByEmail:     func(a, b *directory.MemberRow) int { return compareFolded(a.Email, b.Email) },
		directory.ByFirstName: func(a, b *directory.MemberRow) int { return compareFolded(*a.FirstName, *b.FirstName) },
		directory.ByLastName:  func(a, b *directory.MemberRow) int { return compareFolded(*a.LastName, *b.LastName) },
	}
	for order, compare := range memberOrders {
		var want []*directory.MemberRow
		for _, u := range p.Members {
			want = append(want, u.Row)
		}
		slices.SortFunc(want, func(a, b *directory.MemberRow) int { return cmp.Or(compare(a, b), cmp.Compare(a.ID, b.ID)) })
		wantWalks(t, mirror.MemberPayloads, order, want, func(m *directory.MemberRow) string { return fmt.Sprint(m.ID) },
			func(m *directory.MemberRow) string { return *m.FirstName + "\n" + *m.LastName + "\n" + m.Email })
	}
}

func compareFolded(a, b string) int { return strings.Compare(directory.Fold(a), directory.Fold(b)) }

type lister = func(context.Context, directory.PayloadQuery) (directory.PayloadPage, error)

// wantWalks walks a list page by page, up and down, whole and searched.
func wantWalks[R any](t *testing.T, list lister, order directory.PayloadOrder, sorted []R, id, texts func(R) string) {
	t.Helper()
	for _, part := range []string{"", "Ü", "b"} {
		var want []string
		for _, row := range sorted {
			if strings.Contains(strings.ToLower(texts(row)), strings.ToLower(part)) {
				want = append(want, id(row))
			}
		}
		for _, down := range []bool{false, true} {
			var got []string
			for offset := 0; offset <= len(want); offset += 7 {
				page, err := list(t.Context(), directory.PayloadQuery{Contains: part, Order: order, Descending: down, Offset: offset, Limit: 7})
				if err != nil || page.Total != len(want) {
					t.Fatalf("by %q: %d in all, %v; want %d", order, page.Total, err, len(want))
				}
				got = append(got, idsOf(page.Rows)...)
			}
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("with %q by %q, down %t (-want +got):\n%s", part, order, down, diff)
			}
			slices.Reverse(want)
		}
	}
}

func TestAPassOverManyRowsMissesNone(t *testing.T) {
	for _, n := range []int64{999, 1000, 1001, 2000} {
		mirror := dbtest.New(t)
		p := directory.Publication{Sweep: sweepAt(0)}
		for id := range n {
			p.Members = append(p.Members, updateMember(memberRow(id+1, fmt.Sprintf("m%d@x.test", id+1), "name"), 0, 0))
		}
		publish(t, mirror, p)
		page, err := mirror.MemberPayloads(t.Context(), directory.PayloadQuery{Contains: "@X", Order: directory.ByID, Offset: int(n) - 1, Limit: 9})
		if got := strings.Join(idsOf(page.Rows), " "); err != nil || page.Total != int(n) || got != fmt.Sprint(n) {
			t.Errorf("of %d: %d, the last is %s, %v", n, page.Total, got, err)
		}
	}
}

func TestAnOffsetOfAnySizeIsPastTheEnd(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	for _, q := range []directory.PayloadQuery{
		{}, {Contains: "s"}, {Order: directory.ByName}, {Order: directory.ByUpdate, Descending: true}, {Descending: true},
	} {
		q.Offset, q.Limit = math.MaxInt, math.MaxInt
		for _, list := range []lister{mirror.GroupPayloads, mirror.MemberPayloads} {
			if page, err := list(t.Context(), q); err != nil || len(page.Rows) != 0 || page.Total == 0 {
				t.Errorf("%+v: %d rows of %d, %v", q, len(page.Rows), page.Total, err)
			}
		}
	}
}

func TestMembersComeWithTheGroupsThatTheyAreIn(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	late, early := groupRow(support, "Support", []int64{2, 3}), groupRow("0e", "Early", []int64{1, 2})
	late.CreatedAt, early.CreatedAt = at(9), at(-9999)
	publish(t, mirror, directory.Publication{Groups: []directory.GroupUpdate{updateGroup(late, 0, 1), updateGroup(early, 0, 1)}})
	q := directory.PayloadQuery{Order: directory.ByID, Descending: true, Limit: 2, Offset: 1}
	found, err := mirror.MembersWithGroups(t.Context(), q, 1<<20)
	if err != nil || found.Total != 3 {
		t.Fatal(found.Total, err)
	}
	if got := strings.Join(idsOf(found.Rows), " "); got != "2 1" {
		t.Errorf("members %s", got)
	}
	if diff := gocmp.Diff([]string{"0e", sales, support}, idsOf(found.Groups)); diff != "" {
		t.Error(diff)
	}
	if diff := gocmp.Diff([][]int{{0, 1, 2}, {0, 1}}, found.In); diff != "" {
		t.Error(diff)
	}
	one, err := mirror.MemberWithGroups(t.Context(), 3, 1<<20)
	if err != nil || strings.Join(idsOf(one.Rows), " ") != "3" || len(one.Groups) != 1 || len(one.In) != 1 || len(one.In[0]) != 1 {
		t.Errorf("%+v, %v", one, err)
	}
	if _, err := mirror.MemberWithGroups(t.Context(), 99, 1<<20); !errors.Is(err, directory.ErrUnknownPerson) {
		t.Errorf("a stranger: %v", err)
	}
}

func TestWhatWouldBeTooLargeIsRefusedByItsEstimate(t *testing.T) {
	mirror := dbtest.New(t)
	seed(t, mirror)
	q := directory.PayloadQuery{Limit: 10}
	found, err := mirror.MembersWithGroups(t.Context(), q, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	bytes := 0
	for i, row := range found.Rows {
		bytes += len(row)
		for _, place := range found.In[i] {
			bytes += len(found.Groups[place])
		}
	}
	if found.Bytes != bytes {
		t.Errorf("estimated at %d bytes, made of %d", found.Bytes, bytes)
	}
	if _, err := mirror.MembersWithGroups(t.Context(), q, bytes); err != nil {
		t.Error(err)
	}
	if _, err := mirror.MembersWithGroups(t.Context(), q, bytes-1); !errors.Is(err, directory.ErrTooLarge) {
		t.Errorf("a byte too large: %v", err)
	}
	if _, err := mirror.MemberWithGroups(t.Context(), 1, 10); !errors.Is(err, directory.ErrTooLarge) {
		t.Errorf("one member: %v", err)
	}
}

func TestBeforeThereIsDataNoMemberHasGroups(t *testing.T) {
	mirror := dbtest.New(t)
	if _, err := mirror.MembersWithGroups(t.Context(), directory.PayloadQuery{Limit: 1}, 9); !errors.Is(err, directory.ErrNoData) {
		t.Error(err)
	}
	if _, err := mirror.MemberWithGroups(t.Context(), 1, 9); !errors.Is(err, directory.ErrNoData) {
		t.Error(err)
	}
}
