package tallyfysim_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"rollcall/internal/tallyfysim"
)

func TestCopiesAreDeep(t *testing.T) {
	s := small(tallyfysim.Options{})
	members := []int64{1001}
	id := s.CreateGroup(tallyfysim.Group{Name: "New", Members: members})
	members[0] = 7
	g, _ := s.Group(id)
	if g.Members[0] != 1001 {
		t.Error("the simulator shares its caller's slice")
	}
	g.Members[0] = 8
	s.Groups()[1].Members[0] = 9
	if g, _ = s.Group(id); g.Members[0] != 1001 {
		t.Error("a copy shares the simulator's slice")
	}
}

func TestEditsOfUnknownRowsSaySo(t *testing.T) {
	s := small(tallyfysim.Options{})
	never := func() { t.Error("called for a row that does not exist") }
	if s.UpdateGroup("x", func(*tallyfysim.Group) { never() }) || s.UpdateUser(5, func(*tallyfysim.User) { never() }) ||
		s.DeleteGroup("x") || s.RemoveUser(5) || s.Disable(5) || s.Enable(5) {
		t.Error("an edit of nothing succeeded")
	}
	if _, there := s.Group("x"); there {
		t.Error("a group out of nothing")
	}
	if _, there := s.User(5); there {
		t.Error("a user out of nothing")
	}
}

func TestRowsKeepTheirOrder(t *testing.T) {
	s := tallyfysim.New(tallyfysim.Options{})
	day := func(d int) time.Time { return time.Date(2025, time.May, d, 0, 0, 0, 0, time.UTC) }
	for i, id := range []string{"c", "a", "b", "d"} {
		s.CreateGroup(tallyfysim.Group{ID: id, Name: id, CreatedAt: day([]int{3, 2, 2, 1}[i])})
	}
	order := func() string {
		out := ""
		for _, g := range s.Groups() {
			out += g.ID
		}
		return out
	}
	if got := order(); got != "dabc" {
		t.Errorf("got %s", got)
	}
	s.UpdateGroup("a", func(g *tallyfysim.Group) { g.CreatedAt = day(9) })
	s.UpdateGroup("d", func(g *tallyfysim.Group) { g.ID = "z" })
	if got := order(); got != "zbca" {
		t.Errorf("got %s", got)
	}
	s.CreateGroup(tallyfysim.Group{ID: "b", Name: "again", CreatedAt: day(20)})
	if got := order(); got != "zcab" {
		t.Errorf("got %s", got)
	}
}

func TestChurnDoesNotMoveTheTimeOfTheLastUpdate(t *testing.T) {
	s := small(tallyfysim.Options{})
	before, _ := s.User(1001)
	s.UpdateUser(1001, func(u *tallyfysim.User) {
		u.LastLoginAt, u.UTCOffset, u.ProfilePic = time.Now(), "+02:00", "https://pictures.works.test/1.png?signature=2"
	})
	if after, _ := s.User(1001); !after.UpdatedAt.Equal(before.UpdatedAt) {
		t.Error("moved by churn")
	}
	s.UpdateUser(1001, func(u *tallyfysim.User) { u.Team = "Night" })
	if after, _ := s.User(1001); after.UpdatedAt.Equal(before.UpdatedAt) {
		t.Error("not moved by a new team")
	}
}

func TestARemovedUserLeavesEveryGroup(t *testing.T) {
	s := small(tallyfysim.Options{})
	s.RemoveUser(1002)
	if got := members(s, "g"); !slices.Equal(got, []int64{1001}) {
		t.Errorf("got %v", got)
	}
}

func TestEditsAndRequestsMayBeConcurrent(t *testing.T) {
	s := tallyfysim.New(tallyfysim.Options{Groups: 20, Members: 50})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				id := s.CreateGroup(tallyfysim.Group{Name: "New", Members: []int64{1001}, Guests: []string{"x@client.test"}})
				s.UpdateGroup(id, func(g *tallyfysim.Group) { g.Members = nil })
				s.Disable(s.CreateUser(tallyfysim.User{Email: "new@works.test"}))
				s.DeleteGroup(id)
				s.Guests()
			}
		})
		wg.Go(func() {
			for range 50 {
				if r := get(t, s, "./groups?per_page=100"); r.status != http.StatusOK {
					t.Errorf("got %d", r.status)
				}
				ask(t, s, http.MethodPost, "./groups", `{"name":"Twice","description":"d"}`)
				s.Requests()
			}
		})
	}
	wg.Wait()
}
