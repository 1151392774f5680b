package tallyfysim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/tallyfysim"
)

// numbered is an organisation of n groups named 000, 001, … a second apart.
func numbered(o tallyfysim.Options, n int) *tallyfysim.Sim {
	s := tallyfysim.New(o)
	born := time.Date(2025, time.March, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		s.CreateGroup(tallyfysim.Group{Name: fmt.Sprintf("%03d", i), Description: "d", CreatedAt: born.Add(time.Duration(i) * time.Second)})
	}
	return s
}

func TestGroupListPages(t *testing.T) {
	s := numbered(tallyfysim.Options{}, 250)
	for _, c := range []struct {
		query                            string
		first                            string
		count, perPage, page, totalPages int
	}{
		{"", "000", 10, 10, 1, 25},
		{"?page=2", "010", 10, 10, 2, 25},
		{"?per_page=100", "000", 100, 100, 1, 3},
		{"?per_page=100&page=3", "200", 50, 100, 3, 3},
		{"?per_page=101", "000", 100, 100, 1, 3},
		{"?per_page=100000&page=2", "100", 100, 100, 2, 3},
		{"?per_page=7&page=36", "245", 5, 7, 36, 36},
		{"?per_page=0", "000", 10, 10, 1, 25},
		{"?per_page=-5", "000", 10, 10, 1, 25},
		{"?per_page=many&page=some", "000", 10, 10, 1, 25},
		{"?page=0", "000", 10, 10, 1, 25},
		{"?page=1.5", "000", 10, 10, 1, 25},
		{"?page=26", "", 0, 10, 26, 25},
		{"?page=1&page=3", "020", 10, 10, 3, 25},
		{"?limit=3", "000", 10, 10, 1, 25},
	} {
		t.Run(c.query, func(t *testing.T) {
			r := get(t, s, "./groups"+c.query).want(t, http.StatusOK, "")
			names := r.column(t, "name")
			if len(names) != c.count || c.count > 0 && names[0] != c.first {
				t.Errorf("got %d rows %v, want %d from %s", len(names), names, c.count, c.first)
			}
			p := r.pagination(t)
			delete(p, "links")
			want := map[string]any{
				"total": 250.0, "count": float64(c.count), "per_page": float64(c.perPage),
				"current_page": float64(c.page), "total_pages": float64(c.totalPages),
			}
			if diff := cmp.Diff(want, p); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAPageBeyondAnyNumberIsEmpty(t *testing.T) {
	s := numbered(tallyfysim.Options{}, 3)
	r := get(t, s, "./groups?page=99999999999999999999").want(t, http.StatusOK, "")
	if rows := r.rows(t); len(rows) != 0 {
		t.Errorf("got %d rows", len(rows))
	}
}

func TestAnEmptyListHasOnePage(t *testing.T) {
	s := tallyfysim.New(tallyfysim.Options{})
	for _, list := range []string{"./groups", "./users", "./guests"} {
		r := get(t, s, list).want(t, http.StatusOK, `"data":[]`)
		if p := r.pagination(t); p["total"] != 0.0 || p["total_pages"] != 1.0 {
			t.Errorf("%s: %v", list, p)
		}
	}
}

func TestLinksNameTheOtherHostAndEndInAnEmptyArray(t *testing.T) {
	s := numbered(tallyfysim.Options{}, 25)
	path := "/organizations/" + s.Organization() + "/groups"
	first := get(t, s, "/api"+path+"?q=0").pagination(t)["links"]
	want := map[string]any{"previous": nil, "next": "https://api.tallyfy.com" + path + "?page=2&q=0"}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Error(diff)
	}
	second := get(t, s, path+"?page=2").pagination(t)["links"].(map[string]any)
	if !strings.HasSuffix(second["previous"].(string), "?page=1") || !strings.HasSuffix(second["next"].(string), "?page=3") {
		t.Errorf("got %v", second)
	}
	if last := get(t, s, path+"?page=3").pagination(t)["links"]; !cmp.Equal(last, []any{}) {
		t.Errorf("last page has links %v", last)
	}
}

func TestUserListComesWholeAndKeepsItsCap(t *testing.T) {
	s := tallyfysim.New(tallyfysim.Options{Members: 10_050})
	for _, query := range []string{"?page=2", "?page=2&per_page=9999", "?page=2&per_page=20000"} {
		p := get(t, s, "./users"+query).pagination(t)
		if p["per_page"] != 9999.0 || p["count"] != 51.0 || p["total"] != 10_050.0 || p["total_pages"] != 2.0 {
			t.Errorf("%s: got %v", query, p)
		}
	}
	capped := tallyfysim.New(tallyfysim.Options{Members: 150, UserCap: 100})
	if p := get(t, capped, "./users?per_page=9999").pagination(t); p["per_page"] != 100.0 || p["count"] != 100.0 {
		t.Errorf("got %v", p)
	}
}

func TestListQuirks(t *testing.T) {
	if r := get(t, numbered(tallyfysim.Options{NoMeta: true}, 3), "./groups"); r.body["meta"] != nil || len(r.rows(t)) != 3 {
		t.Errorf("NoMeta: %s", r.raw)
	}
	if r := get(t, numbered(tallyfysim.Options{RepeatLastPage: true}, 13), "./groups?page=9"); !slices.Equal(r.column(t, "name"), []any{"010", "011", "012"}) {
		t.Errorf("RepeatLastPage: %s", r.raw)
	}
	if p := get(t, numbered(tallyfysim.Options{TotalPagesSize: 100}, 25), "./groups").pagination(t); p["total_pages"] != 1.0 || p["total"] != 25.0 {
		t.Errorf("TotalPagesSize: %v", p)
	}
	if r := get(t, numbered(tallyfysim.Options{Descending: true}, 3), "./groups"); !slices.Equal(r.column(t, "name"), []any{"002", "001", "000"}) {
		t.Errorf("Descending: %s", r.raw)
	}
	get(t, numbered(tallyfysim.Options{GroupCapRefuse: true}, 3), "./groups?per_page=101").want(t, http.StatusUnprocessableEntity, "per_page")
}

func TestListsAreFilteredAndSorted(t *testing.T) {
	s := tallyfysim.New(tallyfysim.Options{})
	born := time.Date(2025, time.March, 1, 0, 0, 0, 0, time.UTC)
	for i, name := range []string{"Žluť", "alpha 50%", "Beta", "ALPHA_x"} {
		s.CreateGroup(tallyfysim.Group{
			Name: name, Description: "of " + strconv.Itoa(i),
			CreatedAt: born.Add(time.Duration(i) * time.Hour), UpdatedAt: born.Add(time.Duration(40-i) * time.Hour),
		})
	}
	s.CreateUser(tallyfysim.User{Email: "b@works.test", FirstName: "Łucjan", LastName: "Alder", CreatedAt: born})
	s.CreateUser(tallyfysim.User{Email: "a@works.test", FirstName: "Wrenna", LastName: "Ostermoor", CreatedAt: born.Add(time.Hour)})
	for _, c := range []struct {
		path, field string
		want        []any
	}{
		{"./groups", "name", []any{"Žluť", "alpha 50%", "Beta", "ALPHA_x"}},
		{"./groups?q=alpha", "name", []any{"alpha 50%", "ALPHA_x"}},
		{"./groups?q=žLUť", "name", []any{"Žluť"}},
		{"./groups?q=%25", "name", []any{"alpha 50%"}},
		{"./groups?q=_", "name", []any{"ALPHA_x"}},
		{"./groups?q=of+2", "name", []any{"Beta"}},
		{"./groups?sort_by=name", "name", []any{"alpha 50%", "ALPHA_x", "Beta", "Žluť"}},
		{"./groups?sort_by=updated_at", "name", []any{"ALPHA_x", "Beta", "alpha 50%", "Žluť"}},
		{"./groups?sort_by=logo", "name", []any{"Žluť", "alpha 50%", "Beta", "ALPHA_x"}},
		{"./users?sort=email", "email", []any{"a@works.test", "b@works.test"}},
		{"./users?sort=-created_at", "email", []any{"a@works.test", "b@works.test"}},
		{"./users?q=łucjan", "email", []any{"b@works.test"}},
		{"./users?q=MOOR", "email", []any{"a@works.test"}},
	} {
		if got := get(t, s, c.path).column(t, c.field); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.path, got, c.want)
		}
	}
}

func TestSearchFoldsCaseCharacterByCharacter(t *testing.T) {
	s := tallyfysim.New(tallyfysim.Options{})
	s.CreateGroup(tallyfysim.Group{Name: "ΟΔΟΣ", Description: "Straße"})
	s.CreateGroup(tallyfysim.Group{Name: "İzn", Description: "\u212A9"}) // Kelvin's sign
	for q, want := range map[string]int{"οδος": 1, "οδοσ": 1, "STRASSE": 0, "STRAẞE": 1, "i": 0, "İ": 1, "k9": 1, "": 2} {
		r := get(t, s, "./groups?"+url.Values{"q": {q}}.Encode())
		if got := len(r.rows(t)); got != want {
			t.Errorf("%q is in %d groups, want %d", q, got, want)
		}
	}
}

func TestADeletionBetweenPagesShiftsTheRest(t *testing.T) {
	s := numbered(tallyfysim.Options{}, 25)
	gone := s.Groups()[3].ID
	s.Fault(tallyfysim.Fault{Match: tallyfysim.OnPage("groups", "2"), Times: 1, Before: func() { s.DeleteGroup(gone) }})
	get(t, s, "./groups")
	second := get(t, s, "./groups?page=2")
	if names := second.column(t, "name"); names[0] != "011" {
		t.Errorf("page 2 begins with %v; 010 should have slipped to page 1", names[0])
	}
	if total := second.pagination(t)["total"]; total != 24.0 {
		t.Errorf("total is %v", total)
	}
}
