package tallyfysim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/tallyfysim"
)

// keys are the keys of the object under path, in the order sent.
func keys(t *testing.T, raw, open string) []string {
	t.Helper()
	_, after, ok := strings.Cut(raw, open)
	if !ok {
		t.Fatalf("no %q in %s", open, raw)
	}
	dec := json.NewDecoder(strings.NewReader("{" + after))
	if _, err := dec.Token(); err != nil {
		t.Fatal(err)
	}
	var out []string
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			t.Fatal(err)
		}
		out = append(out, key.(string))
	}
	return out
}

// small is an organisation of one user, id 1001, and one group, id g.
func small(o tallyfysim.Options) *tallyfysim.Sim {
	s := tallyfysim.New(o)
	born := time.Date(2025, time.February, 3, 4, 5, 6, 0, time.UTC)
	for i := range 2 {
		s.CreateUser(tallyfysim.User{
			ID: int64(1001 + i), Email: fmt.Sprintf("wrenna%d@works.test", i), FirstName: "Wrenna", LastName: "Pyke", Role: tallyfysim.RoleAdmin,
			CreatedAt: born, UpdatedAt: born.Add(time.Hour), LastLoginAt: born.Add(2 * time.Hour),
		})
	}
	s.CreateGroup(tallyfysim.Group{
		ID: "g", Name: "Night shift", Description: "Plant B", Members: []int64{1001, 1002}, Guests: []string{"a@client.test", "B@client.test"},
		CreatedAt: born, UpdatedAt: born.Add(time.Hour),
	})
	return s
}

func TestGroupFormsDiffer(t *testing.T) {
	s := small(tallyfysim.Options{})
	list := get(t, s, "./groups")
	one := get(t, s, "./groups/g")
	put := ask(t, s, http.MethodPut, "./groups/g", `{"name":"Night shift","description":"Plant B","members":[1001,1002],"guests":["a@client.test","B@client.test"]}`)

	base := map[string]any{"id": "g", "name": "Night shift", "description": "Plant B", "logo": nil, "guests": []any{"a@client.test", "B@client.test"}}
	for _, c := range []struct {
		form             string
		got              map[string]any
		members          []any
		created, updated string
	}{
		{"list", list.rows(t)[0], []any{1001.0, 1002.0}, "2025-02-03T04:05:06Z", "2025-02-03T05:05:06Z"},
		{"single", one.data(t), []any{"1002", "1001"}, "2025-02-03T04:05:06.000Z", "2025-02-03T05:05:06.000Z"},
		{"write", put.data(t), []any{1001.0, 1002.0}, "2025-02-03T04:05:06+00:00", "2025-02-03T05:05:06+00:00"},
	} {
		base["members"], base["created_at"], base["last_updated"] = c.members, c.created, c.updated
		if diff := cmp.Diff(base, c.got); diff != "" {
			t.Errorf("%s: %s", c.form, diff)
		}
	}
	if a, b := keys(t, list.raw, `"data":[{`), keys(t, one.raw, `"data":{`); slices.Equal(a, b) {
		t.Errorf("list and single read have the same order of keys: %v", a)
	}
}

func TestGroupOf2025(t *testing.T) {
	s := small(tallyfysim.Options{Generation: tallyfysim.Gen2025})
	row := get(t, s, "./groups").rows(t)[0]
	if row["updated_at"] != "2025-02-03T05:05:06Z" || row["last_updated"] != nil {
		t.Errorf("got %v", row)
	}
	if deleted, there := row["deleted_at"]; !there || deleted != nil {
		t.Errorf("deleted_at is %v, %v", deleted, there)
	}
	if one := get(t, s, "./groups/g").data(t); one["last_updated"] != "2025-02-03T05:05:06.000Z" || one["updated_at"] != nil {
		t.Errorf("single: %v", one)
	}
}

func TestUserForms(t *testing.T) {
	for _, c := range []struct {
		name         string
		o            tallyfysim.Options
		list, single []string // keys one form has and the other lacks
		role         string
	}{
		{"2026", tallyfysim.Options{}, []string{"country_id", "date_format"}, []string{"invited_by"}, "role"},
		{"2025", tallyfysim.Options{Generation: tallyfysim.Gen2025}, []string{"is_suspended", "job_title", "last_login_at", "last_updated", "team"}, []string{"timezone"}, "user_role"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := small(c.o)
			list, one := get(t, s, "./users"), get(t, s, "./users/1001")
			a, b := keys(t, list.raw, `"data":[{`), keys(t, one.raw, `"data":{`)
			if got := lacking(a, b); !slices.Equal(got, c.list) {
				t.Errorf("only in the list: %v", got)
			}
			if got := lacking(b, a); !slices.Equal(got, c.single) {
				t.Errorf("only in the single read: %v", got)
			}
			row, whole := list.rows(t)[0], one.data(t)
			if row[c.role] != "Admin" || whole[c.role] != "Admin" || row["status"] != "active" {
				t.Errorf("role %v, %v, status %v", row[c.role], whole[c.role], row["status"])
			}
			if row["created_at"] != "2025-02-03T04:05:06Z" || whole["created_at"] != "2025-02-03T04:05:06.000000Z" {
				t.Errorf("created_at %v, %v", row["created_at"], whole["created_at"])
			}
		})
	}
}

