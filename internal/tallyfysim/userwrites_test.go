package tallyfysim_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"rollcall/internal/tallyfysim"
)

const invitation = `{"email":"New@works.test","first_name":"New","last_name":"Pyke","role":"standard","message":"Welcome"}`

// members of a group, nil if it is gone.
func members(s *tallyfysim.Sim, group string) []int64 {
	g, _ := s.Group(group)
	return g.Members
}

func TestInviteUser(t *testing.T) {
	s := small(tallyfysim.Options{})
	row := ask(t, s, http.MethodPost, "./users/invite", invitation).want(t, http.StatusOK, `"status":"invited"`).data(t)
	if row["username"] != nil || row["type"] != nil || row["invited_by"] != 1001.0 || row["role"] != "standard" {
		t.Errorf("got %v", row)
	}
	for _, c := range []struct{ body, field string }{
		{invitation, "email"},
		{strings.Replace(invitation, "New@works.test", "nobody", 1), "email"},
		{strings.Replace(invitation, `"standard"`, `"owner"`, 1), "role"},
		{strings.Replace(invitation, `"Welcome"`, `""`, 1), "message"},
		{strings.Replace(invitation, `"Pyke"`, `"`+strings.Repeat("x", 33)+`"`, 1), "last_name"},
		{strings.Replace(invitation, `"New"`, `"https://x.test"`, 1), "first_name"},
	} {
		ask(t, s, http.MethodPost, "./users/invite", c.body).want(t, http.StatusUnprocessableEntity, `"`+c.field+`"`)
	}
	if n := len(s.Users()); n != 3 {
		t.Errorf("%d users", n)
	}
}

func TestInvitationsJoinGroupsIfTheyMay(t *testing.T) {
	body := strings.Replace(invitation, "}", `,"groups":["g","none",5]}`, 1)
	for want, s := range map[int]*tallyfysim.Sim{2: small(tallyfysim.Options{}), 3: small(tallyfysim.Options{InvitationsJoin: true})} {
		ask(t, s, http.MethodPost, "./users/invite", body).want(t, http.StatusOK, "")
		if got := members(s, "g"); len(got) != want {
			t.Errorf("%v are in the group, want %d", got, want)
		}
	}
}

func TestUpdateUser(t *testing.T) {
	s := small(tallyfysim.Options{})
	s.UpdateUser(1002, func(u *tallyfysim.User) { u.Phone, u.Team = "1", "North" })
	row := ask(t, s, http.MethodPut, "./users/1002", `{"first_name":"Osric","last_name":"Pyke","timezone":"Asia/Tokyo","phone":null}`).want(t, http.StatusOK, "").data(t)
	if row["full_name"] != "Osric Pyke" || row["UTC_offset"] != "+09:00" || row["phone"] != nil || row["team"] != "North" {
		t.Errorf("got %v", row)
	}
	ask(t, s, http.MethodPut, "./users/1002", `{"first_name":"Osric"}`).want(t, http.StatusUnprocessableEntity, "timezone")
	ask(t, s, http.MethodPut, "./me", `{"first_name":"Self","last_name":"Pyke","timezone":"UTC"}`).want(t, http.StatusOK, `"id":1001`)

	s.UpdateUser(1002, func(u *tallyfysim.User) { u.Elsewhere = true })
	ask(t, s, http.MethodPut, "./users/1002", `{"first_name":"A","last_name":"B","timezone":"UTC"}`).want(t, http.StatusForbidden, "")
}

func TestBotsAndTheDefaultAdministratorAreProtected(t *testing.T) {
	s := small(tallyfysim.Options{})
	s.CreateUser(tallyfysim.User{ID: 1, Email: "bot@works.test", Bot: true})
	s.CreateUser(tallyfysim.User{ID: 2, Email: "root@works.test", Role: tallyfysim.RoleAdmin, DefaultAdmin: true})
	for _, c := range []struct{ method, path, body, text string }{
		{"DELETE", "./users/1/disable", "", "Bot users cannot be disabled."},
		{"DELETE", "./users/1", "", "You can't remove a bot user from this organization!"},
		{"DELETE", "./users/1/delete", "", "bot user"},
		{"PUT", "./users/1", "{}", "Bot users"},
		{"PUT", "./users/1/role", `{"role":"light"}`, "Bot users"},
		{"PUT", "./users/1/to/guest", "", "Bot users"},
		{"DELETE", "./users/2/disable", "", "Cannot modify the default administrator."},
		{"DELETE", "./users/2", "", "default administrator"},
		{"DELETE", "./users/2/delete", "", "default administrator"},
		{"PUT", "./users/2/role", `{"role":"light"}`, "default administrator"},
		{"PUT", "./users/2/to/guest", "", "default administrator"},
	} {
		ask(t, s, c.method, c.path, c.body).want(t, http.StatusBadRequest, c.text)
	}
}

func TestDisablingDropsFromEveryGroupAndKeepsTheRow(t *testing.T) {
	s := small(tallyfysim.Options{})
	before, _ := s.Group("g")
	ask(t, s, http.MethodDelete, "./users/1002/disable", "").want(t, http.StatusOK, `"status":"disabled"`)
	after, _ := s.Group("g")
	if !slices.Equal(after.Members, []int64{1001}) || !after.UpdatedAt.Equal(before.UpdatedAt) {
		t.Errorf("got %v", after)
	}
	get(t, s, "./users").want(t, http.StatusOK, `"id":1002`)
	ask(t, s, http.MethodPut, "./users/1002/enable", "").want(t, http.StatusOK, `"status":"active"`)
	if got := members(s, "g"); !slices.Equal(got, []int64{1001}) {
		t.Errorf("enabled into %v", got)
	}
}

