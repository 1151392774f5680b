package tallyfy_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/directory"
	"rollcall/internal/payload"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

func clientOf(t *testing.T, sim *tallyfysim.Sim, rate, hourly int) *tallyfy.Client {
	t.Helper()
	c, err := tallyfy.New(tallyfy.Options{
		BaseURL: "https://tallyfy.test/api", Organization: sim.Organization(), Token: tallyfy.StaticToken(sim.Token()),
		Transport: sim.Transport(), Rate: rate, Hourly: hourly,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// variants are the readings of the contract that change what rows look like.
func variants() map[string]tallyfysim.Options {
	return map[string]tallyfysim.Options{
		"2026":            {},
		"2025":            {Generation: tallyfysim.Gen2025},
		"2026 string ids": {StringIDs: true},
		"2025 no meta":    {Generation: tallyfysim.Gen2025, NoMeta: true},
		"2026 no status":  {NoStatus: true},
	}
}

func TestAnOrganisationIsReadAsItIs(t *testing.T) {
	for name, options := range variants() {
		synctest.Test(t, func(t *testing.T) {
			options.Groups, options.Members, options.Edges, options.Guests = 130, 400, 3000, 20
			sim := tallyfysim.New(options)
			c := clientOf(t, sim, 0, 0)
			compareGroups(t, name, sim, listGroups(t, c))
			members, err := c.MemberPage(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			compareMembers(t, name, options.NoStatus, sim, members.Rows)
			if options.NoMeta != (members.Meta == nil) || members.Meta != nil && members.Meta.Total != len(members.Rows) {
				t.Errorf("%s: meta %+v for %d rows", name, members.Meta, len(members.Rows))
			}
		})
	}
}

func listGroups(t *testing.T, c *tallyfy.Client) []directory.GroupRow {
	t.Helper()
	var rows []directory.GroupRow
	for page := 1; ; page++ {
		got, err := c.GroupPage(t.Context(), page)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Rows) == 0 {
			return rows
		}
		rows = append(rows, got.Rows...)
	}
}

func compareGroups(t *testing.T, name string, sim *tallyfysim.Sim, rows []directory.GroupRow) {
	t.Helper()
	want := sim.Groups()
	if len(rows) != len(want) {
		t.Fatalf("%s: %d groups, want %d", name, len(rows), len(want))
	}
	for i, row := range rows {
		g := want[i]
		slices.Sort(g.Members)
		same := row.ID == g.ID && row.Name == g.Name && textOf(row.Description) == g.Description && textOf(row.Logo) == g.Logo &&
			slices.Equal(row.Members, g.Members) && len(row.Guests) == len(g.Guests) &&
			row.CreatedAt.Equal(g.CreatedAt) && row.UpdatedAt.Equal(g.UpdatedAt) && row.Oddities == nil
		if !same {
			t.Errorf("%s: read %+v, want %+v", name, row, g)
		}
	}
}

func compareMembers(t *testing.T, name string, noStatus bool, sim *tallyfysim.Sim, rows []directory.MemberRow) {
	t.Helper()
	want := sim.Users()
	if len(rows) != len(want) {
		t.Fatalf("%s: %d members, want %d", name, len(rows), len(want))
	}
	for i, row := range rows {
		u := want[i]
		same := row.ID == u.ID && row.Email == u.Email && textOf(row.FirstName) == u.FirstName && textOf(row.Role) == u.Role &&
			(noStatus || string(row.Status) == u.Status) && row.LastLoginAt.Equal(u.LastLoginAt) && row.CreatedAt.Equal(u.CreatedAt) && row.Oddities == nil
		if !same {
			t.Errorf("%s: read %+v, want %+v", name, row, u)
		}
	}
}

func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// A row listed and fetched singly is the same row, and merging the single
// form into the list form gives the list form.
func TestTheFormsOfARowAreTheSameRow(t *testing.T) {
	for name, options := range variants() {
		synctest.Test(t, func(t *testing.T) {
			options.Groups, options.Members, options.Edges, options.Guests = 40, 60, 300, 10
			sim := tallyfysim.New(options)
			c := clientOf(t, sim, 0, 0)
			for _, listed := range listGroups(t, c) {
				single, err := c.Group(t.Context(), listed.ID)
				if err != nil {
					t.Fatal(err)
				}
				if !payload.SameGroup(listed.Payload, single.Payload) {
					t.Errorf("%s: not the same\n%s\n%s", name, listed.Payload, single.Payload)
				}
				checkMerged(t, name, listed.Payload, single.Payload, payload.MergeGroup)
			}
			members, err := c.MemberPage(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			for _, listed := range members.Rows {
				single, err := c.Member(t.Context(), listed.ID)
				if err != nil {
					t.Fatal(err)
				}
				if !payload.SameMember(listed.Payload, single.Payload) {
					t.Errorf("%s: not the same\n%s\n%s", name, listed.Payload, single.Payload)
				}
				checkMerged(t, name, listed.Payload, single.Payload, payload.MergeMember)
			}
		})
	}
}

func checkMerged(t *testing.T, name string, listed, single []byte, merge func(stored, seen []byte) ([]byte, error)) {
	t.Helper()
	merged, err := merge(listed, single)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(listed), string(merged)); diff != "" {
		t.Errorf("%s: merging %s changes the list form: %s", name, single, diff)
	}
}

// After an edit the merged form is what the list will show.
func TestAMergedEditIsWhatTheListShowsNext(t *testing.T) {
	for name, options := range variants() {
		synctest.Test(t, func(t *testing.T) {
			options.Groups, options.Members, options.Edges, options.Guests = 5, 20, 40, 5
			sim := tallyfysim.New(options)
			c := clientOf(t, sim, 0, 0)
			before := listGroups(t, c)
			time.Sleep(time.Hour)
			for _, g := range before {
				sim.UpdateGroup(g.ID, func(g *tallyfysim.Group) {
					g.Name, g.Members, g.Guests = g.Name+" ⅷ", append(g.Members[:len(g.Members)/2], 7, 8), []string{"New@Guest.test"}
				})
			}
			after := listGroups(t, c)
			for i, stored := range before {
				single, err := c.Group(t.Context(), stored.ID)
				if err != nil {
					t.Fatal(err)
				}
				merged, err := payload.MergeGroup(stored.Payload, single.Payload)
				if err != nil {
					t.Fatal(err)
				}
				row, err := payload.DecodeGroup(merged, directory.ListForm)
				if err != nil || row.Fingerprint != after[i].Fingerprint {
					t.Errorf("%s: merged to\n%s\nthe list shows\n%s", name, merged, after[i].Payload)
				}
			}
		})
	}
}

func TestNothingIsRefusedForBeingTooFast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := tallyfysim.New(tallyfysim.Options{Groups: 1, Members: 3, PerFiveSeconds: 12, PerMinute: 90, PerHour: 900})
		c := clientOf(t, sim, 90, 900)
		for range 1200 {
			if _, err := c.GroupPage(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
		for _, r := range sim.Requests() {
			if r.Status != 200 {
				t.Fatalf("answered %d at %v", r.Status, r.At)
			}
		}
	})
}