func lacking(a, b []string) []string {
	var out []string
	for _, key := range a {
		if !slices.Contains(b, key) {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}

func TestAnswersToUserWritesHaveLowerCaseRoles(t *testing.T) {
	s := small(tallyfysim.Options{})
	if row := ask(t, s, http.MethodPut, "./users/1002/role", `{"role":"light"}`).data(t); row["role"] != "light" {
		t.Errorf("got %v", row)
	}
}

func TestStatusShowsItself(t *testing.T) {
	for _, c := range []struct {
		name string
		o    tallyfysim.Options
		want map[string]map[string]any // by status
	}{
		{"2026", tallyfysim.Options{}, map[string]map[string]any{
			"active": {"status": "active", "is_active": true}, "invited": {"status": "invited", "is_active": false}, "disabled": {"status": "disabled", "is_active": false},
		}},
		{"2025", tallyfysim.Options{Generation: tallyfysim.Gen2025}, map[string]map[string]any{
			"active": {"status": "active", "active": true, "is_suspended": false}, "disabled": {"status": "disabled", "active": false, "is_suspended": true},
		}},
		{"without status", tallyfysim.Options{Generation: tallyfysim.Gen2025, NoStatus: true}, map[string]map[string]any{
			"active": {"status": nil, "disabled_at": nil, "is_suspended": false}, "disabled": {"status": nil, "disabled_at": "2026-01-02T03:04:05Z", "active": false},
		}},
	} {
		for status, want := range c.want {
			s := tallyfysim.New(c.o)
			u := tallyfysim.User{Email: "a@works.test", Status: status}
			if status == tallyfysim.StatusDisabled {
				u.DisabledAt = time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC)
			}
			s.CreateUser(u)
			row := get(t, s, "./users").rows(t)[0]
			for key, value := range want {
				if row[key] != value {
					t.Errorf("%s, %s: %s is %v, want %v", c.name, status, key, row[key], value)
				}
			}
		}
	}
}

func TestStringIDs(t *testing.T) {
	s := small(tallyfysim.Options{StringIDs: true})
	if members := get(t, s, "./groups").rows(t)[0]["members"]; !cmp.Equal(members, []any{"1001", "1002"}) {
		t.Errorf("got %v", members)
	}
	if id := get(t, s, "./users").rows(t)[0]["id"]; id != "1001" {
		t.Errorf("got %v", id)
	}
}

func TestExtraReplacesAddsAndLeavesOut(t *testing.T) {
	s := small(tallyfysim.Options{})
	s.UpdateGroup("g", func(g *tallyfysim.Group) {
		g.Extra = map[string]json.RawMessage{"members": json.RawMessage("null"), "logo": json.RawMessage(`{"url":"x"}`), "guests": nil, "colour": json.RawMessage(`"red"`)}
	})
	for form, row := range map[string]map[string]any{"list": get(t, s, "./groups").rows(t)[0], "single": get(t, s, "./groups/g").data(t)} {
		if members, there := row["members"]; members != nil || !there {
			t.Errorf("%s: members is %v", form, members)
		}
		if _, there := row["guests"]; there || row["colour"] != "red" || !cmp.Equal(row["logo"], map[string]any{"url": "x"}) {
			t.Errorf("%s: %v", form, row)
		}
	}
}

func TestTextIsEscapedAsPHPDoes(t *testing.T) {
	s := tallyfysim.New(tallyfysim.Options{})
	name := "A/B \"quoted\" back\\slash \t Ž 😀 \u2028 \x01"
	id := s.CreateGroup(tallyfysim.Group{Name: name})
	r := get(t, s, "./groups/"+id)
	if !strings.Contains(r.raw, `A\/B \"quoted\" back\\slash \t \u017d \ud83d\ude00 \u2028 \u0001`) {
		t.Errorf("got %s", r.raw)
	}
	if r.data(t)["name"] != name {
		t.Errorf("got %q back", r.data(t)["name"])
	}
}

func TestIncludes(t *testing.T) {
	s := small(tallyfysim.Options{})
	if groups := get(t, s, "./users?with=groups,stats").rows(t)[0]; !cmp.Equal(groups["groups"].(map[string]any)["data"].([]any)[0].(map[string]any)["members"], []any{1001.0, 1002.0}) || groups["stats"] == nil {
		t.Errorf("got %v", groups)
	}
	older := small(tallyfysim.Options{Generation: tallyfysim.Gen2025})
	if groups := get(t, older, "./users/1001?with=groups").data(t)["groups"]; !cmp.Equal(groups, []any{map[string]any{"id": "g", "name": "Night shift"}}) {
		t.Errorf("2025: %v", groups)
	}
	if _, there := get(t, s, "./users").rows(t)[0]["groups"]; there {
		t.Error("an include nobody asked for")
	}
	if users := get(t, s, "./groups?with=users").rows(t)[0]["users"].(map[string]any)["data"].([]any); len(users) != 2 {
		t.Errorf("got %v", users)
	}
	if get(t, s, "./groups/g?with=assets").data(t)["assets"] == nil {
		t.Error("no assets")
	}
}

func TestMeAndOrganization(t *testing.T) {
	s := small(tallyfysim.Options{})
	s.CreateUser(tallyfysim.User{Email: "bot@works.test", Bot: true})
	for _, path := range []string{"/me", "/api/me", "./me"} {
		if me := get(t, s, path).data(t); me["id"] != 1001.0 {
			t.Errorf("%s: %v", path, me)
		}
	}
	if org := get(t, s, "/organizations/"+s.Organization()).data(t); org["id"] != s.Organization() || org["users_count"] != 2.0 {
		t.Errorf("got %v", org)
	}
	if orgs := get(t, s, "/me/organizations").rows(t); len(orgs) != 1 || orgs[0]["user_role"] != "admin" {
		t.Errorf("got %v", orgs)
	}
}