func TestDisablingUnderOtherReadings(t *testing.T) {
	kept := small(tallyfysim.Options{DisabledKeepGroups: true})
	kept.Disable(1002)
	if got := members(kept, "g"); len(got) != 2 {
		t.Errorf("DisabledKeepGroups: %v", got)
	}
	back := small(tallyfysim.Options{EnableRestores: true})
	back.Disable(1002)
	back.Enable(1002)
	if got := members(back, "g"); !slices.Equal(got, []int64{1001, 1002}) {
		t.Errorf("EnableRestores: %v", got)
	}
}

func TestRemovingAUser(t *testing.T) {
	s := small(tallyfysim.Options{})
	ask(t, s, http.MethodDelete, "./users/1002?with_reassignment=true&to=9", "").want(t, http.StatusUnprocessableEntity, `"to"`)
	ask(t, s, http.MethodDelete, "./users/1002?with_reassignment=true&to=1001", "").want(t, http.StatusOK, `"status":"disabled"`)
	get(t, s, "./users/1002").want(t, http.StatusNotFound, "RESOURCE_NOT_FOUND")
	if got := members(s, "g"); !slices.Equal(got, []int64{1001}) {
		t.Errorf("got %v", got)
	}
	kept := small(tallyfysim.Options{RemovalKeepsRow: true})
	ask(t, kept, http.MethodDelete, "./users/1002", "").want(t, http.StatusOK, "")
	get(t, kept, "./users/1002").want(t, http.StatusOK, `"status":"disabled"`)
}

func TestPermanentDeletionWantsDisablingFirst(t *testing.T) {
	s := small(tallyfysim.Options{})
	ask(t, s, http.MethodDelete, "./users/1002/delete", "").want(t, http.StatusBadRequest, "Please disable the user before deletion.")
	s.Disable(1002)
	row := ask(t, s, http.MethodDelete, "./users/1002/delete", "").want(t, http.StatusOK, "").data(t)
	if row["email"] != "wrenna1@works.test.deleted.1002" || row["last_name"] != "Pyke (Deleted)" {
		t.Errorf("got %v", row)
	}
	get(t, s, "./users").want(t, http.StatusOK, `"total":1`)
}

func TestConversionBetweenMemberAndGuest(t *testing.T) {
	s := small(tallyfysim.Options{})
	ask(t, s, http.MethodPut, "./users/1002/to/guest", "").want(t, http.StatusOK, `"email":"wrenna1@works.test"`)
	get(t, s, "./users/1002").want(t, http.StatusNotFound, "")
	if got := members(s, "g"); !slices.Equal(got, []int64{1001}) {
		t.Errorf("got %v", got)
	}
	row := ask(t, s, http.MethodPost, "./guests/a@client.test/to/member", "").want(t, http.StatusOK, `"role":"standard"`).data(t)
	if row["id"] == 1002.0 || row["email"] != "a@client.test" {
		t.Errorf("got %v", row)
	}
	if g, _ := s.Group("g"); !slices.Equal(g.Guests, []string{"B@client.test"}) {
		t.Errorf("got %v", g.Guests)
	}
}

func TestSeatsRunOut(t *testing.T) {
	s := small(tallyfysim.Options{Seats: 2})
	const exhausted = `{"error":{"code":"SEAT_POOL_EXHAUSTED"`
	ask(t, s, http.MethodPost, "./users/invite", invitation).want(t, http.StatusConflict, exhausted)
	ask(t, s, http.MethodPut, "./users/1002/role", `{"role":"light"}`).want(t, http.StatusOK, "")
	ask(t, s, http.MethodPost, "./users/invite", invitation).want(t, http.StatusOK, "")
	ask(t, s, http.MethodPut, "./users/1002/role", `{"role":"standard"}`).want(t, http.StatusConflict, exhausted)
}

func TestGuests(t *testing.T) {
	s := small(tallyfysim.Options{})
	row := ask(t, s, http.MethodPost, "./guests", `{"email":"new@client.test","first_name":"New"}`).want(t, http.StatusCreated, "").data(t)
	if created := row["created_at"].(string); strings.Contains(created, "T") || row["first_name"] != "New" {
		t.Errorf("got %v", row)
	}
	ask(t, s, http.MethodPost, "./guests", `{"email":"wrenna0@works.test"}`).want(t, http.StatusUnprocessableEntity, "email")
	ask(t, s, http.MethodDelete, "./guests/b%40client.test/disable", "").want(t, http.StatusOK, `"disabled_at":"2`)
	ask(t, s, http.MethodPut, "./guests/b%40client.test/enable", "").want(t, http.StatusOK, `"disabled_at":null`)
	ask(t, s, http.MethodDelete, "./guests/b@client.test", "").want(t, http.StatusOK, "B@client.test")
	if g, _ := s.Group("g"); !slices.Equal(g.Guests, []string{"a@client.test"}) {
		t.Errorf("got %v", g.Guests)
	}
	ask(t, s, http.MethodDelete, "./guests/b@client.test", "").want(t, http.StatusUnprocessableEntity, "email")
	if rows := get(t, s, "./guests?q=CLIENT").rows(t); len(rows) != 2 {
		t.Errorf("got %v", rows)
	}
}
