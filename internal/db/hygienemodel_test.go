package db_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/internal/db/dbtest"
	"rollcall/internal/directory"
)

// finding is what of a finding is compared: its text is for people.
type finding struct {
	rule, group string
	member      int64
	email       string
}

func TestHygieneFindsWhatIsOutOfOrderAtEveryRevision(t *testing.T) {
	atMost(t, 20)
	rapid.Check(t, func(r *rapid.T) {
		s := newStory(r, t.TempDir())
		defer s.mirror.Close()
		for range rapid.IntRange(1, 6).Draw(r, "publications") {
			s.publish()
			if rapid.Bool().Draw(r, "newcomer") {
				s.addNewcomer()
			}
		}
		for i, m := range s.past {
			s.compareHygiene(m, i == len(s.past)-1)
		}
		s.compareHygieneCounts()
	})
}

// addNewcomer publishes a member whom nothing else touches: one who has never
// logged in, until they do.
func (s *story) addNewcomer() {
	s.minute++
	m := directory.Member{ID: 7, Email: "m7@x.test", Status: rapid.SampledFrom([]directory.Status{directory.Active, directory.Invited, directory.Disabled}).Draw(s.t, "status")}
	if m.LastLoginAt = s.now.members[7].LastLoginAt; rapid.Bool().Draw(s.t, "logs in") {
		m.LastLoginAt = at(s.minute)
	}
	s.now.members[7] = m
	fresh, err := s.mirror.Publish(s.t.Context(), directory.Publication{Cause: directory.CauseSweep, Members: []directory.MemberUpdate{
		{Row: new(sealMember(directory.MemberRow{Member: m})), ConfirmedAt: at(s.minute), Origin: s.origin()},
	}})
	if err != nil {
		s.t.Fatal(err)
	}
	if n := len(s.past); s.past[n-1].fresh.Revision == fresh.Revision {
		s.past = s.past[:n-1]
	}
	s.past = append(s.past, moment{fresh, s.now.clone()})
}

func (s *story) compareHygiene(m moment, isPresent bool) {
	q := directory.HygieneQuery{
		Rules:        rapid.SampledFrom([][]string{nil, nil, {directory.TwinNames}, {directory.NeverLoggedIn, directory.DanglingID}}).Draw(s.t, "rules"),
		AtLeast:      rapid.SampledFrom([]directory.Severity{"", directory.SeverityInfo, directory.SeverityWarning, directory.SeverityError}).Draw(s.t, "severity"),
		GuestDomains: rapid.SampledFrom([][]string{nil, {"X.TEST"}, {"y.test", "ann"}}).Draw(s.t, "domains"),
		ListQuery:    directory.ListQuery{Limit: rapid.IntRange(1, 5).Draw(s.t, "limit"), Count: true},
	}
	asked := rapid.Bool().Draw(s.t, "as of")
	if q.Pin = new(m.fresh.Pin()); asked {
		q.AsOf = &directory.AsOf{Revision: m.fresh.Revision}
	}
	want := s.findings(m.world, q, asked, isPresent)
	var got []finding
	for range 1000 {
		page, err := s.mirror.Hygiene(s.t.Context(), q)
		if err != nil {
			s.t.Fatal(err)
		}
		s.wantTotal("findings", len(want), page.Total)
		if len(page.Rows) > q.Limit || len(page.Rows) == 0 && page.Next != nil {
			s.t.Fatalf("a page of %d has %d rows", q.Limit, len(page.Rows))
		}
		for _, row := range page.Rows {
			if !slices.Contains(directory.Rules, row.Rule) || row.Detail == "" {
				s.t.Fatalf("%+v", row)
			}
			got = append(got, finding{row.Name, row.GroupID, row.MemberID, text(row.Email)})
		}
		if q.After = page.Next; q.After == nil {
			break
		}
	}
	if d := gocmp.Diff(want, got, gocmp.AllowUnexported(finding{})); d != "" {
		s.t.Fatalf("findings %+v at revision %d of %d (-want +got):\n%s", q, m.fresh.Revision, len(s.past), d)
	}
}

