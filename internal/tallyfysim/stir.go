package tallyfysim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// Stir makes one small edit such as people make all day and says in a few
// words what it was. The first group and the default administrator stay. The
// same state and rng give the same edit.
func (s *Sim) Stir(rng *rand.Rand) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := stirring{s, rng}
	for _, edit := range st.edits() {
		if what := edit(); what != "" {
			return what
		}
	}
	return st.invite()
}

type stirring struct {
	*Sim
	rng *rand.Rand
}

// edits returns the edit drawn, with one that is nearly always possible
// behind it. An impossible edit says nothing.
func (st stirring) edits() []func() string {
	likely := []struct {
		of   int
		edit func() string
	}{
		{38, st.join},
		{24, st.leave},
		{8, st.guest},
		{8, st.describe},
		{10, st.login},
		{4, st.invite},
		{3, st.found},
		{1, st.dissolve},
		{2, st.disableOne},
		{2, st.enableOne},
	}
	n := st.rng.IntN(100)
	for _, l := range likely {
		if n -= l.of; n < 0 {
			return []func() string{l.edit, st.join}
		}
	}
	return []func() string{st.join}
}

// group draws one but the first, nil if there is none.
func (st stirring) group() *Group {
	if len(st.groups.order) < 2 {
		return nil
	}
	return st.groups.order[1+st.rng.IntN(len(st.groups.order)-1)]
}

// user draws one that fits, nil if luck is against it.
func (st stirring) user(fits func(*User) bool) *User {
	for range min(50, 2*len(st.users.order)) {
		if u := st.users.order[st.rng.IntN(len(st.users.order))]; fits(u) {
			return u
		}
	}
	return nil
}

func present(u *User) bool { return u.Status != StatusDisabled && !u.Bot }

func ordinary(u *User) bool { return u.Status == StatusActive && !u.Bot && !u.DefaultAdmin }

func (st stirring) join() string {
	g := st.group()
	if g == nil {
		return ""
	}
	u := st.user(func(u *User) bool { return present(u) && !slices.Contains(g.Members, u.ID) })
	if u == nil {
		return ""
	}
	row := g.clone()
	row.Members = append(row.Members, u.ID)
	st.replaceGroup(g, row)
	return fmt.Sprintf("%s joined %q", u.fullName(), g.Name)
}

func (st stirring) leave() string {
	g := st.group()
	if g == nil || len(g.Members) == 0 {
		return ""
	}
	at := st.rng.IntN(len(g.Members))
	row := g.clone()
	row.Members = slices.Delete(row.Members, at, at+1)
	st.replaceGroup(g, row)
	if u := st.users.byID[g.Members[at]]; u != nil {
		return fmt.Sprintf("%s left %q", u.fullName(), g.Name)
	}
	return fmt.Sprintf("user %d left %q", g.Members[at], g.Name)
}

// guest lets a guest leave a group that has some and invites one elsewhere.
func (st stirring) guest() string {
	g := st.group()
	if g == nil {
		return ""
	}
	row := g.clone()
	if n := len(row.Guests); n > 0 {
		row.Guests = row.Guests[:n-1]
		st.replaceGroup(g, row)
		return fmt.Sprintf("guest %s left %q", g.Guests[n-1], g.Name)
	}
	email := "visitor." + strconv.Itoa(1000+st.rng.IntN(9000)) + "@" + guestDomains[st.rng.IntN(len(guestDomains))]
	row.Guests = append(row.Guests, email)
	st.replaceGroup(g, row)
	return fmt.Sprintf("guest %s joined %q", email, g.Name)
}

func (st stirring) describe() string {
	g := st.group()
	if g == nil {
		return ""
	}
	row := g.clone()
	row.Description = "Meets in room " + strconv.Itoa(100+st.rng.IntN(400))
	st.replaceGroup(g, row)
	return fmt.Sprintf("%q is described anew", g.Name)
}

func (st stirring) login() string {
	u := st.user(ordinary)
	if u == nil {
		return ""
	}
	row := u.clone()
	row.LastLoginAt = st.now()
	st.replaceUser(u, row)
	return u.fullName() + " logged in"
}

func (st stirring) invite() string {
	t := tongues[st.rng.IntN(len(tongues))]
	given, family := t.given[st.rng.IntN(len(t.given))], t.family[st.rng.IntN(len(t.family))]
	u := &User{FirstName: given.text, LastName: family.text, Status: StatusInvited}
	u.Email = given.handle + "." + family.handle + strconv.FormatInt(st.nextUser, 36) + "@works.test"
	st.addUser(u)
	return u.fullName() + " was invited"
}

func (st stirring) found() string {
	g := &Group{ID: st.newGroupID(), Description: "A group for a while"}
	g.Name = "Task force " + strconv.FormatUint(st.rng.Uint64()>>40, 36)
	g.CreatedAt, g.UpdatedAt = st.bornAt(time.Time{}, time.Time{})
	st.groups.put(g)
	return fmt.Sprintf("%q was created", g.Name)
}

func (st stirring) dissolve() string {
	g := st.group()
	if g == nil || len(st.groups.order) < 5 {
		return ""
	}
	st.groups.remove(g.ID)
	return fmt.Sprintf("%q was deleted", g.Name)
}

func (st stirring) disableOne() string {
	u := st.user(ordinary)
	if u == nil {
		return ""
	}
	st.disable(u)
	return u.fullName() + " was disabled"
}

func (st stirring) enableOne() string {
	u := st.user(func(u *User) bool { return u.Status == StatusDisabled })
	if u == nil {
		return ""
	}
	st.enable(u)
	return u.fullName() + " was enabled again"
}