// findings are those of a query by brute force. What is known of last logins
// is those of the present.
func (s *story) findings(w world, q directory.HygieneQuery, asked, isPresent bool) (all []finding) {
	inOrder := func(rule string, some []finding) {
		slices.SortFunc(some, func(a, b finding) int {
			if rule == directory.GuestDomain {
				return cmp.Or(strings.Compare(directory.FoldEmail(a.email), directory.FoldEmail(b.email)), strings.Compare(a.group, b.group))
			}
			if rule == directory.TwinNames {
				return cmp.Or(strings.Compare(directory.Fold(w.groups[a.group].Name), directory.Fold(w.groups[b.group].Name)), strings.Compare(a.group, b.group))
			}
			if rule == directory.OnePersonGroup {
				return strings.Compare(a.group, b.group)
			}
			return cmp.Or(cmp.Compare(a.member, b.member), strings.Compare(a.group, b.group))
		})
		all = append(all, some...)
	}
	for _, rule := range directory.Rules {
		if q.Wants(rule) {
			inOrder(rule.Name, s.findingsOf(w, rule.Name, q, asked, isPresent))
		}
	}
	return all
}

func (s *story) findingsOf(w world, rule string, q directory.HygieneQuery, asked, isPresent bool) (some []finding) {
	for id, g := range w.groups {
		people := len(g.members) + len(g.guests)
		for _, other := range w.groups {
			if rule == directory.TwinNames && other.ID != id && directory.Fold(other.Name) == directory.Fold(g.Name) {
				some = append(some, finding{rule: rule, group: id})
				break
			}
		}
		if rule == directory.EmptyGroup && people == 0 {
			some = append(some, finding{rule: rule, group: id})
		}
		for member := range g.members {
			m, listed := w.members[member]
			if rule == directory.DanglingID && !listed || rule == directory.DisabledInGroup && m.Status == directory.Disabled || rule == directory.OnePersonGroup && people == 1 {
				some = append(some, finding{rule, id, member, m.Email})
			}
		}
		for guest := range g.guests {
			_, domain, hasDomain := strings.Cut(guest, "@")
			if !hasDomain {
				domain = guest
			}
			allowed := slices.ContainsFunc(q.GuestDomains, func(d string) bool { return strings.EqualFold(d, domain) })
			if rule == directory.GuestDomain && !allowed || rule == directory.OnePersonGroup && people == 1 {
				some = append(some, finding{rule: rule, group: id, email: s.spelling[guest]})
			}
		}
	}
	for _, m := range s.members(w, directory.ListQuery{}) {
		now, stays := s.now.members[m.ID]
		never := m.Status != directory.Disabled && m.LastLoginAt.IsZero() && !asked && (isPresent || stays && now.LastLoginAt.IsZero())
		if rule == directory.InNoGroup && m.Status == directory.Active && m.GroupCount == 0 || rule == directory.NeverLoggedIn && never {
			some = append(some, finding{rule: rule, member: m.ID, email: m.Email})
		}
	}
	return some
}

func (s *story) compareHygieneCounts() {
	domains := []string{"x.test"}
	got, err := s.mirror.HygieneCounts(s.t.Context(), domains)
	if err != nil {
		s.t.Fatal(err)
	}
	want := map[string]int{}
	for _, rule := range directory.Rules {
		want[rule.Name] = len(s.findingsOf(s.now, rule.Name, directory.HygieneQuery{GuestDomains: domains}, false, true))
	}
	if d := gocmp.Diff(want, got.Findings); d != "" || int(got.Revision) != len(s.past) {
		s.t.Fatalf("counts at revision %d: %s", got.Revision, d)
	}
	if got, err := s.mirror.HygieneCounts(s.t.Context(), nil); err != nil || len(got.Findings) != len(directory.Rules)-1 {
		s.t.Fatalf("without domains: %v, %v", got, err)
	}
}

func TestHygieneOfAMirrorWithoutDataIsNoEmptyList(t *testing.T) {
	mirror := dbtest.New(t)
	if _, err := mirror.Hygiene(t.Context(), directory.HygieneQuery{ListQuery: directory.ListQuery{Limit: 1}}); err != directory.ErrNoData {
		t.Error(err)
	}
	if _, err := mirror.HygieneCounts(t.Context(), nil); err != directory.ErrNoData {
		t.Error(err)
	}
}
